#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/guess.h"
#include "read/doc.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/watch_text.h"
#include "value/json.h"

struct watch {
	const char *since;
	bool values, reveal, json;
};

static const struct option_spec options[] = {
	{"since", 'n', OPTION_NUMBER, offsetof(struct watch, since), "N",
	 "begin with what changed after generation N"},
	{"values", 'v', OPTION_FLAG, offsetof(struct watch, values), NULL,
	 "print values, those of now first"},
	{"reveal", 'r', OPTION_FLAG, offsetof(struct watch, reveal), NULL,
	 "print secrets, or fail without the right"},
	{"json", 'j', OPTION_FLAG, offsetof(struct watch, json), NULL,
	 "print each answer as it comes, one JSON object a line"},
};

struct watching {
	const struct client *client;
	const struct watch *watch;
	char **paths;
	int path_count;
	struct watch_text text;
};

/* What changed since then, as lines, comes by a question of its own: that of
 * the watch asks for values, in whose place changes do not come. */
static bool is_past_wanted(const struct watch *watch)
{
	return watch->since && !watch->values && !watch->json;
}

/* --- the question --------------------------------------------------------- */

static void add_paths(struct buf *out, const struct watching *watching)
{
	if (!watching->path_count)
		return;
	json_key(out, "paths");
	for (int i = 0; i < watching->path_count; i++) {
		buf_putc(out, i ? ',' : '[');
		json_write_string(out, str_from(watching->paths[i]));
	}
	buf_putc(out, ']');
}

static void begin_question(struct buf *out, const struct watching *watching)
{
	buf_putc(out, '{');
	add_paths(out, watching);
	json_add_optional_string(out, "workspace", watching->client->workspace);
}

static void write_question(struct buf *out, const struct watching *watching)
{
	const struct watch *watch = watching->watch;

	begin_question(out, watching);
	json_add_bool(out, "states", true);
	if (watch->values || !watch->json)
		json_add_bool(out, "values", true);
	if (watch->reveal)
		json_add_bool(out, "reveal", true);
	buf_putc(out, '}');
}

/* --- the connection ------------------------------------------------------- */

/* Between its tokens JSON may have line ends, within strings it has none. */
static void write_json_line(struct buf *out, struct str text)
{
	char c;

	for (size_t i = 0; i < text.len; i++) {
		c = text.ptr[i];
		if (c == '\n' || c == '\r')
			c = ' ';
		buf_putc(out, c);
	}
	buf_putc(out, '\n');
}

static void print_answer(struct buf *out, struct watch_text *text,
			 const struct value *answer)
{
	text->now = time(NULL);
	watch_text_write(out, text, answer);
}

static int print_next(struct watching *watching, struct channel *channel)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct str text;
	int status = channel_next(channel, -1, &answer, &text);

	if (status != EXIT_DONE)
		return status;
	if (watching->watch->json)
		write_json_line(&out, text);
	else
		print_answer(&out, &watching->text, answer->root);
	return output_write(buf_str(&out));
}

static int ask_past(const struct watching *watching, struct channel *channel,
		    struct doc **answer)
{
	_cleanup_(buf_deinit) struct buf question = BUF_INIT;
	int status = channel_open(channel, watching->client);

	begin_question(&question, watching);
	json_add_int(&question, "since",
		     strtoll(watching->watch->since, NULL, 10));
	buf_putc(&question, '}');
	if (status == EXIT_DONE)
		status = channel_send(channel, "Watch", &question);
	if (status == EXIT_DONE)
		status = channel_next(channel, watching->client->timeout_ms,
				      answer, NULL);
	return channel_complain(channel, status);
}

/* Asked when the watch has begun: what changes meanwhile may be told twice, but
 * is not missed. */
static int print_past(const struct watching *watching)
{
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct watch_text text = watching->text;
	int status = ask_past(watching, &channel, &answer);

	if (status != EXIT_DONE || !answer)
		return status;
	text.begun = text.by_path = false;
	text.known = (struct leaves){0};
	print_answer(&out, &text, answer->root);
	watch_text_deinit(&text);
	return output_write(buf_str(&out));
}

static int begin(const struct watching *watching, struct channel *channel)
{
	_cleanup_(buf_deinit) struct buf question = BUF_INIT;
	const char *since = watching->watch->since;
	int status;

	write_question(&question, watching);
	status = channel_follow(channel, watching->client, &question);
	if (status == EXIT_DONE && since && !is_past_wanted(watching->watch))
		clearconf_watch_set_since(channel->watch,
					  strtoll(since, NULL, 10));
	return status;
}

/* What the first answer leaves open. */
static int begin_further(const struct watching *watching)
{
	for (int i = 0; i < watching->path_count; i++)
		guess_warn(watching->client, watching->paths[i]);
	return is_past_wanted(watching->watch) ? print_past(watching)
					       : EXIT_DONE;
}

/* A daemon that was there once is waited for, so that a restart or an upgrade
 * goes by with no change missed: what has changed meanwhile is told when it is
 * back, though it has forgotten what it told. */
static int watch_for_ever(struct watching *watching, struct channel *channel)
{
	int status = begin(watching, channel);
	bool begun = false;

	while (status == EXIT_DONE) {
		status = print_next(watching, channel);
		if (status == EXIT_NO_DAEMON && begun) {
			complain_warning("the daemon is gone: waiting for it "
					 "to come back");
			status = EXIT_DONE;
		}
		if (!begun && status == EXIT_DONE)
			status = begin_further(watching);
		begun = true;
	}
	return channel_complain(channel, status);
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct watch *watch = fields;
	struct watching watching = {
		.client = client,
		.watch = watch,
		.paths = argv,
		.path_count = argc,
		.text = {.values = watch->values, .by_path = argc > 0}};
	_cleanup_(channel_deinit) struct channel channel = {0};
	int status;

	status = watch_for_ever(&watching, &channel);
	watch_text_deinit(&watching.text);
	return status;
}

const struct command cmd_watch = {
	.name = "watch",
	.synopsis = "[PATH...] [--since N] [--values] [--reveal] [--json]",
	.summary = "print what changes, as it changes",
	.details =
		"One line a change, until interrupted:\n"
		"  42 2026-11-24 08:00:00 state ready\n"
		"  43 2026-11-24 08:01:02 changed sdk.aws.s3.region "
		"(vault:team:3:12)\n"
		"  43 2026-11-24 08:01:02 removed agent.git_user\n"
		"Generation, local time of the news, and what happened: state "
		"(where the\n"
		"configuration stands; the first line, and when it is "
		"another), added, "
		"changed, removed,\n"
		"value (with --values, one a leaf), resync (--since was too "
		"long ago). With PATHs:\n"
		"only what is at or below them. Secrets are masked unless "
		"--reveal asks for them.\n"
		"\n"
		"When the daemon restarts, watch waits for it, and tells what "
		"has changed meanwhile,\n"
		"without its place (a masked secret's change is not seen "
		"then). With --json it is an\n"
		"answer with 'resync' and the value.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct watch),
	.arguments_max = 4096,
	.secret = true,
	.run = run,
};
