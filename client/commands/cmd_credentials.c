#include <math.h>
#include <time.h>

#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "call/simple_call.h"
#include "commands/subcommand.h"
#include "read/doc.h"
#include "render/render.h"
#include "text/answer.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/expiry.h"
#include "text/output.h"
#include "text/table.h"
#include "value/json.h"
#include "value/value.h"

struct credentials {
	const char *label, *expires, *grace;
	bool force, json;
};

static const struct option_spec options[] = {
	{"label", 'l', OPTION_TEXT, offsetof(struct credentials, label),
	 "LABEL", "what the web interface calls the key", "create, edit"},
	{"expires", 'e', OPTION_TEXT, offsetof(struct credentials, expires),
	 "WHEN", "after so long (90d, 12h), or a date (2027-01-31)",
	 "create, rotate"},
	{"grace", 'g', OPTION_SECONDS, offsetof(struct credentials, grace), "S",
	 "revoke the old key S seconds later (3600)", "rotate"},
	{"force", '\0', OPTION_FLAG, offsetof(struct credentials, force), NULL,
	 "also the key that clearconfd itself logs in with", "revoke"},
	{"json", 'j', OPTION_FLAG, offsetof(struct credentials, json), NULL,
	 "print the daemon's answer as JSON"},
};

/* --- list ----------------------------------------------------------------- */

static void add_credential(struct table *table, const struct value *credential)
{
	table_add(table,
		  answer_bool(credential, "current") ? STR("*") : STR("-"));
	table_add(table, answer_text(credential, "access_key"));
	table_add(table, answer_text(credential, "label"));
	table_add(table, answer_text(credential, "company_id"));
	table_add_time(table, answer_int(credential, "last_used", -1));
	table_add(table, answer_text(credential, "last_used_from"));
	table_add_time(table, answer_int(credential, "expires", -1));
}

static int print_list(const struct value *list)
{
	static const char *const heading[] = {
		"",          "ACCESS KEY", "LABEL",   "COMPANY",
		"LAST USED", "FROM",       "EXPIRES",
	};
	_cleanup_(table_deinit) struct table table = {
		.columns = ARRAY_SIZE(heading)};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	table_add_heading(&table, heading);
	if (value_is(list, VALUE_LIST))
		for (uint32_t i = 0; i < list->list.count; i++)
			add_credential(&table, list->list.items[i]);
	table_write(&out, &table);
	return output_show(buf_str(&out));
}

static int list(const struct client *client, const void *fields,
		const char *argument)
{
	const struct credentials *o = fields;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int status = simple_call_plain(client, "ListCredentials", &answer);

	(void)argument;
	if (status != EXIT_DONE)
		return status;
	if (o->json)
		return simple_call_print_json(answer->root);
	return print_list(value_get(answer->root, STR("credentials")));
}

/* --- create --------------------------------------------------------------- */

static void add_member(struct value *object, struct arena *arena,
		       const char *key, struct value *value)
{
	*value_object_slot(object, arena, str_from(key)) = value;
}

/* { api { credentials { ... } } }, to be pasted into a clearml.conf. */
static struct value *as_configuration(struct arena *arena,
				      const struct value *pair)
{
	static const char *const keys[] = {"access_key", "secret_key"};
	struct value *root = value_new(arena, VALUE_OBJECT);
	struct value *api = value_new(arena, VALUE_OBJECT);
	struct value *credentials = value_new(arena, VALUE_OBJECT);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		add_member(credentials, arena, keys[i],
			   value_new_string(arena, answer_text(pair, keys[i])));
	add_member(api, arena, "credentials", credentials);
	add_member(root, arena, "api", api);
	return root;
}

/* Without the comment of a dump, which would make a file ours. */
static int print_pair(const struct value *pair)
{
	_cleanup_(rendering_deinit) struct rendering rendering = RENDERING_INIT;
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct str text;

	(void)render_hocon(&rendering, as_configuration(&arena, pair));
	text = buf_str(&rendering.text);
	return output_show(str_from_offset(text, strcspn(text.ptr, "\n") + 1));
}

/* Seconds from now; -1 when it is not given. */
static int64_t lifetime_of(const struct credentials *o)
{
	return o->expires ? expiry_parse(o->expires, time(NULL)) : -1;
}

static void warn_of_no_expiry(void)
{
	complain_warning("the server has not said that this key expires: it "
			 "may last until it is revoked");
}

static void warn_of_pair(const struct credentials *o, const struct value *pair)
{
	if (o->expires && !value_get(pair, STR("expires")))
		warn_of_no_expiry();
	complain_warning("keep this now: the server never shows the secret "
			 "again");
}

static int create(const struct client *client, const void *fields,
		  const char *argument)
{
	const struct credentials *o = fields;
	_cleanup_(buf_deinit) struct buf members = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct simple_call call = {"CreateCredentials", &members};
	int status;

	(void)argument;
	json_add_optional_string(&members, "label", o->label);
	json_add_optional_int(&members, "lifetime", lifetime_of(o));
	status = simple_call_run(client, &call, &answer);
	if (status != EXIT_DONE)
		return status;
	warn_of_pair(o, answer->root);
	return o->json ? simple_call_print_json(answer->root)
		       : print_pair(answer->root);
}

/* --- edit ----------------------------------------------------------------- */

/* An empty label is none. */
static int edit(const struct client *client, const void *fields,
		const char *key)
{
	const struct credentials *o = fields;
	_cleanup_(buf_deinit) struct buf members = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct simple_call call = {"EditCredentials", &members};
	int status;

	json_add_string(&members, "access_key", key);
	if (*o->label)
		json_add_string(&members, "label", o->label);
	status = simple_call_run(client, &call, &answer);
	if (status != EXIT_DONE)
		return status;
	return o->json ? simple_call_print_json(answer->root) : EXIT_DONE;
}

/* --- rotate --------------------------------------------------------------- */

static void add_moment(struct buf *out, int64_t seconds)
{
	time_t at = (time_t)seconds;
	struct tm parts;
	char text[32] = "";

	if (localtime_r(&at, &parts))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
	buf_puts(out, text);
}

static int print_rotation(const struct value *answer)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	buf_printf(&out, "%.*s is in force and in %.*s\n%.*s is revoked at ",
		   STR_PRINT(answer_text(answer, "access_key")),
		   STR_PRINT(answer_text(answer, "file")),
		   STR_PRINT(answer_text(answer, "old_access_key")));
	add_moment(&out, answer_int(answer, "revoke_at", 0));
	buf_putc(&out, '\n');
	return output_show(buf_str(&out));
}

static int rotate(const struct client *client, const void *fields,
		  const char *argument)
{
	const struct credentials *o = fields;
	_cleanup_(buf_deinit) struct buf members = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct simple_call call = {"RotateCredentials", &members,
				   "choose another --grace or --expires"};
	int status;

	(void)argument;
	if (o->grace)
		json_add_int(&members, "grace",
			     (long long)ceil(arguments_seconds(o->grace)));
	json_add_optional_int(&members, "lifetime", lifetime_of(o));
	status = simple_call_run(client, &call, &answer);
	if (status != EXIT_DONE)
		return status;
	if (o->expires && !value_get(answer->root, STR("expires")))
		warn_of_no_expiry();
	return o->json ? simple_call_print_json(answer->root)
		       : print_rotation(answer->root);
}

/* --- revoke --------------------------------------------------------------- */

static int revoke(const struct client *client, const void *fields,
		  const char *key)
{
	const struct credentials *o = fields;
	_cleanup_(buf_deinit) struct buf members = BUF_INIT;
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct simple_call call = {
		"RevokeCredentials", &members,
		o->force ? NULL
			 : "clearconfd itself logs in with this key: put "
			   "another one into its configuration first, or "
			   "revoke it all the same with --force"};
	int status;

	json_add_string(&members, "access_key", key);
	if (o->force)
		json_add_bool(&members, "force", true);
	status = simple_call_run(client, &call, &answer);
	if (status != EXIT_DONE)
		return status;
	if (o->json)
		return simple_call_print_json(answer->root);
	buf_printf(&out,
		   "revoked %s; tokens made with it last until they "
		   "expire\n",
		   key);
	return output_show(buf_str(&out));
}

static const struct subcommand subcommands[] = {
	{"list", NULL, list},
	{"create", NULL, create},
	{"edit", "an access key", edit},
	{"rotate", NULL, rotate},
	{"revoke", "an access key", revoke},
};

static int check_usage(const struct credentials *o, const char *verb)
{
	if (o->expires && lifetime_of(o) <= 0)
		return complain(EXIT_USAGE,
				"--expires takes how long from now (90d, 12h) "
				"or a date to come (2027-01-31, "
				"2027-01-31T18:00)");
	if (str_same(verb, "edit") && !o->label)
		return complain(EXIT_USAGE, "'credentials edit' needs --label");
	return EXIT_DONE;
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	struct subcommand_call call = {&cmd_credentials, argv};
	int status = check_usage(fields, argv[0]);

	(void)argc;
	return status == EXIT_DONE ? subcommand_run(&call, client, fields)
				   : status;
}

const struct command cmd_credentials = {
	.name = "credentials",
	.synopsis = "[list | create [--label LABEL] [--expires WHEN] |\n"
		    "       edit KEY --label LABEL | rotate [--grace S] "
		    "[--expires WHEN] |\n"
		    "       revoke KEY [--force]] [--json]",
	.summary = "list, make, name, rotate and revoke the key pairs of this "
		   "user",
	.details =
		"list    the key pairs that the ClearML server knows of this "
		"user; '*' marks the one\n"
		"        that clearconfd logs in with. Never a secret.\n"
		"create  a new pair, printed once, as it goes into a "
		"clearml.conf. Needs the rights\n"
		"        'admin' and 'secrets'. Open-source servers know no "
		"expiry: there --expires makes\n"
		"        nothing.\n"
		"edit    call KEY otherwise; an empty label takes the old one "
		"away. Needs 'admin'.\n"
		"rotate  put a new pair into the credentials_file of the "
		"workspace, and into force, and\n"
		"        have clearconfd revoke the old one after the grace. "
		"Needs 'admin' and 'secrets'.\n"
		"revoke  make KEY useless. Tokens made with it last until they "
		"expire. Needs the\n"
		"        right 'admin'.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct credentials),
	.subcommands = subcommands,
	.verb_count = ARRAY_SIZE(subcommands),
	.arguments_max = 2,
	.secret = true,
	.run = run,
};
