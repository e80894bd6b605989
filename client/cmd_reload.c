#include "arguments.h"
#include "base/mem.h"
#include "channel.h"
#include "command.h"
#include "exit_status.h"
#include "once.h"
#include "output.h"
#include "read/doc.h"

struct reload {
	bool json;
};

static const struct option_spec options[] = {
	{"json", 'j', OPTION_FLAG, offsetof(struct reload, json), NULL,
	 "print the daemon's answer as JSON"},
};

static int print(const struct value *answer)
{
	_cleanup_(buf_deinit) struct buf line = BUF_INIT;

	buf_printf(&line, "generation %lld, %s\n",
		   (long long)answer_int(answer, "generation", 0),
		   answer_bool(answer, "changed") ? "changed"
						  : "nothing has changed");
	return output_write(buf_str(&line));
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct reload *o = fields;
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct once once = {"Reload", &parameters, NULL};
	int status;

	(void)argc;
	(void)argv;
	buf_puts(&parameters, "{}");
	status = once_call(client, &once, &answer);
	if (status != EXIT_DONE)
		return status;
	return o->json ? once_print_json(answer->root) : print(answer->root);
}

const struct command cmd_reload = {
	.name = "reload",
	.synopsis = "[--json]",
	.summary = "have the daemon read and fetch everything again",
	.details = "Reads the settings and the local files again, asks the "
		   "ClearML servers for the vaults,\n"
		   "and ends when all of it is in. Needs the right 'admin'. "
		   "(Files that change are read\n"
		   "again without it, and vaults are asked for regularly.)",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct reload),
	.arguments_max = 0,
	.run = run,
};
