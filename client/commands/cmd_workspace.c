#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "call/simple_call.h"
#include "commands/subcommand.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/own_text.h"
#include "text/table.h"
#include "value/json.h"
#include "value/value.h"

struct workspace {
	bool json;
};

static const struct option_spec options[] = {
	{"json", 'j', OPTION_FLAG, offsetof(struct workspace, json), NULL,
	 "print the daemon's answer as JSON"},
};

/* --- list ----------------------------------------------------------------- */

/* A name when there is one, else the id. */
static struct str name_or_id(const struct value *workspace, const char *name,
			     const char *id)
{
	struct str text = answer_text(workspace, name);

	return text.len ? text : answer_text(workspace, id);
}

/* The active one, and the caller's own. */
static struct str mark(const struct value *workspace, struct str own)
{
	bool active = answer_bool(workspace, "active");

	if (own.len && str_equal(answer_text(workspace, "name"), own))
		return active ? STR("*>") : STR(">");
	return active ? STR("*") : STR("-");
}

static void add_workspace(struct table *table, const struct value *workspace,
			  struct str own)
{
	const struct value *server = value_get(workspace, STR("server"));

	table_add(table, mark(workspace, own));
	table_add(table, answer_text(workspace, "name"));
	table_add(table, answer_text(workspace, "state"));
	table_add(table, name_or_id(workspace, "company_name", "company_id"));
	table_add(table, name_or_id(workspace, "user_name", "user_id"));
	table_add(table, answer_text(server, "api_server"));
}

static int print_list(const struct value *answer)
{
	const struct value *list = value_get(answer, STR("workspaces"));
	static const char *const heading[] = {"",        "NAME", "STATE",
					      "COMPANY", "USER", "SERVER"};
	_cleanup_(table_deinit) struct table table = {
		.columns = ARRAY_SIZE(heading)};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	table_add_heading(&table, heading);
	if (value_is(list, VALUE_LIST))
		for (uint32_t i = 0; i < list->list.count; i++)
			add_workspace(&table, list->list.items[i],
				      own_workspace(answer));
	table_write(&out, &table);
	return output_show(buf_str(&out));
}

static int list(const struct client *client, const void *fields,
		const char *argument)
{
	const struct workspace *o = fields;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct simple_call call = {.method = "ListWorkspaces", .of_all = true};
	int status;

	(void)argument;
	status = simple_call_run(client, &call, &answer);
	if (status != EXIT_DONE)
		return status;
	if (o->json)
		return simple_call_print_json(answer->root);
	return print_list(answer->root);
}

/* --- use ------------------------------------------------------------------ */

static int use(const struct client *client, const void *fields,
	       const char *name)
{
	const struct workspace *o = fields;
	_cleanup_(buf_deinit) struct buf members = BUF_INIT;
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct simple_call call = {"UseWorkspace", &members, .of_all = true};
	int status;

	json_add_string(&members, "name", name);
	status = simple_call_run(client, &call, &answer);
	if (status != EXIT_DONE)
		return status;
	if (o->json)
		return simple_call_print_json(answer->root);
	buf_printf(&out, "%s is the active workspace (generation %lld)\n", name,
		   (long long)answer_int(answer->root, "generation", 0));
	if (own_workspace(answer->root).len) {
		buf_puts(&out, "yours stays ");
		own_text_add(&out, answer->root);
		buf_putc(&out, '\n');
	}
	return output_show(buf_str(&out));
}

static const struct subcommand subcommands[] = {
	{"list", NULL, list},
	{"use", "the name of a workspace", use},
};

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	struct subcommand_call call = {&cmd_workspace, argv};

	(void)argc;
	return subcommand_run(&call, client, fields);
}

const struct command cmd_workspace = {
	.name = "workspace",
	.synopsis = "[list | use NAME] [--json]",
	.summary = "list the workspaces, or make another one the active one",
	.details =
		"A workspace is an API server and one pair of credentials, as "
		"clearconfd.conf declares\n"
		"it. The active one, marked '*', is what everybody gets who "
		"names none, but for\n"
		"those whose own another one is, by 'for' of clearconfd.conf: "
		"yours is marked '>'.\n"
		"\n"
		"'use NAME' makes NAME the active one until it is changed "
		"again, also over restarts;\n"
		"watchers and dumps get the difference. It needs the right "
		"'admin'.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct workspace),
	.subcommands = subcommands,
	.verb_count = ARRAY_SIZE(subcommands),
	.arguments_max = 2,
	.run = run,
};
