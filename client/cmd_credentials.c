#include "arguments.h"
#include "base/mem.h"
#include "channel.h"
#include "command.h"
#include "complain.h"
#include "exit_status.h"
#include "once.h"
#include "output.h"
#include "read/doc.h"
#include "render.h"
#include "table.h"
#include "value/json.h"
#include "value/value.h"
#include "verb.h"

struct credentials {
	const char *label;
	bool force, json;
};

static const struct option_spec options[] = {
	{"label", 'l', OPTION_TEXT, offsetof(struct credentials, label),
	 "LABEL", "create: what the web interface calls the new key"},
	{"force", '\0', OPTION_FLAG, offsetof(struct credentials, force), NULL,
	 "revoke: also the key that clearconfd itself logs in with"},
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

	for (size_t i = 0; i < ARRAY_SIZE(heading); i++)
		table_add(&table, str_from(heading[i]));
	if (value_is(list, VALUE_LIST))
		for (uint32_t i = 0; i < list->list.count; i++)
			add_credential(&table, list->list.items[i]);
	table_write(&out, &table);
	return output_write(buf_str(&out));
}

static int list(const struct client *client, const void *fields,
		const char *argument)
{
	const struct credentials *o = fields;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int status = once_ask(client, "ListCredentials", &answer);

	(void)argument;
	if (status != EXIT_DONE)
		return status;
	if (o->json)
		return once_print_json(answer->root);
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
	return output_write(str_from_offset(text, strcspn(text.ptr, "\n") + 1));
}

static int create(const struct client *client, const void *fields,
		  const char *argument)
{
	const struct credentials *o = fields;
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct once once = {"CreateCredentials", &parameters, NULL};
	int status;

	(void)argument;
	buf_putc(&parameters, '{');
	json_add_optional_string(&parameters, "label", o->label);
	json_add_optional_string(&parameters, "workspace", client->workspace);
	buf_putc(&parameters, '}');
	status = once_call(client, &once, &answer);
	if (status != EXIT_DONE)
		return status;
	complain_warning("keep this now: the server never shows the secret "
			 "again");
	return o->json ? once_print_json(answer->root)
		       : print_pair(answer->root);
}

/* --- revoke --------------------------------------------------------------- */

static int revoke(const struct client *client, const void *fields,
		  const char *key)
{
	const struct credentials *o = fields;
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct once once = {
		"RevokeCredentials", &parameters,
		o->force ? NULL
			 : "clearconfd itself logs in with this key: put "
			   "another one into its configuration first, or "
			   "revoke it all the same with --force"};
	int status;

	buf_putc(&parameters, '{');
	json_add_string(&parameters, "access_key", key);
	if (o->force)
		json_add_bool(&parameters, "force", true);
	json_add_optional_string(&parameters, "workspace", client->workspace);
	buf_putc(&parameters, '}');
	status = once_call(client, &once, &answer);
	if (status != EXIT_DONE)
		return status;
	if (o->json)
		return once_print_json(answer->root);
	buf_printf(&out,
		   "revoked %s; tokens made with it last until they "
		   "expire\n",
		   key);
	return output_write(buf_str(&out));
}

static const struct verb verbs[] = {
	{"list", NULL, list},
	{"create", NULL, create},
	{"revoke", "an access key", revoke},
};

static int check_usage(const struct credentials *o, const char *verb)
{
	if (o->label && !str_same(verb, "create"))
		return complain(EXIT_USAGE, "--label is for 'credentials "
					    "create' alone");
	if (o->force && !str_same(verb, "revoke"))
		return complain(EXIT_USAGE, "--force is for 'credentials "
					    "revoke' alone");
	return EXIT_DONE;
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	struct verb_call call = {"credentials", verbs, ARRAY_SIZE(verbs), argv};
	int status = check_usage(fields, argv[0]);

	(void)argc;
	return status == EXIT_DONE ? verb_run(&call, client, fields) : status;
}

const struct command cmd_credentials = {
	.name = "credentials",
	.synopsis = "[list | create [--label LABEL] | revoke KEY [--force]] "
		    "[--json]",
	.summary = "list, make and revoke the key pairs of this user",
	.details =
		"list    the key pairs that the ClearML server knows of this "
		"user; '*' marks the one\n"
		"        that clearconfd logs in with. Never a secret.\n"
		"create  a new pair, printed once, as it goes into a "
		"clearml.conf. Needs the rights\n"
		"        'admin' and 'secrets'.\n"
		"revoke  make KEY useless. Tokens made with it last until they "
		"expire. Needs the\n"
		"        right 'admin'.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct credentials),
	.arguments_max = 2,
	.secret = true,
	.run = run,
};
