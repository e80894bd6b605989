#ifndef SUPPORT_ENVS_H
#define SUPPORT_ENVS_H

/*
 * Environments for tests: "A=1|B=2" is one of two variables, "" has none.
 *
 * Include it after cmocka.h.
 */

#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/mem.h"

#define ENVS_MAX 16

/* The caller's. */
static inline struct env *envs_of(const char *text)
{
	_cleanup_(mem_freep) char *copy = mem_strdup(text);
	struct env_variable variables[ENVS_MAX];
	size_t count = 0;
	char *rest = NULL, *equals;

	for (char *entry = strtok_r(copy, "|", &rest); entry;
	     entry = strtok_r(NULL, "|", &rest)) {
		equals = strchr(entry, '=');
		assert_non_null(equals);
		assert_true(count < ENVS_MAX);
		variables[count++] = (struct env_variable){
			{entry, (size_t)(equals - entry)},
			str_from(equals + 1),
		};
	}
	return env_new(variables, count);
}

#endif
