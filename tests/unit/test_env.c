#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/env.h"
#include "base/mem.h"

#define VARIABLE(name, value)                                                  \
	{                                                                      \
		STR(name), STR(value)                                          \
	}

static void assert_variable(const struct env *env, const char *name,
			    const char *value)
{
	struct str found;

	assert_true(env_get(env, str_from(name), &found));
	assert_true(str_is(found, value));
}

static void assert_unset(const struct env *env, const char *name)
{
	struct str found;

	assert_false(env_get(env, str_from(name), &found));
}

static void variables_are_found_by_name(void **state)
{
	const struct env_variable variables[] = {
		VARIABLE("B", "2"),
		VARIABLE("A", "1"),
		VARIABLE("AB", ""),
		VARIABLE("a", "lower"),
	};
	_cleanup_(env_unrefp) struct env *env = env_new(variables, 4);

	(void)state;
	assert_int_equal(env->count, 4);
	assert_variable(env, "A", "1");
	assert_variable(env, "B", "2");
	assert_variable(env, "AB", "");
	assert_variable(env, "a", "lower");
	assert_unset(env, "b");
	assert_unset(env, "");
	for (size_t i = 1; i < env->count; i++)
		assert_true(str_compare(env->variables[i - 1].name,
					env->variables[i].name) < 0);
}

static void an_environment_is_a_copy(void **state)
{
	char name[] = "A", value[] = "v";
	struct env_variable variable = {{name, 1}, {value, 1}};
	_cleanup_(env_unrefp) struct env *env = env_new(&variable, 1);

	(void)state;
	name[0] = value[0] = 'x';
	assert_variable(env, "A", "v");
}

static void nothing_is_set_in_no_environment(void **state)
{
	_cleanup_(env_unrefp) struct env *empty = env_new(NULL, 0);
	const struct env_variable absent = {STR("A"), {NULL, 0}};
	_cleanup_(env_unrefp) struct env *blank = env_new(&absent, 1);

	(void)state;
	assert_unset(NULL, "A");
	assert_unset(empty, "A");
	assert_variable(blank, "A", "");
	assert_null(env_unref(NULL));
}

/* Enough of them that an unstable sort would show. */
static void the_later_of_two_of_one_name_wins(void **state)
{
	struct env_variable variables[300];
	static const char names[] = "ABC", digits[] = "0123456789";
	_cleanup_(env_unrefp) struct env *env = NULL;

	(void)state;
	for (size_t i = 0; i < 300; i++)
		variables[i] = (struct env_variable){{&names[i % 3], 1},
						     {&digits[i / 30], 1}};
	env = env_new(variables, 300);
	assert_int_equal(env->count, 3);
	assert_variable(env, "A", "9");
	assert_variable(env, "B", "9");
	assert_variable(env, "C", "9");
}

static void the_process_sees_what_getenv_sees(void **state)
{
	static char twice[] = "TWICE=first", again[] = "TWICE=second",
		    equals[] = "EQUALS=a=b",
		    empty[] = "EMPTY=", odd[] = "no equals sign";
	char *mine[] = {twice, equals, odd, again, empty, NULL};
	char **saved = environ;
	_cleanup_(env_unrefp) struct env *env = NULL;

	(void)state;
	environ = mine;
	env = env_from_process();
	assert_variable(env, "TWICE", getenv("TWICE"));
	assert_variable(env, "EQUALS", "a=b");
	assert_variable(env, "EMPTY", "");
	assert_int_equal(env->count, 3);
	environ = saved;
}

static void an_environment_lives_as_long_as_its_last_user(void **state)
{
	const struct env_variable variable = VARIABLE("A", "1");
	struct env *env = env_new(&variable, 1);
	_cleanup_(env_unrefp) struct env *other = env_ref(env);

	(void)state;
	env = env_unref(env);
	assert_null(env);
	assert_variable(other, "A", "1");
}

static void the_first_name_that_is_not_blank_counts(void **state)
{
	const struct env_variable variables[] = {
		VARIABLE("BLANK", " \t"),
		VARIABLE("SECOND", " 2 "),
		VARIABLE("THIRD", "3"),
	};
	static const char *const names[] = {"UNSET", "BLANK", "SECOND", "THIRD",
					    NULL};
	static const char *const blank[] = {"UNSET", "BLANK", NULL};
	_cleanup_(env_unrefp) struct env *env = env_new(variables, 3);

	(void)state;
	assert_true(str_is(env_first(env, names), "2"));
	assert_null(env_first(env, blank).ptr);
	assert_null(env_first(NULL, names).ptr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_are_found_by_name),
		cmocka_unit_test(an_environment_is_a_copy),
		cmocka_unit_test(nothing_is_set_in_no_environment),
		cmocka_unit_test(the_later_of_two_of_one_name_wins),
		cmocka_unit_test(the_process_sees_what_getenv_sees),
		cmocka_unit_test(an_environment_lives_as_long_as_its_last_user),
		cmocka_unit_test(the_first_name_that_is_not_blank_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
