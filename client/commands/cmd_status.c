#include <errno.h>
#include <time.h>

#include "base/mem.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/clock.h"
#include "call/command.h"
#include "call/status_follow.h"
#include "read/doc.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/status_metrics.h"
#include "text/status_text.h"
#include "text/terminal.h"
#include "value/json.h"
#include "value/value.h"

#define AGAIN_MS 1000

struct status_options {
	bool json, metrics, watch;
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
	{"watch", '\0', OPTION_FLAG, offsetof(struct status_options, watch),
	 NULL, "show it again at each change, until interrupted"},
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

/* Print the status as text, JSON or metrics. An exit status. */
static int render(struct buf *out, const struct client *client,
		  const struct status_options *o, const struct doc *answer)
{
	const struct value *status = value_get(answer->root, STR("status"));

	if (!value_is(status, VALUE_OBJECT))
		return complain(EXIT_FAILED,
				"the daemon's answer holds no status; are "
				"clearconf and clearconfd of one version?");
	if (client->workspace &&
	    !status_workspace_state(status, client->workspace).ptr)
		return complain(EXIT_USAGE,
				"there is no workspace '%s'; 'clearconf "
				"status' lists the workspaces",
				client->workspace);
	if (o->metrics)
		status_metrics_write(out, status, client->workspace);
	else if (o->json && o->watch)
		json_write(out, status);
	else if (o->json)
		output_add_json(out, status);
	else
		status_text_write(out, status, client->workspace, time(NULL));
	return EXIT_DONE;
}

/* Follow the status by a call with `more`: again at each change of state. */
static int ask_again(struct channel *channel)
{
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;

	buf_puts(&parameters, "{}");
	return channel_send(channel, "GetStatus", &parameters);
}

/* --- again and again ------------------------------------------------------ */

struct watching {
	const struct client *client;
	const struct status_options *options;
	struct channel channel;
	bool redraws; /* one in place of the other, each second */
	bool begun;   /* there has been one */
	bool gone;    /* and since then no daemon */
};

static int show_next(struct watching *watching, const struct doc *answer)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	int status = render(&out, watching->client, watching->options, answer);

	if (status != EXIT_DONE)
		return status;
	watching->begun = true;
	watching->gone = false;
	if (watching->redraws)
		return output_redraw(buf_str(&out));
	buf_putc(&out, '\n');
	return output_write(buf_str(&out));
}

/* Ages grow while somebody looks on: after a second it is asked anew. */
static int follow(struct watching *watching)
{
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct channel *channel = &watching->channel;
	int wait_ms = watching->redraws ? AGAIN_MS : -1;
	int status = channel_next(channel, wait_ms, &answer, NULL);

	if (status == EXIT_DONE)
		return show_next(watching, answer);
	if (channel->result != -ETIMEDOUT)
		return status;
	status = channel_open(channel, watching->client);
	return status == EXIT_DONE ? ask_again(channel) : status;
}

static int begin(struct watching *watching)
{
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct channel *channel = &watching->channel;
	int status = channel_open(channel, watching->client);

	if (status == EXIT_DONE)
		status = ask_again(channel);
	if (status == EXIT_DONE)
		status = channel_next(channel, watching->client->timeout_ms,
				      &answer, NULL);
	return status == EXIT_DONE ? show_next(watching, answer) : status;
}

/* A daemon that was there once is waited for. */
static int watch(const struct client *client, const struct status_options *o)
{
	struct watching watching = {
		.client = client,
		.options = o,
		.redraws = terminal_is_there() && !o->json,
	};
	int status = begin(&watching);

	while (status == EXIT_DONE ||
	       (watching.begun && status == EXIT_NO_DAEMON)) {
		if (status == EXIT_DONE) {
			status = follow(&watching);
			continue;
		}
		if (!watching.gone)
			complain_warning("the daemon is gone: waiting for it "
					 "to come back");
		watching.gone = true;
		clock_sleep(AGAIN_MS);
		status = begin(&watching);
	}
	status = channel_complain(&watching.channel, status);
	channel_deinit(&watching.channel);
	return status;
}

/* --- once ----------------------------------------------------------------- */

static int check_usage(const struct status_options *o)
{
	if (o->json && o->metrics)
		return complain(EXIT_USAGE, "--json or --openmetrics, not "
					    "both");
	if (o->watch && (o->metrics || o->wait))
		return complain(EXIT_USAGE,
				"--watch goes without --openmetrics and "
				"--wait");
	return EXIT_DONE;
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct status_options *o = fields;
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int result = check_usage(o);

	(void)argc;
	(void)argv;
	if (result != EXIT_DONE)
		return result;
	if (o->watch)
		return watch(client, o);
	result = o->wait ? wait_for_ready(client, o->wait, &answer)
			 : ask_now(client, &answer);
	if (result != EXIT_DONE || !answer)
		return result;
	result = render(&out, client, o, answer);
	return result == EXIT_DONE ? output_show(buf_str(&out)) : result;
}

const struct command cmd_status = {
	.name = "status",
	.synopsis = "[--json | --openmetrics] [--wait S | --watch]",
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
		"  refused   of a workspace: the server does not take its "
		"credentials\n"
		"\n"
		"--wait S also waits for a daemon that is not up yet: exit "
		"status 0 once it is ready,\n"
		"1 when it is not after S seconds.\n"
		"\n"
		"--watch shows it again at each change, in place of the last "
		"on a terminal (each second\n"
		"there); with --json a line each.\n"
		"\n"
		"--openmetrics is also what the textfile collector of "
		"node_exporter reads.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct status_options),
	.arguments_max = 0,
	.run = run,
};
