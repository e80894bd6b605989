#include "check.h"

#include <stdio.h>

#include "base/diag.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/printable.h"
#include "config/lock.h"
#include "config/stack.h"
#include "engine/engine.h"
#include "engine/layers.h"
#include "read/doc.h"
#include "settings/options.h"
#include "settings/places.h"
#include "settings/settings.h"
#include "settings/startup.h"
#include "site/site.h"
#include "value/value.h"

static void print_list(const struct diag_list *warnings)
{
	for (size_t i = 0; i < warnings->count; i++)
		diag_print_excerpt(&warnings->items[i], "warning: ", stdout);
}

/* Nobody can log in there, and no line says so but this. */
static void print_bad_url(struct doc *doc)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	const struct value *url =
		value_get(value_get(doc->root, STR("api")), STR("api_server"));

	if (!value_is(url, VALUE_STRING) || !str_trim(value_text(url)).len ||
	    str_after_http(str_trim(value_text(url))).len)
		return;
	diag_at(&diag, doc->sources[url->source], url->offset,
		"this is no URL, for ClearML neither: it begins with http:// "
		"or https://");
	diag_print_excerpt(&diag, "warning: ", stdout);
}

static void print_warnings(struct doc *doc)
{
	print_list(&doc->warnings);
	print_bad_url(doc);
}

static void print_problems(const struct layer *layer)
{
	diag_print_excerpt(&layer->problem, "", stdout);
	for (size_t i = 0; i < layer->others.count; i++)
		diag_print_excerpt(&layer->others.items[i], "", stdout);
}

static bool report(const struct layer *layer, bool must_exist)
{
	if (layer->state == LAYER_BROKEN)
		print_problems(layer);
	else if (layer->state == LAYER_MISSING && must_exist)
		printable_line(stdout, "%s: is not there, or is no file",
			       layer->source);
	else if (layer->doc)
		print_warnings(layer->doc);
	return layer->state == LAYER_OK ||
	       (layer->state == LAYER_MISSING && !must_exist);
}

static bool report_stack(const struct stack *stack, bool must_exist)
{
	bool fine = true;
	struct layer *layer;

	for (stack_each(stack, layer))
		fine = report(layer, must_exist) && fine;
	return fine;
}

static void warn(const struct workspace *workspace, const char *problem)
{
	if (problem)
		printable_line(stdout, "workspace %s: warning: %s",
			       workspace->name, problem);
}

/* It is no error: ClearML does not mind either. */
static void warn_of_locked(const struct layer *layer, const struct locks *locks)
{
	const struct doc *doc = layer->doc;
	const struct value *value;
	const struct lock *lock;
	size_t at = 0;

	while (doc && (lock = locks_next(locks, layer->kind, doc->root, &at,
					 &value))) {
		_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

		diag_at(&diag, doc->sources[value->source], value->offset,
			"%s is locked: exec and dumps keep what lies below the "
			"vaults",
			lock->text);
		diag_print_excerpt(&diag, "warning: ", stdout);
	}
}

static void warn_of_nothing(const struct engine *engine)
{
	_cleanup_(mem_freep) char *why = engine_explain_nothing(engine);

	if (why)
		printable_line(stdout, "warning: %s", why);
}

/* What the daemon would serve now, vaults and all. */
static bool check_workspaces(const struct options *options)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct engine *engine = engine_new(options, &diag);
	bool fine = true;
	struct layer *layer;

	if (!engine) {
		diag_print_excerpt(&diag, "", stdout);
		return false;
	}
	if (!options->log_level)
		log_set_level(LOG_LEVEL_ERROR);
	engine_resolve(engine);
	print_list(&engine->settings->warnings);
	if (site_problem(engine->site))
		printable_line(stdout, "site: warning: %s",
			       site_problem(engine->site));
	warn_of_nothing(engine);
	for (size_t i = 0; i < engine->workspace_count; i++) {
		const struct workspace *workspace = engine->workspaces[i];

		warn(workspace, workspace_problem(workspace));
		warn(workspace, workspace->login_warning);
		fine = report_stack(&workspace->stack, false) && fine;
		for (stack_each(&workspace->stack, layer))
			warn_of_locked(layer, engine->host.locks);
	}
	engine_free(engine);
	return fine;
}

/* Say what can be said when the settings are broken. */
static bool check_files(const struct settings *settings,
			const struct places *places, struct env *env)
{
	const struct workspace_host host = {
		.settings = settings,
		.places = places,
		.env = env,
	};
	struct layer_context context = layers_context(settings, env, env);
	_cleanup_(stack_deinit) struct stack stack;

	stack_init(&stack);
	(void)layers_set_local(&stack, &host);
	(void)stack_read(&stack, &context);
	return report_stack(&stack, false);
}

/* Check each file alone: those named together need not belong together. */
static bool check_named_file(const char *path, const struct settings *settings,
			     const struct env *env)
{
	_cleanup_(stack_deinit) struct stack stack;
	_cleanup_(mem_freep) char *absolute = places_expand(path, NULL, NULL);
	struct layer_context context = layers_context(settings, env, env);
	const char *const sources[] = {absolute};
	struct layer *layer;

	stack_init(&stack);
	(void)stack_set_sources(&stack, LAYER_FILE, sources, 1, &layer);
	layer_set_file(layer, read_format_of_path(path), NULL);
	(void)stack_read(&stack, &context);
	return report_stack(&stack, true);
}

static bool check_named_files(const struct options *options,
			      const struct settings *settings,
			      const struct env *env)
{
	bool fine = true;

	for (char **file = options->files; *file; file++)
		fine = check_named_file(*file, settings, env) && fine;
	return fine;
}

static bool check_all(const struct options *options,
		      const struct places *places, struct env *env)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(settings_freep) struct settings *settings =
		startup_settings(options, places, &diag);
	bool named = options->files && options->files[0];

	if (settings)
		return named ? check_named_files(options, settings, env)
			     : check_workspaces(options);
	diag_print_excerpt(&diag, "", stdout);
	settings = settings_new();
	(void)(named ? check_named_files(options, settings, env)
		     : check_files(settings, places, env));
	return false;
}

int check_configuration(const struct options *options)
{
	_cleanup_(env_unrefp) struct env *env = env_from_process();
	_cleanup_(places_deinit) struct places places = {0};

	/* What is wrong is printed: no log says it again. */
	if (!options->log_level)
		log_set_level(LOG_LEVEL_ERROR);
	places_init(&places, options->instance, env);
	return check_all(options, &places, env) ? 0 : 1;
}
