#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "call/simple_call.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/table.h"
#include "value/value.h"

struct profile {
	bool json;
};

static const struct option_spec options[] = {
	{"json", 'j', OPTION_FLAG, offsetof(struct profile, json), NULL,
	 "print the daemon's answer as JSON, preferences included"},
};

static void add_row(struct table *table, const char *label, struct str text)
{
	if (!text.len)
		return;
	table_add(table, str_from(label));
	table_add(table, text);
}

/* "name (id)", or what there is of it. */
static void add_named(struct table *table, const char *label,
		      const struct value *object)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct str name = answer_text(object, "name");
	struct str id = answer_text(object, "id");

	buf_add_str(&text, name.len ? name : id);
	if (name.len && id.len)
		buf_printf(&text, " (%.*s)", STR_PRINT(id));
	add_row(table, label, buf_str(&text));
}

static void add_companies(struct table *table, const struct value *companies)
{
	if (!value_is(companies, VALUE_LIST))
		return;
	for (uint32_t i = 0; i < companies->list.count; i++)
		add_named(table, i ? "" : "companies",
			  companies->list.items[i]);
}

static int print(const struct value *profile)
{
	const struct value *user = value_get(profile, STR("user"));
	const struct value *workspace = value_get(profile, STR("workspace"));
	_cleanup_(table_deinit) struct table table = {.columns = 2};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	table_add(&table, STR("workspace"));
	table_add(&table, answer_text(workspace, "name"));
	add_row(&table, "server", answer_text(workspace, "api_server"));
	add_named(&table, "user", user);
	add_row(&table, "email", answer_text(user, "email"));
	add_row(&table, "role", answer_text(user, "role"));
	add_named(&table, "company", value_get(workspace, STR("company")));
	add_companies(&table, value_get(workspace, STR("companies")));
	table_write(&out, &table);
	return output_show(buf_str(&out));
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct profile *o = fields;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int status = simple_call_plain(client, "GetProfile", &answer);

	(void)argc;
	(void)argv;
	if (status != EXIT_DONE)
		return status;
	return o->json ? simple_call_print_json(answer->root)
		       : print(answer->root);
}

const struct command cmd_profile = {
	.name = "profile",
	.synopsis = "[--json]",
	.summary = "show who the ClearML server takes us for",
	.details = "Asks the ClearML server for the user, the company and the "
		   "companies that the\n"
		   "credentials of the workspace stand for.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct profile),
	.arguments_max = 0,
	.run = run,
};
