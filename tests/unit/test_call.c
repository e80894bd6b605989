#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/mem.h"
#include "serve/call.h"

static const char *parse(struct call *call, const char *text)
{
	return call_parse(call, str_from(text));
}

static void assert_same_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void a_call_that_is_none_says_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *wrong;
	} cases[] = {
		{"", "message"},
		{"{", "message"},
		{"[]", "message"},
		{"null", "message"},
		{"\"x\"", "message"},
		{"{\"method\":\"a.B\"} x", "message"},
		{"{\"method\":\"a.B\",\"method\":\"a.C\"}", "message"},
		{"{\"method\":\"a.\xff\"}", "message"},
		{"{\"method\":\"a.B\",\"parameters\":"
		 "{\"n\":123456789012345678901234567890}}",
		 "message"},
		{"{}", "method"},
		{"{\"method\":null}", "method"},
		{"{\"method\":7}", "method"},
		{"{\"method\":\"a.B\",\"parameters\":[]}", "parameters"},
		{"{\"method\":\"a.B\",\"parameters\":\"x\"}", "parameters"},
		{"{\"method\":\"a.B\",\"more\":1}", "more"},
		{"{\"method\":\"a.B\",\"oneway\":\"true\"}", "oneway"},
		{"{\"method\":\"a.B\",\"upgrade\":true}", "upgrade"},
		{"{\"method\":\"a.B\",\"upgrade\":0}", "upgrade"},
		{"{\"method\":\"a.B\"}", NULL},
		{" {\"method\" : \"a.B\" } ", NULL},
		{"{\"method\":\"a.B\",\"parameters\":null}", NULL},
		{"{\"method\":\"a.B\",\"upgrade\":false}", NULL},
		{"{\"method\":\"a.B\",\"future\":{}}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(call_deinit) struct call call = CALL_INIT;

		assert_same_text(parse(&call, cases[i].text), cases[i].wrong);
	}
}

static void nesting_without_end_is_refused(void **state)
{
	_cleanup_(mem_freep) char *text = mem_alloc(200001);
	_cleanup_(call_deinit) struct call call = CALL_INIT;

	(void)state;
	memset(text, '[', 200000);
	assert_string_equal(parse(&call, text), "message");
}

static void flags_are_read(void **state)
{
	_cleanup_(call_deinit) struct call call = CALL_INIT;

	(void)state;
	assert_null(parse(&call, "{\"method\":\"a.B\",\"more\":true}"));
	assert_true(call.more && !call.oneway);
	assert_true(str_is(call.method, "a.B"));
	call_deinit(&call);
	assert_null(parse(&call, "{\"method\":\"a.B\",\"oneway\":true}"));
	assert_true(call.oneway && !call.more);
	call_deinit(&call);
	assert_null(parse(&call, "{\"method\":\"a.B\",\"more\":null}"));
	assert_true(!call.oneway && !call.more);
}

#define OPTIONAL(name, type)                                                   \
	{                                                                      \
		name, PARAMETER_##type, true                                   \
	}
#define REQUIRED(name, type)                                                   \
	{                                                                      \
		name, PARAMETER_##type, false                                  \
	}

static const struct parameter table[] = {
	OPTIONAL("text", STRING),   REQUIRED("number", INT),
	OPTIONAL("flag", BOOL),     OPTIONAL("list", STRINGS),
	OPTIONAL("map", VARIABLES), {0},
};

static void parameters_have_to_fit_the_table(void **state)
{
	static const struct {
		const char *parameters, *wrong;
	} cases[] = {
		{"{\"number\":1}", NULL},
		{"{}", "number"},
		{"null", "number"},
		{"{\"number\":null}", "number"},
		{"{\"number\":1.0}", "number"},
		{"{\"number\":\"1\"}", "number"},
		{"{\"number\":true}", "number"},
		{"{\"number\":1,\"other\":1}", "other"},
		{"{\"number\":1,\"Text\":\"\"}", "Text"},
		{"{\"number\":1,\"other\":null}", "other"},
		{"{\"number\":1,\"text\":null,\"flag\":null}", NULL},
		{"{\"number\":1,\"text\":1}", "text"},
		{"{\"number\":1,\"flag\":0}", "flag"},
		{"{\"number\":1,\"list\":{}}", "list"},
		{"{\"number\":1,\"list\":[1]}", "list"},
		{"{\"number\":1,\"list\":[null]}", "list"},
		{"{\"number\":1,\"list\":[]}", NULL},
		{"{\"number\":1,\"list\":[\"a\",\"\"]}", NULL},
		{"{\"number\":1,\"map\":[]}", "map"},
		{"{\"number\":1,\"map\":{\"a\":1}}", "map"},
		{"{\"number\":1,\"map\":{\"a\":\"\"}}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(call_deinit) struct call call = CALL_INIT;
		_cleanup_(mem_freep) char *text =
			mem_printf("{\"method\":\"a.B\",\"parameters\":%s}",
				   cases[i].parameters);

		assert_null(parse(&call, text));
		assert_same_text(call_check(&call, table), cases[i].wrong);
	}
}

static void a_method_without_parameters_takes_none(void **state)
{
	_cleanup_(call_deinit) struct call call = CALL_INIT;

	(void)state;
	assert_null(parse(&call, "{\"method\":\"a.B\",\"parameters\":{}}"));
	assert_null(call_check(&call, NULL));
	call_deinit(&call);
	assert_null(
		parse(&call, "{\"method\":\"a.B\",\"parameters\":{\"x\":1}}"));
	assert_string_equal(call_check(&call, NULL), "x");
}

static void values_come_as_they_were_sent(void **state)
{
	_cleanup_(call_deinit) struct call call = CALL_INIT;

	(void)state;
	assert_null(parse(
		&call,
		"{\"method\":\"a.B\",\"parameters\":{\"text\":\"a\\u0000b\","
		"\"number\":-9223372036854775808,\"flag\":false}}"));
	assert_null(call_check(&call, table));
	assert_true(str_equal(call_string(&call, "text"), STR("a\0b")));
	assert_true(call_int(&call, "number", 7) == INT64_MIN);
	assert_false(call_bool(&call, "flag", true));
}

static void what_is_absent_or_null_has_its_default(void **state)
{
	_cleanup_(call_deinit) struct call call = CALL_INIT;

	(void)state;
	assert_null(parse(
		&call, "{\"method\":\"a.B\",\"parameters\":{\"flag\":null}}"));
	assert_true(call_bool(&call, "flag", true));
	assert_int_equal(call_int(&call, "number", 7), 7);
	assert_null(call_string(&call, "text").ptr);
	assert_null(call_get(&call, "flag"));
}

static int looked_up;

static void look_up(struct call *call)
{
	looked_up++;
	call->wrong = "found";
}

static void the_same_call_is_not_parsed_again(void **state)
{
	_cleanup_(call_memo_deinit) struct call_memo memo = {0};
	json_t *first;

	(void)state;
	looked_up = 0;
	assert_null(
		call_memo_read(&memo, STR("{\"method\":\"a.B\"}"), look_up));
	first = memo.call.message;
	call_memo_release(&memo);
	assert_null(
		call_memo_read(&memo, STR("{\"method\":\"a.B\"}"), look_up));
	assert_ptr_equal(first, memo.call.message);
	assert_string_equal(memo.call.wrong, "found");
	assert_int_equal(looked_up, 1);
	call_memo_release(&memo);
	assert_null(
		call_memo_read(&memo, STR("{\"method\":\"a.C\"}"), look_up));
	assert_true(str_is(memo.call.method, "a.C"));
	assert_int_equal(looked_up, 2);
	call_memo_release(&memo);
}

static void what_is_wrong_is_not_remembered(void **state)
{
	_cleanup_(call_memo_deinit) struct call_memo memo = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_string_equal(call_memo_read(&memo, STR("{}"), look_up),
				    "method");
		call_memo_release(&memo);
		assert_null(memo.call.message);
	}
	assert_string_equal(call_memo_read(&memo, STR(""), look_up), "message");
}

static void an_environment_is_forgotten(void **state)
{
	static const char text[] =
		"{\"method\":\"a.B\",\"parameters\":{\"environment\":{}}}";
	_cleanup_(call_memo_deinit) struct call_memo memo = {0};

	(void)state;
	assert_null(call_memo_read(&memo, str_from(text), look_up));
	assert_non_null(call_get(&memo.call, "environment"));
	call_memo_release(&memo);
	assert_null(memo.call.message);
	assert_int_equal(memo.text.len, 0);
}

/* So there is no text of which a part could not be kept. */
static void what_is_read_lies_in_memory_of_ours(void **state)
{
	json_malloc_t allocate;
	json_free_t release;

	(void)state;
	call_init();
	json_get_alloc_funcs(&allocate, &release);
	assert_ptr_equal(allocate, mem_alloc);
	assert_ptr_equal(release, mem_free);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_is_none_says_what_is_wrong),
		cmocka_unit_test(nesting_without_end_is_refused),
		cmocka_unit_test(flags_are_read),
		cmocka_unit_test(parameters_have_to_fit_the_table),
		cmocka_unit_test(a_method_without_parameters_takes_none),
		cmocka_unit_test(values_come_as_they_were_sent),
		cmocka_unit_test(what_is_absent_or_null_has_its_default),
		cmocka_unit_test(the_same_call_is_not_parsed_again),
		cmocka_unit_test(what_is_wrong_is_not_remembered),
		cmocka_unit_test(an_environment_is_forgotten),
		cmocka_unit_test(what_is_read_lies_in_memory_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
