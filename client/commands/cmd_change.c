#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"
#include "call/arguments.h"
#include "call/command.h"
#include "call/simple_call.h"
#include "commands/subcommand.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/arriving_text.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/hold_text.h"
#include "text/output.h"
#include "text/watch_text.h"
#include "value/json.h"
#include "value/value.h"

struct change_options {
	bool reveal, json;
};

static const struct option_spec options[] = {
	{"reveal", 'r', OPTION_FLAG, offsetof(struct change_options, reveal),
	 NULL, "print secrets that would change"},
	{"json", 'j', OPTION_FLAG, offsetof(struct change_options, json), NULL,
	 "print the daemon's answer as JSON"},
};

/* Call @add with each item of a list of the answer. */
static void each(struct buf *out, const struct value *answer, const char *key,
		 void (*add)(struct buf *out, const struct value *item))
{
	const struct value *list = value_get(answer, str_from(key));

	for (uint32_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count;
	     i++)
		add(out, list->list.items[i]);
}

/* --- show ----------------------------------------------------------------- */

static void add_arrival(struct buf *out, const struct value *arrival)
{
	arriving_text_add(out, arrival);
	buf_putc(out, '\n');
	arriving_text_add_vaults(out, arrival);
}

static void add_problem(struct buf *out, const struct value *problem)
{
	int64_t line = answer_int(problem, "line", 0);
	struct str text = answer_text(problem, "text");

	buf_printf(out, "%sbroken%s ", output_colour(OUTPUT_RED),
		   output_colour(OUTPUT_PLAIN));
	printable_add(out, text);
	if (line)
		buf_printf(out, " (line %lld, column %lld)", (long long)line,
			   (long long)answer_int(problem, "column", 0));
	buf_putc(out, '\n');
}

static void add_change(struct buf *out, const struct value *change)
{
	watch_text_add_change(out, change, true);
}

static bool is_empty(const struct value *answer, const char *key)
{
	const struct value *list = value_get(answer, str_from(key));

	return !value_is(list, VALUE_LIST) || !list->list.count;
}

static int print_waiting(const struct value *answer)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	each(&out, answer, "arriving", add_arrival);
	each(&out, answer, "problems", add_problem);
	each(&out, answer, "changes", add_change);
	if (is_empty(answer, "arriving"))
		buf_puts(&out, "nothing waits\n");
	else if (is_empty(answer, "changes"))
		buf_puts(&out, "it would change nothing\n");
	return output_show(buf_str(&out));
}

static int show(const struct client *client, const void *fields,
		const char *argument)
{
	const struct change_options *o = fields;
	_cleanup_(buf_deinit) struct buf members = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct simple_call call = {"GetArrivals", &members};
	int status;

	(void)argument;
	if (o->reveal)
		json_add_bool(&members, "reveal", true);
	status = simple_call_run(client, &call, &answer);
	if (status != EXIT_DONE)
		return status;
	return o->json ? simple_call_print_json(answer->root)
		       : print_waiting(answer->root);
}

/* --- now, skip ------------------------------------------------------------ */

struct decision {
	const char *method, *done;
};

static const struct decision take = {"TakeArrivals", "taken"};
static const struct decision leave = {"SkipArrivals", "skipped"};

static void add_revision(struct buf *out, const struct value *arrival)
{
	buf_putc(out, ' ');
	buf_add_str(out, answer_text(arrival, "revision"));
}

static int print_decision(const struct decision *decision,
			  const struct value *answer)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	const struct value *hold = value_get(answer, STR("hold"));

	if (!answer_bool(answer, "kept"))
		complain_warning(
			"it could not be written to the state folder, so "
			"a restart of clearconfd forgets it: see its "
			"log");
	buf_puts(&out, decision->done);
	each(&out, answer, "arriving", add_revision);
	buf_printf(&out, " (generation %lld)\n",
		   (long long)answer_int(answer, "generation", 0));
	if (hold)
		hold_text_add(&out, hold, time(NULL), "  ");
	return output_show(buf_str(&out));
}

static int decide(const struct client *client, const void *fields,
		  const char *revision, const struct decision *decision)
{
	const struct change_options *o = fields;
	_cleanup_(buf_deinit) struct buf members = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct simple_call call = {decision->method, &members};
	int status;

	json_add_optional_string(&members, "revision", revision);
	status = simple_call_run(client, &call, &answer);
	if (status != EXIT_DONE)
		return status;
	if (o->json)
		return simple_call_print_json(answer->root);
	if (!is_empty(answer->root, "arriving"))
		return print_decision(decision, answer->root);
	if (revision)
		return complain(EXIT_FAILED,
				"no revision %s waits: 'clearconf change' "
				"shows what does",
				revision);
	return complain(EXIT_FAILED, "nothing waits");
}

static int run_now(const struct client *client, const void *fields,
		   const char *revision)
{
	return decide(client, fields, revision, &take);
}

static int run_skip(const struct client *client, const void *fields,
		    const char *revision)
{
	return decide(client, fields, revision, &leave);
}

static const struct subcommand subcommands[] = {
	{"show", NULL, show},
	{"now", "the name of a revision", run_now, .optional = true},
	{"skip", "the name of a revision", run_skip, .optional = true},
};

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	struct subcommand_call call = {&cmd_change, argv};

	(void)argc;
	return subcommand_run(&call, client, fields);
}

const struct command cmd_change = {
	.name = "change",
	.synopsis = "[show | now [REVISION] | skip [REVISION]] [--reveal] "
		    "[--json]",
	.summary = "show vaults that wait for their time, take or skip them",
	.details =
		"With [change] stage in clearconfd.conf new vaults come to a "
		"share of the hosts at once,\n"
		"to the others later. Alone, 'change' shows what waits here: "
		"the revision, which vaults\n"
		"are others, since when, when they come, and each value that "
		"would change, secrets as\n"
		"****.\n"
		"\n"
		"'now' takes what waits, or was skipped. 'skip' goes on "
		"without it until the server has\n"
		"something else, also over restarts. With a REVISION that one "
		"alone. Both need the right\n"
		"'admin'.\n"
		"\n"
		"Exit status: 1 when nothing waits that could be taken or "
		"skipped; 6 when something does,\n"
		"but the server has not told clearconfd what since that "
		"started.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct change_options),
	.subcommands = subcommands,
	.verb_count = ARRAY_SIZE(subcommands),
	.arguments_max = 2,
	.secret = true,
	.run = run,
};
