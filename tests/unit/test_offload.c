#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "serve/offload.h"
#include "serve/out.h"
#include "serve/peer.h"
#include "serve/pending.h"
#include "serve/request.h"

#define BYTES 100 /* what each job is charged */

/* Jobs in the order in which their turns came. */
struct stage {
	uv_loop_t loop;
	struct quota quota;
	struct offload offload;
	struct service service;
	struct out out;
	bool gone; /* the workspace */
	int pinned[16];
	size_t pins, freed, dues, closed;
};

struct marked_job {
	struct job job;
	struct stage *stage;
	int mark;
};

static struct marked_job *marked(struct job *job)
{
	return CONTAINER_OF(job, struct marked_job, job);
}

static void pin(struct job *job, const struct view *view)
{
	struct stage *stage = marked(job)->stage;

	assert_string_equal(view->workspace, "one");
	assert_in_range(stage->pins, 0, ARRAY_SIZE(stage->pinned) - 1);
	stage->pinned[stage->pins++] = marked(job)->mark;
}

static void run(struct job *job, struct out *out)
{
	buf_printf(&out->bytes, "reply %d", marked(job)->mark);
	buf_putc(&out->bytes, '\0');
}

static void count_free(struct job *job)
{
	marked(job)->stage->freed++;
	mem_free(job);
}

static const struct job_kind kind = {pin, run, count_free};

static bool view(void *data, const char *workspace, struct view *view)
{
	const struct stage *stage = data;

	*view = (struct view){.workspace = workspace};
	return !stage->gone;
}

static struct stage *stage_of(struct offload *offload)
{
	return CONTAINER_OF(offload, struct stage, offload);
}

static void on_due(struct offload *offload)
{
	stage_of(offload)->dues++;
}

static void on_closed(struct offload *offload)
{
	stage_of(offload)->closed++;
}

static int make_stage(void **state)
{
	struct stage *stage = mem_alloc(sizeof(*stage));

	stage->service = (struct service){.data = stage, .view = view};
	quota_init(&stage->quota);
	stage->quota.limits[QUOTA_BYTES] = (size_t)1000 * BYTES;
	(void)uv_loop_init(&stage->loop);
	offload_init(&stage->offload, &stage->loop);
	stage->offload.on_due = on_due;
	stage->offload.on_closed = on_closed;
	*state = stage;
	return 0;
}

/* Nobody is charged for anything any more. */
static int free_stage(void **state)
{
	struct stage *stage = *state;

	assert_true(list_is_empty(&stage->quota.accounts));
	quota_deinit(&stage->quota);
	assert_int_equal(uv_loop_close(&stage->loop), 0);
	out_deinit(&stage->out);
	mem_free(stage);
	return 0;
}

/* A job of @uid, which is known by its @mark; NULL: it was answered at once. */
static struct pending *add(struct stage *stage, uid_t uid, int mark)
{
	struct peer peer = {.user.uid = uid};
	struct request request = {
		.service = &stage->service,
		.view.workspace = "one",
		.peer = &peer,
		.quota = &stage->quota,
		.offload = &stage->offload,
		.out = &stage->out,
	};
	struct marked_job *job = mem_alloc(sizeof(*job));

	job->job.kind = &kind;
	job->stage = stage;
	job->mark = mark;
	offload_add(&request, &job->job, BYTES);
	return request.pending;
}

static size_t charged(struct stage *stage, uid_t uid)
{
	return stage->quota.limits[QUOTA_BYTES] -
	       quota_bytes_left(&stage->quota, uid);
}

/* Until what is at work is done. */
static void finish(struct stage *stage)
{
	const struct job *job = stage->offload.at_work;

	while (stage->offload.at_work == job)
		(void)uv_run(&stage->loop, UV_RUN_ONCE);
}

static void finish_all(struct stage *stage)
{
	do {
		if (stage->offload.at_work)
			finish(stage);
		offload_go_on(&stage->offload);
	} while (stage->offload.at_work);
}

static void assert_reply(const struct pending *pending, const char *text)
{
	assert_true(pending_has_reply(pending));
	assert_string_equal(pending->reply->data, text);
}

static void one_is_at_work(void **state)
{
	struct stage *stage = *state;
	struct pending *first = add(stage, 7, 1), *second = add(stage, 7, 2);

	assert_int_equal(stage->pins, 1);
	finish(stage);
	assert_reply(first, "reply 1");
	assert_false(pending_has_reply(second));
	assert_int_equal(stage->pins, 1);
	assert_int_equal(stage->dues, 1);
	finish_all(stage);
	assert_reply(second, "reply 2");
	assert_int_equal(stage->freed, 2);
	assert_int_equal(charged(stage, 7), 2 * BYTES);
	pending_free(first);
	pending_free(second);
}

static void users_take_turns(void **state)
{
	static const struct {
		uid_t uid;
		int mark;
	} jobs[] = {{7, 1}, {7, 2}, {7, 3}, {7, 4}, {8, 11}, {8, 12}, {9, 21}};
	static const int order[] = {1, 11, 21, 2, 12, 3, 4};
	struct pending *pending[ARRAY_SIZE(jobs)];
	struct stage *stage = *state;

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		pending[i] = add(stage, jobs[i].uid, jobs[i].mark);
	finish_all(stage);
	assert_int_equal(stage->pins, ARRAY_SIZE(order));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(stage->pinned[i], order[i]);
		pending_free(pending[i]);
	}
}

/* Who hangs up has not made room for his next one. */
static void what_nobody_waits_for_keeps_its_turn_and_its_charge(void **state)
{
	struct stage *stage = *state;
	struct pending *gone = add(stage, 7, 1), *last;
	struct job *at_work = stage->offload.at_work;

	pending_free(gone);
	assert_ptr_equal(stage->offload.at_work, at_work);
	assert_int_equal(charged(stage, 7), BYTES);
	last = add(stage, 7, 2);
	assert_int_equal(stage->pins, 1);
	assert_int_equal(charged(stage, 7), 2 * BYTES);
	finish_all(stage);
	assert_int_equal(stage->freed, 2);
	assert_int_equal(charged(stage, 7), BYTES);
	assert_reply(last, "reply 2");
	pending_free(last);
}

static void what_waits_for_its_turn_is_forgotten_with_who_waits(void **state)
{
	struct stage *stage = *state;
	struct pending *first = add(stage, 7, 1), *second = add(stage, 8, 2);

	pending_free(second);
	assert_int_equal(stage->freed, 1);
	assert_int_equal(charged(stage, 8), 0);
	finish_all(stage);
	assert_int_equal(stage->pins, 1);
	pending_free(first);
}

static void who_has_too_much_waiting_is_refused(void **state)
{
	struct stage *stage = *state;
	struct pending *first;

	stage->quota.limits[QUOTA_BYTES] = BYTES;
	first = add(stage, 7, 1);
	assert_null(add(stage, 7, 2));
	assert_int_equal(stage->freed, 1);
	assert_string_equal(buf_str(&stage->out.bytes).ptr,
			    "{\"error\":\"io.clearconf.QuotaExceeded\","
			    "\"parameters\":{\"quota\":\"bytes_per_user\","
			    "\"limit\":100}}");
	finish_all(stage);
	pending_free(first);
}

/* As when a reload has taken away what they are all about. */
static void thousands_that_fail_do_not_call_each_other(void **state)
{
	enum { MANY = 20000 };
	struct pending **all = mem_alloc(MANY * sizeof(struct pending *));
	struct stage *stage = *state;
	size_t turns = 0;

	for (size_t i = 0; i < MANY; i++)
		all[i] = add(stage, (uid_t)(i % 50), 1);
	stage->gone = true;
	finish(stage);
	while (stage->offload.due) {
		assert_int_equal(stage->freed, turns + 1);
		offload_go_on(&stage->offload);
		turns++;
	}
	assert_int_equal(turns, MANY - 1);
	for (size_t i = 1; i < MANY; i++)
		assert_reply(all[i], "{\"error\":\"io.clearconf.NotReady\","
				     "\"parameters\":{\"reason\":"
				     "\"the workspace is gone meanwhile\"}}");
	for (size_t i = 0; i < MANY; i++)
		pending_free(all[i]);
	mem_free(all);
}

static void it_closes_at_once_when_nothing_is_at_work(void **state)
{
	struct stage *stage = *state;
	struct pending *first = add(stage, 7, 1), *second = add(stage, 7, 2);

	finish(stage);
	pending_free(first);
	pending_free(second);
	offload_close(&stage->offload);
	assert_int_equal(stage->closed, 1);
	offload_go_on(&stage->offload);
	assert_int_equal(stage->closed, 1);
}

static void it_closes_when_the_work_is_done(void **state)
{
	struct stage *stage = *state;

	pending_free(add(stage, 7, 1));
	offload_close(&stage->offload);
	assert_int_equal(stage->closed, 0);
	finish(stage);
	assert_int_equal(stage->closed, 1);
	assert_int_equal(stage->freed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_stage, free_stage)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(one_is_at_work),
		TEST(users_take_turns),
		TEST(what_nobody_waits_for_keeps_its_turn_and_its_charge),
		TEST(what_waits_for_its_turn_is_forgotten_with_who_waits),
		TEST(who_has_too_much_waiting_is_refused),
		TEST(thousands_that_fail_do_not_call_each_other),
		TEST(it_closes_at_once_when_nothing_is_at_work),
		TEST(it_closes_when_the_work_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
