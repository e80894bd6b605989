#include "exec/exec_overrides.h"

#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "read/doc.h"
#include "read/reader.h"
#include "read/variables.h"
#include "value/value.h"

struct names {
	char **items;
	size_t count;
};

static void add_name(struct names *names, const char *name)
{
	size_t size = (names->count + 2) * sizeof(*names->items);

	names->items = mem_grow(names->items, size);
	names->items[names->count++] = mem_strdup(name);
	names->items[names->count] = NULL;
}

/* Others read the variables of third parties, too. */
static bool is_of_clearml(const char *name)
{
	return !strncmp(name, "CLEARML_", 8) || !strncmp(name, "TRAINS_", 7);
}

/* All that stand for the same: the next of them would be read in its place. */
static void add_variable(struct names *names, const struct variable *variable)
{
	if (!variable->names)
		add_name(names, variable->name);
	for (const char *const *at = variable->names; at && *at; at++)
		if (is_of_clearml(*at))
			add_name(names, *at);
}

/* --- does it change the tree? --------------------------------------------- */

/* A value that @file does not have is none that changes. */
static bool differs(const struct value *file, const struct value *over)
{
	struct member *member;

	if (!file)
		return false;
	if (file->type != VALUE_OBJECT || over->type != VALUE_OBJECT)
		return !value_equal(file, over);
	for (value_each (over, member))
		if (differs(value_get(file, member_key(member)), member->value))
			return true;
	return false;
}

/* One that cannot be read would stop the agent, and the file does without. */
static bool changes(const struct value *tree, const struct variable *variable,
		    const struct env *env)
{
	struct read_options options = {
		.format = variable->format,
		.limits = READ_LIMITS_DEFAULT,
		.env = env,
		.under = variable->under,
	};
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	return read_text(&doc, variable->name, variable->text, &options,
			 &diag) != 0 ||
	       differs(tree, doc->root);
}

/* --- both kinds ----------------------------------------------------------- */

static void find_generic(struct names *names, const struct value *tree,
			 const struct env *env)
{
	_cleanup_(variables_deinit) struct variables variables;

	variables_generic(&variables, env);
	for (size_t i = 0; i < variables.count; i++)
		if (changes(tree, &variables.items[i], env))
			add_variable(names, &variables.items[i]);
}

/* Keys must not be left without the host that they are for. */
static void find_named(struct names *names, const struct value *tree,
		       const struct env *env)
{
	_cleanup_(variables_deinit) struct variables variables;
	const struct variable *variable;
	bool login = false;

	variables_named(&variables, env);
	for (size_t i = 0; i < variables.count; i++) {
		variable = &variables.items[i];
		if (variable->login)
			login = login || changes(tree, variable, env);
		else if (changes(tree, variable, env))
			add_variable(names, variable);
	}
	for (size_t i = 0; login && i < variables.count; i++)
		if (variables.items[i].login)
			add_variable(names, &variables.items[i]);
}

char **exec_overrides_find(const struct value *tree)
{
	struct names names = {mem_alloc(sizeof(char *)), 0};
	_cleanup_(env_unrefp) struct env *own = env_from_process();
	_cleanup_(env_unrefp) struct env *env = variables_agent_env(own);

	log_set_level(LOG_LEVEL_ERROR); /* the daemon has warned of them */
	find_generic(&names, tree, env);
	find_named(&names, tree, env);
	return names.items;
}

void exec_overrides_freep(char ***names)
{
	if (*names)
		for (char **at = *names; *at; at++)
			mem_free(*at);
	mem_free(*names);
	*names = NULL;
}

bool exec_overrides_has(char *const *names, struct str name)
{
	for (; *names; names++)
		if (str_is(name, *names))
			return true;
	return false;
}

/* --- Azure ---------------------------------------------------------------- */

static struct value *find_containers(struct value *tree)
{
	static const char *const keys[] = {"sdk", "azure", "storage",
					   "containers"};

	for (size_t i = 0; tree && i < ARRAY_SIZE(keys); i++)
		tree = value_get(tree, str_from(keys[i]));
	return value_is(tree, VALUE_LIST) ? tree : NULL;
}

static bool is_of(const struct value *container, const char *key,
		  struct str text)
{
	const struct value *value = value_get(container, str_from(key));

	if (!value_is(value, VALUE_STRING))
		return value_is(value, VALUE_NULL) && !text.len;
	return str_equal(value_text(value), text);
}

void exec_overrides_spare(struct value *tree)
{
	static const char *const account_names[] = {"AZURE_STORAGE_ACCOUNT",
						    NULL};
	static const char *const key_names[] = {"AZURE_STORAGE_KEY", NULL};
	_cleanup_(env_unrefp) struct env *env = env_from_process();
	struct str account = env_first(env, account_names);
	struct str key = env_first(env, key_names);
	struct value *containers = find_containers(tree), *last;

	if (!containers || !containers->list.count ||
	    (!account.len && !key.len))
		return;
	last = containers->list.items[containers->list.count - 1];
	if (is_of(last, "account_name", account) &&
	    is_of(last, "account_key", key))
		containers->list.count--;
}
