#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/env.h"
#include "base/mem.h"
#include "config/stack.h"
#include "layers.h"
#include "options.h"
#include "places.h"
#include "read/doc.h"
#include "settings.h"
#include "startup.h"
#include "workspace.h"

static void print_warnings(const struct doc *doc)
{
	for (size_t i = 0; i < doc->warnings.count; i++)
		diag_print_excerpt(&doc->warnings.items[i],
				   "warning: ", stdout);
}

static bool report(const struct layer *layer, bool must_exist)
{
	if (layer->state == LAYER_BROKEN)
		diag_print_excerpt(&layer->problem, "", stdout);
	else if (layer->state == LAYER_MISSING && must_exist)
		(void)printf("%s: is not there, or is no file\n",
			     layer->source);
	else if (layer->doc)
		print_warnings(layer->doc);
	return layer->state == LAYER_OK ||
	       (layer->state == LAYER_MISSING && !must_exist);
}

static struct layer_context context_of(const struct settings *settings,
				       const struct env *env)
{
	return (struct layer_context){
		.dialect = (enum read_dialect)settings->dialect,
		.limits = {.bytes = (size_t)settings->document,
			   .depth = (size_t)settings->depth,
			   .nodes = READ_LIMITS_DEFAULT.nodes},
		.env = env,
		.vault_env = env,
	};
}

static bool check_stack(struct stack *stack, const struct settings *settings,
			const struct env *env, bool must_exist)
{
	struct layer_context context = context_of(settings, env);
	bool fine = true;
	struct layer *layer;

	(void)stack_read(stack, &context);
	for (stack_each(stack, layer))
		fine = report(layer, must_exist) && fine;
	return fine;
}

static bool check_layers(const struct settings *settings,
			 const struct places *places, struct env *env)
{
	const struct workspace_host host = {
		.settings = settings,
		.places = places,
		.env = env,
	};
	_cleanup_(stack_deinit) struct stack stack;

	stack_init(&stack);
	(void)layers_set_local(&stack, &host, NULL);
	return check_stack(&stack, settings, env, false);
}

/* Each alone: files named together need not belong together. */
static bool check_named_file(const char *path, const struct settings *settings,
			     const struct env *env)
{
	_cleanup_(stack_deinit) struct stack stack;
	_cleanup_(mem_freep) char *absolute = places_expand(path, NULL, NULL);
	const char *const sources[] = {absolute};
	struct layer *layer;

	stack_init(&stack);
	(void)stack_set_sources(&stack, LAYER_FILE, sources, 1, &layer);
	layer_set_file(layer, read_format_of_path(path), NULL);
	return check_stack(&stack, settings, env, true);
}

static bool check_all(const struct options *options,
		      const struct places *places, struct env *env)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(settings_freep) struct settings *settings =
		startup_settings(options, places, &diag);
	bool fine = true;

	if (!settings) {
		diag_print_excerpt(&diag, "", stdout);
		settings = settings_new();
		fine = false;
	}
	if (!options->files || !options->files[0])
		return check_layers(settings, places, env) && fine;
	for (char **file = options->files; *file; file++)
		fine = check_named_file(*file, settings, env) && fine;
	return fine;
}

int check_configuration(const struct options *options)
{
	_cleanup_(env_unrefp) struct env *env = env_from_process();
	_cleanup_(places_deinit) struct places places = {0};

	places_init(&places, options->instance, env);
	return check_all(options, &places, env) ? 0 : 1;
}
