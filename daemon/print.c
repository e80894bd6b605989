#include "print.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/printable.h"
#include "config/mask.h"
#include "engine/engine.h"
#include "read/doc.h"
#include "read/schema.h"
#include "render/render.h"

#define STATUS_NO_VAULTS 6 /* as the client's: the server is away */

/* A broken local file is fatal, as it is for ClearML; a broken vault is left
 * out with a warning, as there. */
static bool report_layers(const struct workspace *workspace)
{
	bool fine = true;
	struct layer *layer;

	for (stack_each(&workspace->stack, layer)) {
		if (layer->state != LAYER_BROKEN)
			continue;
		(void)fprintf(stderr, "clearconfd: ");
		diag_print(&layer->problem, stderr);
		fine = fine && layer->kind >= LAYER_VAULT;
	}
	return fine;
}

/* The exit status. */
static int report_server(const struct workspace *workspace, bool require_vaults)
{
	bool expected;
	const char *lack = workspace_vaults_lack(workspace, &expected);
	const char *problem = workspace_problem(workspace);

	if (lack && require_vaults) {
		printable_line(stderr, "clearconfd: the vaults are not in: %s",
			       lack);
		return STATUS_NO_VAULTS;
	}
	if (lack && expected)
		printable_line(stderr,
			       "clearconfd: warning: the vaults are not in: %s",
			       lack);
	else if (!lack && problem)
		printable_line(stderr,
			       "clearconfd: warning: the vaults are the last "
			       "known good ones: %s",
			       problem);
	return 0;
}

/* What is held needs no layer to be in order. */
static bool is_held(const struct workspace *workspace)
{
	const struct hold_record *held = workspace->hold.record;
	_cleanup_(mem_freep) char *reason = NULL;

	if (!held)
		return false;
	reason = mask_text(workspace->host->secrets, held->reason);
	printable_line(stderr,
		       "clearconfd: warning: this is generation %llu, which is "
		       "held (%s): 'clearconf release' ends that",
		       (unsigned long long)held->generation, reason);
	return true;
}

static void report_nothing(const struct engine *engine)
{
	_cleanup_(mem_freep) char *why = engine_explain_nothing(engine);

	if (why)
		printable_line(stderr, "clearconfd: warning: %s", why);
}

static int write_all(struct str text)
{
	if (fwrite(text.ptr, 1, text.len, stdout) == text.len &&
	    fflush(stdout) == 0)
		return 0;
	perror("clearconfd: standard output");
	return 1;
}

static int write_out(struct str text)
{
	_cleanup_(buf_deinit) struct buf shown = BUF_INIT;

	if (!isatty(STDOUT_FILENO))
		return write_all(text);
	printable_add_escaped(&shown, text);
	return write_all(buf_str(&shown));
}

static void print_warnings(const char *lines)
{
	size_t len;

	for (; *lines; lines += len + 1) {
		len = strcspn(lines, "\n");
		printable_line(stderr, "%.*s", (int)len, lines);
	}
}

static int print_tree(const struct workspace *workspace,
		      const struct render_format *format)
{
	_cleanup_(rendering_deinit) struct rendering out = RENDERING_INIT;

	if (!format->write(&out, workspace->snapshot->root)) {
		printable_line(stderr, "clearconfd: %s", out.refusal);
		return 1;
	}
	print_warnings(buf_str(&out.warnings).ptr);
	return write_out(buf_str(&out.text));
}

static int print_settled(struct engine *engine,
			 const struct render_format *format)
{
	int status;

	engine_resolve(engine);
	report_nothing(engine);
	status = report_server(engine->active, engine->options->require_vaults);
	if (status)
		return status;
	if (!is_held(engine->active) && !report_layers(engine->active))
		return 1;
	return print_tree(engine->active, format);
}

int print_schema(void)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	schema_add_json(&json);
	return write_all(buf_str(&json));
}

int print_configuration(const struct options *options)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	const struct render_format *format =
		render_format(options->format ? options->format : "json");
	struct engine *engine;
	int status;

	if (!format) {
		(void)fprintf(stderr,
			      "clearconfd: --format takes " RENDER_FORMAT_NAMES
			      "\n");
		return 2;
	}
	engine = engine_new(options, &diag);
	if (!engine) {
		(void)fprintf(stderr, "clearconfd: ");
		diag_print(&diag, stderr);
		return 1;
	}
	/* What matters is said below, in sentences. */
	if (!options->log_level)
		log_set_level(LOG_LEVEL_ERROR);
	status = print_settled(engine, format);
	engine_free(engine);
	return status;
}
