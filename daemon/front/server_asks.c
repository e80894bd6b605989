/* The methods of server_call.h that ask the server. */

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "engine/credential.h"
#include "engine/engine.h"
#include "fetch/api.h"
#include "fetch/session.h"
#include "front/server_call.h"
#include "value/json.h"
#include "value/value.h"

#define LIFETIME_DEFAULT 3600

static const struct login *login_of(const struct server_call *call)
{
	return &call->workspace->upstream->login;
}

static void add_text(struct server_call *call, const char *key,
		     const char *text)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;

	if (text)
		server_call_add(call, key,
				value_new_string(&arena, str_from(text)));
}

/* @member of @object under the name @key, if there is one. */
static void add_member(struct server_call *call, const char *key,
		       const struct value *object, const char *member)
{
	const struct value *value = value_get(object, str_from(member));

	if (value && !value_is(value, VALUE_NULL))
		server_call_add(call, key, value);
}

static bool has_text(const struct value *object, const char *member)
{
	return value_is(value_get(object, str_from(member)), VALUE_STRING);
}

static void add_time(struct server_call *call, const char *key,
		     const struct value *object, const char *member)
{
	json_add_optional_int(&call->fields, key,
			      credential_time(object, member));
}

/* --- GetProfile ----------------------------------------------------------- */

/* The workspace is a company; the next answer says which others there are. */
static bool take_user(struct server_call *call, const struct value *data)
{
	const struct value *user = value_get(data, STR("user"));

	add_member(call, "user", data, "user");
	json_key(&call->fields, "workspace");
	buf_putc(&call->fields, '{');
	add_text(call, "name", call->workspace->name);
	add_text(call, "api_server", login_of(call)->api_server);
	add_member(call, "company", user, "company");
	return value_is(user, VALUE_OBJECT);
}

static bool take_companies(struct server_call *call, const struct value *data)
{
	if (data)
		add_member(call, "companies", data, "companies");
	buf_putc(&call->fields, '}');
	return true;
}

static bool take_preferences(struct server_call *call, const struct value *data)
{
	static const struct value none = {.type = VALUE_OBJECT};
	const struct value *preferences = value_get(data, STR("preferences"));

	server_call_add(call, "preferences",
			value_is(preferences, VALUE_OBJECT) ? preferences
							    : &none);
	return true;
}

/* --- GetWorkers ----------------------------------------------------------- */

static bool is_wanted(const struct server_call *call,
		      const struct value *worker)
{
	const struct value *id = value_get(worker, STR("id"));
	const char *wanted = call_string(call->asked, "id").ptr;

	return value_is(id, VALUE_STRING) &&
	       (!wanted || str_is(value_text(id), wanted));
}

/* What it works on comes as { id, name }; null while it is idle. */
static void add_worker(struct server_call *call, const struct value *worker)
{
	struct buf *fields = &call->fields;

	if (fields->data[fields->len - 1] == '}')
		buf_putc(fields, ',');
	buf_putc(fields, '{');
	add_member(call, "id", worker, "id");
	add_member(call, "task", value_get(worker, STR("task")), "id");
	add_time(call, "last_activity", worker, "last_activity_time");
	buf_putc(fields, '}');
}

static bool take_workers(struct server_call *call, const struct value *data)
{
	const struct value *workers = value_get(data, STR("workers"));

	if (!value_is(workers, VALUE_LIST))
		return false;
	json_key(&call->fields, "workers");
	buf_putc(&call->fields, '[');
	for (uint32_t i = 0; i < workers->list.count; i++)
		if (is_wanted(call, workers->list.items[i]))
			add_worker(call, workers->list.items[i]);
	buf_putc(&call->fields, ']');
	return true;
}

/* --- ListCredentials ------------------------------------------------------ */

static bool is_ours(const struct server_call *call,
		    const struct value *credential)
{
	const struct value *key = value_get(credential, STR("access_key"));
	const char *ours = login_of(call)->access_key;

	return ours && value_is(key, VALUE_STRING) &&
	       str_is(value_text(key), ours);
}

/* @company: what the server says of whose it is; NULL: nothing. */
static void add_credential(void *data, const struct value *credential,
			   const struct value *company)
{
	struct server_call *call = data;
	struct buf *fields = &call->fields;

	if (fields->data[fields->len - 1] == '}')
		buf_putc(fields, ',');
	buf_putc(fields, '{');
	add_member(call, "access_key", credential, "access_key");
	if (company)
		server_call_add(call, "company_id", company);
	add_member(call, "label", credential, "label");
	add_time(call, "last_used", credential, "last_used");
	add_member(call, "last_used_from", credential, "last_used_from");
	add_time(call, "expires", credential, "expire");
	json_add_bool(fields, "current", is_ours(call, credential));
	buf_putc(fields, '}');
}

/* The server's own list is of our company, if that is known. */
static void add_own_credential(void *data, const struct value *credential,
			       const struct value *company)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const struct server_call *call = data;
	const char *ours = workspace_names(call->workspace)->company_id;

	add_credential(data, credential,
		       ours ? value_new_string(&arena, str_from(ours))
			    : company);
}

/* As in the web client, what the map of all companies says of our own company
 * replaces our own list. */
static bool take_credentials(struct server_call *call, const struct value *data)
{
	const struct value *others =
		value_get(data, STR("additional_credentials"));
	const char *ours = workspace_names(call->workspace)->company_id;

	json_key(&call->fields, "credentials");
	buf_putc(&call->fields, '[');
	if (!ours || !value_get(others, str_from(ours)))
		credential_each_own(data, add_own_credential, call);
	credential_each_other(data, add_credential, call);
	buf_putc(&call->fields, ']');
	return value_is(value_get(data, STR("credentials")), VALUE_LIST);
}

/* --- CreateCredentials, EditCredentials, RevokeCredentials ---------------- */

static void add_access_key(const struct server_call *call, struct buf *members)
{
	json_add_string(members, "access_key",
			call_string(call->asked, "access_key").ptr);
}

static void create_body(const struct server_call *call, struct buf *members)
{
	json_add_optional_string(members, "label",
				 call_string(call->asked, "label").ptr);
	json_add_optional_int(members, "expiration_sec",
			      call_int(call->asked, "lifetime", -1));
}

static bool take_created(struct server_call *call, const struct value *data)
{
	const struct value *pair = value_get(data, STR("credentials"));

	add_member(call, "access_key", pair, "access_key");
	add_member(call, "secret_key", pair, "secret_key");
	add_member(call, "label", pair, "label");
	add_time(call, "expires", pair, "expire");
	return has_text(pair, "access_key") && has_text(pair, "secret_key");
}

static bool knows_no_expiry(const struct server_call *call)
{
	const struct api_claims *claims =
		session_claims(call->workspace->upstream->session);

	return claims && !strcmp(claims->feature_set, "basic");
}

/* A server that knows no expiry would make a key that lasts, and say nothing.
 */
static bool begin_create(struct server_call *call)
{
	if (call_int(call->asked, "lifetime", -1) < 0 || !knows_no_expiry(call))
		return true;
	pending_fail_not_ready(server_call_end(call),
			       "nothing was made: this server (feature set "
			       "'basic', open source) knows no expiry of "
			       "keys");
	return false;
}

static void edit_body(const struct server_call *call, struct buf *members)
{
	add_access_key(call, members);
	json_add_optional_string(members, "label",
				 call_string(call->asked, "label").ptr);
}

/* Add as @key whether it was done: a server counts what it has done. */
static void add_done(struct server_call *call, const char *key,
		     const struct value *data)
{
	int64_t count = 0;

	(void)value_to_int64(value_get(data, str_from(key)), &count);
	json_add_bool(&call->fields, key, count > 0);
}

static bool take_updated(struct server_call *call, const struct value *data)
{
	add_done(call, "updated", data);
	return true;
}

static bool begin_revoke(struct server_call *call)
{
	if (call_bool(call->asked, "force", false) ||
	    !engine_uses_key(call->engine,
			     call_string(call->asked, "access_key").ptr, NULL))
		return true;
	pending_fail_parameter(server_call_end(call), "force");
	return false;
}

static bool take_revoked(struct server_call *call, const struct value *data)
{
	add_done(call, "revoked", data);
	return true;
}

/* --- GetToken ------------------------------------------------------------- */

static int64_t lifetime_of(const struct server_call *call)
{
	int64_t lifetime = call_int(call->asked, "lifetime", -1);

	return lifetime > 0 ? lifetime : LIFETIME_DEFAULT;
}

static void add_expiry(struct server_call *call, const struct value *token)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct api_claims claims;
	struct str text = arena_str(&arena, value_text(token));

	if (api_parse_claims(&claims, &arena, text.ptr) && claims.expires_at)
		json_add_int(&call->fields, "expires_at", claims.expires_at);
}

static bool take_token(struct server_call *call, const struct value *data)
{
	const struct value *token = value_get(data, STR("token"));

	add_member(call, "token", data, "token");
	if (value_is(token, VALUE_STRING))
		add_expiry(call, token);
	add_text(call, "api_server", login_of(call)->api_server);
	return has_text(data, "token");
}

/* --- the table ------------------------------------------------------------ */

/* What changes the server's state is posted: session.h repeats it only when it
 * was refused before it was done. */
const struct server_method server_asks[] = {
	{"GetProfile",
	 {{"users.get_current_user", .take = take_user},
	  {"organization.get_user_companies", true, .take = take_companies},
	  {"users.get_preferences", true, .take = take_preferences}}},
	{"GetWorkers", {{"workers.get_all", .take = take_workers}}},
	{"ListCredentials",
	 {{"auth.get_credentials", .take = take_credentials}}},
	{"CreateCredentials",
	 {{"auth.create_credentials", .body = create_body,
	   .take = take_created}},
	 begin_create},
	{"EditCredentials",
	 {{"auth.edit_credentials", .body = edit_body, .take = take_updated}}},
	{"RevokeCredentials",
	 {{"auth.revoke_credentials", .body = add_access_key,
	   .take = take_revoked}},
	 begin_revoke},
	/* The token is a new one: that of the session is never handed out. */
	{"GetToken", {{"auth.login", .mint = lifetime_of, .take = take_token}}},
	{0},
};
