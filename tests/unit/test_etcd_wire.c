#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fetch/etcd/etcd_wire.h"

static const struct etcd_span span = {{"a/", 2}, {"a0", 2}};

/* --- questions --- */

static void a_range_names_span_limit_and_revision(void **state)
{
	_cleanup_(buf_deinit) struct buf now = BUF_INIT, then = BUF_INIT;

	(void)state;
	etcd_write_range(&now, &span, 7, 0);
	etcd_write_range(&then, &span, 1, INT64_MAX);
	assert_string_equal(
		buf_str(&now).ptr,
		"{\"key\":\"YS8=\",\"range_end\":\"YTA=\",\"limit\":7}");
	assert_string_equal(buf_str(&then).ptr,
			    "{\"key\":\"YS8=\",\"range_end\":\"YTA=\","
			    "\"limit\":1,\"revision\":9223372036854775807}");
}

static void watches_follow_each_other(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	etcd_write_watch(&out, &span, 1, 5);
	etcd_write_watch(&out, &span, 2, 6);
	assert_string_equal(
		buf_str(&out).ptr,
		"{\"create_request\":{\"key\":\"YS8=\",\"range_end\":\"YTA=\","
		"\"watch_id\":1,\"start_revision\":5,"
		"\"progress_notify\":true}}"
		"{\"create_request\":{\"key\":\"YS8=\",\"range_end\":\"YTA=\","
		"\"watch_id\":2,\"start_revision\":6,"
		"\"progress_notify\":true}}");
}

static void a_login_escapes_what_it_says(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	etcd_write_login(&out, "m\"e", STR("p\\w\n"));
	assert_string_equal(buf_str(&out).ptr,
			    "{\"name\":\"m\\\"e\",\"password\":"
			    "\"p\\\\w\\n\"}");
}

static void a_key_alone_has_no_end(void **state)
{
	const struct etcd_get get = {
		.span = {.key = STR("a")}, .local = true, .last_first = true};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	etcd_write_get(&out, &get);
	assert_string_equal(buf_str(&out).ptr,
			    "{\"key\":\"YQ==\",\"serializable\":true,"
			    "\"sort_order\":\"DESCEND\","
			    "\"sort_target\":\"KEY\"}");
}

static void a_transaction_says_when_what_and_what_else(void **state)
{
	const struct etcd_compare compares[] = {
		{ETCD_COMPARE_LEASE, STR("a"), INT64_MAX},
		{ETCD_COMPARE_REVISION, STR("b"), 0},
	};
	const struct etcd_op then[] = {
		{.kind = ETCD_OP_PUT,
		 .span.key = STR("a"),
		 .value = STR("\0"),
		 .lease = 7},
		{.kind = ETCD_OP_DELETE, .span = {STR("b"), STR("c")}},
	};
	const struct etcd_op otherwise = {.kind = ETCD_OP_GET,
					  .span.key = STR("a")};
	const struct etcd_txn txn = {compares, 2, then, 2, &otherwise, 1};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	etcd_write_txn(&out, &txn);
	assert_string_equal(
		buf_str(&out).ptr,
		"{\"compare\":[{\"key\":\"YQ==\",\"result\":\"EQUAL\","
		"\"target\":\"LEASE\",\"lease\":\"9223372036854775807\"},"
		"{\"key\":\"Yg==\",\"result\":\"EQUAL\",\"target\":\"MOD\","
		"\"mod_revision\":\"0\"}],"
		"\"success\":[{\"request_put\":{\"key\":\"YQ==\","
		"\"value\":\"AA==\",\"lease\":\"7\"}},"
		"{\"request_delete_range\":{\"key\":\"Yg==\","
		"\"range_end\":\"Yw==\"}}],"
		"\"failure\":[{\"request_range\":{\"key\":\"YQ==\"}}]}");
}

static void leases_are_named_by_text(void **state)
{
	_cleanup_(buf_deinit) struct buf grant = BUF_INIT, renew = BUF_INIT;

	(void)state;
	etcd_write_lease(&grant, 60);
	etcd_write_lease_id(&renew, 2324035700323292167);
	assert_string_equal(buf_str(&grant).ptr, "{\"TTL\":\"60\"}");
	assert_string_equal(buf_str(&renew).ptr,
			    "{\"ID\":\"2324035700323292167\"}");
}

/* --- answers --- */

#define HEADER "\"header\":{\"cluster_id\":\"77\",\"revision\":\"9\"}"

static void a_page_brings_keys_and_whether_there_are_more(void **state)
{
	_cleanup_(etcd_reply_deinit) struct etcd_reply reply;

	(void)state;
	etcd_reply_read(&reply,
			STR("{" HEADER ",\"kvs\":[{\"key\":\"YS8x\","
			    "\"mod_revision\":\"4\",\"value\":\"AP8=\"},"
			    "{\"key\":\"YS8y\",\"mod_revision\":5}],"
			    "\"more\":true,\"count\":\"3\"}"));
	assert_int_equal(reply.kind, ETCD_DONE);
	assert_true(str_is(reply.cluster, "77"));
	assert_int_equal(reply.revision, 9);
	assert_true(reply.more);
	assert_int_equal(reply.count, 2);
	assert_true(str_is(reply.kvs[0].key, "a/1"));
	assert_true(str_equal(reply.kvs[0].value, STR("\0\xff")));
	assert_int_equal(reply.kvs[0].revision, 4);
	assert_int_equal(reply.kvs[1].revision, 5);
	assert_non_null(reply.kvs[1].value.ptr); /* empty, and not deleted */
	assert_int_equal(reply.kvs[1].value.len, 0);
}

/* Who watches goes on at the revision after it. */
static void a_revision_has_one_after_it(void **state)
{
	static const char *const last[] = {"9223372036854775807",
					   "9223372036854775808",
					   "99999999999999999999999"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(last); i++) {
		_cleanup_(etcd_reply_deinit) struct etcd_reply page, none;
		_cleanup_(mem_freep) char *key =
			mem_printf("{" HEADER ",\"kvs\":[{\"key\":\"YS8x\","
				   "\"mod_revision\":\"%s\"}]}",
				   last[i]);
		_cleanup_(mem_freep) char *header = mem_printf(
			"{\"header\":{\"revision\":\"%s\"}}", last[i]);

		etcd_reply_read(&page, str_from(key));
		assert_int_equal(page.kind, ETCD_FOREIGN);
		etcd_reply_read(&none, str_from(header));
		assert_int_equal(none.revision, 0);
	}
}

static void a_login_brings_a_token(void **state)
{
	_cleanup_(etcd_reply_deinit) struct etcd_reply reply;

	(void)state;
	etcd_reply_read(&reply, STR("{" HEADER ",\"token\":\"abc.7\"}"));
	assert_int_equal(reply.kind, ETCD_DONE);
	assert_true(str_is(reply.token, "abc.7"));
}

static void events_are_puts_and_deletions(void **state)
{
	_cleanup_(etcd_reply_deinit) struct etcd_reply reply;

	(void)state;
	etcd_reply_read_line(
		&reply,
		STR("{\"result\":{" HEADER ",\"watch_id\":\"2\",\"events\":["
		    "{\"kv\":{\"key\":\"YS8x\",\"mod_revision\":\"8\","
		    "\"value\":\"eA==\"}},{\"type\":\"DELETE\",\"kv\":{"
		    "\"key\":\"YS8x\",\"mod_revision\":\"9\"}}]}}"));
	assert_int_equal(reply.kind, ETCD_EVENTS);
	assert_int_equal(reply.watch, 2);
	assert_int_equal(reply.count, 2);
	assert_true(str_is(reply.kvs[0].value, "x"));
	assert_null(reply.kvs[1].value.ptr);
	assert_int_equal(reply.kvs[1].revision, 9);
}

static void a_lease_is_granted_and_renewed(void **state)
{
	_cleanup_(etcd_reply_deinit) struct etcd_reply granted, gone;

	(void)state;
	etcd_reply_read(&granted, STR("{" HEADER ",\"ID\":\"42\","
				      "\"TTL\":\"60\"}"));
	assert_int_equal(granted.kind, ETCD_DONE);
	assert_int_equal(granted.lease, 42);
	assert_int_equal(granted.ttl, 60);
	etcd_reply_read(&gone,
			STR("{\"result\":{" HEADER ",\"ID\":\"42\"}}\n"));
	assert_int_equal(gone.kind, ETCD_DONE);
	assert_int_equal(gone.lease, 42);
	assert_int_equal(gone.ttl, 0);
}

static void a_transaction_brings_what_all_its_ranges_found(void **state)
{
	static const char text[] =
		"{" HEADER ",\"succeeded\":true,\"responses\":["
		"{\"response_put\":{\"header\":{\"revision\":\"3\"}}},"
		"{\"response_range\":{\"kvs\":[{\"key\":\"YQ==\","
		"\"mod_revision\":\"3\","
		"\"lease\":\"5\"}]}},"
		"{\"response_range\":{\"kvs\":["
		"{\"key\":\"Yg==\",\"mod_revision\":\"3\"},"
		"{\"key\":\"Yw==\",\"mod_revision\":\"3\"}]}}]}";
	_cleanup_(etcd_reply_deinit) struct etcd_reply reply;

	(void)state;
	etcd_reply_read(&reply, STR(text));
	assert_int_equal(reply.kind, ETCD_DONE);
	assert_true(reply.succeeded);
	assert_int_equal(reply.count, 3);
	assert_true(str_is(reply.kvs[0].key, "a"));
	assert_int_equal(reply.kvs[0].lease, 5);
	assert_true(str_is(reply.kvs[2].key, "c"));
}

/* What a call or a line says, and what that is. */
static const struct {
	void (*read)(struct etcd_reply *reply, struct str text);
	const char *text;
	enum etcd_reply_kind kind;
	const char *message; /* NULL: none */
} cases[] = {
	{etcd_reply_read_line,
	 "{\"result\":{" HEADER ",\"watch_id\":\"1\",\"created\":true}}",
	 ETCD_CREATED, NULL},
	{etcd_reply_read_line, "{\"result\":{" HEADER ",\"watch_id\":\"1\"}}",
	 ETCD_EVENTS, NULL},
	{etcd_reply_read_line,
	 "{\"result\":{" HEADER ",\"canceled\":true,"
	 "\"compact_revision\":\"4\"}}",
	 ETCD_COMPACTED, NULL},
	{etcd_reply_read_line,
	 "{\"result\":{" HEADER ",\"watch_id\":\"-1\",\"created\":true,"
	 "\"canceled\":true,\"cancel_reason\":\"rpc error: code = "
	 "Unauthenticated desc = etcdserver: invalid auth token\"}}",
	 ETCD_TOKEN_OVER, "invalid auth token"},
	{etcd_reply_read_line,
	 "{\"result\":{" HEADER ",\"created\":true,\"canceled\":true,"
	 "\"cancel_reason\":\"rpc error: code = PermissionDenied desc = "
	 "etcdserver: permission denied\"}}",
	 ETCD_REFUSED, "permission denied"},
	{etcd_reply_read_line, "{\"result\":{" HEADER ",\"canceled\":true}}",
	 ETCD_TROUBLE, "the watch was ended"},
	{etcd_reply_read_line,
	 "{\"error\":{\"grpc_code\":14,\"http_code\":503,"
	 "\"message\":\"etcdserver: no leader\"}}",
	 ETCD_TROUBLE, "no leader"},
	{etcd_reply_read,
	 "{\"error\":\"x\",\"message\":\"etcdserver: user name is empty\","
	 "\"code\":3}",
	 ETCD_REFUSED, "user name is empty"},
	{etcd_reply_read,
	 "{\"error\":\"x\",\"message\":\"etcdserver: mvcc: required revision "
	 "has been compacted\",\"code\":11}",
	 ETCD_COMPACTED, "mvcc: required revision has been compacted"},
	{etcd_reply_read,
	 "{\"error\":\"x\",\"message\":\"etcdserver: authentication is not "
	 "enabled\",\"code\":9}",
	 ETCD_NO_AUTH, "authentication is not enabled"},
	{etcd_reply_read,
	 "{\"error\":\"x\",\"message\":\"auth: revision of auth store is old\","
	 "\"code\":2}",
	 ETCD_TOKEN_OVER, "auth: revision of auth store is old"},
	{etcd_reply_read,
	 "{\"error\":\"x\",\"message\":\"a\\nb\\u0007\",\"code\":2}",
	 ETCD_TROUBLE, "a b "},
	{etcd_reply_read,
	 "{\"error\":\"x\",\"message\":\"etcdserver: requested lease not "
	 "found\",\"code\":5}",
	 ETCD_MISSING, "requested lease not found"},
	{etcd_reply_read,
	 "{\"error\":{\"grpc_code\":14,\"http_code\":503,"
	 "\"message\":\"etcdserver: no leader\"}}",
	 ETCD_TROUBLE, "no leader"},
	{etcd_reply_read, "{" HEADER ",\"responses\":{}}", ETCD_FOREIGN, NULL},
	{etcd_reply_read, "{" HEADER ",\"responses\":[7]}", ETCD_DONE, NULL},
	{etcd_reply_read,
	 "{" HEADER ",\"responses\":[{\"response_range\":{\"kvs\":7}}]}",
	 ETCD_FOREIGN, NULL},
	{etcd_reply_read, "{\"result\":7}", ETCD_FOREIGN, NULL},
	{etcd_reply_read, "{\"error\":\"x\"}", ETCD_TROUBLE,
	 "an error without a reason"},
	{etcd_reply_read, "", ETCD_FOREIGN, NULL},
	{etcd_reply_read, "<html>", ETCD_FOREIGN, NULL},
	{etcd_reply_read, "{}", ETCD_FOREIGN, NULL},
	{etcd_reply_read, "[]", ETCD_FOREIGN, NULL},
	{etcd_reply_read, "{\"header\":[]}", ETCD_FOREIGN, NULL},
	{etcd_reply_read, "{" HEADER ",\"kvs\":{}}", ETCD_FOREIGN, NULL},
	{etcd_reply_read, "{" HEADER ",\"kvs\":[7]}", ETCD_FOREIGN, NULL},
	{etcd_reply_read, "{" HEADER ",\"kvs\":[{\"key\":\"YQ==\"}]}",
	 ETCD_FOREIGN, NULL},
	{etcd_reply_read,
	 "{" HEADER ",\"kvs\":[{\"key\":\"!\",\"mod_revision\":\"1\"}]}",
	 ETCD_FOREIGN, NULL},
	{etcd_reply_read,
	 "{" HEADER ",\"kvs\":[{\"key\":\"YQ==\",\"value\":7,"
	 "\"mod_revision\":\"1\"}]}",
	 ETCD_FOREIGN, NULL},
	{etcd_reply_read_line, "{\"result\":7}", ETCD_FOREIGN, NULL},
	{etcd_reply_read_line, "{\"result\":{" HEADER ",\"events\":[{}]}}",
	 ETCD_FOREIGN, NULL},
	{etcd_reply_read_line, "{\"result\":{" HEADER, ETCD_FOREIGN, NULL},
};

static void what_is_said_is_understood_or_foreign(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(etcd_reply_deinit) struct etcd_reply reply;

		cases[i].read(&reply, str_from(cases[i].text));
		if (reply.kind != cases[i].kind)
			fail_msg("%s is %d", cases[i].text, (int)reply.kind);
		if (!cases[i].message)
			assert_null(reply.message);
		else
			assert_string_equal(reply.message, cases[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_names_span_limit_and_revision),
		cmocka_unit_test(watches_follow_each_other),
		cmocka_unit_test(a_login_escapes_what_it_says),
		cmocka_unit_test(a_key_alone_has_no_end),
		cmocka_unit_test(a_transaction_says_when_what_and_what_else),
		cmocka_unit_test(leases_are_named_by_text),
		cmocka_unit_test(a_lease_is_granted_and_renewed),
		cmocka_unit_test(
			a_transaction_brings_what_all_its_ranges_found),
		cmocka_unit_test(a_page_brings_keys_and_whether_there_are_more),
		cmocka_unit_test(a_revision_has_one_after_it),
		cmocka_unit_test(a_login_brings_a_token),
		cmocka_unit_test(events_are_puts_and_deletions),
		cmocka_unit_test(what_is_said_is_understood_or_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
