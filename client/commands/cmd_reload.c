#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "call/simple_call.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "value/value.h"

struct reload {
	bool json;
};

static const struct option_spec options[] = {
	{"json", 'j', OPTION_FLAG, offsetof(struct reload, json), NULL,
	 "print the daemon's answer as JSON"},
};

/* Tell of each failure on a line of its own. 6 when a server is among them,
 * else 1. */
static int complain_of(const struct value *failed)
{
	int status = EXIT_DONE;

	if (!value_is(failed, VALUE_LIST))
		return status;
	for (uint32_t i = 0; i < failed->list.count; i++) {
		const struct value *failure = failed->list.items[i];
		struct str what = answer_text(failure, "what");
		struct str workspace = answer_text(failure, "workspace");

		if (str_is(what, "server") || str_is(what, "site"))
			status = EXIT_SERVER;
		else if (status == EXIT_DONE)
			status = EXIT_FAILED;
		complain(status,
			 "%s%.*s%s%.*s: %.*s; 'clearconf status' "
			 "shows what is served",
			 workspace.len ? "workspace " : "",
			 STR_PRINT(workspace), workspace.len ? ": " : "",
			 STR_PRINT(what),
			 STR_PRINT(answer_text(failure, "reason")));
	}
	return status;
}

static void add_arriving(struct buf *out, const struct value *names)
{
	if (!value_is(names, VALUE_LIST))
		return;
	for (uint32_t i = 0; i < names->list.count; i++) {
		const struct value *name = names->list.items[i];

		if (value_is(name, VALUE_STRING))
			buf_printf(out,
				   "vaults wait for their time: see 'clearconf "
				   "-w %.*s change'\n",
				   STR_PRINT(value_text(name)));
	}
}

static int print(const struct value *answer)
{
	_cleanup_(buf_deinit) struct buf line = BUF_INIT;
	const char *unchanged = value_get(answer, STR("failed"))
					? "what could be read has not changed"
					: "nothing has changed";

	buf_printf(&line, "generation %lld, %s\n",
		   (long long)answer_int(answer, "generation", 0),
		   answer_bool(answer, "changed") ? "changed" : unchanged);
	add_arriving(&line, value_get(answer, STR("arriving")));
	return output_write(buf_str(&line));
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct reload *o = fields;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct simple_call call = {.method = "Reload", .of_all = true};
	int status;

	(void)argc;
	(void)argv;
	status = simple_call_run(client, &call, &answer);
	if (status != EXIT_DONE)
		return status;
	status = o->json ? simple_call_print_json(answer->root)
			 : print(answer->root);
	if (status != EXIT_DONE)
		return status;
	return complain_of(value_get(answer->root, STR("failed")));
}

const struct command cmd_reload = {
	.name = "reload",
	.synopsis = "[--json]",
	.summary = "have the daemon read and fetch everything again",
	.details = "Reads the settings and the local files again, asks the "
		   "ClearML servers for the vaults,\n"
		   "and ends when all of it is in. Needs the right 'admin'. "
		   "(Files that change are read\n"
		   "again without it, and vaults are asked for regularly.)\n"
		   "\n"
		   "What could not be read or reached is named, a line each, "
		   "with its workspace: exit\n"
		   "status 6 when a server is among it, else 1.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct reload),
	.arguments_max = 0,
	.run = run,
};
