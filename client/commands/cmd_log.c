#include <time.h>

#include "base/arena.h"
#include "base/mem.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/command.h"
#include "read/doc.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/log_filter.h"
#include "text/log_text.h"
#include "text/output.h"
#include "value/json.h"
#include "value/path.h"

struct log {
	const char *limit, *since, *path;
	bool json;
};

static const struct option_spec options[] = {
	{"limit", 'n', OPTION_NUMBER, offsetof(struct log, limit), "N",
	 "the newest N generations only"},
	{"since", '\0', OPTION_SECONDS, offsetof(struct log, since), "TIME",
	 "what is not older than so long: 90s, 30m, 12h, 2d"},
	{"path", '\0', OPTION_TEXT, offsetof(struct log, path), "PATH",
	 "what concerns PATH alone"},
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

static int read_path(struct path *path, struct arena *arena, const char *text)
{
	struct path_error error;

	if (path_parse(path, arena, str_from(text), &error))
		return EXIT_DONE;
	return complain(EXIT_USAGE, "--path: '%s' is no path: %s", text,
			error.reason);
}

static int show(const struct log *log, const struct value *answer,
		const struct path *path)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	struct log_filter filter = {.since = INT64_MIN,
				    .path = log->path ? path : NULL};

	if (log->since)
		filter.since =
			time(NULL) - (int64_t)arguments_seconds(log->since);
	answer = log_filter(&arena, answer, &filter);
	if (log->json)
		output_add_json(&out, answer);
	else
		log_text_write(&out, answer);
	return output_show(buf_str(&out));
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct log *log = fields;
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(buf_deinit) struct buf question = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct path path = {0};
	int status =
		log->path ? read_path(&path, &arena, log->path) : EXIT_DONE;

	(void)argc;
	(void)argv;
	if (status != EXIT_DONE)
		return status;
	status = channel_open(&channel, client);
	write_question(&question, client, log->limit);
	if (status == EXIT_DONE)
		status = channel_call(&channel, "History", &question, &answer);
	if (status != EXIT_DONE)
		return channel_complain(&channel, status);
	return show(log, answer->root, &path);
}

const struct command cmd_log = {
	.name = "log",
	.synopsis = "[-n N] [--since TIME] [--path PATH] [--json]",
	.summary = "show what changed, when and why, newest first",
	.details =
		"One line a change, those of the newest generation first:\n"
		"  43 2026-11-24 08:01:02 vault changed sdk.aws.s3.region "
		"(vault:team:3:12)\n"
		"  42 2026-11-24 07:30:00 start\n"
		"Generation, local time, cause, what happened, where the value "
		"was written (a\n"
		"removed one: had been written), and what the server says of "
		"who wrote that:\n"
		"  ... (vault:team:3:12) [group gpu, edited "
		"2026-11-24 07:48:56]\n"
		"a vault's group or user and last edit, a site document's "
		"revision in etcd. A\n"
		"generation that changed nothing that was there before, as the "
		"first, is a line of\n"
		"its own. The cause is one of start, file, vault, site, "
		"environment, workspace,\n"
		"reload, stale_limit, revoked, hold, release. It goes back "
		"over "
		"restarts; how far is\n"
		"`history` under [limits] of clearconfd.conf.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct log),
	.arguments_max = 0,
	.run = run,
};
