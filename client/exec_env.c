#include "exec_env.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/mem.h"
#include "complain.h"
#include "section.h"
#include "value/json.h"
#include "value/value.h"

#define GENERIC_PREFIX STR("CLEARML_AGENT__")

/* The named variables of SEMANTICS B5.6, those of Azure, and where else the
 * configuration might come from. */
static const char *const applied_again[] = {
	"AWS_ACCESS_KEY_ID",
	"AWS_DEFAULT_REGION",
	"AWS_SECRET_ACCESS_KEY",
	"AZURE_STORAGE_ACCOUNT",
	"AZURE_STORAGE_KEY",
	"CLEARML_AGENT_CRASH_ON_EXCEPTION",
	"CLEARML_AGENT_SNUG_APP_MODE",
	"CLEARML_AGENT_SNUG_CALL_HISTORY",
	"CLEARML_AGENT_SNUG_ENABLED",
	"CLEARML_AGENT_SNUG_REPORT_TASK_METRICS",
	"CLEARML_AGENT_SNUG_REPORT_USAGE_EVENTS",
	"CLEARML_API_ACCESS_KEY",
	"CLEARML_API_HOST",
	"CLEARML_API_SECRET_KEY",
	"CLEARML_CONFIG_PATH",
	"CLEARML_CUDA_VERSION",
	"CLEARML_CUDNN_VERSION",
	"CLEARML_FILES_HOST",
	"CLEARML_WEB_HOST",
	"CLEARML_WORKER_ID",
	"CLEARML_WORKER_NAME",
	"CUDA_VERSION",
	"CUDNN_VERSION",
	"GOOGLE_APPLICATION_CREDENTIALS",
	"TRAINS_API_ACCESS_KEY",
	"TRAINS_API_HOST",
	"TRAINS_API_SECRET_KEY",
	"TRAINS_CONFIG_FILE",
	"TRAINS_CONFIG_PATH",
	"TRAINS_CUDA_VERSION",
	"TRAINS_CUDNN_VERSION",
	"TRAINS_FILES_HOST",
	"TRAINS_WEB_HOST",
	"TRAINS_WORKER_ID",
	"TRAINS_WORKER_NAME",
};

/* A login of the caller's that has nothing to do with the named workspace. */
static const char *const of_the_caller[] = {
	"CLEARML_AUTH_TOKEN",
	"TRAINS_AUTH_TOKEN",
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

static bool is_kept(const struct exec_env_wish *wish, struct str name)
{
	if (str_starts(name, GENERIC_PREFIX) ||
	    is_one_of(name, applied_again, ARRAY_SIZE(applied_again)))
		return false;
	return !wish->other_workspace ||
	       !is_one_of(name, of_the_caller, ARRAY_SIZE(of_the_caller));
}

/* Each entry as it stands, also one that is no assignment. */
static void add_callers(struct list *list, const struct exec_env_wish *wish)
{
	for (char **at = environ; *at; at++) {
		struct str name = {*at, strcspn(*at, "=")};

		if (is_kept(wish, name))
			append(list, mem_strdup(*at));
	}
}

/* --- the section `environment` -------------------------------------------- */

/* str(value or "") of the agent's, but for lists and objects, which nobody
 * wants as Python writes them: JSON. */
static void write_text(struct buf *out, const struct value *value)
{
	if (!value_is_true(value))
		return;
	if (value->type == VALUE_STRING)
		buf_add_str(out, value_text(value));
	else if (value->type == VALUE_BOOL)
		buf_puts(out, "True");
	else
		json_write(out, value);
}

static void add_member(struct list *list, const struct member *member)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct str name = member_key(member), value;

	write_text(&text, member->value);
	value = buf_str(&text);
	if (!name.len || memchr(name.ptr, '=', name.len) ||
	    memchr(name.ptr, '\0', name.len) ||
	    memchr(value.ptr, '\0', value.len))
		complain_warning("environment.%.*s is left out: it cannot be "
				 "a variable",
				 STR_PRINT(name));
	else
		set(list, name, value);
}

static const struct section_switch apply_environment = {
	"apply_environment",
	"CLEARML_ENABLE_ENV_CONFIG_SECTION",
	"CLEARML_AGENT_ENABLE_ENV_CONFIG_SECTION",
};

static void add_section(struct list *list, const struct value *tree)
{
	const struct value *section = value_get(tree, STR("environment"));
	struct member *member;

	if (!value_is(section, VALUE_OBJECT) ||
	    section_wish(tree, &apply_environment) != SECTION_WANTED)
		return;
	for (value_each (section, member))
		add_member(list, member);
}

/* --- all together --------------------------------------------------------- */

char **exec_env_make(const struct exec_env_wish *wish)
{
	struct list list = {mem_alloc(sizeof(char *)), 0};

	add_callers(&list, wish);
	add_section(&list, wish->tree);
	set(&list, STR("CLEARML_CONFIG_FILE"), str_from(wish->file));
	set(&list, STR("CLEARML_DISABLE_VAULT_SUPPORT"), STR("1"));
	set(&list, STR("CLEARML_AGENT_DISABLE_VAULT_SUPPORT"), STR("1"));
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
