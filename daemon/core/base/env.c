#include "base/env.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

static int by_name(const void *a, const void *b)
{
	const struct env_variable *x = a, *y = b;

	return str_compare(x->name, y->name);
}

static struct str copy(struct str text)
{
	return (struct str){mem_strndup(text.ptr, text.len), text.len};
}

static void variable_free(struct env_variable *variable)
{
	mem_free((char *)variable->name.ptr);
	mem_free((char *)variable->value.ptr);
}

/* Where a name occurs several times, the last variable stays. */
static size_t drop_repeated(struct env_variable *variables, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept &&
		    str_equal(variables[kept - 1].name, variables[i].name))
			variable_free(&variables[--kept]);
		variables[kept++] = variables[i];
	}
	return kept;
}

/* qsort is not stable: the position breaks ties. */
struct ranked {
	struct env_variable variable;
	size_t rank;
};

static int by_name_and_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = str_compare(x->variable.name, y->variable.name);

	return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

struct env *env_new(const struct env_variable *variables, size_t count)
{
	_cleanup_(mem_freep) struct ranked *ranked =
		mem_alloc(count * sizeof(*ranked));
	struct env *env =
		mem_alloc(sizeof(*env) + count * sizeof(env->variables[0]));

	for (size_t i = 0; i < count; i++)
		ranked[i] = (struct ranked){
			{copy(variables[i].name), copy(variables[i].value)}, i};
	qsort(ranked, count, sizeof(*ranked), by_name_and_rank);
	for (size_t i = 0; i < count; i++)
		env->variables[i] = ranked[i].variable;
	env->refs = 1;
	env->count = drop_repeated(env->variables, count);
	return env;
}

static bool split(const char *entry, struct env_variable *variable)
{
	const char *equals = strchr(entry, '=');

	if (!equals)
		return false;
	variable->name = (struct str){entry, (size_t)(equals - entry)};
	variable->value = str_from(equals + 1);
	return true;
}

struct env *env_from_process(void)
{
	_cleanup_(mem_freep) struct env_variable *variables = NULL;
	size_t entries = 0, count = 0;

	while (environ && environ[entries])
		entries++;
	variables = mem_alloc(entries * sizeof(*variables));
	/* Backwards: of two of one name getenv() and Python see the first. */
	for (size_t i = entries; i-- > 0;)
		count += split(environ[i], &variables[count]);
	return env_new(variables, count);
}

struct env *env_filled(const struct env *env, struct str value)
{
	size_t count = env ? env->count : 0;
	_cleanup_(mem_freep) struct env_variable *variables =
		mem_alloc(count * sizeof(*variables));

	for (size_t i = 0; i < count; i++)
		variables[i] =
			(struct env_variable){env->variables[i].name, value};
	return env_new(variables, count);
}

struct env *env_ref(struct env *env)
{
	env->refs++;
	return env;
}

struct env *env_unref(struct env *env)
{
	if (env && --env->refs == 0) {
		for (size_t i = 0; i < env->count; i++)
			variable_free(&env->variables[i]);
		mem_free(env);
	}
	return NULL;
}

void env_unrefp(struct env **env)
{
	*env = env_unref(*env);
}

bool env_get(const struct env *env, struct str name, struct str *value)
{
	struct env_variable key = {.name = name}, *found = NULL;

	if (env)
		found = bsearch(&key, env->variables, env->count, sizeof(key),
				by_name);
	if (!found)
		return false;
	*value = found->value;
	return true;
}

struct str env_first(const struct env *env, const char *const *names)
{
	struct str value;

	for (; *names; names++) {
		if (!env_get(env, str_from(*names), &value))
			continue;
		value = str_trim(value);
		if (value.len)
			return value;
	}
	return (struct str){0};
}
