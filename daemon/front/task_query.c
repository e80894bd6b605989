/* The kinds of task.h that ask the server: profile, credentials, tokens. */

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "engine/credential.h"
#include "engine/engine.h"
#include "fetch/api.h"
#include "fetch/session.h"
#include "front/task.h"
#include "value/json.h"
#include "value/value.h"

#define LIFETIME_DEFAULT 3600

static const struct login *login_of(const struct task *task)
{
	return &task->workspace->upstream->login;
}

static void add_text(struct task *task, const char *key, const char *text)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;

	if (text)
		task_add(task, key, value_new_string(&arena, str_from(text)));
}

/* @member of @object under the name @key, if there is one. */
static void add_member(struct task *task, const char *key,
		       const struct value *object, const char *member)
{
	const struct value *value = value_get(object, str_from(member));

	if (value && !value_is(value, VALUE_NULL))
		task_add(task, key, value);
}

static bool has_text(const struct value *object, const char *member)
{
	return value_is(value_get(object, str_from(member)), VALUE_STRING);
}

static void add_time(struct task *task, const char *key,
		     const struct value *object, const char *member)
{
	json_add_optional_int(&task->fields, key,
			      credential_time(object, member));
}

/* --- GetProfile ----------------------------------------------------------- */

/* The workspace is a company; which others there are is the next answer. */
static bool take_user(struct task *task, const struct value *data)
{
	const struct value *user = value_get(data, STR("user"));

	add_member(task, "user", data, "user");
	json_key(&task->fields, "workspace");
	buf_putc(&task->fields, '{');
	add_text(task, "name", task->workspace->name);
	add_text(task, "api_server", login_of(task)->api_server);
	add_member(task, "company", user, "company");
	return value_is(user, VALUE_OBJECT);
}

static bool take_companies(struct task *task, const struct value *data)
{
	if (data)
		add_member(task, "companies", data, "companies");
	buf_putc(&task->fields, '}');
	return true;
}

static bool take_preferences(struct task *task, const struct value *data)
{
	static const struct value none = {.type = VALUE_OBJECT};
	const struct value *preferences = value_get(data, STR("preferences"));

	task_add(task, "preferences",
		 value_is(preferences, VALUE_OBJECT) ? preferences : &none);
	return true;
}

const struct question task_profile[] = {
	{"users.get_current_user", .take = take_user},
	{"organization.get_user_companies", true, .take = take_companies},
	{"users.get_preferences", true, .take = take_preferences},
	{0},
};

/* --- GetWorkers ----------------------------------------------------------- */

static bool is_wanted(const struct task *task, const struct value *worker)
{
	const struct value *id = value_get(worker, STR("id"));

	return value_is(id, VALUE_STRING) &&
	       (!task->errand->text ||
		str_is(value_text(id), task->errand->text));
}

/* What it works on comes as { id, name }; null while it is idle. */
static void add_worker(struct task *task, const struct value *worker)
{
	struct buf *fields = &task->fields;

	if (fields->data[fields->len - 1] == '}')
		buf_putc(fields, ',');
	buf_putc(fields, '{');
	add_member(task, "id", worker, "id");
	add_member(task, "task", value_get(worker, STR("task")), "id");
	add_time(task, "last_activity", worker, "last_activity_time");
	buf_putc(fields, '}');
}

static bool take_workers(struct task *task, const struct value *data)
{
	const struct value *workers = value_get(data, STR("workers"));

	if (!value_is(workers, VALUE_LIST))
		return false;
	json_key(&task->fields, "workers");
	buf_putc(&task->fields, '[');
	for (uint32_t i = 0; i < workers->list.count; i++)
		if (is_wanted(task, workers->list.items[i]))
			add_worker(task, workers->list.items[i]);
	buf_putc(&task->fields, ']');
	return true;
}

const struct question task_workers[] = {
	{"workers.get_all", .take = take_workers},
	{0},
};

/* --- ListCredentials ------------------------------------------------------ */

static bool is_ours(const struct task *task, const struct value *credential)
{
	const struct value *key = value_get(credential, STR("access_key"));
	const char *ours = login_of(task)->access_key;

	return ours && value_is(key, VALUE_STRING) &&
	       str_is(value_text(key), ours);
}

/* @company: what the server says of whose it is; NULL: nothing. */
static void add_credential(void *data, const struct value *credential,
			   const struct value *company)
{
	struct task *task = data;
	struct buf *fields = &task->fields;

	if (fields->data[fields->len - 1] == '}')
		buf_putc(fields, ',');
	buf_putc(fields, '{');
	add_member(task, "access_key", credential, "access_key");
	if (company)
		task_add(task, "company_id", company);
	add_member(task, "label", credential, "label");
	add_time(task, "last_used", credential, "last_used");
	add_member(task, "last_used_from", credential, "last_used_from");
	add_time(task, "expires", credential, "expire");
	json_add_bool(fields, "current", is_ours(task, credential));
	buf_putc(fields, '}');
}

/* Those are of our own company, if it is known. */
static void add_own_credential(void *data, const struct value *credential,
			       const struct value *company)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const struct task *task = data;
	const char *ours = workspace_names(task->workspace)->company_id;

	add_credential(data, credential,
		       ours ? value_new_string(&arena, str_from(ours))
			    : company);
}

/* As the web client has it: what the map of all companies says of our own is
 * laid over our own list. */
static bool take_credentials(struct task *task, const struct value *data)
{
	const struct value *others =
		value_get(data, STR("additional_credentials"));
	const char *ours = workspace_names(task->workspace)->company_id;

	json_key(&task->fields, "credentials");
	buf_putc(&task->fields, '[');
	if (!ours || !value_get(others, str_from(ours)))
		credential_each_own(data, add_own_credential, task);
	credential_each_other(data, add_credential, task);
	buf_putc(&task->fields, ']');
	return value_is(value_get(data, STR("credentials")), VALUE_LIST);
}

const struct question task_credentials[] = {
	{"auth.get_credentials", .take = take_credentials},
	{0},
};

/* --- CreateCredentials, EditCredentials, RevokeCredentials ---------------- */

static char *create_body(const struct task *task)
{
	struct buf body = BUF_INIT;

	buf_putc(&body, '{');
	json_add_optional_string(&body, "label", task->errand->label);
	json_add_optional_int(&body, "expiration_sec", task->errand->lifetime);
	buf_putc(&body, '}');
	return buf_take(&body);
}

static bool take_created(struct task *task, const struct value *data)
{
	const struct value *pair = value_get(data, STR("credentials"));

	add_member(task, "access_key", pair, "access_key");
	add_member(task, "secret_key", pair, "secret_key");
	add_member(task, "label", pair, "label");
	add_time(task, "expires", pair, "expire");
	return has_text(pair, "access_key") && has_text(pair, "secret_key");
}

static bool knows_no_expiry(const struct task *task)
{
	const struct api_claims *claims =
		session_claims(task->workspace->upstream->session);

	return claims && !strcmp(claims->feature_set, "basic");
}

/* It would make one that lasts, and say nothing. */
bool task_begin_create(struct task *task)
{
	if (task->errand->lifetime < 0 || !knows_no_expiry(task))
		return true;
	task_fail_not_ready(task, "nothing was made: this server (feature set "
				  "'basic', open source) knows no expiry of "
				  "keys");
	return false;
}

/* Changes the server's state, so by POST: session.h repeats it only when it was
 * refused before it was done. */
const struct question task_create[] = {
	{"auth.create_credentials", .body = create_body, .take = take_created},
	{0},
};

static char *edit_body(const struct task *task)
{
	struct buf body = BUF_INIT;

	buf_putc(&body, '{');
	json_add_string(&body, "access_key", task->errand->text);
	json_add_optional_string(&body, "label", task->errand->label);
	buf_putc(&body, '}');
	return buf_take(&body);
}

/* A server counts what it has done. */
static void add_done(struct task *task, const char *key,
		     const struct value *data)
{
	int64_t count = 0;

	(void)value_to_int64(value_get(data, str_from(key)), &count);
	json_add_bool(&task->fields, key, count > 0);
}

static bool take_updated(struct task *task, const struct value *data)
{
	add_done(task, "updated", data);
	return true;
}

const struct question task_edit[] = {
	{"auth.edit_credentials", .body = edit_body, .take = take_updated},
	{0},
};

bool task_begin_revoke(struct task *task)
{
	const struct errand *errand = task->errand;

	if (errand->force || !engine_uses_key(task->engine, errand->text, NULL))
		return true;
	task_fail_parameter(task, "force");
	return false;
}

static char *revoke_body(const struct task *task)
{
	struct buf body = BUF_INIT;

	buf_putc(&body, '{');
	json_add_string(&body, "access_key", task->errand->text);
	buf_putc(&body, '}');
	return buf_take(&body);
}

static bool take_revoked(struct task *task, const struct value *data)
{
	add_done(task, "revoked", data);
	return true;
}

const struct question task_revoke[] = {
	{"auth.revoke_credentials", .body = revoke_body, .take = take_revoked},
	{0},
};

/* --- GetToken ------------------------------------------------------------- */

static int64_t lifetime_of(const struct task *task)
{
	int64_t lifetime = task->errand->lifetime;

	return lifetime > 0 ? lifetime : LIFETIME_DEFAULT;
}

static void add_expiry(struct task *task, const struct value *token)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct api_claims claims;
	struct str text = arena_str(&arena, value_text(token));

	if (api_parse_claims(&claims, &arena, text.ptr) && claims.expires_at)
		json_add_int(&task->fields, "expires_at", claims.expires_at);
}

static bool take_token(struct task *task, const struct value *data)
{
	const struct value *token = value_get(data, STR("token"));

	add_member(task, "token", data, "token");
	if (value_is(token, VALUE_STRING))
		add_expiry(task, token);
	add_text(task, "api_server", login_of(task)->api_server);
	return has_text(data, "token");
}

/* A token of its own: that of the session is never handed out. */
const struct question task_token[] = {
	{"auth.login", .mint = lifetime_of, .take = take_token},
	{0},
};
