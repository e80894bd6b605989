#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/masking.h"

/* --- what the configuration wants hidden
 * -------------------------------------- */

#define RULES(rules) "\"agent\":{\"sanitize_config_printout\":{" rules "}}"

/* @json masked by its own rules, without the section that holds them. */
static void assert_hidden(const char *rules, const char *json,
			  const char *expected)
{
	_cleanup_(masking_deinit) struct masking masking;
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(rules);

	mask_with(&masking, NULL, json);
	secrets_learn(masking.secrets, doc->root);
	secrets_learn_patterns(masking.secrets, doc->root);
	assert_masked_by(&masking, masking.secrets, expected);
}

static void the_configuration_may_hide_more(void **state)
{
	(void)state;
	assert_hidden(
		"{" RULES("\"hide_secrets\":[\"^host$\",\"sign[a-z]*\"]") "}",
		"{\"host\":\"a\",\"hosts\":\"b\",\"mySigned\":\"c\"}",
		"{\"host\":\"****\",\"hosts\":\"b\","
		"\"mySigned\":\"****\"}");
	assert_hidden("{" RULES("\"hide_secrets_too\":\"^host$\"") "}",
		      "{\"host\":\"a\",\"n\":1}",
		      "{\"host\":\"****\",\"n\":1}");
}

static void what_is_hidden_recursively_is_hidden_whatever_it_is(void **state)
{
	static const char json[] = "{\"mine\":{\"a\":1,\"b\":{\"c\":true}}}";

	(void)state;
	assert_hidden("{" RULES("\"hide_secrets\":[\"^mine$\"]") "}", json,
		      json);
	assert_hidden("{" RULES("\"hide_secrets_recursive\":[\"^mine$\"]") "}",
		      json,
		      "{\"mine\":{\"a\":\"****\",\"b\":{\"c\":\"****\"}}}");
}

static void the_configuration_hides_nothing_less(void **state)
{
	(void)state;
	assert_hidden("{" RULES("\"hide_secrets\":[],"
				"\"dont_hide_secrets\":[\"^git_pass$\"]") "}",
		      "{\"git_pass\":\"a\"}", "{\"git_pass\":\"****\"}");
}

/* The agent's own configuration holds these; they are in its manual. */
static void patterns_are_no_secrets_by_themselves(void **state)
{
	(void)state;
	assert_hidden("{" RULES("\"hide_secrets\":[\"account_key\","
				"\"contents\"]") "}",
		      "{\"a\":\"the table of contents\"}",
		      "{\"a\":\"the table of contents\"}");
}

/* A vault may say so, and hold up everybody. */
static void patterns_that_cost_too_much_are_left_out(void **state)
{
	static const char *const bad[] = {
		"(a*)*\\\\1",
		"((a{1,200}){1,200}){1,200}",
		"a{2000}",
		"[a",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char rules[256];

		(void)snprintf(
			rules, sizeof(rules),
			"{" RULES("\"hide_secrets\":[\"%s\",\"^b$\"]") "}",
			bad[i]);
		assert_hidden(rules, "{\"aaaa\":\"x\",\"b\":\"y\"}",
			      "{\"aaaa\":\"x\",\"b\":\"****\"}");
	}
}

static void patterns_are_limited_in_number(void **state)
{
	struct secrets *secrets = secrets_new(NULL);
	char json[160];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		_cleanup_(doc_unrefp) struct doc *doc = NULL;

		(void)snprintf(
			json, sizeof(json),
			"{" RULES("\"hide_secrets\":[\"^x%d[0-9]$\"]") "}", i);
		doc = docs_read(json);
		secrets_learn_patterns(secrets, doc->root);
	}
	assert_in_range(secrets_version(secrets), 2, 200);
	secrets_free(secrets);
}

/* --- others
 * -------------------------------------------------------------------- */

static void who_pinned_them_sees_no_change(void **state)
{
	_cleanup_(masking_deinit) struct masking masking;
	struct secrets *pinned, *other;

	(void)state;
	mask_with(&masking, "^y$", "{\"x\":\"swordfish\",\"y\":\"b\"}");
	pinned = secrets_pin(masking.secrets);
	other = secrets_pin(masking.secrets);
	secrets_learn_text(masking.secrets, "swordfish");
	secrets_set_patterns(other, NULL);
	assert_masked_by(&masking, pinned,
			 "{\"x\":\"swordfish\",\"y\":\"****\"}");
	assert_masked_by(&masking, other, "{\"x\":\"swordfish\",\"y\":\"b\"}");
	assert_masked_by(&masking, masking.secrets,
			 "{\"x\":\"****\",\"y\":\"****\"}");
	secrets_free(pinned);
	secrets_free(other);
}

/* Another thread's answer, to a caller who brings a secret of its own. */
static void who_pinned_them_learns_for_himself(void **state)
{
	_cleanup_(masking_deinit) struct masking masking;
	struct secrets *pinned;

	(void)state;
	mask_with(&masking, NULL, "{\"x\":\"a swordfish\",\"y\":\"shark\"}");
	pinned = secrets_pin(masking.secrets);
	secrets_learn_text(pinned, "swordfish");
	secrets_learn_text(pinned, "shark");
	assert_masked_by(&masking, pinned, "{\"x\":\"a ****\",\"y\":\"****\"}");
	assert_masked_by(&masking, masking.secrets,
			 "{\"x\":\"a swordfish\",\"y\":\"shark\"}");
	secrets_free(pinned);
}

/* A vault can put ${...} where no pattern looks. */
static void a_number_that_is_a_secret_is_masked_anywhere(void **state)
{
	(void)state;
	assert_masked("{\"pin_secret\":1234567890,\"a\":1234567890,\"b\":12}",
		      "{\"pin_secret\":\"****\",\"a\":\"****\",\"b\":12}");
}

static void what_a_caller_brings_is_hidden_by_key_only(void **state)
{
	_cleanup_(masking_deinit) struct masking masking;
	struct value *root;

	(void)state;
	mask_with(&masking, NULL, "{\"a\":\"swordfish\",\"token\":\"x\"}");
	secrets_learn_text(masking.secrets, "swordfish");
	root = masking.doc->root;
	value_get(root, STR("a"))->flags |= VALUE_FOREIGN;
	value_get(root, STR("token"))->flags |= VALUE_FOREIGN;
	assert_masked_by(&masking, masking.secrets,
			 "{\"a\":\"swordfish\",\"token\":\"****\"}");
}

static void a_text_is_masked_like_a_string(void **state)
{
	struct secrets *secrets = secrets_new(NULL);
	_cleanup_(mem_freep) char *shown = NULL;

	(void)state;
	secrets_learn_text(secrets, "swordfish");
	secrets_learn_text(secrets, "short");
	shown = mask_text(secrets, "no short swordfish at http://a:b@c");
	assert_string_equal(shown, "no short **** at http://****@c");
	secrets_free(secrets);
}

/* As a file of one line is. */
static void copies_are_masked_without_the_blanks_around_it(void **state)
{
	struct secrets *secrets = secrets_new(NULL);
	_cleanup_(mem_freep) char *shown = NULL;

	(void)state;
	secrets_learn_text(secrets, " swordfish\n");
	shown = mask_text(secrets, "a swordfish.");
	assert_string_equal(shown, "a ****.");
	secrets_free(secrets);
}

/* Nobody looks for a pattern in a key without end. */
static void what_has_too_long_a_key_is_hidden(void **state)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	_cleanup_(masking_deinit) struct masking masking;

	(void)state;
	buf_puts(&json, "{\"");
	for (int i = 0; i < 5000; i++)
		buf_putc(&json, 'k');
	buf_puts(&json, "\":\"x\"}");
	mask_with(&masking, "^y$", buf_str(&json).ptr);
	assert_true(str_is(value_text(masking.masked->object.members->value),
			   "****"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_configuration_may_hide_more),
		cmocka_unit_test(
			what_is_hidden_recursively_is_hidden_whatever_it_is),
		cmocka_unit_test(the_configuration_hides_nothing_less),
		cmocka_unit_test(patterns_are_no_secrets_by_themselves),
		cmocka_unit_test(patterns_that_cost_too_much_are_left_out),
		cmocka_unit_test(patterns_are_limited_in_number),
		cmocka_unit_test(who_pinned_them_sees_no_change),
		cmocka_unit_test(who_pinned_them_learns_for_himself),
		cmocka_unit_test(a_number_that_is_a_secret_is_masked_anywhere),
		cmocka_unit_test(what_a_caller_brings_is_hidden_by_key_only),
		cmocka_unit_test(a_text_is_masked_like_a_string),
		cmocka_unit_test(
			copies_are_masked_without_the_blanks_around_it),
		cmocka_unit_test(what_has_too_long_a_key_is_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
