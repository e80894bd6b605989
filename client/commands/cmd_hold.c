#include <math.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/simple_call.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/hold_text.h"
#include "text/output.h"
#include "value/json.h"
#include "value/value.h"

struct hold {
	const char *reason, *duration;
	bool json;
};

static const struct option_spec options[] = {
	{"reason", 'r', OPTION_TEXT, offsetof(struct hold, reason), "TEXT",
	 "why: everybody who looks at the status is told"},
	{"for", 'f', OPTION_SECONDS, offsetof(struct hold, duration), "S",
	 "it ends by itself after S seconds, or as in 10m, 2h, 30d"},
	{"json", 'j', OPTION_FLAG, offsetof(struct hold, json), NULL,
	 "print the daemon's answer as JSON"},
};

static const struct option_spec release_options[] = {
	{"json", 'j', OPTION_FLAG, offsetof(struct hold, json), NULL,
	 "print the daemon's answer as JSON"},
};

/* --- asking --------------------------------------------------------------- */

/* It is no server of ClearML's that is not ready. */
static int complain_about(struct channel *channel, int status)
{
	static const char before[] = "not ready: ";
	const char *text;

	if (channel_failed_with(channel, CHANNEL_PARAMETER_REFUSED))
		return complain(EXIT_USAGE,
				"a reason is one line of at most 1024 bytes, "
				"and --for is at least a second and at most "
				"3650 days");
	if (!channel_failed_with(channel, CHANNEL_NOT_READY))
		return channel_complain(channel, status);
	text = clearconf_strerror(channel->handle);
	if (!strncmp(text, before, strlen(before)))
		text += strlen(before);
	return complain(EXIT_FAILED, "%s", text);
}

static int ask(const struct client *client, const char *method,
	       struct buf *members, struct doc **answer)
{
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(buf_deinit) struct buf question = BUF_INIT;
	int status = channel_open(&channel, client);

	buf_putc(&question, '{');
	buf_add_str(&question, buf_str(members));
	json_add_optional_string(&question, "workspace", client->workspace);
	buf_putc(&question, '}');
	if (status == EXIT_DONE)
		status = channel_call(&channel, method, &question, answer);
	return status == EXIT_DONE ? status : complain_about(&channel, status);
}

/* --- what is held --------------------------------------------------------- */

static void add_workspace(struct buf *out, const struct value *workspace)
{
	const struct value *hold = value_get(workspace, STR("hold"));

	buf_printf(out, "workspace %.*s%s",
		   STR_PRINT(answer_text(workspace, "name")),
		   hold ? ": " : ": nothing is held\n");
	if (hold)
		hold_text_add(out, hold, time(NULL), "  ");
}

static bool is_asked_for(const struct client *client,
			 const struct value *workspace)
{
	return client->workspace ? str_is(answer_text(workspace, "name"),
					  client->workspace)
				 : true;
}

static int print_holds(const struct client *client, const struct value *list)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (value_is(list, VALUE_LIST))
		for (uint32_t i = 0; i < list->list.count; i++)
			if (is_asked_for(client, list->list.items[i]))
				add_workspace(&out, list->list.items[i]);
	if (!out.len)
		return complain(EXIT_USAGE,
				"there is no workspace '%s'; 'clearconf "
				"status' lists the workspaces",
				client->workspace ? client->workspace : "");
	return output_show(buf_str(&out));
}

static int list(const struct client *client, const struct hold *o)
{
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct simple_call call = {.method = "ListWorkspaces", .of_all = true};
	int status = simple_call_run(client, &call, &answer);

	if (status != EXIT_DONE)
		return status;
	if (o->json)
		return simple_call_print_json(answer->root);
	return print_holds(client, value_get(answer->root, STR("workspaces")));
}

/* --- hold ----------------------------------------------------------------- */

static int print(const struct value *answer)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	hold_text_add(&out, value_get(answer, STR("hold")), time(NULL), "");
	return output_show(buf_str(&out));
}

/* @generation negative: that which is served. */
static int hold(const struct client *client, const struct hold *o,
		int64_t generation)
{
	_cleanup_(buf_deinit) struct buf members = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int status;

	json_add_string(&members, "reason", o->reason);
	json_add_optional_int(&members, "generation", generation);
	if (o->duration)
		json_add_int(&members, "duration",
			     (long long)ceil(arguments_seconds(o->duration)));
	status = ask(client, "Hold", &members, &answer);
	if (status != EXIT_DONE || !answer)
		return status;
	return o->json ? simple_call_print_json(answer->root)
		       : print(answer->root);
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct hold *o = fields;
	int64_t generation = -1;

	if (argc && !str_to_number(str_from(argv[0]), &generation))
		return complain(EXIT_USAGE,
				"'%s' is no generation: 'clearconf log' lists "
				"them",
				argv[0]);
	if (!o->reason && !argc && !o->duration)
		return list(client, o);
	if (!o->reason)
		return complain(EXIT_USAGE,
				"say why by --reason: who finds the host held "
				"will want to know");
	return hold(client, o, generation);
}

/* --- release -------------------------------------------------------------- */

static int run_release(const struct client *client, const void *fields,
		       int argc, char **argv)
{
	const struct hold *o = fields;
	_cleanup_(buf_deinit) struct buf none = BUF_INIT, out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int status = ask(client, "Release", &none, &answer);

	(void)argc;
	(void)argv;
	if (status != EXIT_DONE || !answer)
		return status;
	if (o->json)
		return simple_call_print_json(answer->root);
	buf_printf(&out, "%s: generation %lld is served\n",
		   answer_bool(answer->root, "released") ? "released"
							 : "nothing was held",
		   (long long)answer_int(answer->root, "generation", 0));
	return output_show(buf_str(&out));
}

const struct command cmd_hold = {
	.name = "hold",
	.synopsis = "[GENERATION] [--reason TEXT] [--for S] [--json]",
	.summary = "keep what is served as it is, or as it was",
	.details =
		"What the workspace serves stays at the current generation, or "
		"goes back to GENERATION,\n"
		"one of 'clearconf log', whatever comes: files, vaults, "
		"settings, a refused login, a\n"
		"restart. It ends by 'clearconf release', or after --for. What "
		"would be served instead\n"
		"is shown by 'clearconf diff'.\n"
		"\n"
		"    clearconf hold 41 --reason 'the new image does not start' "
		"--for 2h\n"
		"\n"
		"Once it says so it is on disk. A further hold takes its "
		"place. Without a reason, a\n"
		"generation and a time it tells what is held, and which of the "
		"secrets in it have been\n"
		"revoked meanwhile. Needs the right 'admin'.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct hold),
	.arguments_max = 1,
	.run = run,
};

const struct command cmd_release = {
	.name = "release",
	.synopsis = "[--json]",
	.summary = "end a hold: serve what has come meanwhile",
	.details = "What the workspace holds ('clearconf hold') is held no "
		   "longer. 'clearconf diff' shows\n"
		   "before what will change. Needs the right 'admin'.",
	.options = release_options,
	.option_count = ARRAY_SIZE(release_options),
	.fields_size = sizeof(struct hold),
	.arguments_max = 0,
	.run = run_release,
};
