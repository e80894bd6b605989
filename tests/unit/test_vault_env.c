#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/mem.h"
#include "config/vault_env.h"

static struct env *whole_env(void)
{
	static const struct env_variable variables[] = {
		{{"HOME", 4}, {"/h", 2}},    {{"HOMEPAGE", 8}, {"p", 1}},
		{{"LANG", 4}, {"C", 1}},     {{"MY_TOKEN", 8}, {"t", 1}},
		{{"Password", 8}, {"w", 1}}, {{"USER", 4}, {"u", 1}},
		{{"X*", 2}, {"x", 1}},
	};

	return env_new(variables, ARRAY_SIZE(variables));
}

static void assert_seen(const char *patterns, bool system, const char *names)
{
	_cleanup_(env_unrefp) struct env *env = whole_env();
	_cleanup_(env_unrefp) struct env *seen =
		env_for_vaults(env, patterns, system);
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct str value, same;

	for (size_t i = 0; i < seen->count; i++) {
		struct str name = seen->variables[i].name;

		buf_printf(&text, "%s%.*s", i ? " " : "", STR_PRINT(name));
		assert_true(env_get(seen, name, &value));
		assert_true(env_get(env, name, &same));
		assert_true(str_equal(value, same));
	}
	assert_string_equal(buf_str(&text).ptr, names);
}

static void the_users_vaults_see_everything(void **state)
{
	(void)state;
	assert_seen(NULL, false,
		    "HOME HOMEPAGE LANG MY_TOKEN Password USER X*");
}

static void the_systems_vaults_see_a_few_harmless_ones(void **state)
{
	(void)state;
	assert_seen(NULL, true, "HOME LANG USER");
}

static void patterns_are_those_of_the_shell(void **state)
{
	(void)state;
	assert_seen("HOME*", false, "HOME HOMEPAGE");
	assert_seen("HOM?  \t[LU]*", false, "HOME LANG USER");
	assert_seen("home", false, "");
	assert_seen("X\\*", false, "X*");
	assert_seen("*_TOKEN Password", false, "MY_TOKEN Password");
}

/* Whatever the settings say. */
static void the_systems_vaults_never_see_a_secret(void **state)
{
	(void)state;
	assert_seen("*", true, "HOME HOMEPAGE LANG USER X*");
	assert_seen("MY_TOKEN", true, "");
}

static void an_empty_list_shows_nothing(void **state)
{
	(void)state;
	assert_seen("", false, "");
	assert_seen(" ", false, "");
	assert_seen("", true, "");
}

static void an_empty_environment_stays_empty(void **state)
{
	_cleanup_(env_unrefp) struct env *none = env_new(NULL, 0);
	_cleanup_(env_unrefp) struct env *seen =
		env_for_vaults(none, "*", false);

	(void)state;
	assert_int_equal(seen->count, 0);
	assert_ptr_not_equal(seen, none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_users_vaults_see_everything),
		cmocka_unit_test(the_systems_vaults_see_a_few_harmless_ones),
		cmocka_unit_test(patterns_are_those_of_the_shell),
		cmocka_unit_test(the_systems_vaults_never_see_a_secret),
		cmocka_unit_test(an_empty_list_shows_nothing),
		cmocka_unit_test(an_empty_environment_stays_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
