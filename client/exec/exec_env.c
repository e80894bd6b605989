#include "exec/exec_env.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/mem.h"
#include "exec/exec_daemon.h"
#include "exec/exec_overrides.h"
#include "exec/section.h"
#include "text/complain.h"
#include "value/json.h"
#include "value/value.h"
#include "wire.h"

/* Where else the configuration might come from. */
static const char *const of_defaults[] = {
	"CLEARML_CONFIG_PATH",
	"TRAINS_CONFIG_PATH",
};

/* A login of the caller's that has nothing to do with the named workspace. */
static const char *const of_the_caller[] = {
	"CLEARML_AUTH_TOKEN",
	"TRAINS_AUTH_TOKEN",
};

/* What ClearML takes from its environment before it applies the section: there
 * a vault, which the section may be from, has no say. */
static const char *const before_section[] = {
	"CLEARML_API_ACCESS_KEY",
	"CLEARML_API_HOST",
	"CLEARML_API_HOST_VERIFY_CERT",
	"CLEARML_API_SECRET_KEY",
	"CLEARML_AUTH_TOKEN",
	"CLEARML_CONFIG_FILE",
	"CLEARML_CONFIG_PATH",
	"TRAINS_API_ACCESS_KEY",
	"TRAINS_API_HOST",
	"TRAINS_API_HOST_VERIFY_CERT",
	"TRAINS_API_SECRET_KEY",
	"TRAINS_AUTH_TOKEN",
	"TRAINS_CONFIG_FILE",
	"TRAINS_CONFIG_PATH",
};

/* --- a growing list of NAME=value ----------------------------------------- */

struct list {
	char **items;
	size_t count;
};

static bool is_named(const char *item, struct str name)
{
	return !strncmp(item, name.ptr, name.len) && item[name.len] == '=';
}

static void append(struct list *list, char *item)
{
	size_t size = (list->count + 2) * sizeof(*list->items);

	list->items = mem_grow(list->items, size);
	list->items[list->count++] = item;
	list->items[list->count] = NULL;
}

static void set(struct list *list, struct str name, struct str value)
{
	char *item = mem_printf("%.*s=%.*s", STR_PRINT(name), STR_PRINT(value));

	for (size_t i = 0; i < list->count; i++) {
		if (!is_named(list->items[i], name))
			continue;
		mem_free(list->items[i]);
		list->items[i] = item;
		return;
	}
	append(list, item);
}

/* --- the caller's --------------------------------------------------------- */

static bool is_one_of(struct str name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}

/* @again: see exec_overrides.h; NULL: nothing is laid over the file that is not
 * meant to be. */
static bool is_kept(const struct exec_env_wish *wish, char *const *again,
		    const char *item)
{
	struct str name = {item, strcspn(item, "=")};

	if (wish->workspace &&
	    is_one_of(name, of_the_caller, ARRAY_SIZE(of_the_caller)))
		return false;
	if (!again)
		return true;
	if (is_one_of(name, of_defaults, ARRAY_SIZE(of_defaults)))
		return !exec_daemon_adds_defaults(wish->daemon,
						  item + name.len + 1);
	return !exec_overrides_has(again, name);
}

/* Each entry as it stands, also one that is no assignment. */
static void add_callers(struct list *list, const struct exec_env_wish *wish)
{
	_cleanup_(exec_overrides_freep) char **again = NULL;

	if (!wish->live && wish->daemon->agent)
		again = exec_overrides_find(wish->tree);
	for (char **at = environ; *at; at++)
		if (is_kept(wish, again, *at))
			append(list, mem_strdup(*at));
}

/* --- the section `environment` -------------------------------------------- */

/* What is false or nothing becomes text in the agent's way, which the SDK has
 * not: its str(value or "") makes each of them empty. Lists and objects nobody
 * wants as Python writes them: JSON. */
static void write_text(struct buf *out, const struct value *value, bool agent)
{
	if (value->type == VALUE_NULL || (!agent && !value_is_true(value)))
		return;
	if (value->type == VALUE_STRING)
		buf_add_str(out, value_text(value));
	else if (value->type == VALUE_BOOL)
		buf_puts(out, value_is_true(value) ? "True" : "False");
	else
		json_write(out, value);
}

/* Why the variable is not set, or NULL. */
static const char *problem_of(struct str name, struct str value)
{
	if (!name.len || memchr(name.ptr, '=', name.len) ||
	    memchr(name.ptr, '\0', name.len) ||
	    memchr(value.ptr, '\0', value.len))
		return "it cannot be a variable";
	if (str_starts(name, STR("CLEARML_AGENT__")) ||
	    is_one_of(name, before_section, ARRAY_SIZE(before_section)))
		return "ClearML reads it before it applies the section";
	return NULL;
}

static void add_member(struct list *list, const struct member *member,
		       bool agent)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct str name = member_key(member);
	const char *problem;

	write_text(&text, member->value, agent);
	problem = problem_of(name, buf_str(&text));
	if (problem)
		complain_warning("environment.%.*s is left out: %s",
				 STR_PRINT(name), problem);
	else
		set(list, name, buf_str(&text));
}

static const struct section_switch apply_environment = {
	"apply_environment",
	"CLEARML_ENABLE_ENV_CONFIG_SECTION",
	"CLEARML_AGENT_ENABLE_ENV_CONFIG_SECTION",
};

static void add_section(struct list *list, const struct value *tree, bool agent)
{
	const struct value *section = value_get(tree, STR("environment"));
	struct member *member;

	if (!value_is(section, VALUE_OBJECT) ||
	    section_wish(tree, &apply_environment) != SECTION_WANTED)
		return;
	for (value_each (section, member))
		add_member(list, member, agent);
}

/* --- the login ------------------------------------------------------------ */

struct login {
	const char *name, *older; /* variables, either may be the caller's */
	const char *key;
};

static const struct login hosts[] = {
	{"CLEARML_API_HOST", "TRAINS_API_HOST", "api_server"},
	{"CLEARML_FILES_HOST", "TRAINS_FILES_HOST", "files_server"},
	{"CLEARML_WEB_HOST", "TRAINS_WEB_HOST", "web_server"},
};

static const struct login pair[] = {
	{"CLEARML_API_ACCESS_KEY", "TRAINS_API_ACCESS_KEY", "access_key"},
	{"CLEARML_API_SECRET_KEY", "TRAINS_API_SECRET_KEY", "secret_key"},
};

/* To ClearML an empty variable is none. */
static bool has(const struct list *list, const char *name)
{
	const char *text = exec_env_get(list->items, str_from(name));

	return text && *text;
}

static bool has_login(const struct list *list, const struct login *login)
{
	return has(list, login->name) || has(list, login->older);
}

static void add_login(struct list *list, const struct login *login,
		      const struct value *object)
{
	const struct value *value = value_get(object, str_from(login->key));

	if (value_is(value, VALUE_STRING) && !has_login(list, login))
		set(list, str_from(login->name), value_text(value));
}

/* A path is left to the file: not every program of ClearML's takes one here. */
static void add_trust(struct list *list, const struct value *api)
{
	static const struct login trust = {"CLEARML_API_HOST_VERIFY_CERT",
					   "TRAINS_API_HOST_VERIFY_CERT",
					   "verify_certificate"};
	const struct value *value = value_get(api, str_from(trust.key));
	bool trusts = !value || value_is_true(value);

	if (!value_is(value, VALUE_STRING) && !has_login(list, &trust))
		set(list, str_from(trust.name), STR(trusts ? "1" : "0"));
}

/* Does the caller have a half of a key pair? Then none is set: never halves of
 * two pairs. */
static bool has_callers_keys(const struct list *list)
{
	return has_login(list, &pair[0]) || has_login(list, &pair[1]) ||
	       has(list, of_the_caller[0]) || has(list, of_the_caller[1]);
}

static void add_logins(struct list *list, const struct exec_env_wish *wish)
{
	const struct value *api = value_get(wish->tree, STR("api"));
	const struct value *keys = value_get(api, STR("credentials"));

	if (wish->login == LOGIN_NOTHING || !value_is(api, VALUE_OBJECT))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		add_login(list, &hosts[i], api);
	add_trust(list, api);
	if (wish->login == LOGIN_HOST || has_callers_keys(list))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(pair); i++)
		add_login(list, &pair[i], keys);
}

/* --- all together --------------------------------------------------------- */

/* ClearML applies its section itself, when it has its vaults. */
static void add_vaults(struct list *list, const struct exec_env_wish *wish)
{
	add_section(list, wish->tree, wish->daemon->agent);
	set(list, STR("CLEARML_DISABLE_VAULT_SUPPORT"), STR("1"));
	set(list, STR("CLEARML_AGENT_DISABLE_VAULT_SUPPORT"), STR("1"));
}

char **exec_env_make(const struct exec_env_wish *wish)
{
	struct list list = {mem_alloc(sizeof(char *)), 0};

	add_callers(&list, wish);
	if (!wish->live)
		add_vaults(&list, wish);
	add_logins(&list, wish);
	set(&list, STR("CLEARML_CONFIG_FILE"), str_from(wish->file));
	if (wish->workspace)
		set(&list, STR(WIRE_WORKSPACE_VARIABLE),
		    str_from(wish->workspace));
	return list.items;
}

const char *exec_env_get(char *const *env, struct str name)
{
	for (; *env; env++)
		if (is_named(*env, name))
			return *env + name.len + 1;
	return NULL;
}

void exec_env_freep(char ***env)
{
	if (*env)
		for (char **at = *env; *at; at++)
			mem_free(*at);
	mem_free(*env);
	*env = NULL;
}
