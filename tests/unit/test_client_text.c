/* What watch, explain, log, status and storage print for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../support/docs.h"
#include "call/get_call.h"
#include "text/explain_text.h"
#include "text/log_filter.h"
#include "text/log_text.h"
#include "text/status_text.h"
#include "text/storage_text.h"
#include "text/time_text.h"
#include "text/watch_text.h"

/* --- watch ---------------------------------------------------------------- */

#define NOON 1790000000

/* Each line has the moment, in local time, once: taken out. */
static void without_noon(struct buf *out)
{
	_cleanup_(buf_deinit) struct buf noon = BUF_INIT;
	char *at;

	time_text_add(&noon, NOON);
	buf_putc(&noon, ' ');
	while ((at = strstr((char *)buf_str(out).ptr, buf_str(&noon).ptr))) {
		memmove(at, at + noon.len, strlen(at + noon.len) + 1);
		out->len -= noon.len;
	}
}

static void assert_lines(struct watch_text *text, const char *answer,
			 const char *expected)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(answer);

	text->now = NOON;
	watch_text_write(&out, text, doc->root);
	without_noon(&out);
	assert_string_equal(buf_str(&out).ptr, expected);
}

static void the_state_is_a_line_when_it_changes(void **state)
{
	struct watch_text text = {0};

	(void)state;
	assert_lines(&text, "{\"generation\":1,\"state\":\"starting\"}",
		     "1 state starting\n");
	assert_lines(&text, "{\"generation\":1,\"state\":\"starting\"}", "");
	assert_lines(&text, "{\"generation\":2,\"state\":\"ready\"}",
		     "2 state ready\n");
}

static void a_change_is_one_line_with_its_origin(void **state)
{
	struct watch_text text = {.state = "ready"};

	(void)state;
	assert_lines(
		&text,
		"{\"generation\":7,\"state\":\"ready\",\"changes\":["
		"{\"path\":\"a\",\"kind\":\"removed\"},"
		"{\"path\":\"b.\\\"c d\\\"\",\"kind\":\"added\",\"origin\":{"
		"\"layer\":\"vault\",\"source\":\"id\",\"description\":"
		"\"team\",\"line\":3,\"column\":12}},"
		"{\"path\":\"d\",\"kind\":\"changed\",\"origin\":{"
		"\"layer\":\"file\",\"source\":\"/x.conf\"}}]}",
		"7 removed a\n"
		"7 added b.\"c d\" (vault:team:3:12)\n"
		"7 changed d (file:/x.conf)\n");
}

static void values_are_json_on_one_line(void **state)
{
	struct watch_text text = {.state = "ready", .values = true};

	(void)state;
	assert_lines(&text,
		     "{\"generation\":7,\"state\":\"ready\",\"changes\":["
		     "{\"path\":\"a\",\"kind\":\"changed\",\"old\":\"x\\ny\","
		     "\"new\":[1,null]},"
		     "{\"path\":\"b\",\"kind\":\"removed\",\"old\":1}]}",
		     "7 changed a \"x\\ny\" -> [1,null]\n"
		     "7 removed b 1\n");
}

static void values_of_now_come_leaf_by_leaf(void **state)
{
	struct watch_text whole = {.state = "ready", .values = true};
	struct watch_text part = {
		.state = "ready", .values = true, .by_path = true};

	(void)state;
	assert_lines(&whole,
		     "{\"generation\":7,\"state\":\"ready\",\"value\":"
		     "{\"b\":{\"c\":1},\"a\":{}}}",
		     "7 value a {}\n7 value b.c 1\n");
	assert_lines(&part,
		     "{\"generation\":7,\"state\":\"ready\",\"value\":"
		     "{\"b.c\":{\"d\":1}}}",
		     "7 value b.c.d 1\n");
	watch_text_deinit(&whole);
	watch_text_deinit(&part);
}

static void a_history_too_short_is_told(void **state)
{
	struct watch_text text = {.state = "ready"};

	(void)state;
	assert_lines(&text,
		     "{\"generation\":7,\"state\":\"ready\",\"resync\":true,"
		     "\"value\":{\"a\":1}}",
		     "7 resync what changed before is not known any more\n");
	watch_text_deinit(&text);
}

static void assert_text(void (*write)(struct buf *out,
				      const struct value *answer),
			const char *answer, const char *expected)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(answer);

	write(&out, doc->root);
	assert_string_equal(buf_str(&out).ptr, expected);
}

/* --- explain -------------------------------------------------------------- */

static void an_explanation_stands_in_columns(void **state)
{
	(void)state;
	assert_text(
		explain_text_write,
		"{\"generation\":7,\"leaves\":["
		"{\"path\":\"a.b\",\"value\":\"x\",\"origin\":{\"layer\":"
		"\"vault\",\"source\":\"id\",\"description\":\"team\","
		"\"line\":3,\"column\":12},\"overridden\":[{\"value\":[1,2],"
		"\"origin\":{\"layer\":\"file\",\"source\":\"/h/c.conf\","
		"\"line\":1,\"column\":1}},{\"value\":\"****\",\"origin\":{"
		"\"layer\":\"site\",\"source\":\"/s\"}}],\"note\":\"so\"},"
		"{\"path\":\"a.\\\"long one\\\"\",\"value\":null,\"origin\":{"
		"\"layer\":\"env-named\",\"source\":\"X\"},\"overridden\":[]}"
		"]}",
		"a.b           \"x\"     vault team:3:12\n"
		"  overrides   [1,2]   file /h/c.conf:1:1\n"
		"  overrides   \"****\"  site /s\n"
		"  note: so\n"
		"a.\"long one\"  null    env-named X\n");
	assert_text(explain_text_write, "{\"leaves\":[]}", "");
}

static void long_values_are_cut_between_characters(void **state)
{
	(void)state;
	assert_text(explain_text_write,
		    "{\"leaves\":[{\"path\":\"a\",\"value\":"
		    "\"\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\","
		    "\"origin\":{\"layer\":\"file\",\"source\":\"f\"}}]}",
		    "a  \"\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		    "\u00e4\u00e4\u00e4\u00e4...  file f\n");
}

static void nothing_that_a_terminal_obeys_is_printed(void **state)
{
	(void)state;
	assert_text(explain_text_write,
		    "{\"leaves\":[{\"path\":\"a\",\"value\":\"\\u009b2J\\u001b"
		    "\","
		    "\"origin\":{\"layer\":\"vault\",\"source\":\"f\","
		    "\"description\":\"x\\u001b[2J\\u007f\\u009b\"},\"note\":"
		    "\"a\\nb\"}]}",
		    "a  \"?2J\\u001b\"  vault x?[2J??\n"
		    "  note: a?b\n");
}

/* --- log ------------------------------------------------------------------ */

static void the_log_has_a_line_for_each_change(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "UTC-2", 1), 0);
	tzset();
	assert_text(
		log_text_write,
		"{\"generations\":[{\"generation\":43,\"time\":86400,\"cause\":"
		"\"vault\",\"changes\":[{\"path\":\"a.b\",\"kind\":\"changed\","
		"\"old\":1,\"new\":2,\"origin\":{\"layer\":\"vault\","
		"\"source\":"
		"\"id\",\"description\":\"team\",\"line\":3,\"column\":12}},"
		"{\"path\":\"c\",\"kind\":\"removed\"}]},"
		"{\"generation\":42,\"time\":86399,\"cause\":\"start\","
		"\"changes\":[]}]}",
		"43 1970-01-02 02:00:00 vault changed a.b (vault:team:3:12)\n"
		"43 1970-01-02 02:00:00 vault removed c\n"
		"42 1970-01-02 01:59:59 start\n");
}

static void the_log_says_who_wrote_it(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	assert_text(log_text_write,
		    "{\"generations\":[{\"generation\":1,\"time\":0,\"cause\":"
		    "\"vault\",\"changes\":["
		    "{\"path\":\"a\",\"kind\":\"added\",\"scope\":\"group\","
		    "\"owner\":\"gp\\u001bu\",\"last_update\":\"today\"},"
		    "{\"path\":\"b\",\"kind\":\"added\",\"owner\":\"5e6f\"},"
		    "{\"path\":\"c\",\"kind\":\"added\",\"scope\":\"user\","
		    "\"owner\":\"5e6f\",\"last_update\":"
		    "\"2026-11-24T08:48:56.510000+01:00\"},"
		    "{\"path\":\"d\",\"kind\":\"added\",\"revision\":12},"
		    "{\"path\":\"e\",\"kind\":\"removed\",\"origin\":"
		    "{\"layer\":\"\",\"source\":\"\"}}]}]}",
		    "1 1970-01-01 00:00:00 vault added a [group gp?u, edited "
		    "today]\n"
		    "1 1970-01-01 00:00:00 vault added b [5e6f]\n"
		    "1 1970-01-01 00:00:00 vault added c [user, edited "
		    "2026-11-24 07:48:56]\n"
		    "1 1970-01-01 00:00:00 vault added d [revision 12]\n"
		    "1 1970-01-01 00:00:00 vault removed e\n");
}

static void assert_filtered(int64_t since, const char *path,
			    const char *expected)
{
	static const char *const answer =
		"{\"generations\":["
		"{\"generation\":3,\"time\":30,\"changes\":["
		"{\"path\":\"a.b\"},{\"path\":\"a.bc\"},{\"path\":\"a.b.c\"}]},"
		"{\"generation\":2,\"time\":20,\"changes\":["
		"{\"path\":\"a\"},{\"path\":\"****..\"}]},"
		"{\"generation\":1,\"time\":10,\"changes\":[]}]}";
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(answer);
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct log_filter filter = {.since = since};
	struct path_error error;
	struct path parsed;

	if (path)
		assert_true(
			path_parse(&parsed, &arena, str_from(path), &error));
	filter.path = path ? &parsed : NULL;
	docs_assert_json(log_filter(&arena, doc->root, &filter),
			 expected ? expected : answer);
}

static void the_log_can_be_filtered(void **state)
{
	(void)state;
	assert_filtered(INT64_MIN, NULL, NULL);
	assert_filtered(10, NULL, NULL);
	assert_filtered(31, NULL, "{\"generations\":[]}");
	assert_filtered(INT64_MIN, "x", "{\"generations\":[]}");
	assert_filtered(INT64_MIN, "a.b",
			"{\"generations\":["
			"{\"generation\":3,\"time\":30,\"changes\":["
			"{\"path\":\"a.b\"},{\"path\":\"a.b.c\"}]},"
			"{\"generation\":2,\"time\":20,\"changes\":["
			"{\"path\":\"a\"}]}]}");
	assert_filtered(30, "a.b.c",
			"{\"generations\":["
			"{\"generation\":3,\"time\":30,\"changes\":["
			"{\"path\":\"a.b\"},{\"path\":\"a.b.c\"}]}]}");
}

/* --- status --------------------------------------------------------------- */

static const char status[] =
	"{\"version\":\"1.2\",\"instance\":\"user\",\"pid\":7,\"uptime\":7300,"
	"\"mode\":\"agent\",\"state\":\"degraded\",\"since\":700,"
	"\"generation\":42,\"connections\":2,\"watchers\":1,\"workspaces\":[{"
	"\"name\":\"default\",\"active\":true,\"state\":\"degraded\","
	"\"generation\":42,\"user_name\":\"Jane\",\"company_name\":\"Acme\","
	"\"access_key\":\"ABCDEFGHIJKL\",\"access_key_origin\":{\"layer\":"
	"\"file\",\"source\":\"/h/"
	"clearml.conf\",\"line\":5,\"column\":12},\"server\":{\"api_server\":"
	"\"http://s:8008\",\"server_version\":\"2.1\",\"last_success\":988,"
	"\"next_poll\":1048,\"last_error\":\"timed out\"},"
	"\"new_login\":{\"api_server\":\"http://t\",\"access_key\":"
	"\"WXYZEFGHIJKL\",\"access_key_origin\":{\"layer\":\"env-named\","
	"\"source\":\"CLEARML_API_ACCESS_KEY\"},\"last_error\":\"no such "
	"key\"},\"layers\":[{"
	"\"layer\":\"file\",\"source\":\"/h/clearml.conf\",\"state\":\"ok\"},"
	"{\"layer\":\"vault\",\"source\":\"id1\",\"description\":\"team\","
	"\"state\":\"broken\",\"error\":\"expected '}'\",\"line\":3,"
	"\"column\":5}]},{\"name\":\"other\",\"active\":false,\"state\":"
	"\"ready\",\"generation\":41,\"unasked\":\"no pair of "
	"keys\",\"layers\":[]}]}";

static void status_is_read_at_a_glance(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(status);

	(void)state;
	status_text_write(&out, doc->root, NULL, 1000);
	assert_string_equal(
		buf_str(&out).ptr,
		"clearconfd 1.2: degraded for 5 min, generation 42\n"
		"  daemon       user instance, mode agent, process 7, up for "
		"2 h\n"
		"  connections  2, watchers 1\n"
		"\n"
		"workspace default (active): degraded, generation 42\n"
		"  server       http://s:8008, version 2.1\n"
		"  account      Jane at Acme\n"
		"  key          ABCD**** from /h/clearml.conf:5:12\n"
		"  last answer  12 s ago, next question in 48 s\n"
		"  last error   timed out\n"
		"  new login    WXYZ**** from CLEARML_API_ACCESS_KEY, at "
		"http://t, not proved yet: the one above stays in force\n"
		"  last error   no such key\n"
		"  layers, weakest first\n"
		"    file        ok       /h/clearml.conf\n"
		"    vault       broken   team (id1):3:5: expected '}'\n"
		"\n"
		"workspace other: ready, generation 41\n"
		"  server       none asked: no pair of keys\n");
}

static void one_workspace_may_be_named(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(status);

	(void)state;
	status_text_write(&out, doc->root, "other", 1000);
	assert_null(strstr(buf_str(&out).ptr, "workspace default"));
	assert_non_null(strstr(buf_str(&out).ptr, "workspace other"));
}

/* --- storage -------------------------------------------------------------- */

static void assert_storage(const char *storage, const char *expected)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(storage);

	storage_text_write(&out, doc->root);
	assert_string_equal(buf_str(&out).ptr, expected);
}

static void credentials_are_shown_with_winner_and_losers(void **state)
{
	(void)state;
	assert_storage(
		"{\"provider\":\"azure\",\"settings\":{\"account_name\":"
		"\"acc\",\"account_key\":\"****\",\"container_name\":\"\","
		"\"n\":1,\"odd\":\"a\\u001bb\"},"
		"\"origin\":{\"layer\":\"vault\",\"source\":\"id\","
		"\"description\":\"team\",\"line\":3,\"column\":12},"
		"\"rejected\":[{\"index\":0,\"origin\":{\"layer\":\"file\","
		"\"source\":\"/x.conf\",\"line\":1,\"column\":2},\"reason\":"
		"\"is no match\"},{\"origin\":{\"layer\":\"env-named\","
		"\"source\":\"AZURE\"},\"reason\":\"comes second\"}]}",
		"azure, from team:3:12 (vault)\n"
		"  account_name           acc\n"
		"  account_key            ****\n"
		"  n                      1\n"
		"  odd                    \"a\\u001bb\"\n"
		"\n"
		"Not used:\n"
		"  entry 0, /x.conf:1:2 (file)\n"
		"    is no match\n"
		"  AZURE (env-named)\n"
		"    comes second\n");
}

#define NO_KEYS                                                                \
	"  ClearML fails with these: there is no key and secret, and "         \
	"use_credentials_chain is\n"                                           \
	"  off. Set one or the other in sdk.aws.s3.\n"

static void missing_credentials_are_pointed_out(void **state)
{
	(void)state;
	assert_storage("{\"provider\":\"s3\",\"settings\":{\"key\":\"K\","
		       "\"secret\":\"\"}}",
		       "s3, from the defaults, as no entry matches\n"
		       "  key                    K\n" NO_KEYS);
	assert_storage("{\"provider\":\"s3\",\"settings\":{\"key\":\"\","
		       "\"use_credentials_chain\":true}}",
		       "s3, from the defaults, as no entry matches\n"
		       "  use_credentials_chain  true\n");
	assert_storage("{\"provider\":\"s3\",\"settings\":{\"key\":"
		       "\"****\",\"secret\":\"****\"}}",
		       "s3, from the defaults, as no entry matches\n"
		       "  key                    ****\n"
		       "  secret                 ****\n");
}

/* --- get ------------------------------------------------------------------ */

static bool hides(const char *value, bool masked)
{
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(value);
	struct get_answer answer = {.value = doc->root, .masked = masked};

	return get_answer_hides_secret(&answer);
}

static void only_a_masked_answer_hides_a_secret(void **state)
{
	(void)state;
	assert_true(hides("{\"a\":[1,{\"b\":\"x****\"}]}", true));
	assert_false(hides("{\"a\":[1,{\"b\":\"x****\"}]}", false));
	assert_false(hides("{\"a\":\"***\",\"****\":1}", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_state_is_a_line_when_it_changes),
		cmocka_unit_test(a_change_is_one_line_with_its_origin),
		cmocka_unit_test(values_are_json_on_one_line),
		cmocka_unit_test(values_of_now_come_leaf_by_leaf),
		cmocka_unit_test(a_history_too_short_is_told),
		cmocka_unit_test(an_explanation_stands_in_columns),
		cmocka_unit_test(long_values_are_cut_between_characters),
		cmocka_unit_test(nothing_that_a_terminal_obeys_is_printed),
		cmocka_unit_test(the_log_has_a_line_for_each_change),
		cmocka_unit_test(the_log_says_who_wrote_it),
		cmocka_unit_test(the_log_can_be_filtered),
		cmocka_unit_test(status_is_read_at_a_glance),
		cmocka_unit_test(one_workspace_may_be_named),
		cmocka_unit_test(credentials_are_shown_with_winner_and_losers),
		cmocka_unit_test(missing_credentials_are_pointed_out),
		cmocka_unit_test(only_a_masked_answer_hides_a_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
