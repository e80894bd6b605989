#include "base/mem.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/command.h"
#include "read/doc.h"
#include "text/exit_status.h"
#include "text/log_text.h"
#include "text/output.h"
#include "value/json.h"

struct log {
	const char *limit;
	bool json;
};

static const struct option_spec options[] = {
	{"limit", 'n', OPTION_NUMBER, offsetof(struct log, limit), "N",
	 "the newest N generations only"},
	{"json", 'j', OPTION_FLAG, offsetof(struct log, json), NULL,
	 "print all of it as JSON, with values (secrets masked)"},
};

static void write_question(struct buf *out, const struct client *client,
			   const char *limit)
{
	buf_putc(out, '{');
	json_add_optional_string(out, "workspace", client->workspace);
	if (limit) {
		json_key(out, "limit");
		buf_puts(out, limit);
	}
	buf_putc(out, '}');
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct log *log = fields;
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(buf_deinit) struct buf question = BUF_INIT, out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int status = channel_open(&channel, client);

	(void)argc;
	(void)argv;
	write_question(&question, client, log->limit);
	if (status == EXIT_DONE)
		status = channel_call(&channel, "History", &question, &answer);
	if (status != EXIT_DONE)
		return channel_complain(&channel, status);
	if (log->json)
		output_add_json(&out, answer->root);
	else
		log_text_write(&out, answer->root);
	return output_show(buf_str(&out));
}

const struct command cmd_log = {
	.name = "log",
	.synopsis = "[-n N] [--json]",
	.summary = "show what changed, when and why, newest first",
	.details =
		"One line a change, those of the newest generation first:\n"
		"  43 2026-11-24 08:01:02 vault changed sdk.aws.s3.region "
		"(vault:team:3:12)\n"
		"  42 2026-11-24 07:30:00 start\n"
		"Generation, local time, cause, what happened, where the value "
		"was written (a\n"
		"removed one: had been written). A generation that changed "
		"nothing that was there\n"
		"before, as the first, is a line of its own. The cause is one "
		"of start, file, vault,\n"
		"site, environment, workspace, reload, stale_limit, revoked, "
		"hold, release. How many\n"
		"generations are kept is `history` under [limits] of "
		"clearconfd.conf.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct log),
	.arguments_max = 0,
	.run = run,
};
