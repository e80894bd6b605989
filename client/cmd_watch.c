#include <stdio.h>

#include "arguments.h"
#include "base/arena.h"
#include "base/mem.h"
#include "channel.h"
#include "command.h"
#include "complain.h"
#include "exit_status.h"
#include "output.h"
#include "patience.h"
#include "read/doc.h"
#include "value/diff.h"
#include "value/json.h"
#include "value/value.h"

struct watch {
	const char *since;
	bool values, reveal, json;
};

static const struct option_spec options[] = {
	{"since",  'n', OPTION_NUMBER, offsetof(struct watch, since),  "N",
	 "begin with what changed after generation N"           },
	{"values", 'v', OPTION_FLAG,   offsetof(struct watch, values), NULL,
	 "print values, those of now first"                     },
	{"reveal", 'r', OPTION_FLAG,   offsetof(struct watch, reveal), NULL,
	 "print secrets, or fail without the right"             },
	{"json",   'j', OPTION_FLAG,   offsetof(struct watch, json),   NULL,
	 "print each answer as it comes, one JSON object a line"},
};

struct watching {
	const struct client *client;
	const struct watch *watch;
	char **paths;
	int path_count;
	int64_t generation; /* last seen; -1: none yet */
	char state[16];     /* last printed */
	struct patience patience;
};

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

static void write_question(struct buf *out, const struct watching *watching)
{
	const struct watch *watch = watching->watch;

	buf_putc(out, '{');
	add_paths(out, watching);
	json_add_optional_string(out, "workspace", watching->client->workspace);
	if (watching->generation >= 0) {
		json_add_int(out, "since", watching->generation);
	} else if (watch->since) {
		json_key(out, "since");
		buf_puts(out, watch->since);
	}
	if (watch->values)
		json_add_bool(out, "values", true);
	if (watch->reveal)
		json_add_bool(out, "reveal", true);
	buf_putc(out, '}');
}

/* --- an answer, for people ------------------------------------------------ */

static void begin_line(struct buf *out, int64_t generation, const char *kind,
		       enum output_colour colour)
{
	const char *sequence = output_colour(colour);

	buf_printf(out, "%lld %s%s%s ", (long long)generation, sequence, kind,
		   *sequence ? output_colour(OUTPUT_PLAIN) : "");
}

/* "vault:team:3:5", "file:/home/u/clearml.conf:12:18" */
static void add_origin(struct buf *out, const struct value *origin)
{
	struct str name = answer_text(origin, "description");
	int64_t line = answer_int(origin, "line", 0);

	if (!value_is(origin, VALUE_OBJECT))
		return;
	if (!name.len)
		name = answer_text(origin, "source");
	buf_printf(out, " %s(%.*s:%.*s", output_colour(OUTPUT_DIM),
		   STR_PRINT(answer_text(origin, "layer")), STR_PRINT(name));
	if (line > 0)
		buf_printf(out, ":%lld:%lld", (long long)line,
			   (long long)answer_int(origin, "column", 1));
	buf_printf(out, ")%s", output_colour(OUTPUT_PLAIN));
}

static void add_values(struct buf *out, const struct value *change)
{
	const struct value *old = value_get(change, STR("old"));
	const struct value *new = value_get(change, STR("new"));

	if (old) {
		buf_putc(out, ' ');
		json_write(out, old);
	}
	if (old && new)
		buf_puts(out, " ->");
	if (new) {
		buf_putc(out, ' ');
		json_write(out, new);
	}
}

static enum output_colour colour_of(struct str kind)
{
	if (str_is(kind, "added"))
		return OUTPUT_GREEN;
	return str_is(kind, "removed") ? OUTPUT_RED : OUTPUT_YELLOW;
}

static void add_change(struct buf *out, int64_t generation,
		       const struct value *change)
{
	struct str kind = answer_text(change, "kind");
	char name[16];

	(void)snprintf(name, sizeof(name), "%.*s", STR_PRINT(kind));
	begin_line(out, generation, name, colour_of(kind));
	buf_add_str(out, answer_text(change, "path"));
	add_values(out, change);
	add_origin(out, value_get(change, STR("origin")));
	buf_putc(out, '\n');
}

static void add_state(struct buf *out, struct watching *watching,
		      struct str state)
{
	if (str_is(state, watching->state))
		return;
	(void)snprintf(watching->state, sizeof(watching->state), "%.*s",
		       STR_PRINT(state));
	begin_line(out, watching->generation, "state", OUTPUT_BOLD);
	buf_printf(out, "%s\n", watching->state);
}

static void add_leaves(struct buf *out, int64_t generation, struct str path,
		       const struct value *value)
{
	struct changes leaves = CHANGES_INIT;

	diff_add(&leaves, path, NULL, value);
	changes_sort(&leaves);
	for (size_t i = 0; i < leaves.count; i++) {
		begin_line(out, generation, "value", OUTPUT_PLAIN);
		buf_add_str(out, leaves.items[i].path);
		buf_putc(out, ' ');
		json_write(out, leaves.items[i].new);
		buf_putc(out, '\n');
	}
	changes_deinit(&leaves);
}

/* The whole tree, or with paths an object keyed by them. */
static void add_current(struct buf *out, const struct watching *watching,
			const struct value *value)
{
	struct member *member;

	if (!watching->path_count) {
		add_leaves(out, watching->generation, STR(""), value);
		return;
	}
	for (value_each (value, member))
		add_leaves(out, watching->generation, member_key(member),
			   member->value);
}

static void write_answer(struct buf *out, struct watching *watching,
			 const struct value *answer)
{
	const struct value *changes = value_get(answer, STR("changes"));
	const struct value *value = value_get(answer, STR("value"));

	add_state(out, watching, answer_text(answer, "state"));
	if (answer_bool(answer, "resync")) {
		begin_line(out, watching->generation, "resync", OUTPUT_YELLOW);
		buf_puts(out, "what changed before is not known any more\n");
	}
	if (watching->watch->values && value_is(value, VALUE_OBJECT))
		add_current(out, watching, value);
	if (value_is(changes, VALUE_LIST))
		for (uint32_t i = 0; i < changes->list.count; i++)
			add_change(out, watching->generation,
				   changes->list.items[i]);
}

/* Between its tokens JSON may have line ends, within strings it has none. */
static void write_json_line(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_putc(out, text.ptr[i] == '\n' || text.ptr[i] == '\r'
				      ? ' '
				      : text.ptr[i]);
	buf_putc(out, '\n');
}

/* --- the connection ------------------------------------------------------- */

static int print_next(struct watching *watching, struct channel *channel,
		      int timeout_ms)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct str text;
	int status = channel_next(channel, timeout_ms, &answer, &text);

	if (status != EXIT_DONE)
		return status;
	patience_reset(&watching->patience);
	watching->generation = answer_int(answer->root, "generation", 0);
	if (watching->watch->json)
		write_json_line(&out, text);
	else
		write_answer(&out, watching, answer->root);
	return output_write(buf_str(&out));
}

static int watch_connection(struct watching *watching, struct channel *channel)
{
	_cleanup_(buf_deinit) struct buf question = BUF_INIT;
	int timeout_ms = watching->client->timeout_ms;
	int status = channel_open(channel, watching->client);

	write_question(&question, watching);
	if (status == EXIT_DONE)
		status = channel_send(channel, "Watch", &question);
	while (status == EXIT_DONE) {
		status = print_next(watching, channel, timeout_ms);
		timeout_ms = -1;
	}
	return status;
}

/* A daemon that was there once is waited for, so that a restart or an upgrade
 * goes by with no change missed. */
static int watch_for_ever(struct watching *watching, struct channel *channel)
{
	int status;

	for (;;) {
		status = watch_connection(watching, channel);
		if (status != EXIT_NO_DAEMON || watching->generation < 0)
			return channel_complain(channel, status);
		patience_wait(&watching->patience,
			      "waiting for it to come back");
	}
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	struct watching watching = {.client = client,
				    .watch = fields,
				    .paths = argv,
				    .path_count = argc,
				    .generation = -1};
	_cleanup_(channel_deinit) struct channel channel = {0};

	return watch_for_ever(&watching, &channel);
}

const struct command cmd_watch = {
	.name = "watch",
	.synopsis = "[PATH...] [--since N] [--values] [--reveal] [--json]",
	.summary = "print what changes, as it changes",
	.details =
		"One line a change, until interrupted:\n"
		"  42 state ready\n"
		"  43 changed sdk.aws.s3.region (vault:team:3:12)\n"
		"  43 removed agent.git_user\n"
		"The first word is the generation, the second what happened: "
		"state (where the\n"
		"configuration stands now; always the first line), added, "
		"changed, removed,\n"
		"value (with --values, one a leaf), resync (--since was too "
		"long ago). With PATHs:\n"
		"only what is at or below them. Secrets are masked unless "
		"--reveal asks for them.\n"
		"\n"
		"When the daemon restarts, watch waits for it and goes on "
		"where it was.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct watch),
	.arguments_max = 4096,
	.secret = true,
	.run = run,
};
