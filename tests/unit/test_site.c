#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/responder.h"
#include "../support/scratch.h"
#include "base/diag.h"
#include "config/stack.h"
#include "engine/layers.h"
#include "fetch/base64.h"
#include "settings/settings.h"
#include "site/site.h"

#define PREFIX  "/clearconf/site/"
#define HEADER  "\"header\":{\"cluster_id\":\"77\",\"revision\":\"9\"}"
#define ALL_MAX 4

/* A node of etcd, and the site that asks it. */
struct fixture {
	uv_loop_t loop;
	struct http *http;
	struct responder node;
	bool refuses, fails;
	struct {
		const char *key, *text;
	} held[ALL_MAX]; /* by the node, in the order of keys */
	void (*meanwhile)(struct fixture *fixture); /* a range is asked for */

	struct settings *settings;
	struct site_host host;
	struct site *site;
	struct stack stack;
	unsigned int told;         /* documents */
	enum snapshot_cause cause; /* of the last time */
	bool settled, dropped;
};

/* --- the node ------------------------------------------------------------- */

/* The text of member @name of the request. */
static void decode(struct buf *text, const char *request, const char *name)
{
	_cleanup_(mem_freep) char *member = mem_printf("\"%s\":\"", name);
	const char *at = strstr(request, member);

	assert_non_null(at);
	at += strlen(member);
	assert_true(base64_read(text, (struct str){at, strcspn(at, "\"")}));
}

static void plan_range(struct fixture *fixture, const char *request)
{
	_cleanup_(buf_deinit) struct buf from = BUF_INIT, to = BUF_INIT;
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	const char *comma = "";

	decode(&from, request, "key");
	decode(&to, request, "range_end");
	buf_puts(&body, "{" HEADER ",\"kvs\":[");
	for (size_t i = 0; i < ALL_MAX && fixture->held[i].key; i++) {
		struct str key = str_from(fixture->held[i].key);

		if (str_compare(key, buf_str(&from)) < 0 ||
		    str_compare(key, buf_str(&to)) >= 0)
			continue;
		buf_printf(&body, "%s{\"mod_revision\":\"4\",\"key\":\"",
			   comma);
		base64_write(&body, key);
		buf_puts(&body, "\",\"value\":\"");
		base64_write(&body, str_from(fixture->held[i].text));
		buf_puts(&body, "\"}");
		comma = ",";
	}
	buf_puts(&body, "]}");
	responder_plan_body(&fixture->node, "200 OK", buf_str(&body));
}

/* It is set up for each span that is asked for, and tells nothing. */
static void plan_watch(struct fixture *fixture, const char *request)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	const char *id = request;

	buf_puts(&bytes, "HTTP/1.1 200 OK\r\n\r\n");
	while ((id = strstr(id, "\"watch_id\":"))) {
		id += strlen("\"watch_id\":");
		buf_printf(&bytes,
			   "{\"result\":{" HEADER ",\"watch_id\":\"%ld\","
			   "\"created\":true}}\n",
			   strtol(id, NULL, 10));
	}
	responder_plan(&fixture->node, buf_str(&bytes), RESPONDER_HOLDS);
}

static void plan(struct responder *node, const char *request)
{
	struct fixture *fixture = CONTAINER_OF(node, struct fixture, node);
	void (*meanwhile)(struct fixture * fixture) = fixture->meanwhile;

	if (strstr(request, "/v3/kv/range") && meanwhile) {
		fixture->meanwhile = NULL;
		meanwhile(fixture);
	}
	if (fixture->fails)
		responder_plan_body(node, "503 No", STR("no"));
	else if (strstr(request, "/version"))
		responder_plan_body(node, "200 OK", STR("{}"));
	else if (fixture->refuses)
		responder_plan_body(
			node, "403 No",
			STR("{\"error\":\"x\",\"message\":\"etcdserver: "
			    "permission denied\",\"code\":7}"));
	else if (strstr(request, "/v3/kv/range"))
		plan_range(fixture, request);
	else
		plan_watch(fixture, request);
}

/* --- the site ------------------------------------------------------------- */

static void on_documents(void *data, enum snapshot_cause cause)
{
	struct fixture *fixture = data;

	fixture->told++;
	fixture->cause = cause;
	fixture->dropped = cause == CAUSE_REVOKED || cause == CAUSE_STALE_LIMIT;
}

static void on_health(void *data)
{
	struct fixture *fixture = data;

	fixture->settled = site_has_asked(fixture->site);
}

static void on_save(void *data)
{
	struct fixture *fixture = data;

	site_save(fixture->site, &fixture->stack);
}

static void set_settings(struct fixture *fixture, const char *more)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(mem_freep) char *text =
		mem_printf("[site]\netcd = %s\n%s", fixture->node.url, more);
	struct settings *old = fixture->settings;

	scratch_write("clearconfd.conf", text);
	fixture->settings = settings_load(scratch_at("clearconfd.conf"), &diag);
	assert_non_null(fixture->settings);
	if (fixture->site)
		site_set_settings(fixture->site, fixture->settings);
	settings_free(old);
}

static int enter(void **state)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));

	assert_int_equal(setenv("no_proxy", "*", 1), 0);
	scratch_enter();
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	fixture->http = http_new(&fixture->loop);
	responder_start(&fixture->node, &fixture->loop);
	fixture->node.plan = plan;
	fixture->held[0].key = PREFIX "10.conf";
	fixture->held[0].text = "a: 1";
	fixture->held[1].key = PREFIX "20.conf";
	fixture->held[1].text = "b: 2";
	fixture->host = (struct site_host){
		.loop = &fixture->loop,
		.http = fixture->http,
		.state_dir = scratch_root,
		.data = fixture,
		.on_documents = on_documents,
		.on_health = on_health,
		.on_save = on_save,
	};
	stack_init(&fixture->stack);
	set_settings(fixture, "");
	*state = fixture;
	return 0;
}

static int leave(void **state)
{
	struct fixture *fixture = *state;

	site_close(fixture->site);
	http_close(fixture->http);
	responder_stop(&fixture->node);
	responder_end_loop(&fixture->loop);
	stack_deinit(&fixture->stack);
	settings_free(fixture->settings);
	mem_free(fixture);
	scratch_leave();
	return 0;
}

static void begin(struct fixture *fixture)
{
	fixture->site = site_new(&fixture->host, fixture->settings);
	assert_non_null(fixture->site);
	fixture->settled = false;
}

static void wait_until_settled(struct fixture *fixture)
{
	fixture->settled = false;
	responder_run(&fixture->loop, &fixture->settled);
}

static void begin_well(struct fixture *fixture)
{
	begin(fixture);
	wait_until_settled(fixture);
	assert_true(site_is_well(fixture->site));
}

/* What the daemon does with documents: they are read in a stack, and saved. */
static void read_and_save(struct fixture *fixture)
{
	const struct layer_context context =
		layers_context(fixture->settings, NULL, NULL);

	(void)layers_set_documents(&fixture->stack, fixture->site);
	(void)stack_read(&fixture->stack, &context);
	site_save(fixture->site, &fixture->stack);
}

/* As another process, which finds what the first one saved. */
static void begin_again(struct fixture *fixture)
{
	uv_handle_t *listener = (uv_handle_t *)&fixture->node.listener;

	site_close(TAKE(fixture->site));
	uv_unref(listener);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	uv_ref(listener);
	begin(fixture);
}

static void assert_documents(const struct fixture *fixture, const char *names)
{
	const struct site_docs *docs = &fixture->site->docs;
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	for (size_t i = 0; i < docs->count; i++)
		buf_printf(&text, "%s%s", i ? " " : "",
			   strrchr(docs->items[i].key, '/') + 1);
	assert_string_equal(buf_str(&text).ptr, names);
}

/* --- claims --------------------------------------------------------------- */

static void without_etcd_there_is_none(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(settings_freep) struct settings *none = settings_new();

	assert_null(site_new(&fixture->host, none));
	assert_true(site_is_well(NULL));
	assert_true(site_has_asked(NULL));
	assert_false(site_is_starting(NULL));
	assert_null(site_problem(NULL));
}

static void what_etcd_has_is_told(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	assert_true(site_is_starting(fixture->site));
	assert_false(site_has_asked(fixture->site));
	assert_documents(fixture, "");
	wait_until_settled(fixture);
	assert_true(site_is_well(fixture->site));
	assert_false(site_is_starting(fixture->site));
	assert_documents(fixture, "10.conf 20.conf");
	assert_int_equal(fixture->cause, CAUSE_SITE);
	assert_int_equal(site_lag(fixture->site), 0);
	assert_int_equal(site_stale(fixture->site), -1);
}

static void what_is_gone_from_etcd_is_gone(void **state)
{
	struct fixture *fixture = *state;

	begin_well(fixture);
	fixture->held[1].key = NULL;
	fixture->told = 0;
	site_refresh(fixture->site);
	while (!fixture->told)
		(void)uv_run(&fixture->loop, UV_RUN_ONCE);
	assert_documents(fixture, "10.conf");
}

static void who_is_refused_goes_on_for_the_grace(void **state)
{
	struct fixture *fixture = *state;

	begin_well(fixture);
	fixture->refuses = true;
	site_refresh(fixture->site);
	wait_until_settled(fixture);
	assert_false(site_is_well(fixture->site));
	assert_documents(fixture, "10.conf 20.conf");
	assert_non_null(
		strstr(site_problem(fixture->site), "permission denied"));
	assert_true(fixture->site->last_good.refused);
}

static void after_the_grace_its_documents_go(void **state)
{
	struct fixture *fixture = *state;

	set_settings(fixture, "[poll]\nrevoked_grace = 0\n");
	begin_well(fixture);
	fixture->refuses = true;
	site_refresh(fixture->site);
	responder_run(&fixture->loop, &fixture->dropped);
	assert_int_equal(fixture->cause, CAUSE_REVOKED);
	assert_documents(fixture, "");
}

static void after_the_stale_limit_they_go_too(void **state)
{
	struct fixture *fixture = *state;

	set_settings(fixture, "[poll]\nstale_limit = 1ms\n");
	begin_well(fixture);
	fixture->fails = true;
	site_refresh(fixture->site);
	responder_run(&fixture->loop, &fixture->dropped);
	assert_int_equal(fixture->cause, CAUSE_STALE_LIMIT);
	assert_documents(fixture, "");
}

static void documents_of_an_earlier_process_are_there_at_once(void **state)
{
	struct fixture *fixture = *state;

	begin_well(fixture);
	read_and_save(fixture);
	fixture->fails = true;
	begin_again(fixture);
	assert_documents(fixture, "10.conf 20.conf");
	assert_false(site_is_starting(fixture->site));
	assert_false(site_is_well(fixture->site));
}

static void those_that_have_lapsed_are_not(void **state)
{
	struct fixture *fixture = *state;

	begin_well(fixture);
	fixture->site->last_good.good_ms -= 31 * INT64_C(86400) * 1000;
	read_and_save(fixture);
	fixture->fails = true;
	begin_again(fixture);
	assert_documents(fixture, "");
	assert_true(site_is_starting(fixture->site));
}

static void offline_the_cache_is_all(void **state)
{
	struct fixture *fixture = *state;
	size_t asked;

	begin_well(fixture);
	read_and_save(fixture);
	fixture->host.offline = true;
	asked = fixture->node.asked;
	begin_again(fixture);
	assert_documents(fixture, "10.conf 20.conf");
	assert_null(fixture->site->etcd);
	assert_true(site_has_asked(fixture->site));
	assert_int_equal(fixture->node.asked, asked);
}

static void another_prefix_has_other_documents(void **state)
{
	struct fixture *fixture = *state;

	fixture->held[2].key = "/other/30.conf";
	fixture->held[2].text = "c: 3";
	begin_well(fixture);
	set_settings(fixture, "prefix = /other\n");
	assert_documents(fixture, "");
	assert_false(fixture->site->last_good.kept);
	wait_until_settled(fixture);
	assert_documents(fixture, "30.conf");
}

static void equal_settings_only_read_again(void **state)
{
	struct fixture *fixture = *state;
	const struct etcd *etcd;

	begin_well(fixture);
	etcd = fixture->site->etcd;
	set_settings(fixture, "");
	assert_ptr_equal(fixture->site->etcd, etcd);
	assert_true(site_is_asking(fixture->site));
	assert_documents(fixture, "10.conf 20.conf");
}

static void move_meanwhile(struct fixture *fixture)
{
	set_settings(fixture, "prefix = /other\n");
}

static void the_answer_to_settings_that_are_gone_is_nobodys(void **state)
{
	struct fixture *fixture = *state;

	fixture->held[2].key = "/other/30.conf";
	fixture->held[2].text = "c: 3";
	fixture->meanwhile = move_meanwhile;
	begin(fixture);
	wait_until_settled(fixture);
	assert_documents(fixture, "30.conf");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(without_etcd_there_is_none),
		TEST(what_etcd_has_is_told),
		TEST(what_is_gone_from_etcd_is_gone),
		TEST(who_is_refused_goes_on_for_the_grace),
		TEST(after_the_grace_its_documents_go),
		TEST(after_the_stale_limit_they_go_too),
		TEST(documents_of_an_earlier_process_are_there_at_once),
		TEST(those_that_have_lapsed_are_not),
		TEST(offline_the_cache_is_all),
		TEST(another_prefix_has_other_documents),
		TEST(equal_settings_only_read_again),
		TEST(the_answer_to_settings_that_are_gone_is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
