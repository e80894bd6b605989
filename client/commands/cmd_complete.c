/*
 * `clearconf __complete -- WORD...`: what Tab offers for the last word, for the
 * scripts of all shells (client/completion). Not in the list of commands.
 *
 * A line is a word, and what it means behind a tab; one that ends in '.', ':'
 * or '=' is to be typed on. A single line that begins with ':' leaves it to the
 * shell: ":files", ":programs", ":users", ":words N" (a command line of its own
 * that begins with the Nth word). Paths and workspaces come from the daemon, if
 * one answers within a second; nothing asks the network.
 */

#include <string.h>

#include "base/mem.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/get_call.h"
#include "call/globals.h"
#include "commands/help.h"
#include "commands/program.h"
#include "commands/subcommand.h"
#include "read/doc.h"
#include "render/render.h"
#include "text/answer.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "value/path.h"
#include "value/value.h"

#define TIMEOUT_MS 1000

enum offers {
	NOTHING,
	SHELL, /* what the row's words say */
	LIST,  /* the row's words */
	COMMANDS,
	VERBS,
	PATHS,
	WORKSPACES,
};

/* By an option that takes an argument, by a command, or by its verb. */
static const struct row {
	const char *of;
	enum offers source;
	const char *words;
} rows[] = {
	{"--format", LIST, RENDER_FORMAT_NAMES},
	{"--on-change", LIST, "restart, idle, none, signal:"},
	{"--vaults", LIST, "merged, live"},
	{"--only", PATHS},
	{"--path", PATHS},
	{"--workspace", WORKSPACES},
	{"--socket", SHELL, ":files"},
	{"--output", SHELL, ":files"},
	{"--ca", SHELL, ":files"},
	{"--cert", SHELL, ":files"},
	{"--key", SHELL, ":files"},
	{"--password-file", SHELL, ":files"},
	{"--config", SHELL, ":files"},
	{"--html", SHELL, ":files"},
	{"--exec", SHELL, ":programs"},
	{"--idle", SHELL, ":programs"},
	{"--owner", SHELL, ":users"},
	{"get", PATHS},
	{"explain", PATHS},
	{"watch", PATHS},
	{"dump", PATHS},
	{"exec", SHELL, ":programs"},
	{"help", COMMANDS},
	{"workspace", VERBS},
	{"workspace use", WORKSPACES},
	{"credentials", VERBS},
	{"vault", VERBS},
	{"vault check", SHELL, ":files"},
	{"fleet", VERBS},
	{"site", VERBS},
	{"site check", SHELL, ":files"},
	{"site put", SHELL, ":files"},
	{"rollout", VERBS},
};

struct scan {
	struct client client;
	const struct command *command;    /* NULL: not yet */
	const char *verb;                 /* the first word after it; NULL */
	const struct option_spec *option; /* whose argument is typed; NULL */
	int at;            /* of the command line that exec is to run; 0 */
	const char *typed; /* the last word, or what is behind its '=' */
	struct str before; /* in it: "--format=" */
	struct buf out;
};

/* --- the words before ------------------------------------------------------
 */

static const struct option_spec *find_in(const struct option_spec *specs,
					 size_t count, struct str word)
{
	struct str name = str_from_offset(word, 2);

	for (size_t i = 0; i < count; i++) {
		if (str_starts(word, STR("--"))
			    ? str_is(name, specs[i].name)
			    : word.ptr[1] == specs[i].letter)
			return &specs[i];
	}
	return NULL;
}

static const struct option_spec *find_option(const struct scan *scan,
					     struct str word)
{
	const struct command *command = scan->command;
	const struct option_spec *found =
		command ? find_in(command->options, command->option_count, word)
			: NULL;

	return found ? found
		     : find_in(global_options, global_option_count, word);
}

/* What leads to a daemon. */
static void take_argument(struct scan *scan, const struct option_spec *option,
			  const char *argument)
{
	if (!strcmp(option->name, "socket"))
		scan->client.socket = argument;
	if (!strcmp(option->name, "workspace"))
		scan->client.workspace = argument;
}

/* The words of an option, of which words[at] is the first; how many. bash
 * makes three words of "--format=json". */
static int scan_option(struct scan *scan, char **words, int at)
{
	struct str word = {words[at], strcspn(words[at], "=")};
	const struct option_spec *option = find_option(scan, word);
	int next = at + 1;

	if (!strcmp(words[at], "--any-server"))
		scan->client.any_server = true;
	if (!option || option->kind == OPTION_FLAG)
		return 1;
	if (words[at][word.len] == '=') {
		take_argument(scan, option, words[at] + word.len + 1);
		return 1;
	}
	if (words[next] && words[next + 1] && !strcmp(words[next], "="))
		next++;
	if (!words[next])
		return 1;
	if (!words[next + 1])
		scan->option = option;
	else
		take_argument(scan, option, words[next]);
	return next - at + 1;
}

static void scan_word(struct scan *scan, const char *word, int at)
{
	if (!scan->command)
		scan->command = help_find_quietly(scan->client.program, word);
	else if (scan->command->runs_words)
		scan->at = at + 1;
	else if (!scan->verb)
		scan->verb = word;
}

/* Is what follows for others to understand? */
static bool is_settled(const struct scan *scan)
{
	return scan->at || (scan->command && scan->command->elsewhere);
}

static void scan_words(struct scan *scan, char **words, int count)
{
	bool plain = false;

	for (int i = 0; i + 1 < count && !is_settled(scan);) {
		if (!plain && words[i][0] == '-' &&
		    strcmp(words[i], "--") != 0) {
			i += scan_option(scan, words, i);
			continue;
		}
		if (strcmp(words[i], "--") != 0)
			scan_word(scan, words[i], i);
		plain = plain || !strcmp(words[i], "--");
		i++;
	}
}

/* "--format=js" is "js" for the option. */
static void scan_last(struct scan *scan, const char *last)
{
	size_t len = strcspn(last, "=");

	scan->typed = strcmp(last, "=") != 0 ? last : "";
	if (strncmp(last, "--", 2) != 0 || last[len] != '=')
		return;
	scan->option = find_option(scan, (struct str){last, len});
	scan->typed = last + len + 1;
	scan->before = (struct str){last, len + 1};
}

/* --- what is offered ------------------------------------------------------ */

static void offer(struct scan *scan, struct str word, const char *meaning)
{
	if (!str_starts(word, str_from(scan->typed)))
		return;
	buf_add_str(&scan->out, scan->before);
	buf_add_str(&scan->out, word);
	if (meaning)
		buf_printf(&scan->out, "\t%s", meaning);
	buf_putc(&scan->out, '\n');
}

static void offer_list(struct scan *scan, const char *words)
{
	size_t len;

	for (; *words; words += len + strspn(words + len, ", ")) {
		len = strcspn(words, ", ");
		offer(scan, (struct str){words, len}, NULL);
	}
}

static void offer_commands(struct scan *scan)
{
	const struct command *const *at;

	for (at = scan->client.program->commands; *at; at++)
		offer(scan, str_from((*at)->name), (*at)->summary);
}

static void offer_verbs(struct scan *scan)
{
	const struct command *command = scan->command;

	for (size_t i = 0; command && i < command->verb_count; i++)
		offer(scan, str_from(command->subcommands[i].name), NULL);
}

static void offer_options(struct scan *scan, const struct option_spec *specs,
			  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		_cleanup_(mem_freep) char *name =
			mem_printf("--%s", specs[i].name);
		_cleanup_(mem_freep) char *help = arguments_help(&specs[i]);

		offer(scan, str_from(name), help);
	}
}

static void offer_workspaces(struct scan *scan)
{
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	const struct value *list;

	buf_puts(&parameters, "{}");
	if (channel_open(&channel, &scan->client) != EXIT_DONE ||
	    channel_call(&channel, "ListWorkspaces", &parameters, &answer) !=
		    EXIT_DONE)
		return;
	list = value_get(answer->root, STR("workspaces"));
	for (uint32_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count;
	     i++)
		offer(scan, answer_text(list->list.items[i], "name"), NULL);
}

/* Keys that a shell would want quoted are left to the user. */
static void offer_key(struct scan *scan, struct str parent, struct str key,
		      const struct value *value)
{
	_cleanup_(buf_deinit) struct buf path = BUF_INIT;
	bool holds = (value->type == VALUE_OBJECT && value->object.count) ||
		     (value->type == VALUE_LIST && value->list.count);

	buf_add_str(&path, parent);
	path_add_key(&path, key);
	if (memchr(path.data, '"', path.len) ||
	    memchr(path.data, ' ', path.len))
		return;
	if (holds)
		buf_putc(&path, '.');
	offer(scan, buf_str(&path), NULL);
}

static void offer_keys(struct scan *scan, struct str parent,
		       const struct value *value)
{
	struct member *member;
	char index[16];

	if (value_is(value, VALUE_OBJECT))
		for (value_each (value, member))
			offer_key(scan, parent, member_key(member),
				  member->value);
	for (uint32_t i = 0;
	     value_is(value, VALUE_LIST) && i < value->list.count; i++) {
		(void)snprintf(index, sizeof(index), "%u", i);
		offer_key(scan, parent, str_from(index), value->list.items[i]);
	}
}

/* As far as the next key: "sdk.a" -> "sdk.aws.". */
static void offer_paths(struct scan *scan)
{
	const char *dot = strrchr(scan->typed, '.');
	_cleanup_(mem_freep) char *parent =
		mem_strndup(scan->typed, dot ? (size_t)(dot - scan->typed) : 0);
	struct get_question question = {.path = dot ? parent : NULL,
					.workspace = scan->client.workspace,
					.secrets = GET_MASKED};
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(get_answer_deinit) struct get_answer answer = {0};

	if (channel_open(&channel, &scan->client) == EXIT_DONE &&
	    get_call(&channel, &question, &answer) == EXIT_DONE)
		offer_keys(scan, str_from(parent), answer.value);
}

/* --- which of them -------------------------------------------------------- */

static const struct row *row_of(const char *of)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].of, of))
			return &rows[i];
	return NULL;
}

static const struct row *row_for(const struct scan *scan)
{
	const char *name = scan->command ? scan->command->name : "";
	_cleanup_(mem_freep) char *of =
		scan->option ? mem_printf("--%s", scan->option->name)
		: scan->verb ? mem_printf("%s %s", name, scan->verb)
			     : mem_strdup(name);
	const struct row *row = row_of(of);

	if (!row && !scan->option && scan->command)
		row = row_of(name);
	/* Of verbs there is one, of paths there may be many. */
	return row && scan->verb && row->source == VERBS ? NULL : row;
}

static void offer_row(struct scan *scan, const struct row *row)
{
	switch (row ? row->source : NOTHING) {
	case NOTHING: break;
	case SHELL: buf_printf(&scan->out, "%s\n", row->words); break;
	case LIST: offer_list(scan, row->words); break;
	case COMMANDS: offer_commands(scan); break;
	case VERBS: offer_verbs(scan); break;
	case PATHS: offer_paths(scan); break;
	case WORKSPACES: offer_workspaces(scan); break;
	}
}

static void offer_all(struct scan *scan)
{
	const struct command *command = scan->command;

	if (scan->at) {
		buf_printf(&scan->out, ":words %d\n", scan->at);
	} else if (!scan->option && scan->typed[0] == '-') {
		if (command)
			offer_options(scan, command->options,
				      command->option_count);
		offer_options(scan, global_options, global_option_count);
	} else if (!scan->option && !command) {
		offer_commands(scan);
	} else {
		offer_row(scan, row_for(scan));
	}
}

/* What knows the options and verbs that follow. */
static int become(const char *program, char **argv, int argc)
{
	_cleanup_(mem_freep) char **words =
		mem_alloc(((size_t)argc + 4) * sizeof(*words));
	char command[] = "__complete", dashes[] = "--";

	words[1] = command;
	words[2] = dashes;
	memcpy(words + 3, argv, (size_t)argc * sizeof(*argv));
	return program_become(program, words);
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	struct scan scan = {.client = *client};
	int status;

	(void)fields;
	if (!argc)
		return EXIT_DONE;
	scan.client.timeout_ms = TIMEOUT_MS;
	scan_words(&scan, argv, argc);
	if (scan.command && scan.command->elsewhere)
		return become(scan.command->elsewhere, argv, argc);
	scan_last(&scan, argv[argc - 1]);
	offer_all(&scan);
	status = output_write(buf_str(&scan.out));
	buf_deinit(&scan.out);
	return status;
}

const struct command cmd_complete = {
	.name = "__complete",
	.synopsis = "-- WORD...",
	.summary = "what Tab offers",
	.details = "For the completion scripts of shells.",
	.fields_size = 1,
	.arguments_max = 4096,
	.runs_words = true,
	.secret = true,
	.run = run,
};
