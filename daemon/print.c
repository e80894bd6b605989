#include "print.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"
#include "daemon.h"
#include "read/doc.h"
#include "value/json.h"

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
		fine = fine && layer->kind == LAYER_VAULT;
	}
	return fine;
}

static void report_server(const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;

	if (workspace->login_error)
		(void)fprintf(stderr, "clearconfd: warning: %s\n",
			      workspace->login_error);
	if (!upstream || upstream_is_well(upstream))
		return;
	(void)fprintf(stderr, "clearconfd: warning: without vaults: %s\n",
		      upstream->last_error ? upstream->last_error
					   : "the server did not answer in "
					     "time");
}

static int print_tree(const struct workspace *workspace)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	json_write_pretty(&out, workspace->snapshot->root);
	buf_putc(&out, '\n');
	if (fwrite(out.data, 1, out.len, stdout) != out.len ||
	    fflush(stdout) != 0) {
		perror("clearconfd: standard output");
		return 1;
	}
	return 0;
}

static int print_settled(struct daemon *daemon)
{
	daemon_resolve(daemon);
	report_server(daemon->active);
	if (!report_layers(daemon->active))
		return 1;
	return print_tree(daemon->active);
}

int print_configuration(const struct options *options)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct daemon *daemon = daemon_new(options, &diag);
	int status;

	if (!daemon) {
		(void)fprintf(stderr, "clearconfd: ");
		diag_print(&diag, stderr);
		return 1;
	}
	status = print_settled(daemon);
	daemon_free(daemon);
	return status;
}
