#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/access.h"
#include "config/callers.h"

static void words_have_a_kind_and_a_name(void **state)
{
	static const char *const good[] = {
		"",
		"user:alice",
		"user:0 group:ml unit:a@b.service cgroup:/kubepods/... ",
		"unit:a:b\tcgroup:/",
	};
	static const char *const bad[] = {
		"alice",   "user:",        "*",
		"host:x",  "user:a group", "cgroup:kubepods",
		"cgroup:", "User:alice",   "unit:a.service x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(callers_accept(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(callers_accept(bad[i]));
}

/* The workspace of uid and group, in @cgroup. */
static const char *found(const struct callers *callers, uid_t uid, gid_t group,
			 const char *cgroup)
{
	struct access_user user = {uid, &group, 1, false};
	const struct caller_rule *rule =
		callers_find(callers, &user, str_from(cgroup));

	return rule ? rule->workspace : "";
}

static void the_first_that_matches_decides(void **state)
{
	struct callers *callers = callers_new(1);

	(void)state;
	assert_int_equal(callers->count, 0);
	callers_add(callers, "a", "user:7 group:8");
	callers_add(callers, "b", NULL);
	assert_false(callers->need_cgroup);
	callers_add(callers, "c", "unit:x.service  user:7 cgroup:/pods/...");
	callers_add(callers, "d", "user:9 user:nobody.of.this.name cgroup:/");
	assert_true(callers->need_cgroup);
	assert_string_equal(found(callers, 7, 1, "/x.service"), "a");
	assert_string_equal(found(callers, 1, 8, ""), "a");
	assert_string_equal(found(callers, 1, 1, "/x.service"), "c");
	assert_string_equal(found(callers, 9, 1, "/pods/1/2"), "c");
	assert_string_equal(found(callers, 9, 1, ""), "d");
	assert_string_equal(found(callers, 1, 1, "/"), "d");
	assert_string_equal(found(callers, 1, 1, ""), "");
	assert_string_equal(found(callers, (uid_t)-1, (gid_t)-1, ""), "");
	callers_free(callers);
}

static void the_same_words_are_the_same_callers(void **state)
{
	struct callers *one = callers_new(1), *other = callers_new(2);

	(void)state;
	callers_add(one, "a", "user:7");
	assert_false(callers_equal(one, other));
	callers_add(other, "a", "  user:7 ");
	assert_true(callers_equal(one, other));
	callers_add(one, "b", "unit:x");
	callers_add(other, "c", "unit:x");
	assert_false(callers_equal(one, other));
	callers_free(one);
	callers_free(other);
	callers_free(NULL);
}

static void why_is_told_as_it_was_written(void **state)
{
	struct callers *callers = callers_new(1);
	struct access_user user = {7, NULL, 0, false};
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	(void)state;
	callers_add(callers, "a", "cgroup:/x/...");
	caller_rule_write(callers_find(callers, &user, STR("/y")), &json);
	assert_int_equal(json.len, 0);
	caller_rule_write(callers_find(callers, &user, STR("/x/y")), &json);
	assert_string_equal(buf_str(&json).ptr, "\"own\":{\"workspace\":\"a\","
						"\"by\":\"cgroup:/x/...\"}");
	callers_free(callers);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_have_a_kind_and_a_name),
		cmocka_unit_test(the_first_that_matches_decides),
		cmocka_unit_test(the_same_words_are_the_same_callers),
		cmocka_unit_test(why_is_told_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
