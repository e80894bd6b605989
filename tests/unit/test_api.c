#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../support/jwt.h"

#include "fetch/api.h"
#include "read/reader.h"
#include "value/value.h"

static const struct value *member(const struct value *object, const char *key)
{
	return value_get(object, str_from(key));
}

/* --- recorded answers --- */

static struct doc *read_recording(const char *name)
{
	_cleanup_(mem_freep) char *path =
		mem_printf("tests/corpus/api/%s.json", name);
	struct read_options options = {.format = READ_JSON,
				       .limits = READ_LIMITS_DEFAULT};
	struct diag diag = DIAG_INIT;
	struct doc *doc = NULL;

	assert_int_equal(read_file(&doc, path, &options, &diag), 0);
	return doc;
}

/* What our HTTP client would have made of it. */
static void parse_body(struct api_reply *reply, struct http_reply *http)
{
	http->content = api_reader.read(http->body);
	api_parse(reply, http);
	if (http->content)
		api_reader.drop(http->content);
}

static void parse_recording(struct api_reply *reply, const char *name)
{
	_cleanup_(doc_unrefp) struct doc *doc = read_recording(name);
	const struct value *response = member(doc->root, "response");
	struct http_reply http = {.retry_after = -1};
	int64_t status;

	assert_true(value_to_int64(member(response, "status"), &status));
	http.status = (long)status;
	http.body = value_text(member(response, "body_text"));
	parse_body(reply, &http);
}

static const struct {
	const char *name;
	enum api_outcome outcome;
	int code, subcode;
	bool refusal;
	const char *message; /* its beginning; NULL: none */
} recorded[] = {
	{"login_ok_get", API_OK, 200, 0, false, NULL},
	{"current_user_ok", API_OK, 200, 0, false, NULL},
	{"unicode_preferences_get", API_OK, 200, 0, false, NULL},
	{"version_v2_0", API_OK, 200, 0, false, NULL},
	{"vaults_on_oss", API_ERROR, 404, 0, false,
	 "Unable to find endpoint for name users.get_vaults and version 2.31"},
	{"login_bad_secret", API_ERROR, 401, 22, true,
	 "Unauthorized (invalid credentials)"},
	{"current_user_expired_token", API_ERROR, 401, 30, false,
	 "Invalid token (invalid jwt token): reason=Signature has expired"},
	{"get_token_for_user_role_user", API_ERROR, 403, 20, true,
	 "Forbidden (not allowed for role): role=user"},
	{"version_vx", API_ERROR, 400, 0, false, "Invalid request path"},
	{"current_user_token_no_identity", API_ERROR, 500, 0, false,
	 "tuple index out of range"},
	{"content_encoding_gzip_request", API_FOREIGN, 0, 0, false,
	 "HTTP 415 with text instead of an answer of a ClearML API server"},
	{"method_options", API_FOREIGN, 0, 0, false,
	 "HTTP 200 with an empty body instead of"},
};

static void recorded_answers_mean_what_they_meant(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(recorded); i++) {
		_cleanup_(api_reply_deinit) struct api_reply reply;

		parse_recording(&reply, recorded[i].name);
		assert_int_equal(reply.outcome, recorded[i].outcome);
		assert_int_equal(reply.code, recorded[i].code);
		assert_int_equal(reply.subcode, recorded[i].subcode);
		assert_int_equal(api_is_refusal(&reply), recorded[i].refusal);
		assert_int_equal(reply.data != NULL, reply.outcome == API_OK);
		if (!recorded[i].message)
			assert_null(reply.message);
		else
			assert_ptr_equal(
				strstr(reply.message, recorded[i].message),
				reply.message);
	}
}

static void a_traceback_of_the_server_is_not_repeated(void **state)
{
	_cleanup_(api_reply_deinit) struct api_reply reply;

	(void)state;
	parse_recording(&reply, "current_user_token_no_identity");
	assert_null(strstr(reply.message, "Traceback"));
	assert_null(strstr(reply.message, ".py"));
}

static void integers_of_any_size_and_nul_survive(void **state)
{
	_cleanup_(api_reply_deinit) struct api_reply reply;
	const struct value *preferences, *text;

	(void)state;
	parse_recording(&reply, "unicode_preferences_get");
	preferences = member(reply.data, "preferences");
	assert_true(str_is(value_text(member(preferences, "big")),
			   "12345678901234567890"));
	text = member(preferences, "n\xc3\xa4me");
	assert_true(value_is(text, VALUE_STRING));
	assert_non_null(memchr(text->text.ptr, '\0', text->text.len));
}

/* --- answers of others --- */

static void parse(struct api_reply *reply, long status, const char *body)
{
	struct http_reply http = {
		.status = status, .body = str_from(body), .retry_after = -1};

	parse_body(reply, &http);
}

static const struct {
	long status;
	const char *body, *kind, *advice;
} foreign[] = {
	{200, "<!DOCTYPE html><html>..", "with HTML ", "usually 8008"},
	{200, " \n <html>", "with HTML ", "usually 8008"},
	{404, "<html>nginx</html>", "HTTP 404 with HTML ", "usually 8008"},
	{200, "", "with an empty body ", "usually 8008"},
	{200, "hello", "with text ", "usually 8008"},
	{200, "{\"meta\":{\"result_code\":200},\"da", "with broken JSON ",
	 "cut short"},
	{200, "{\"kind\":\"Status\"}", "with other JSON ", ""},
	{200, "[]", "with other JSON ", ""},
	{200, "{\"meta\":null,\"data\":{}}", "with other JSON ", ""},
	{200, "{\"meta\":{\"result_code\":\"200\"},\"data\":{}}", "other", ""},
	{200, "{\"meta\":{\"result_code\":200},\"data\":null}", "other", ""},
	{200, "{\"meta\":{\"result_code\":200},\"data\":[]}", "other", ""},
	{200, "{\"meta\":{\"result_code\":200}}", "other", ""},
	{403, "<html>", "HTTP 403 with HTML ", "a proxy in front of it"},
	{429, "slow down", "HTTP 429 with text ", "limits requests"},
	{502, "<html>Bad Gateway", "HTTP 502 with HTML ", "is in trouble"},
	{500, "Failed processing request /x", "HTTP 500 ", "is in trouble"},
};

static void foreign_answers_say_what_and_what_to_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		_cleanup_(api_reply_deinit) struct api_reply reply;

		parse(&reply, foreign[i].status, foreign[i].body);
		assert_int_equal(reply.outcome, API_FOREIGN);
		assert_int_equal(reply.status, foreign[i].status);
		assert_false(api_is_refusal(&reply));
		assert_null(reply.data);
		assert_non_null(strstr(reply.message, foreign[i].kind));
		assert_non_null(strstr(reply.message, foreign[i].advice));
	}
}

static void a_foreign_answer_names_the_proxy_it_came_through(void **state)
{
	_cleanup_(api_reply_deinit) struct api_reply reply;
	struct http_reply http = {.status = 502,
				  .body = STR("<html>"),
				  .retry_after = -1,
				  .proxy = "proxy:3128"};

	(void)state;
	parse_body(&reply, &http);
	assert_string_equal(reply.message,
			    "HTTP 502 with HTML by way of the proxy proxy:3128 "
			    "instead of an answer of a ClearML API server: the "
			    "server or what is in front of it is in trouble");
}

static void no_answer_keeps_its_reason(void **state)
{
	_cleanup_(api_reply_deinit) struct api_reply reply;
	struct http_reply http = {.error = "connection refused by x:8008",
				  .retry_after = -1};

	(void)state;
	api_parse(&reply, &http);
	assert_int_equal(reply.outcome, API_UNREACHABLE);
	assert_string_equal(reply.message, "connection refused by x:8008");
}

static void the_worse_of_two_codes_counts(void **state)
{
	_cleanup_(api_reply_deinit) struct api_reply inner, outer;

	(void)state;
	parse(&inner, 200,
	      "{\"meta\":{\"result_code\":500,\"result_msg\":\"no\"},"
	      "\"data\":{}}");
	assert_int_equal(inner.outcome, API_ERROR);
	assert_int_equal(inner.code, 500);
	parse(&outer, 503, "{\"meta\":{\"result_code\":200},\"data\":{}}");
	assert_int_equal(outer.outcome, API_ERROR);
	assert_string_equal(outer.message, "the server gives no reason");
}

static void messages_are_one_bounded_line(void **state)
{
	_cleanup_(api_reply_deinit) struct api_reply lines, wide;
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	(void)state;
	parse(&lines, 500,
	      "{\"meta\":{\"result_code\":500,"
	      "\"result_msg\":\"a\\nb\\u0000c\\u001b[31m\"},\"data\":{}}");
	assert_string_equal(lines.message, "a b c [31m");

	buf_puts(&body, "{\"meta\":{\"result_code\":500,\"result_msg\":\"x");
	for (int i = 0; i < 1000; i++)
		buf_puts(&body, "\xe6\x97\xa5");
	buf_puts(&body, "\"},\"data\":{}}");
	parse(&wide, 500, buf_str(&body).ptr);
	assert_int_equal(strlen(wide.message), 199);
	assert_int_equal(str_utf8_invalid(str_from(wide.message)), 199);
}

/* Of a secret that is cut in two nobody would know either half. */
static void messages_hold_no_token_and_no_half_word(void **state)
{
	_cleanup_(api_reply_deinit) struct api_reply quoted, cut;
	_cleanup_(buf_deinit) struct buf token = BUF_INIT, body = BUF_INIT;

	(void)state;
	for (int i = 0; i < 30; i++)
		buf_puts(&token, "eyJ0.");
	buf_printf(&body,
		   "{\"meta\":{\"result_code\":401,\"result_msg\":"
		   "\"bad token %s, sorry\"},\"data\":{}}",
		   buf_str(&token).ptr);
	parse(&quoted, 401, buf_str(&body).ptr);
	assert_string_equal(quoted.message, "bad token ****, sorry");

	buf_deinit(&body);
	buf_puts(&body, "{\"meta\":{\"result_code\":500,\"result_msg\":\"");
	for (int i = 0; i < 38; i++)
		buf_puts(&body, "word ");
	buf_puts(&body, "secret-0123456789\"},\"data\":{}}");
	parse(&cut, 500, buf_str(&body).ptr);
	assert_null(strstr(cut.message, "secret"));
	assert_non_null(strstr(cut.message, "word word"));
}

static void retry_after_is_passed_on(void **state)
{
	_cleanup_(api_reply_deinit) struct api_reply reply;
	struct http_reply http = {.status = 503, .retry_after = 12};

	(void)state;
	api_parse(&reply, &http);
	assert_int_equal(reply.retry_after, 12);
}

/* --- tokens --- */

static void a_real_token_is_understood(void **state)
{
	_cleanup_(api_reply_deinit) struct api_reply reply;
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(mem_freep) char *token = NULL;
	struct api_claims claims;
	struct str text;

	(void)state;
	parse_recording(&reply, "login_ok_get");
	text = value_text(member(reply.data, "token"));
	token = mem_strndup(text.ptr, text.len);
	assert_true(api_parse_claims(&claims, &arena, token));
	assert_string_equal(claims.api_version, "2.31");
	assert_string_equal(claims.server_version, "2.0.0");
	assert_string_equal(claims.feature_set, "basic");
	assert_string_equal(claims.user_id, "__tests__");
	assert_string_equal(claims.user_name, "tests");
	assert_string_equal(claims.company_name, "clearml");
	assert_int_equal(claims.expires_at - claims.issued_at, 2592000);
}

static void claims_of(struct api_claims *claims, struct arena *arena,
		      const char *json)
{
	_cleanup_(mem_freep) char *token = jwt_make(json);

	assert_true(api_parse_claims(claims, arena, token));
}

static const struct {
	const char *json, *version, *features;
	int64_t issued, expires;
} odd_claims[] = {
	{"{}", "2.9", "basic", 0, 0},
	{"{\"env\":\"prod\"}", "2.2", "basic", 0, 0},
	{"{\"api_version\":2.31,\"feature_set\":\"\"}", "2.31", "basic", 0, 0},
	{"{\"api_version\":\"2.15\",\"env\":\"prod\"}", "2.15", "basic", 0, 0},
	{"{\"api_version\":null,\"feature_set\":7}", "2.9", "basic", 0, 0},
	{"{\"feature_set\":\"advanced\"}", "2.9", "advanced", 0, 0},
	{"{\"iat\":1795487474.5,\"exp\":1795487475}", "2.9", "basic",
	 1795487474, 1795487475},
	{"{\"iat\":\"x\",\"exp\":-5}", "2.9", "basic", 0, 0},
	{"{\"exp\":99999999999999999999999}", "2.9", "basic", 0, 0},
	{"{\"iat\":1,\"exp\":9223372036854775807}", "2.9", "basic", 1, 0},
	{"{\"iat\":1,\"exp\":1e300}", "2.9", "basic", 1, 0},
	{"{\"identity\":\"me\"}", "2.9", "basic", 0, 0},
	{"{\"identity\":{\"user\":5,\"company\":null}}", "2.9", "basic", 0, 0},
};

static void the_tenant_is_the_workspace(void **state)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct api_claims claims;

	(void)state;
	claims_of(&claims, &arena,
		  "{\"tenant\":\"t\",\"identity\":{\"company\":\"c\","
		  "\"company_name\":\"own\"}}");
	assert_string_equal(claims.company_id, "t");
	assert_null(claims.company_name);
	claims_of(&claims, &arena,
		  "{\"tenant\":\"c\",\"identity\":{\"company\":\"c\","
		  "\"company_name\":\"own\"}}");
	assert_string_equal(claims.company_id, "c");
	assert_string_equal(claims.company_name, "own");
	claims_of(&claims, &arena, "{\"tenant\":\"t\"}");
	assert_string_equal(claims.company_id, "t");
}

static void times_are_read_in_both_shapes(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} times[] = {
		{"1970-01-02T00:00:00", 86400},
		{"2026-11-24T02:31:14.843000+00:00", 1795487474},
		{"2026-11-24T02:31:14.887000", 1795487474},
		{"2026-11-24T02:31:14Z", 1795487474},
		{"2026-11-24T04:31:14.1+02:00", 1795487474},
		{"2026-11-23T21:01:14-0530", 1795487474},
		{"0001-01-01T00:00:00", -1},
		{"2026-11-24", -1},
		{"2026-11-24T02:31:14 and more", -1},
		{"yesterday", -1},
		{"", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		assert_int_equal(api_time(str_from(times[i].text)),
				 times[i].seconds);
}

static void odd_claims_get_the_defaults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd_claims); i++) {
		_cleanup_(arena_free) struct arena arena = ARENA_INIT;
		struct api_claims claims;

		claims_of(&claims, &arena, odd_claims[i].json);
		assert_string_equal(claims.api_version, odd_claims[i].version);
		assert_string_equal(claims.feature_set, odd_claims[i].features);
		assert_int_equal(claims.issued_at, odd_claims[i].issued);
		assert_int_equal(claims.expires_at, odd_claims[i].expires);
		assert_null(claims.user_id);
		assert_null(claims.company_id);
	}
}

static void what_is_no_token_has_no_claims(void **state)
{
	static const char *const tokens[] = {
		"", "a", "a.b", "..", "a.e30=!.c", "a.bm90IGpzb24.c", "a.W10.c",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		_cleanup_(arena_free) struct arena arena = ARENA_INIT;
		struct api_claims claims;

		assert_false(api_parse_claims(&claims, &arena, tokens[i]));
		assert_string_equal(claims.feature_set, "basic");
	}
}

static void versions_compare_by_number(void **state)
{
	(void)state;
	assert_true(api_version_compare("2.9", "2.15") < 0);
	assert_true(api_version_compare("2.31", "2.15") > 0);
	assert_true(api_version_compare("3.0", "2.15") > 0);
	assert_int_equal(api_version_compare("2.15", "2.15.0"), 0);
	assert_int_equal(api_version_compare("2.15", "2.15"), 0);
	assert_true(api_version_compare("2.15.1", "2.15") > 0);
	assert_true(api_version_compare("", "2.15") < 0);
	assert_true(api_version_compare("beta", "2.15") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_answers_mean_what_they_meant),
		cmocka_unit_test(a_traceback_of_the_server_is_not_repeated),
		cmocka_unit_test(integers_of_any_size_and_nul_survive),
		cmocka_unit_test(foreign_answers_say_what_and_what_to_do),
		cmocka_unit_test(
			a_foreign_answer_names_the_proxy_it_came_through),
		cmocka_unit_test(no_answer_keeps_its_reason),
		cmocka_unit_test(the_worse_of_two_codes_counts),
		cmocka_unit_test(messages_are_one_bounded_line),
		cmocka_unit_test(messages_hold_no_token_and_no_half_word),
		cmocka_unit_test(retry_after_is_passed_on),
		cmocka_unit_test(a_real_token_is_understood),
		cmocka_unit_test(the_tenant_is_the_workspace),
		cmocka_unit_test(times_are_read_in_both_shapes),
		cmocka_unit_test(odd_claims_get_the_defaults),
		cmocka_unit_test(what_is_no_token_has_no_claims),
		cmocka_unit_test(versions_compare_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
