#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/masking.h"
#include "config/secret_rules.h"

static void keys_of_the_agents_patterns_are_secret(void **state)
{
	static const char *const keys[] = {
		"secret",
		"secret_key",
		"my_SECRET_x",
		"pass",
		"git_pass",
		"Password",
		"token",
		"auth_tokens",
		"account_key",
		"contents",
		"my_contents_x",
		"access_key",
		"AWS_ACCESS_KEY_ID",
		"sas",
		"SAS",
		"credentials_json",
		"environment",
	};
	static const char *const others[] = {
		"",     "key",  "enable_git_ask_pass", "account", "access",
		"keys", "sash", "credentials",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!secret_key(str_from(keys[i])))
			fail_msg("%s", keys[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (secret_key(str_from(others[i])))
			fail_msg("%s", others[i]);
}

static void values_of_secret_keys_are_masked(void **state)
{
	(void)state;
	assert_masked("{\"api\":{\"credentials\":{\"access_key\":\"A\","
		      "\"secret_key\":\"B\"},\"host\":\"h\"}}",
		      "{\"api\":{\"credentials\":{\"access_key\":\"****\","
		      "\"secret_key\":\"****\"},\"host\":\"h\"}}");
	assert_masked("{\"secret\":\"\"}", "{\"secret\":\"****\"}");
	assert_masked("{\"files\":{\"f\":{\"contents\":\"x\",\"path\":\"p\"}}}",
		      "{\"files\":{\"f\":{\"contents\":\"****\","
		      "\"path\":\"p\"}}}");
	assert_masked("{\"a\":[{\"account_key\":\"x\",\"n\":\"y\"}]}",
		      "{\"a\":[{\"account_key\":\"****\",\"n\":\"y\"}]}");
}

static void what_a_secret_key_holds_is_masked_however_deep(void **state)
{
	(void)state;
	assert_masked("{\"tokens\":{\"git\":\"x\",\"n\":5,\"l\":[\"y\",[6]]}}",
		      "{\"tokens\":{\"git\":\"****\",\"n\":5,"
		      "\"l\":[\"****\",[6]]}}");
	assert_masked("{\"passwords\":[{\"user\":\"u\",\"pin\":5}]}",
		      "{\"passwords\":[{\"user\":\"****\",\"pin\":\"****\"}]}");
}

static void numbers_and_booleans_are_masked_under_secret_and_pass(void **state)
{
	(void)state;
	assert_masked("{\"secret\":1,\"git_pass\":true,\"b\":{\"pass\":1.5}}",
		      "{\"secret\":\"****\",\"git_pass\":\"****\","
		      "\"b\":{\"pass\":\"****\"}}");
	assert_shown("{\"token\":1,\"access_key\":true,\"contents\":1.5,"
		     "\"sas\":1,\"s3\":{\"key\":2}}");
	assert_shown("{\"token_expiration_sec\":86400}");
}

static void null_hides_nothing(void **state)
{
	(void)state;
	assert_shown("{\"secret\":null,\"environment\":{\"a\":null},"
		     "\"token\":null}");
}

static void enable_git_ask_pass_is_shown(void **state)
{
	(void)state;
	assert_shown("{\"agent\":{\"enable_git_ask_pass\":true}}");
	assert_shown("{\"agent\":{\"enable_git_ask_pass\":\"x\"}}");
	assert_masked("{\"enable_git_ask_passw\":\"x\"}",
		      "{\"enable_git_ask_passw\":\"****\"}");
}

static void everything_under_environment_is_masked(void **state)
{
	(void)state;
	assert_masked("{\"environment\":{\"A\":\"x\",\"B\":1,\"C\":true,"
		      "\"D\":{\"E\":[1.5]}},\"a\":\"y\"}",
		      "{\"environment\":{\"A\":\"****\",\"B\":\"****\","
		      "\"C\":\"****\",\"D\":{\"E\":[\"****\"]}},\"a\":\"y\"}");
	assert_masked("{\"a\":{\"environment\":\"A=B\"}}",
		      "{\"a\":{\"environment\":\"****\"}}");
	assert_masked("{\"environment\":[\"A=B\"]}",
		      "{\"environment\":[\"****\"]}");
	assert_shown("{\"environments\":{\"A\":\"x\"},\"environment\":{}}");
}

static void a_key_below_s3_is_masked(void **state)
{
	(void)state;
	assert_masked("{\"sdk\":{\"aws\":{\"s3\":{\"key\":\"A\",\"region\":"
		      "\"r\",\"credentials\":[{\"key\":\"B\",\"bucket\":\"b\"}]"
		      "}}},\"key\":\"C\",\"keys\":\"D\"}",
		      "{\"sdk\":{\"aws\":{\"s3\":{\"key\":\"****\",\"region\":"
		      "\"r\",\"credentials\":[{\"key\":\"****\","
		      "\"bucket\":\"b\"}]}}},\"key\":\"C\",\"keys\":\"D\"}");
}

static void credentials_json_is_masked_unless_a_path(void **state)
{
	static const char *const paths[] = {
		"/etc/google.json", "~/google.json", "./g",
		"$HOME/g",          "google.json",   "C:/g.json",
	};
	static const char *const contents[] = {
		"{\\\"type\\\": \\\"service_account\\\"}",
		" {\\\"a\\\": \\\"/x.json\\\"}",
		"eyJ0eXBlIjogInNlcnZpY2VfYWNjb3VudCJ9",
	};
	char json[256], masked[] = "{\"g\":{\"credentials_json\":\"****\"}}";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		(void)snprintf(json, sizeof(json),
			       "{\"g\":{\"credentials_json\":\"%s\"}}",
			       paths[i]);
		assert_shown(json);
	}
	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		(void)snprintf(json, sizeof(json),
			       "{\"g\":{\"credentials_json\":\"%s\"}}",
			       contents[i]);
		assert_masked(json, masked);
	}
	assert_masked("{\"credentials_json\":{\"type\":\"x\",\"n\":1}}",
		      "{\"credentials_json\":{\"type\":\"****\",\"n\":1}}");
	assert_masked("{\"environment\":{\"credentials_json\":\"/x\"}}",
		      "{\"environment\":{\"credentials_json\":\"****\"}}");
}

static void a_known_secret_is_masked_inside_any_string(void **state)
{
	(void)state;
	assert_masked("{\"token\":\"12345678\",\"a\":\"x12345678y12345678\","
		      "\"b\":[{\"c\":\"12345678\"}],\"d\":\"1234567\"}",
		      "{\"token\":\"****\",\"a\":\"x****y****\","
		      "\"b\":[{\"c\":\"****\"}],\"d\":\"1234567\"}");
	assert_masked("{\"a\":\"curl -H 'longer-secret'\","
		      "\"environment\":{\"X\":\"longer-secret\"}}",
		      "{\"a\":\"curl -H '****'\","
		      "\"environment\":{\"X\":\"****\"}}");
}

static void a_known_number_is_masked_inside_strings(void **state)
{
	(void)state;
	assert_masked("{\"git_pass\":1234567890,\"a\":\"pin=1234567890\"}",
		      "{\"git_pass\":\"****\",\"a\":\"pin=****\"}");
	assert_masked("{\"git_pass\":123456.25,\"a\":\"123456.250\"}",
		      "{\"git_pass\":\"****\",\"a\":\"****0\"}");
	assert_shown("{\"a\":\"true false\",\"token\":1234567890,"
		     "\"b\":\"1234567890\"}");
}

static void short_secrets_are_known_as_whole_values(void **state)
{
	(void)state;
	assert_masked("{\"token\":\"1234567\",\"a\":\"1234567\","
		      "\"b\":\"x1234567\",\"c\":1234567}",
		      "{\"token\":\"****\",\"a\":\"****\","
		      "\"b\":\"x1234567\",\"c\":\"****\"}");
	assert_masked("{\"token\":\"abc\",\"a\":\"abc\"}",
		      "{\"token\":\"****\",\"a\":\"abc\"}");
	assert_masked("{\"token\":\"None\",\"a\":\"None\"}",
		      "{\"token\":\"****\",\"a\":\"None\"}");
	assert_masked("{\"token\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\","
		      "\"a\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}",
		      "{\"token\":\"****\",\"a\":\"****\"}");
	assert_masked("{\"token\":\"\xc3\xa9\x31\x32\x33\x34\x35\x36\x37\","
		      "\"a\":\"\xc3\xa9\x31\x32\x33\x34\x35\x36\x37\"}",
		      "{\"token\":\"****\",\"a\":\"****\"}");
}

static void the_longest_of_several_secrets_is_masked(void **state)
{
	(void)state;
	assert_masked(
		"{\"token\":[\"abcdefgh\",\"abcdefghijkl\"],"
		"\"a\":\"abcdefghijklm abcdefghijk\"}",
		"{\"token\":[\"****\",\"****\"],\"a\":\"****m ****ijk\"}");
}

static void overlapping_secrets_are_masked_whole(void **state)
{
	(void)state;
	assert_masked("{\"token\":[\"abcdefgh\",\"efghijkl\"],"
		      "\"a\":\"<abcdefghijkl>\"}",
		      "{\"token\":[\"****\",\"****\"],\"a\":\"<****>\"}");
	assert_masked("{\"token\":[\"abcdefgh\",\"ijklmnop\"],"
		      "\"a\":\"<abcdefghijklmnop>\"}",
		      "{\"token\":[\"****\",\"****\"],\"a\":\"<****>\"}");
}

static void a_nul_in_a_secret_is_a_character(void **state)
{
	(void)state;
	assert_masked("{\"token\":\"abcd\\u0000efg\","
		      "\"a\":\"abcd\\u0000efgh\",\"b\":\"abcd\\u0000\"}",
		      "{\"token\":\"****\",\"a\":\"****h\","
		      "\"b\":\"abcd\\u0000\"}");
}

static void keys_of_services_are_secret(void **state)
{
	(void)state;
	assert_masked("{\"container_sas\":\"a\",\"api_key\":\"b\","
		      "\"private_key\":\"c\",\"sast\":\"d\"}",
		      "{\"container_sas\":\"****\",\"api_key\":\"****\","
		      "\"private_key\":\"****\",\"sast\":\"d\"}");
	assert_masked("{\"s3\":{\"credentials\":[{\"extra_args\":"
		      "{\"SSECustomerKey\":\"abc\"}}]},\"extra_args\":\"x\"}",
		      "{\"s3\":{\"credentials\":[{\"extra_args\":"
		      "{\"SSECustomerKey\":\"****\"}}]},\"extra_args\":\"x\"}");
}

static void copies_need_no_line_break_and_may_be_numbers(void **state)
{
	(void)state;
	assert_masked("{\"token\":\"swordfish\\n\",\"a\":\"swordfish\"}",
		      "{\"token\":\"****\",\"a\":\"****\"}");
	assert_masked("{\"password\":91827364.5,\"a\":91827364.5,"
		      "\"b\":\"x91827364.5\",\"c\":91827364.25}",
		      "{\"password\":\"****\",\"a\":\"****\","
		      "\"b\":\"x****\",\"c\":91827364.25}");
}

static void a_secret_in_the_place_of_a_key_is_masked(void **state)
{
	(void)state;
	assert_masked("{\"token\":\"swordfish\",\"a\":{\"x\":1,"
		      "\"swordfish\":2,\"my swordfish\":3}}",
		      "{\"token\":\"****\",\"a\":{\"x\":1,"
		      "\"****-1\":2,\"my ****-2\":3}}");
}

static void patterns_add_and_take_nothing_away(void **state)
{
	(void)state;
	assert_masked_with("^x[0-9]+$  Host",
			   "{\"x1\":\"a\",\"x\":\"b\",\"api_HOST\":\"c\","
			   "\"pass\":\"d\",\"x2\":5}",
			   "{\"x1\":\"****\",\"x\":\"b\",\"api_HOST\":\"****\","
			   "\"pass\":\"****\",\"x2\":5}");
	assert_masked_with("^nothing$", "{\"pass\":\"d\"}",
			   "{\"pass\":\"****\"}");
}

static void a_key_by_pattern_is_a_known_secret_too(void **state)
{
	(void)state;
	assert_masked_with("^host$",
			   "{\"host\":\"abcdefgh\",\"a\":\"abcdefgh\"}",
			   "{\"host\":\"****\",\"a\":\"****\"}");
}

static void a_bad_pattern_is_left_out(void **state)
{
	(void)state;
	assert_masked_with("( ^y$ [", "{\"y\":\"a\",\"z\":\"b\"}",
			   "{\"y\":\"****\",\"z\":\"b\"}");
	assert_masked_with("", "{\"y\":\"a\"}", "{\"y\":\"a\"}");
}

static void what_is_forgotten_is_shown_again(void **state)
{
	_cleanup_(masking_deinit) struct masking masking;

	(void)state;
	mask_with(&masking, NULL,
		  "{\"token\":\"abcdefgh\",\"a\":\"abcdefgh\"}");
	secrets_forget(masking.secrets);
	assert_masked_by(&masking, masking.secrets,
			 "{\"token\":\"****\",\"a\":\"abcdefgh\"}");
	secrets_learn(masking.secrets, masking.doc->root);
	assert_masked_by(&masking, masking.secrets,
			 "{\"token\":\"****\",\"a\":\"****\"}");
}

static void what_hides_nothing_is_shared(void **state)
{
	_cleanup_(masking_deinit) struct masking masking;
	struct value *root, *masked;

	(void)state;
	mask_with(&masking, NULL,
		  "{\"a\":{\"x\":[1,2]},\"b\":{\"pass\":\"p\",\"c\":{}},"
		  "\"l\":[{\"y\":1},{\"token\":\"t\"}]}");
	root = masking.doc->root;
	masked = masking.masked;
	assert_ptr_not_equal(masked, root);
	assert_ptr_equal(docs_find(masked, "a"), docs_find(root, "a"));
	assert_ptr_not_equal(docs_find(masked, "b"), docs_find(root, "b"));
	assert_ptr_equal(docs_find(masked, "b.c"), docs_find(root, "b.c"));
	assert_ptr_equal(docs_find(masked, "l.0"), docs_find(root, "l.0"));
	docs_assert_json(root,
			 "{\"a\":{\"x\":[1,2]},\"b\":{\"pass\":\"p\","
			 "\"c\":{}},\"l\":[{\"y\":1},{\"token\":\"t\"}]}");
}

static void a_masked_value_stands_where_the_original_does(void **state)
{
	_cleanup_(masking_deinit) struct masking masking;
	const struct value *masked;
	struct pos pos;

	(void)state;
	mask_with(&masking, NULL,
		  "{\n  \"pass\": 5,\n  \"a\": \"http://u:p@h\"}");
	masked = docs_find(masking.masked, "pass");
	pos = doc_pos(masking.doc, masked);
	assert_int_equal(pos.line, 2);
	assert_int_equal(pos.column, 11);
	pos = doc_pos(masking.doc, docs_find(masking.masked, "a"));
	assert_int_equal(pos.line, 3);
}

/* Random trees whose secrets are in many places: not one is to be found. */

static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static void add_secret_text(struct buf *json, uint32_t number)
{
	buf_printf(json, "S3CRET-%02x%s", number, number % 3 ? "" : "-long");
}

static void add_random_value(struct buf *json, unsigned int depth)
{
	static const char *const keys[] = {"pass",        "a", "token",
					   "environment", "b", "url"};
	uint32_t kind = depth ? draw(5) : 3 + draw(2), count = draw(5);

	if (kind == 3) {
		buf_puts(json, "\"x ");
		for (uint32_t i = 0; i < count; i++) {
			add_secret_text(json, draw(40));
			buf_puts(json, draw(2) ? "" : "/");
		}
		buf_putc(json, '"');
		return;
	}
	if (kind == 4) {
		buf_printf(json, "%u", draw(1000));
		return;
	}
	buf_putc(json, kind ? '{' : '[');
	for (uint32_t i = 0; i < count; i++) {
		buf_puts(json, i ? "," : "");
		if (kind)
			buf_printf(json, "\"%s%u\":", keys[draw(6)], i);
		add_random_value(json, depth - 1);
	}
	buf_putc(json, kind ? '}' : ']');
}

static void nothing_masked_is_found_in_the_masked_bytes(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		_cleanup_(buf_deinit) struct buf json = BUF_INIT;
		_cleanup_(buf_deinit) struct buf shown = BUF_INIT;
		_cleanup_(masking_deinit) struct masking masking;

		buf_puts(&json, "{\"known\":{\"secrets\":[\"\"");
		for (uint32_t i = 0; i < 40; i++) {
			buf_puts(&json, ",\"");
			add_secret_text(&json, i);
			buf_putc(&json, '"');
		}
		buf_puts(&json, "]},\"tree\":");
		add_random_value(&json, 5);
		buf_putc(&json, '}');
		mask_with(&masking, NULL, buf_str(&json).ptr);
		json_write(&shown, masking.masked);
		assert_null(strstr(buf_str(&shown).ptr, "S3CRET"));
	}
}

/* 10,000 keys, 1,000 secrets with one first letter: looking for each secret in
 * each string would take half a billion comparisons. */
static void many_secrets_do_not_slow_the_search(void **state)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	_cleanup_(masking_deinit) struct masking masking;

	(void)state;
	buf_puts(&json, "{\"secrets\":[\"\"");
	for (unsigned int i = 0; i < 1000; i++)
		buf_printf(&json, ",\"s%07u-secret\"", i);
	buf_puts(&json, "],\"keys\":{\"_\":0");
	for (unsigned int i = 0; i < 10000; i++)
		buf_printf(&json,
			   ",\"k%u\":\"ssssssssssssssss s%07u-secret s%u\"", i,
			   i % 2000, i);
	buf_puts(&json, "}}");
	mask_with(&masking, NULL, buf_str(&json).ptr);
	assert_true(str_is(value_text(docs_find(masking.masked, "keys.k999")),
			   "ssssssssssssssss **** s999"));
	assert_true(str_is(value_text(docs_find(masking.masked, "keys.k1000")),
			   "ssssssssssssssss s0001000-secret s1000"));
}

static void assert_masked_at(const char *where, const char *expected)
{
	_cleanup_(masking_deinit) struct masking masking;
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct path_error error;
	struct path path;
	struct value *shown;

	mask_with(&masking, "^extra$",
		  "{\"aws\":{\"s3\":{\"key\":\"AKIA1\",\"key2\":\"b\"}},"
		  "\"pass\":[{\"a\":1},\"two\"],\"extra\":{\"x\":\"y\"},"
		  "\"credentials_json\":\"/etc/gs.json\","
		  "\"list\":[{\"token\":\"t\",\"plain\":\"p\"}]}");
	assert_true(path_parse(&path, &arena, str_from(where), &error));
	shown = mask_at(masking.secrets, &masking.arena, masking.doc->root,
			&path);
	if (expected)
		docs_assert_json(shown, expected);
	else
		assert_null(shown);
}

static void a_part_is_masked_as_it_is_in_the_whole(void **state)
{
	(void)state;
	assert_masked_at("aws.s3", "{\"key\":\"****\",\"key2\":\"b\"}");
	assert_masked_at("aws.s3.key", "\"****\"");
	assert_masked_at("aws.s3.key2", "\"b\"");
	assert_masked_at("pass.0.a", "\"****\"");
	assert_masked_at("pass.1", "\"****\"");
	assert_masked_at("extra.x", "\"****\"");
	assert_masked_at("credentials_json", "\"/etc/gs.json\"");
	assert_masked_at("list.0", "{\"token\":\"****\",\"plain\":\"p\"}");
	assert_masked_at("list.0.plain", "\"p\"");
	assert_masked_at("list.1", NULL);
	assert_masked_at("aws.s3.key.x", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_the_agents_patterns_are_secret),
		cmocka_unit_test(values_of_secret_keys_are_masked),
		cmocka_unit_test(
			what_a_secret_key_holds_is_masked_however_deep),
		cmocka_unit_test(
			numbers_and_booleans_are_masked_under_secret_and_pass),
		cmocka_unit_test(null_hides_nothing),
		cmocka_unit_test(enable_git_ask_pass_is_shown),
		cmocka_unit_test(everything_under_environment_is_masked),
		cmocka_unit_test(a_key_below_s3_is_masked),
		cmocka_unit_test(credentials_json_is_masked_unless_a_path),
		cmocka_unit_test(a_known_secret_is_masked_inside_any_string),
		cmocka_unit_test(a_known_number_is_masked_inside_strings),
		cmocka_unit_test(short_secrets_are_known_as_whole_values),
		cmocka_unit_test(the_longest_of_several_secrets_is_masked),
		cmocka_unit_test(overlapping_secrets_are_masked_whole),
		cmocka_unit_test(a_nul_in_a_secret_is_a_character),
		cmocka_unit_test(keys_of_services_are_secret),
		cmocka_unit_test(copies_need_no_line_break_and_may_be_numbers),
		cmocka_unit_test(a_secret_in_the_place_of_a_key_is_masked),
		cmocka_unit_test(patterns_add_and_take_nothing_away),
		cmocka_unit_test(a_key_by_pattern_is_a_known_secret_too),
		cmocka_unit_test(a_bad_pattern_is_left_out),
		cmocka_unit_test(what_is_forgotten_is_shown_again),
		cmocka_unit_test(what_hides_nothing_is_shared),
		cmocka_unit_test(a_masked_value_stands_where_the_original_does),
		cmocka_unit_test(nothing_masked_is_found_in_the_masked_bytes),
		cmocka_unit_test(many_secrets_do_not_slow_the_search),
		cmocka_unit_test(a_part_is_masked_as_it_is_in_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
