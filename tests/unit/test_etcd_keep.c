#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetch/etcd/etcd_keep.h"

#include "../support/http_calls.h"

#define HEADER  "\"header\":{\"revision\":\"9\"}"
#define GRANTED "{" HEADER ",\"ID\":\"7\",\"TTL\":\"1\"}"
#define RENEWED "{\"result\":{" HEADER ",\"ID\":\"7\",\"TTL\":\"1\"}}\n"
#define OVER    "{\"result\":{" HEADER ",\"ID\":\"7\"}}\n"
#define WRITTEN "{" HEADER ",\"succeeded\":true}"
#define NOT_WRITTEN(kv)                                                        \
	"{" HEADER ",\"responses\":[{\"response_range\":{\"kvs\":[" kv "]}}]}"
#define FOUND(kv) "{" HEADER ",\"kvs\":[" kv "]}"
#define NO_LEASE                                                               \
	"{\"error\":\"x\",\"message\":\"etcdserver: requested lease not "      \
	"found\",\"code\":5}"
#define NO_SPACE                                                               \
	"{\"error\":\"x\",\"message\":\"etcdserver: mvcc: database space "     \
	"exceeded\",\"code\":8}"

/* What lies in the key; the values in base64: "ours", "earlier", "others". */
#define KV(lease, revision, value)                                             \
	"{\"key\":\"aw==\"," lease "\"mod_revision\":\"" revision              \
	"\",\"value\":\"" value "\"}"
#define LEASE(id) "\"lease\":\"" id "\","
#define OURS      "b3Vycw=="
#define EARLIER   "ZWFybGllcg=="
#define OTHERS    "b3RoZXJz"

/*
 * An etcd of one key that answers each method by what is planned for it, or as
 * all goes well; and a keep.
 */
struct keeping {
	uv_loop_t loop;
	struct http *http;
	struct responder node;
	const char *endpoints[1];
	struct etcd_keep *keep;
	unsigned int grants, writes, renewals, looks, marks;
	unsigned int until_writes, until_renewals, until_looks;
	const char *write_answers[8]; /* NULL: written */
	const char *renewal_answers[8];
	const char *look_answers[8];
	bool mark_seen, enough;
	bool failed, mended; /* it has been FAILED, and something else after */
	char *last_write;    /* what was asked */
};

static void count(struct keeping *keeping)
{
	if (keeping->writes >= keeping->until_writes &&
	    keeping->renewals >= keeping->until_renewals &&
	    keeping->looks >= keeping->until_looks)
		keeping->enough = true;
}

static const char *next_of(const char *const answers[8], unsigned int *turn,
			   const char *otherwise)
{
	const char *answer = *turn < 8 ? answers[*turn] : NULL;

	++*turn;
	return answer ? answer : otherwise;
}

static const char *answer_to(struct keeping *keeping, const char *request)
{
	if (strstr(request, "/lease/grant")) {
		keeping->grants++;
		return GRANTED;
	}
	if (strstr(request, "/lease/keepalive"))
		return next_of(keeping->renewal_answers, &keeping->renewals,
			       RENEWED);
	if (strstr(request, "/kv/range"))
		return next_of(keeping->look_answers, &keeping->looks,
			       "{" HEADER ",\"kvs\":[{\"key\":\"aw==\","
			       "\"mod_revision\":\"9\"}]}");
	if (strstr(request, "ignore_lease")) {
		keeping->marks++;
		return WRITTEN;
	}
	mem_free(keeping->last_write);
	keeping->last_write = mem_strdup(request);
	return next_of(keeping->write_answers, &keeping->writes, WRITTEN);
}

static void plan(struct responder *node, const char *request)
{
	struct keeping *keeping = CONTAINER_OF(node, struct keeping, node);

	responder_plan_body(node, "200 OK",
			    str_from(answer_to(keeping, request)));
}

/* --- the owner --- */

static enum etcd_keep_whose whose(void *data, struct str value)
{
	(void)data;
	if (str_is(value, "earlier"))
		return ETCD_KEEP_EARLIER;
	return str_is(value, "others") ? ETCD_KEEP_OTHERS : ETCD_KEEP_OURS;
}

static bool mark_it(void *data, struct str value, struct buf *marked)
{
	(void)data;
	buf_add_str(marked, value);
	return true;
}

static void on_mark(void *data, const struct str *marked)
{
	struct keeping *keeping = data;

	keeping->mark_seen = marked != NULL;
	count(keeping);
}

static void on_state(void *data)
{
	struct keeping *keeping = data;
	bool failed = etcd_keep_state(keeping->keep) == ETCD_KEEP_FAILED;

	keeping->mended = keeping->mended || (keeping->failed && !failed);
	keeping->failed = keeping->failed || failed;
	count(keeping);
}

static const char *token(void *data)
{
	(void)data;
	return NULL;
}

static int enter(void **state)
{
	struct keeping *keeping = mem_alloc(sizeof(*keeping));
	struct etcd_keep_config config = {
		.key = STR("k"),
		.ttl_ms = 60,
		.every_ms = 1,
		.data = keeping,
		.whose = whose,
		.mark = mark_it,
		.on_mark = on_mark,
		.on_state = on_state,
		.token = token,
	};

	unset_proxies();
	assert_int_equal(uv_loop_init(&keeping->loop), 0);
	keeping->http = http_new(&keeping->loop);
	responder_start(&keeping->node, &keeping->loop);
	keeping->node.plan = plan;
	keeping->endpoints[0] = keeping->node.url;
	config.nodes = (struct etcd_nodes){.endpoints = keeping->endpoints,
					   .endpoint_count = 1,
					   .tls.verify = true,
					   .timeout_ms = 20000};
	keeping->keep = etcd_keep_new(&keeping->loop, keeping->http, &config);
	*state = keeping;
	return 0;
}

static int leave(void **state)
{
	struct keeping *keeping = *state;

	etcd_keep_close(keeping->keep);
	http_close(keeping->http);
	responder_stop(&keeping->node);
	responder_end_loop(&keeping->loop);
	mem_free(keeping->last_write);
	mem_free(keeping);
	return 0;
}

static void on_enough(uv_timer_t *timer)
{
	count(timer->data);
}

/* Until so much has been asked, and answered. */
static void run_until(struct keeping *keeping, unsigned int writes,
		      unsigned int renewals, unsigned int looks)
{
	uv_timer_t timer;

	keeping->enough = false;
	keeping->until_writes = writes;
	keeping->until_renewals = renewals;
	keeping->until_looks = looks;
	(void)uv_timer_init(&keeping->loop, &timer);
	timer.data = keeping;
	(void)uv_timer_start(&timer, on_enough, 1, 1);
	responder_run(&keeping->loop, &keeping->enough);
	uv_close((uv_handle_t *)&timer, NULL);
	(void)uv_run(&keeping->loop, UV_RUN_NOWAIT);
}

static void run_until_state(struct keeping *keeping, enum etcd_keep_state state)
{
	while (etcd_keep_state(keeping->keep) != state)
		(void)uv_run(&keeping->loop, UV_RUN_ONCE);
}

static void set(struct keeping *keeping, const char *value)
{
	etcd_keep_set(keeping->keep, str_from(value));
}

/* --- tests --- */

static void a_value_is_written_under_a_lease(void **state)
{
	struct keeping *keeping = *state;

	set(keeping, "one");
	run_until_state(keeping, ETCD_KEEP_KEPT);
	assert_int_equal(keeping->grants, 1);
	assert_int_equal(keeping->writes, 1);
	assert_contains(keeping->last_write, "\"key\":\"aw==\"");
	assert_contains(keeping->last_write, "\"value\":\"b25l\"");
	assert_contains(keeping->last_write, "\"lease\":\"7\"");
	assert_null(etcd_keep_problem(keeping->keep));
}

static void what_is_the_same_is_not_written(void **state)
{
	struct keeping *keeping = *state;

	set(keeping, "one");
	run_until_state(keeping, ETCD_KEEP_KEPT);
	set(keeping, "one");
	run_until(keeping, 1, 3, 1);
	assert_int_equal(keeping->writes, 1);
	set(keeping, "two");
	run_until(keeping, 2, 0, 0);
	assert_contains(keeping->last_write, "\"value\":\"dHdv\"");
}

static void of_many_values_the_newest_is_written(void **state)
{
	struct keeping *keeping = *state;

	set(keeping, "one");
	set(keeping, "two");
	run_until_state(keeping, ETCD_KEEP_KEPT);
	run_until(keeping, 1, 3, 0);
	assert_int_equal(keeping->writes, 1);
	assert_contains(keeping->last_write, "\"value\":\"dHdv\"");
}

static void a_lease_that_has_run_out_is_replaced(void **state)
{
	struct keeping *keeping = *state;

	keeping->renewal_answers[0] = OVER;
	set(keeping, "one");
	run_until(keeping, 2, 0, 0);
	assert_int_equal(keeping->grants, 2);
	assert_int_equal(etcd_keep_lapses(keeping->keep), 1);
}

static void a_lease_that_is_missing_at_a_write_is_replaced(void **state)
{
	struct keeping *keeping = *state;

	keeping->write_answers[0] = NO_LEASE;
	set(keeping, "one");
	run_until_state(keeping, ETCD_KEEP_KEPT);
	assert_int_equal(keeping->grants, 2);
}

static void who_may_renew_but_not_write_has_failed(void **state)
{
	struct keeping *keeping = *state;

	for (size_t i = 0; i < 8; i++)
		keeping->write_answers[i] = NO_SPACE;
	set(keeping, "one");
	run_until(keeping, 1, 3, 0);
	assert_true(keeping->failed);
	assert_false(keeping->mended);
	run_until_state(keeping, ETCD_KEEP_KEPT);
}

static void an_earlier_process_is_succeeded(void **state)
{
	struct keeping *keeping = *state;

	keeping->write_answers[0] = NOT_WRITTEN(KV(LEASE("3"), "5", EARLIER));
	set(keeping, "one");
	run_until_state(keeping, ETCD_KEEP_KEPT);
	assert_int_equal(keeping->writes, 2);
	assert_contains(keeping->last_write, "\"mod_revision\":\"5\"");
}

static void somebody_else_is_let_be_and_given_a_mark(void **state)
{
	struct keeping *keeping = *state;

	keeping->write_answers[0] = NOT_WRITTEN(KV(LEASE("3"), "5", OTHERS));
	keeping->write_answers[1] = keeping->write_answers[0];
	set(keeping, "one");
	run_until_state(keeping, ETCD_KEEP_RIVALED);
	run_until(keeping, 2, 0, 0);
	assert_true(keeping->marks > 0);
	/* It is never overwritten: only a key that is not there is written. */
	assert_contains(keeping->last_write, "\"create_revision\":\"0\"");
	run_until_state(keeping, ETCD_KEEP_KEPT); /* it has gone */
}

static void what_has_no_lease_is_nobodys(void **state)
{
	struct keeping *keeping = *state;

	keeping->write_answers[0] = NOT_WRITTEN(KV("", "5", OTHERS));
	set(keeping, "one");
	run_until_state(keeping, ETCD_KEEP_KEPT);
	assert_int_equal(keeping->marks, 0);
}

/* Two daemons that share a machine id do not take turns. */
static void who_came_later_keeps_it(void **state)
{
	struct keeping *keeping = *state;

	keeping->write_answers[1] = NOT_WRITTEN(KV(LEASE("3"), "12", EARLIER));
	set(keeping, "one");
	run_until_state(keeping, ETCD_KEEP_KEPT);
	set(keeping, "two");
	run_until_state(keeping, ETCD_KEEP_RIVALED);
	assert_int_equal(keeping->writes, 2);
}

static void a_key_that_was_deleted_is_written_again(void **state)
{
	struct keeping *keeping = *state;

	keeping->look_answers[0] = FOUND("");
	set(keeping, "one");
	run_until(keeping, 2, 0, 1);
	assert_int_equal(keeping->writes, 2);
}

static void a_mark_is_told_and_taken_off_some_day(void **state)
{
	struct keeping *keeping = *state;

	for (size_t i = 0; i < 4; i++)
		keeping->look_answers[i] = FOUND(KV(LEASE("7"), "10", OURS));
	set(keeping, "one");
	run_until(keeping, 1, 0, 1);
	run_until(keeping, 2, 0, 4);
	assert_int_equal(keeping->writes, 2);
	run_until(keeping, 2, 0, 5);
	run_until(keeping, 2, 0, 6);
	assert_false(keeping->mark_seen);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(a_value_is_written_under_a_lease),
		TEST(what_is_the_same_is_not_written),
		TEST(of_many_values_the_newest_is_written),
		TEST(a_lease_that_has_run_out_is_replaced),
		TEST(a_lease_that_is_missing_at_a_write_is_replaced),
		TEST(who_may_renew_but_not_write_has_failed),
		TEST(an_earlier_process_is_succeeded),
		TEST(somebody_else_is_let_be_and_given_a_mark),
		TEST(what_has_no_lease_is_nobodys),
		TEST(who_came_later_keeps_it),
		TEST(a_key_that_was_deleted_is_written_again),
		TEST(a_mark_is_told_and_taken_off_some_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
