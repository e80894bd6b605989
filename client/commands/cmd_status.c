#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/status_follow.h"
#include "read/doc.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/status_metrics.h"
#include "text/status_text.h"
#include "value/json.h"
#include "value/value.h"

struct status_options {
	bool json, metrics;
	const char *wait;
};

static const struct option_spec options[] = {
	{"json", 'j', OPTION_FLAG, offsetof(struct status_options, json), NULL,
	 "print the Status object as JSON"},
	{"openmetrics", '\0', OPTION_FLAG,
	 offsetof(struct status_options, metrics), NULL,
	 "print it as OpenMetrics text"},
	{"wait", '\0', OPTION_SECONDS, offsetof(struct status_options, wait),
	 "S", "wait until ready; fail after S seconds"},
};

static bool is_ready(struct str state)
{
	return str_is(state, "ready");
}

/* The caller's document, also when the time ran out before it was ready. */
static int wait_for_ready(const struct client *client, const char *seconds,
			  struct doc **answer)
{
	_cleanup_(channel_deinit) struct channel channel = {0};
	struct status_wish wish = {
		.is_enough = is_ready,
		.overall = client->workspace == NULL,
		.patient = true,
		.timeout_ms = arguments_milliseconds(seconds, 0),
	};
	int status = status_follow(&channel, client, &wish, answer);

	if (status == EXIT_NO_DAEMON) /* all the time */
		return complain(EXIT_FAILED, "not ready after %g s: %s",
				arguments_seconds(seconds),
				clearconf_strerror(channel.handle));
	if (channel.result == -ETIMEDOUT)
		return complain(EXIT_FAILED,
				"not ready after %g s: see 'clearconf status'",
				arguments_seconds(seconds));
	return status == EXIT_DONE ? EXIT_DONE
				   : channel_complain(&channel, status);
}

static int ask_now(const struct client *client, struct doc **answer)
{
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	int status = channel_open(&channel, client);

	buf_puts(&parameters, "{}");
	if (status == EXIT_DONE)
		status = channel_call(&channel, "GetStatus", &parameters,
				      answer);
	return status == EXIT_DONE ? EXIT_DONE
				   : channel_complain(&channel, status);
}

static int print(const struct client *client, const struct value *status,
		 const struct status_options *o)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (client->workspace &&
	    !status_workspace_state(status, client->workspace).ptr)
		return complain(EXIT_USAGE,
				"there is no workspace '%s'; 'clearconf "
				"status' lists the workspaces",
				client->workspace);
	if (o->metrics)
		status_metrics_write(&out, status, client->workspace);
	else if (o->json)
		output_add_json(&out, status);
	else
		status_text_write(&out, status, client->workspace, time(NULL));
	return output_write(buf_str(&out));
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct status_options *o = fields;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	const struct value *status;
	int result;

	(void)argc;
	(void)argv;
	if (o->json && o->metrics)
		return complain(EXIT_USAGE, "--json or --openmetrics, not "
					    "both");
	result = o->wait ? wait_for_ready(client, o->wait, &answer)
			 : ask_now(client, &answer);
	if (result != EXIT_DONE || !answer)
		return result;
	status = value_get(answer->root, STR("status"));
	if (!value_is(status, VALUE_OBJECT))
		return complain(EXIT_FAILED,
				"the daemon's answer holds no status; are "
				"clearconf and clearconfd of one version?");
	return print(client, status, o);
}

const struct command cmd_status = {
	.name = "status",
	.synopsis = "[--json | --openmetrics] [--wait S]",
	.summary = "show what the daemon serves, from where, and what is wrong",
	.details =
		"Shows the state of the daemon and of each workspace: the "
		"server, the last answer and\n"
		"error, and the layers, weakest first, with the place of what "
		"is broken.\n"
		"\n"
		"  starting  the vaults are not in yet\n"
		"  ready     complete and current\n"
		"  degraded  something is broken or too old: what was good "
		"before, if anything, is served\n"
		"  offline   the server is not reached: what it said before, "
		"if anything, is served\n"
		"\n"
		"--wait S also waits for a daemon that is not up yet: exit "
		"status 0 once it is ready,\n"
		"1 when it is not after S seconds.\n"
		"\n"
		"--openmetrics is also what the textfile collector of "
		"node_exporter reads.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct status_options),
	.arguments_max = 0,
	.run = run,
};
