#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "config/secret_rules.h"

#include "../support/envs.h"
#include "../support/outcome.h"

/* Where substitutions look, and what keeps them from running away. What they
 * mean within a text is in tests/corpus/hocon. */

/* @text over the lower layers @lower (JSON; NULL: none), in @env. */
static struct outcome read_over(const char *text, struct doc *lower,
				const struct env *env)
{
	struct read_options options = outcome_options(READ_HOCON);

	options.may_include = true;
	options.env = env;
	options.lower = lower ? lower->root : NULL;
	options.secrecy = secret_below;
	return outcome_of(&options, str_from(text));
}

static void the_environment_comes_after_the_text(void **state)
{
	_cleanup_(env_unrefp) struct env *env = envs_of("HOME=/h|b=env|A.B=dot|"
							"E=|N=5");
	_cleanup_(outcome_deinit) struct outcome result = read_over(
		"b = 1\nx = ${HOME}/y\ny = ${b}\nz = ${A.B}\ne = ${E}\n"
		"n = ${N}\np = ${?b.c}\n",
		NULL, env);

	(void)state;
	outcome_assert_json(&result, "{\"b\":1,\"x\":\"/h/y\",\"y\":1,"
				     "\"z\":\"dot\",\"e\":\"\",\"n\":\"5\"}");
	assert_true(result.doc->used_environment);
}

static void a_self_reference_starts_from_the_environment(void **state)
{
	_cleanup_(env_unrefp) struct env *env = envs_of("P=/env|Q=/q");
	_cleanup_(outcome_deinit) struct outcome result =
		read_over("P = ${P}\":/b\"\nQ = ${?Q} x\nQ += y\n", NULL, env);

	(void)state;
	outcome_assert_json(&result, "{\"P\":\"/env:/b\",\"Q\":\"/q x y\"}");
}

static void a_text_says_that_it_used_the_environment(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_over("a = 1\nb = ${a}\n", NULL, NULL);

	(void)state;
	assert_false(result.doc->used_environment);
	assert_false(result.doc->used_lower);
	outcome_deinit(&result);
	result = read_over("a = ${?NOPE}\n", NULL, NULL);
	assert_true(result.doc->used_environment);
	assert_false(result.doc->used_lower);
}

static void required_paths_look_into_the_lower_layers(void **state)
{
	_cleanup_(doc_unrefp) struct doc *lower =
		docs_read("{\"o\":{\"p\":[1,{\"q\":\"x\"}]},\"n\":null}");
	_cleanup_(outcome_deinit) struct outcome result =
		read_over("a = ${o.p}\nb = ${?o.p}\nc = ${a}\nd = 1\n"
			  "d = ${?n}\n",
			  lower, NULL);

	(void)state;
	doc_unref(TAKE(lower)); /* the result needs it no more */
	outcome_assert_json(&result, "{\"a\":[1,{\"q\":\"x\"}],"
				     "\"c\":[1,{\"q\":\"x\"}],\"d\":1}");
	assert_true(result.doc->used_lower);
}

static void a_key_may_start_from_its_lower_value(void **state)
{
	_cleanup_(doc_unrefp) struct doc *lower =
		docs_read("{\"a\":[1],\"o\":{\"p\":\"x\"}}");
	_cleanup_(outcome_deinit) struct outcome result =
		read_over("a = ${a} [2]\no.p = ${o.p}y\n", lower, NULL);

	(void)state;
	outcome_assert_json(&result, "{\"a\":[1,2],\"o\":{\"p\":\"xy\"}}");
}

/* Of `password = abc${def}ghi` the name may be part of the password. */
static void a_name_in_a_secret_is_not_told(void **state)
{
	static const struct {
		const char *text, *complaint;
	} cases[] = {
		{"password = abc${def}ghi", "1:15: ${...} is not defined"},
		{"a { token { b = [${def}] } }", "1:18: ${...} is not defined"},
		{"password = ${d}\nd = ${password}", "${...} leads back"},
		{"a = abc${def}", "1:8: ${def} is not defined"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(outcome_deinit) struct outcome result =
			read_over(cases[i].text, NULL, NULL);
		_cleanup_(mem_freep) char *complaint =
			outcome_complaint(&result.diag);

		assert_non_null(strstr(complaint, cases[i].complaint));
	}
}

static void a_secret_of_the_host_goes_into_secret_keys_only(void **state)
{
	static const char complaint[] = "refers to a secret of the host";
	static const char *const stolen[] = {
		"a = ${password}",
		"a = \"x\"${password}",
		"a = [${password}]",
		"a = ${o.password}",
		"a = ${environment}",
		"a = ${environment.X}",
		"password = ${o.password}\na = ${password}",
		"password = x${o.password}\na = ${password}",
		"b { password = ${o.password} }\na = ${b.password}",
		"b = ${o}\na = ${b.password}",
		"a = ${s3.key}",
		"a = ${s3}",
		"a = ${s3.list}",
	};
	_cleanup_(doc_unrefp) struct doc *lower = docs_read(
		"{\"password\":\"p\",\"o\":{\"password\":\"q\",\"y\":1},"
		"\"environment\":{\"X\":\"e\"},"
		"\"s3\":{\"key\":\"k\",\"list\":[{\"key\":\"l\"}],\"region\":"
		"\"r\"}}");
	_cleanup_(outcome_deinit) struct outcome result =
		read_over("region = ${s3.region}, my.s3 = ${s3}\n"
			  "password = ${o.password}\nenvironment.Y = "
			  "${environment.X}\nb = ${o}\nc = ${b}\n",
			  lower, NULL);

	(void)state;
	outcome_assert_json(&result,
			    "{\"region\":\"r\",\"my\":{\"s3\":{\"key\":\"k\","
			    "\"list\":[{\"key\":\"l\"}],\"region\":\"r\"}},"
			    "\"password\":\"q\",\"environment\":{\"Y\":\"e\"},"
			    "\"b\":{\"password\":\"q\",\"y\":1},"
			    "\"c\":{\"password\":\"q\",\"y\":1}}");
	for (size_t i = 0; i < ARRAY_SIZE(stolen); i++) {
		outcome_deinit(&result);
		result = read_over(stolen[i], lower, NULL);
		if (result.doc)
			fail_msg("%s", stolen[i]);
		assert_string_equal(result.diag.text, complaint);
	}
}

static void nowhere_at_all_is_an_error(void **state)
{
	_cleanup_(doc_unrefp) struct doc *lower = docs_read("{\"a\":{}}");
	_cleanup_(env_unrefp) struct env *env = envs_of("X=1");
	_cleanup_(outcome_deinit) struct outcome result =
		read_over("x = ${a.b}\n", lower, env);

	(void)state;
	outcome_assert_complaint(&result,
				 "1:5: ${a.b} is not defined here, in the "
				 "environment, or in a lower layer");
}

/* "kN = <format of N+1>" for N below @count, then @last. */
static char *chain(const char *format, int count, const char *last)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	for (int i = 0; i < count; i++) {
		buf_printf(&text, "k%d = ", i);
		for (const char *c = format; *c; c++) {
			if (*c == '#')
				buf_printf(&text, "${k%d}", i + 1);
			else
				buf_putc(&text, *c);
		}
		buf_putc(&text, '\n');
	}
	buf_printf(&text, "k%d = %s\n", count, last);
	(void)buf_str(&text);
	return buf_take(&text);
}

static void assert_bomb(const char *format, const char *last)
{
	_cleanup_(mem_freep) char *text = chain(format, 60, last);
	_cleanup_(outcome_deinit) struct outcome result =
		read_over(text, NULL, NULL);

	assert_null(result.doc);
	assert_non_null(strstr(result.diag.text, "more values than the limit"));
}

static void a_bomb_ends_with_an_error(void **state)
{
	(void)state;
	assert_bomb("##", "0123456789");
	assert_bomb("[#, #]", "1");
	assert_bomb("# #", "[1]");
	assert_bomb("{a = #, b = #}", "1");
	assert_bomb("{a = #} {b = #}", "{x = 1}");
}

static void a_long_chain_ends_or_resolves(void **state)
{
	_cleanup_(mem_freep) char *forward = chain("#", 100000, "1");
	_cleanup_(buf_deinit) struct buf backward = BUF_INIT;
	_cleanup_(outcome_deinit) struct outcome result =
		read_over(forward, NULL, NULL);

	(void)state;
	assert_null(result.doc);
	assert_non_null(strstr(result.diag.text, "lead on and on"));
	outcome_deinit(&result);
	buf_puts(&backward, "k0 = 1\n");
	for (int i = 0; i < 100000; i++)
		buf_printf(&backward, "k%d = ${k%d}\n", i + 1, i);
	result = read_over(buf_str(&backward).ptr, NULL, NULL);
	assert_non_null(result.doc);
	assert_int_equal(result.doc->root->object.count, 100001);
}

static void a_short_chain_resolves_in_any_order(void **state)
{
	_cleanup_(mem_freep) char *text = chain("#", 900, "x");
	_cleanup_(outcome_deinit) struct outcome result =
		read_over(text, NULL, NULL);

	(void)state;
	assert_non_null(result.doc);
	assert_true(str_is(value_text(value_get(result.doc->root, STR("k0"))),
			   "x"));
}

/* Two keys that hold one substituted object are one object: nobody may change
 * it for the other. */
static void shared_values_stay_apart(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_over("b { l = [1], x { y = 1 } }\na = ${b} {x {z = 2}}\n"
			  "c = ${b}\nc { x { w = 3 } }\nd = ${b}\n"
			  "e = ${b.l} [2]\n",
			  NULL, NULL);

	(void)state;
	outcome_assert_json(&result,
			    "{\"b\":{\"l\":[1],\"x\":{\"y\":1}},"
			    "\"a\":{\"l\":[1],\"x\":{\"y\":1,\"z\":2}},"
			    "\"c\":{\"l\":[1],\"x\":{\"y\":1,\"w\":3}},"
			    "\"d\":{\"l\":[1],\"x\":{\"y\":1}},\"e\":[1,2]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_comes_after_the_text),
		cmocka_unit_test(a_self_reference_starts_from_the_environment),
		cmocka_unit_test(a_text_says_that_it_used_the_environment),
		cmocka_unit_test(required_paths_look_into_the_lower_layers),
		cmocka_unit_test(a_key_may_start_from_its_lower_value),
		cmocka_unit_test(a_name_in_a_secret_is_not_told),
		cmocka_unit_test(
			a_secret_of_the_host_goes_into_secret_keys_only),
		cmocka_unit_test(nowhere_at_all_is_an_error),
		cmocka_unit_test(a_bomb_ends_with_an_error),
		cmocka_unit_test(a_long_chain_ends_or_resolves),
		cmocka_unit_test(a_short_chain_resolves_in_any_order),
		cmocka_unit_test(shared_values_stay_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
