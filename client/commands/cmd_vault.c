#include <stdio.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/source.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/simple_call.h"
#include "commands/subcommand.h"
#include "read/doc.h"
#include "read/reader.h"
#include "text/answer.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/watch_text.h"
#include "value/json.h"
#include "value/value.h"
#include "wire.h"

#define FILE_MAX     ((size_t)16 << 20)
#define QUESTION_MAX (WIRE_CALL_MAX - 128) /* without the call around it */

struct vault_options {
	const char *replaces;
	bool reveal, json;
};

static const struct option_spec options[] = {
	{"replaces", '\0', OPTION_TEXT,
	 offsetof(struct vault_options, replaces), "VAULT",
	 "it is to take the place of this one, by name or id"},
	{"reveal", 'r', OPTION_FLAG, offsetof(struct vault_options, reveal),
	 NULL, "print secrets that would change"},
	{"json", 'j', OPTION_FLAG, offsetof(struct vault_options, json), NULL,
	 "print the daemon's answer as JSON"},
};

static void write_question(struct buf *out, const struct client *client,
			   const struct vault_options *o,
			   const struct source *source)
{
	buf_putc(out, '{');
	json_add_str(out, "text", source->text);
	json_add_string(out, "format",
			read_format_name(read_format_of_path(source->name)));
	json_add_optional_string(out, "replaces", o->replaces);
	json_add_optional_string(out, "workspace", client->workspace);
	if (o->reveal)
		json_add_bool(out, "reveal", true);
	buf_putc(out, '}');
}

static void add_problem(struct buf *out, const char *path, const char *label,
			const struct value *problem)
{
	int64_t line = answer_int(problem, "line", 0);
	struct str text = answer_text(problem, "text");

	buf_puts(out, path);
	if (line)
		buf_printf(out, ":%lld:%lld", (long long)line,
			   (long long)answer_int(problem, "column", 0));
	buf_printf(out, ": %s%.*s\n", label, STR_PRINT(text));
}

static void add_changes(struct buf *out, const struct value *changes)
{
	for (uint32_t i = 0; i < changes->list.count; i++)
		watch_text_add_change(out, changes->list.items[i], true);
	if (!changes->list.count)
		buf_puts(out, "it would change nothing\n");
}

static int print(const char *path, const struct value *answer)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	const struct value *problem = value_get(answer, STR("problem"));
	const struct value *warnings = value_get(answer, STR("warnings"));
	const struct value *changes = value_get(answer, STR("changes"));

	if (!value_is(warnings, VALUE_LIST) || !value_is(changes, VALUE_LIST))
		return complain(EXIT_FAILED,
				"the daemon's answer makes no sense; are "
				"clearconf and clearconfd of one version?");
	if (problem)
		add_problem(&out, path, "", problem);
	for (uint32_t i = 0; i < warnings->list.count; i++)
		add_problem(&out, path, "warning: ", warnings->list.items[i]);
	if (!problem)
		add_changes(&out, changes);
	return output_show(buf_str(&out));
}

/* The only parameter that people choose. */
static int complain_about(struct channel *channel, int status,
			  const struct vault_options *o)
{
	if (channel_failed_with(channel, CHANNEL_PARAMETER_REFUSED) &&
	    o->replaces)
		return complain(EXIT_USAGE,
				"there is no vault '%s': 'clearconf status' "
				"lists them",
				o->replaces);
	return channel_complain(channel, status);
}

static int ask_daemon(const struct client *client,
		      const struct vault_options *o,
		      const struct source *source, struct doc **answer)
{
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(buf_deinit) struct buf question = BUF_INIT;
	int status;

	write_question(&question, client, o, source);
	if (question.len > QUESTION_MAX)
		return complain(EXIT_USAGE,
				"%s is too long to be checked: the daemon "
				"takes texts of about %zu KiB",
				source->name, QUESTION_MAX / 1024);
	status = channel_open(&channel, client);
	if (status == EXIT_DONE)
		status =
			channel_call(&channel, "CheckVault", &question, answer);
	return status == EXIT_DONE ? EXIT_DONE
				   : complain_about(&channel, status, o);
}

static int check(const struct client *client, const void *fields,
		 const char *path)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	const struct vault_options *o = fields;
	struct source source;
	int status;
	int r = source_from_file(&source, &arena, path, FILE_MAX, &diag);

	if (r == SOURCE_E_MISSING)
		return complain(EXIT_USAGE, "%s is not there, or is no file",
				path);
	if (r != 0) {
		(void)fputs("clearconf: ", stderr);
		diag_print(&diag, stderr);
		return EXIT_USAGE;
	}
	/* Status 1 when no daemon would take it. */
	status = ask_daemon(client, o, &source, &answer);
	if (status != EXIT_DONE || !answer)
		return status;
	status = o->json ? simple_call_print_json(answer->root)
			 : print(path, answer->root);
	return value_get(answer->root, STR("problem")) ? EXIT_FAILED : status;
}

static const struct subcommand subcommands[] = {
	{"check", "the file of a vault", check},
};

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	struct subcommand_call call = {&cmd_vault, argv};

	(void)argc;
	return subcommand_run(&call, client, fields);
}

const struct command cmd_vault = {
	.name = "vault",
	.synopsis = "check FILE [--replaces VAULT] [--reveal] [--json]",
	.summary = "tell what a text would do as a vault, before it is saved",
	.details =
		"Has the daemon read FILE as it reads a vault (the suffix says "
		"the format: .json, .yaml,\n"
		".yml, else HOCON), as the last of them or in the place of "
		"another, and prints what is\n"
		"wrong with it, with line and column, and each value of the "
		"workspace that would change,\n"
		"secrets as ****.\n"
		"\n"
		"    clearconf vault check gpu.conf --replaces 'gpu pool'\n"
		"\n"
		"Exit status: 0 it would be taken, 1 it is broken, and the "
		"last good text would stay.\n"
		"Needs the right 'secrets', as the text may look into the "
		"configuration.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct vault_options),
	.subcommands = subcommands,
	.verb_count = ARRAY_SIZE(subcommands),
	.arguments_max = 2,
	.secret = true,
	.run = run,
};
