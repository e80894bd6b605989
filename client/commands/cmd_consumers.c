#include "base/buf.h"
#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "call/simple_call.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/table.h"
#include "value/value.h"

struct consumers {
	bool json;
};

static const struct option_spec options[] = {
	{"json", 'j', OPTION_FLAG, offsetof(struct consumers, json), NULL,
	 "print the daemon's answer as JSON"},
};

static const char *const headings[] = {"PID",       "UID",   "COMMAND",
				       "WORKSPACE", "HOW",   "GENERATION",
				       "SINCE",     "CHILD", "NOTE"};

static int64_t held_since(const struct value *consumer)
{
	return answer_int(consumer, "held_since",
			  answer_int(consumer, "since", -1));
}

/* "4711", or "4711 (generation 12)" when that is another one. */
static void add_child(struct table *table, const struct value *consumer)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	int64_t child = answer_int(consumer, "child", 0);
	int64_t known = answer_int(consumer, "child_generation", 0);

	if (child)
		buf_printf(&text, "%lld", (long long)child);
	if (child && known && known != answer_int(consumer, "generation", 0))
		buf_printf(&text, " (generation %lld)", (long long)known);
	table_add(table, buf_str(&text));
}

static void add_note(struct table *table, const struct value *consumer)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	bool pending = answer_int(consumer, "pending_since", 0) > 0;
	struct str reason = answer_text(consumer, "waiting_for");

	if (answer_int(consumer, "behind", -1) >= 0)
		buf_puts(&text, "behind");
	if (pending)
		buf_printf(&text, "%s%s", text.len ? ", " : "",
			   answer_int(consumer, "child", 0) ? "restart pending"
							    : "not current");
	if (pending && reason.len)
		buf_printf(&text, ": waiting for %.*s", STR_PRINT(reason));
	table_add(table, buf_str(&text));
}

static void add_consumer(struct table *table, const struct value *consumer)
{
	table_add_number(table, answer_int(consumer, "pid", -1));
	table_add_number(table, answer_int(consumer, "uid", -1));
	table_add(table, answer_text(consumer, "command"));
	table_add(table, answer_text(consumer, "workspace"));
	table_add(table, answer_text(consumer, "how"));
	table_add_number(table, answer_int(consumer, "generation", -1));
	table_add_time(table, held_since(consumer));
	add_child(table, consumer);
	add_note(table, consumer);
}

/* @workspace NULL: of all. */
static int print(const struct value *list, const char *workspace)
{
	_cleanup_(table_deinit) struct table table = {
		.columns = ARRAY_SIZE(headings)};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	table_add_heading(&table, headings);
	for (uint32_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count;
	     i++) {
		const struct value *consumer = list->list.items[i];

		if (!workspace ||
		    str_is(answer_text(consumer, "workspace"), workspace))
			add_consumer(&table, consumer);
	}
	if (table.count > ARRAY_SIZE(headings))
		table_write(&out, &table);
	else if (workspace)
		complain_warning("nobody of a workspace '%s' is seen: "
				 "'clearconf workspace' lists those there are",
				 workspace);
	return output_show(buf_str(&out));
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct consumers *o = fields;
	struct simple_call call = {.method = "ListConsumers", .of_all = true};
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int status = simple_call_run(client, &call, &answer);

	(void)argc;
	(void)argv;
	if (status != EXIT_DONE)
		return status;
	if (o->json)
		return simple_call_print_json(answer->root);
	return print(value_get(answer->root, STR("consumers")),
		     client->workspace);
}

const struct command cmd_consumers = {
	.name = "consumers",
	.synopsis = "[--json]",
	.summary = "list who has the configuration, and which generation",
	.details =
		"A line for each connection to the daemon that was given the "
		"configuration, and one\n"
		"for each process that says what it does with it, as exec and "
		"dump do: by which\n"
		"method it came (get, watch) or what it says (exec, dump), "
		"the generation that it was\n"
		"given last or that its file holds, and since when. Of exec "
		"also the process that it\n"
		"runs, with the generation that this knows if it is another, "
		"and the restart that is\n"
		"pending. 'behind': the workspace has a newer generation than "
		"one of the two.\n"
		"\n"
		"Without the right 'read' of a workspace only your own are "
		"listed. A program that has\n"
		"asked and hung up is not: what it did with the answer, "
		"nobody knows.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct consumers),
	.arguments_max = 0,
	.run = run,
};
