#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetch/etcd/etcd_ask.h"

#include "../support/http_calls.h"
#include "../support/scratch.h"

#define HEADER "{\"header\":{\"revision\":\"9\"}"
#define OVER                                                                   \
	"{\"error\":\"x\",\"message\":\"etcdserver: invalid auth token\","     \
	"\"code\":16}"
#define LEADERLESS                                                             \
	"{\"error\":\"x\",\"message\":\"etcdserver: no leader\",\"code\":14}"
#define DENIED                                                                 \
	"{\"error\":\"x\",\"message\":\"etcdserver: permission denied\","      \
	"\"code\":7}"
#define EMPTY                                                                  \
	"{\"error\":\"x\",\"message\":\"etcdserver: user name is empty\","     \
	"\"code\":3}"
#define NO_AUTH                                                                \
	"{\"error\":\"x\",\"message\":\"etcdserver: authentication is not "    \
	"enabled\",\"code\":9}"

/* Two nodes, a client, and what the last question came to. */
struct asking {
	uv_loop_t loop;
	struct http *http;
	struct responder nodes[2];
	const char *endpoints[2];
	struct etcd_ask *ask;

	bool done, unsure, succeeded, closes;
	enum etcd_health health;
	enum etcd_reply_kind kind; /* ETCD_FOREIGN without a reply */
	int64_t date;
	char *error;
};

static int enter(void **state)
{
	struct asking *asking = mem_alloc(sizeof(*asking));

	scratch_enter();
	unset_proxies();
	assert_int_equal(uv_loop_init(&asking->loop), 0);
	asking->http = http_new(&asking->loop);
	for (size_t i = 0; i < 2; i++) {
		responder_start(&asking->nodes[i], &asking->loop);
		asking->endpoints[i] = asking->nodes[i].url;
	}
	*state = asking;
	return 0;
}

static int leave(void **state)
{
	struct asking *asking = *state;

	etcd_ask_close(asking->ask);
	http_close(asking->http);
	for (size_t i = 0; i < 2; i++)
		responder_stop(&asking->nodes[i]);
	responder_end_loop(&asking->loop);
	mem_free(asking->error);
	mem_free(asking);
	scratch_leave();
	return 0;
}

static struct etcd_nodes nodes_of(const struct asking *asking, size_t count)
{
	return (struct etcd_nodes){
		.endpoints = asking->endpoints,
		.endpoint_count = count,
		.tls.verify = true,
		.timeout_ms = 20000,
	};
}

static void begin(struct asking *asking, const struct etcd_nodes *nodes)
{
	asking->ask = etcd_ask_new(&asking->loop, asking->http, nodes);
}

/* Log in as "me", whose password is in a file. */
static void begin_as_user(struct asking *asking, size_t count)
{
	struct etcd_nodes nodes = nodes_of(asking, count);

	nodes.user = "me";
	nodes.password_file = "password";
	begin(asking, &nodes);
}

static void on_answered(void *data, const struct etcd_answer *answer)
{
	struct asking *asking = data;

	assert_false(asking->done);
	asking->done = true;
	asking->health = answer->health;
	asking->unsure = answer->unsure;
	asking->date = answer->date;
	asking->kind = answer->reply ? answer->reply->kind : ETCD_FOREIGN;
	asking->succeeded = answer->reply && answer->reply->succeeded;
	mem_free(asking->error);
	asking->error = answer->error ? mem_strdup(answer->error) : NULL;
	if (asking->closes)
		etcd_ask_close(TAKE(asking->ask));
}

static void send_one(struct asking *asking)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	buf_puts(&body, "{\"question\":1}");
	asking->done = false;
	etcd_ask_send(asking->ask, "kv/txn", &body, on_answered, asking);
	assert_false(asking->done);
}

static void ask(struct asking *asking)
{
	send_one(asking);
	responder_run(&asking->loop, &asking->done);
}

static void plan(struct asking *asking, size_t node, const char *body)
{
	responder_plan_body(&asking->nodes[node], "200 OK", str_from(body));
}

/* --- one node --- */

static void a_question_is_answered(void **state)
{
	struct asking *asking = *state;
	const struct etcd_nodes nodes = nodes_of(asking, 1);

	begin(asking, &nodes);
	responder_plan_body(&asking->nodes[0],
			    "200 OK\r\nDate: Thu, 01 Jan 1970 00:01:40 GMT",
			    STR(HEADER ",\"succeeded\":true}"));
	ask(asking);
	assert_null(asking->error);
	assert_int_equal(asking->health, ETCD_WELL);
	assert_int_equal(asking->kind, ETCD_DONE);
	assert_true(asking->succeeded);
	assert_false(asking->unsure);
	assert_int_equal(asking->date, 100);
	assert_true(responder_was_asked(&asking->nodes[0], 0,
					"POST /v3/kv/txn HTTP/1.1\r\n"));
	assert_true(responder_was_asked(&asking->nodes[0], 0,
					"\r\n\r\n{\"question\":1}"));
	assert_true(responder_was_asked(&asking->nodes[0], 0,
					"Grpc-Metadata-hasleader: true"));
}

static void a_refusal_is_an_answer(void **state)
{
	struct asking *asking = *state;
	const struct etcd_nodes nodes = nodes_of(asking, 2);

	begin(asking, &nodes);
	plan(asking, 0, DENIED);
	ask(asking);
	assert_int_equal(asking->health, ETCD_REJECTED);
	assert_int_equal(asking->kind, ETCD_REFUSED);
	assert_contains(asking->error, "permission denied");
	assert_int_equal(asking->nodes[1].asked, 0);
}

static void who_is_closed_meanwhile_says_nothing(void **state)
{
	struct asking *asking = *state;
	const struct etcd_nodes nodes = nodes_of(asking, 1);

	begin(asking, &nodes);
	send_one(asking);
	etcd_ask_close(TAKE(asking->ask));
	(void)uv_run(&asking->loop, UV_RUN_NOWAIT);
	assert_false(asking->done);
}

static void it_may_be_closed_by_who_is_answered(void **state)
{
	struct asking *asking = *state;
	const struct etcd_nodes nodes = nodes_of(asking, 1);

	begin(asking, &nodes);
	asking->closes = true;
	plan(asking, 0, HEADER "}");
	ask(asking);
	assert_null(asking->error);
}

/* --- one after the other --- */

static void the_next_node_is_asked_when_one_has_no_leader(void **state)
{
	struct asking *asking = *state;
	const struct etcd_nodes nodes = nodes_of(asking, 2);

	begin(asking, &nodes);
	plan(asking, 0, LEADERLESS);
	plan(asking, 1, HEADER "}");
	ask(asking);
	assert_null(asking->error);
	assert_true(asking->unsure);
	assert_string_equal(etcd_ask_endpoint(asking->ask),
			    asking->endpoints[1]);
	plan(asking, 1, HEADER "}");
	ask(asking); /* it stays there */
	assert_false(asking->unsure);
	assert_int_equal(asking->nodes[0].asked, 1);
}

static void a_broken_connection_leaves_open_whether_it_was_done(void **state)
{
	struct asking *asking = *state;
	const struct etcd_nodes nodes = nodes_of(asking, 2);

	begin(asking, &nodes);
	responder_plan(&asking->nodes[0], STR(""), RESPONDER_RESETS);
	plan(asking, 1, HEADER "}");
	ask(asking);
	assert_null(asking->error);
	assert_true(asking->unsure);
}

static void of_all_nodes_the_gravest_fault_is_told(void **state)
{
	struct asking *asking = *state;
	const struct etcd_nodes nodes = nodes_of(asking, 2);

	begin(asking, &nodes);
	responder_plan_body(&asking->nodes[0], "404 No", STR("<html>"));
	responder_plan(&asking->nodes[1], STR(""), RESPONDER_RESETS);
	ask(asking);
	assert_int_equal(asking->health, ETCD_AILING);
	assert_contains(asking->error, "HTTP 404");
	assert_int_equal(asking->kind, ETCD_FOREIGN);
}

/* --- login --- */

static void a_login_comes_first_and_once(void **state)
{
	struct asking *asking = *state;

	scratch_write("password", "se\"cret\n");
	begin_as_user(asking, 1);
	plan(asking, 0, HEADER ",\"token\":\"t.1\"}");
	plan(asking, 0, HEADER "}");
	ask(asking);
	assert_null(asking->error);
	plan(asking, 0, HEADER "}");
	ask(asking);
	assert_true(responder_was_asked(
		&asking->nodes[0], 0,
		"{\"name\":\"me\",\"password\":\"se\\\"cret\"}"));
	assert_true(responder_was_asked(&asking->nodes[0], 1,
					"Authorization: t.1"));
	assert_true(responder_was_asked(&asking->nodes[0], 2,
					"Authorization: t.1"));
}

static void a_token_that_is_over_is_renewed(void **state)
{
	struct asking *asking = *state;

	scratch_write("password", "secret");
	begin_as_user(asking, 1);
	etcd_ask_lend(asking->ask, "lent");
	plan(asking, 0, OVER);
	plan(asking, 0, HEADER ",\"token\":\"t.2\"}");
	plan(asking, 0, HEADER "}");
	ask(asking);
	assert_null(asking->error);
	assert_false(asking->unsure);
	assert_true(responder_was_asked(&asking->nodes[0], 0,
					"Authorization: lent"));
	assert_true(responder_was_asked(&asking->nodes[0], 2,
					"Authorization: t.2"));
}

static void of_tokens_the_newest_is_used(void **state)
{
	struct asking *asking = *state;
	static const char *const lent[] = {"a", "a", "b", "b"};
	static const char *const used[] = {"a", "own", "b", "b"};

	scratch_write("password", "secret");
	begin_as_user(asking, 1);
	etcd_ask_lend(asking->ask, lent[0]);
	plan(asking, 0, OVER);
	plan(asking, 0, HEADER ",\"token\":\"own\"}");
	for (size_t i = 1; i < ARRAY_SIZE(lent); i++) {
		etcd_ask_lend(asking->ask, lent[i]);
		plan(asking, 0, HEADER "}");
		ask(asking);
		assert_null(asking->error);
	}
	for (size_t i = 0; i < ARRAY_SIZE(used); i++) {
		_cleanup_(mem_freep) char *header =
			mem_printf("Authorization: %s\r\n", used[i]);

		assert_true(responder_was_asked(&asking->nodes[0],
						i ? i + 1 : 0, header));
	}
}

static void a_new_token_that_is_over_at_once_ends_it(void **state)
{
	struct asking *asking = *state;

	scratch_write("password", "secret");
	begin_as_user(asking, 1);
	plan(asking, 0, HEADER ",\"token\":\"t.2\"}");
	plan(asking, 0, OVER);
	ask(asking);
	assert_int_equal(asking->health, ETCD_REJECTED);
	assert_int_equal(asking->nodes[0].asked, 2);
}

static void where_there_is_no_login_none_is_needed(void **state)
{
	struct asking *asking = *state;

	scratch_write("password", "secret");
	begin_as_user(asking, 1);
	plan(asking, 0, NO_AUTH);
	plan(asking, 0, HEADER "}");
	ask(asking);
	assert_null(asking->error);
	plan(asking, 0, EMPTY); /* it has been switched on */
	plan(asking, 0, HEADER ",\"token\":\"t.3\"}");
	plan(asking, 0, HEADER "}");
	ask(asking);
	assert_null(asking->error);
	assert_int_equal(asking->nodes[0].asked, 5);
}

static void without_its_password_it_says_so(void **state)
{
	struct asking *asking = *state;

	begin_as_user(asking, 2);
	ask(asking);
	assert_int_equal(asking->health, ETCD_REJECTED);
	assert_contains(asking->error, "password_file in [site]");
	assert_int_equal(asking->nodes[0].asked, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(a_question_is_answered),
		TEST(a_refusal_is_an_answer),
		TEST(who_is_closed_meanwhile_says_nothing),
		TEST(it_may_be_closed_by_who_is_answered),
		TEST(the_next_node_is_asked_when_one_has_no_leader),
		TEST(a_broken_connection_leaves_open_whether_it_was_done),
		TEST(of_all_nodes_the_gravest_fault_is_told),
		TEST(a_login_comes_first_and_once),
		TEST(a_token_that_is_over_is_renewed),
		TEST(of_tokens_the_newest_is_used),
		TEST(a_new_token_that_is_over_at_once_ends_it),
		TEST(where_there_is_no_login_none_is_needed),
		TEST(without_its_password_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
