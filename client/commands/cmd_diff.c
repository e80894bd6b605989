#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "call/simple_call.h"
#include "read/doc.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/watch_text.h"
#include "value/json.h"
#include "value/value.h"

/* As diff(1) has it: 0 the same, 1 not, 2 and more trouble. */
#define EXIT_DIFFERENT EXIT_FAILED
#define EXIT_TROUBLE   EXIT_USAGE

struct diff {
	bool reveal, json;
};

static const struct option_spec options[] = {
	{"reveal", 'r', OPTION_FLAG, offsetof(struct diff, reveal), NULL,
	 "print secrets (needs the right 'secrets')"},
	{"json", 'j', OPTION_FLAG, offsetof(struct diff, json), NULL,
	 "print the daemon's answer as JSON"},
};

static int print(const struct value *changes)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	for (uint32_t i = 0; i < changes->list.count; i++)
		watch_text_add_change(&out, changes->list.items[i], true);
	return output_show(buf_str(&out));
}

static int show(const struct diff *o, const struct value *answer)
{
	const struct value *changes = value_get(answer, STR("changes"));
	int status;

	if (!value_is(changes, VALUE_LIST))
		return complain(EXIT_TROUBLE,
				"the daemon's answer makes no sense; are "
				"clearconf and clearconfd of one version?");
	status = o->json ? simple_call_print_json(answer) : print(changes);
	if (status != EXIT_DONE)
		return EXIT_TROUBLE;
	return changes->list.count ? EXIT_DIFFERENT : EXIT_DONE;
}

static bool add_generation(struct buf *members, const char *key,
			   const char *text)
{
	int64_t generation;

	if (!str_to_number(str_from(text), &generation))
		return false;
	json_add_int(members, key, generation);
	return true;
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	static const char *const keys[] = {"old", "new"};
	const struct diff *o = fields;
	_cleanup_(buf_deinit) struct buf members = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct simple_call call = {"Diff", &members, .of_all = false};
	int status;

	for (int i = 0; i < argc && i < 2; i++)
		if (!add_generation(&members, keys[i], argv[i]))
			return complain(EXIT_USAGE,
					"'%s' is no generation: 'clearconf "
					"log' lists them",
					argv[i]);
	if (o->reveal)
		json_add_bool(&members, "reveal", true);
	status = simple_call_run(client, &call, &answer);
	if (status == EXIT_DONE)
		return show(o, answer->root);
	return status == EXIT_FAILED ? EXIT_TROUBLE : status;
}

const struct command cmd_diff = {
	.name = "diff",
	.synopsis = "[GENERATION [GENERATION]] [--reveal] [--json]",
	.summary = "show what differs between two generations, or waits",
	.details =
		"Without arguments: from what is served to what would be, if "
		"nothing were held\n"
		"('clearconf hold'). With one generation: from that to what is "
		"served. With two: from the\n"
		"first to the second. 'clearconf log' lists them; a number "
		"between two of them means\n"
		"what was served at it. Secrets are shown as ****.\n"
		"\n"
		"Exit status, as diff(1): 0 there is no difference, 1 there "
		"is, 2 and more trouble.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct diff),
	.arguments_max = 2,
	.secret = true,
	.run = run,
};
