#include "config/vault_env.h"

#include <fnmatch.h>
#include <string.h>

#include "base/env.h"
#include "base/mem.h"
#include "config/secret_rules.h"

#define SYSTEM_PATTERNS "HOME USER LOGNAME HOSTNAME LANG"
#define USER_PATTERNS   "*"
#define WORDS_MAX       256

static bool matches_any(struct str name, const char *const *patterns)
{
	for (; *patterns; patterns++)
		if (fnmatch(*patterns, name.ptr, 0) == 0)
			return true;
	return false;
}

static void split(char *list, const char **patterns)
{
	size_t count = 0;
	char *rest = NULL;

	for (char *word = strtok_r(list, " \t", &rest);
	     word && count < WORDS_MAX; word = strtok_r(NULL, " \t", &rest))
		patterns[count++] = word;
	patterns[count] = NULL;
}

struct env *env_for_vaults(const struct env *env, const char *patterns,
			   bool system)
{
	const char *words[WORDS_MAX + 1];
	_cleanup_(mem_freep) char *list = mem_strdup(patterns ? patterns
						     : system ? SYSTEM_PATTERNS
							      : USER_PATTERNS);
	_cleanup_(mem_freep) struct env_variable *seen =
		mem_alloc(env->count * sizeof(*seen));
	size_t count = 0;

	split(list, words);
	for (size_t i = 0; i < env->count; i++) {
		struct str name = env->variables[i].name;

		if (matches_any(name, words) && !(system && secret_key(name)))
			seen[count++] = env->variables[i];
	}
	return env_new(seen, count);
}
