#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "serve/errand.h"
#include "serve/out.h"
#include "serve/service.h"
#include "serve/turns.h"

#define ERRANDS 16

/* Who was begun, in their order; the service does nothing by itself. */
struct stage {
	struct quota quota;
	struct turns turns;
	struct service service;
	struct errand *begun[ERRANDS];
	size_t count;
	int busy;   /* 1 between on_begin and on_end */
	bool fails; /* the service: each errand, at once */
};

static void begin(void *data, struct errand *errand)
{
	struct stage *stage = data;

	if (stage->fails) {
		stage->count++;
		errand_finish(errand, shared_new(STR("x")));
		return;
	}
	stage->begun[stage->count++] = errand;
}

static struct stage *stage_of(struct turns *turns)
{
	return CONTAINER_OF(turns, struct stage, turns);
}

static void on_begin(struct turns *turns)
{
	stage_of(turns)->busy++;
}

static void on_end(struct turns *turns)
{
	stage_of(turns)->busy--;
}

static void on_due(struct turns *turns)
{
	(void)turns; /* a loop would call turns_begin_next now and then */
}

static void stage_init(struct stage *stage)
{
	*stage = (struct stage){.service = {.data = stage, .begin = begin}};
	quota_init(&stage->quota);
	stage->quota.limits[QUOTA_BYTES] = 1000000;
	turns_init(&stage->turns, NULL);
	stage->turns.on_begin = on_begin;
	stage->turns.on_end = on_end;
	stage->turns.on_due = on_due;
}

/* An errand of @uid, which is known by its @mark. */
static struct errand *add(struct stage *stage, uid_t uid, int mark)
{
	struct errand *errand = mem_alloc(sizeof(*errand));

	errand->kind = ERRAND_GET;
	errand->lifetime = mark;
	errand->service = &stage->service;
	list_init(&errand->link);
	assert_true(charge_take(&errand->charge, &stage->quota, uid,
				QUOTA_BYTES, 1));
	turns_add(&stage->turns, errand);
	return errand;
}

/* Finish what is at work; its mark. */
static int finish(struct stage *stage)
{
	struct errand *errand = stage->turns.at_work;
	int mark = (int)errand->lifetime;
	bool abandoned = errand->abandoned;

	errand_finish(errand, shared_new(STR("x")));
	if (!abandoned)
		errand_free(errand);
	turns_begin_next(&stage->turns);
	return mark;
}

static void one_is_at_work(void **state)
{
	struct stage stage;

	(void)state;
	stage_init(&stage);
	add(&stage, 7, 1);
	add(&stage, 7, 2);
	assert_int_equal(stage.count, 1);
	assert_int_equal(stage.busy, 1);
	assert_int_equal(finish(&stage), 1);
	assert_int_equal(stage.count, 2);
	assert_int_equal(stage.busy, 1);
	assert_int_equal(finish(&stage), 2);
	assert_int_equal(stage.busy, 0);
	quota_deinit(&stage.quota);
}

static void users_take_turns(void **state)
{
	static const int order[] = {1, 11, 2, 12, 3, 4};
	struct stage stage;

	(void)state;
	stage_init(&stage);
	for (int i = 1; i <= 4; i++)
		add(&stage, 7, i);
	add(&stage, 8, 11);
	add(&stage, 8, 12);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(finish(&stage), order[i]);
	quota_deinit(&stage.quota);
}

/* Who hangs up has not made room for his next one. */
static void what_is_not_wanted_any_more_keeps_its_turn(void **state)
{
	struct errand *gone, *waiting;
	struct stage stage;

	(void)state;
	stage_init(&stage);
	gone = add(&stage, 7, 1);
	waiting = add(&stage, 7, 2);
	add(&stage, 7, 3);
	errand_free(gone);
	errand_free(waiting);
	assert_int_equal(stage.count, 1);
	assert_ptr_equal(stage.turns.at_work, gone);
	assert_int_equal(finish(&stage), 1);
	assert_int_equal(finish(&stage), 3);
	assert_int_equal(stage.busy, 0);
	quota_deinit(&stage.quota);
}

/* As when a reload has taken away what they are all about. */
static void thousands_that_fail_do_not_call_each_other(void **state)
{
	enum { MANY = 20000 };
	struct errand **all = mem_alloc(MANY * sizeof(struct errand *));
	struct stage stage;
	size_t turns = 0;

	(void)state;
	stage_init(&stage);
	for (size_t i = 0; i < MANY; i++)
		all[i] = add(&stage, (uid_t)(i % 50), 1);
	stage.fails = true;
	errand_finish(all[0], shared_new(STR("x")));
	while (stage.turns.due) {
		size_t before = stage.count;

		turns_begin_next(&stage.turns);
		assert_int_equal(stage.count, before + 1);
		turns++;
	}
	assert_int_equal(turns, MANY - 1);
	assert_int_equal(stage.busy, 0);
	for (size_t i = 0; i < MANY; i++)
		errand_free(all[i]);
	mem_free(all);
	quota_deinit(&stage.quota);
}

/* Who is due may be gone before the loop comes to it. */
static void work_ends_when_those_who_waited_have_gone(void **state)
{
	struct errand *first, *waiting;
	struct stage stage;

	(void)state;
	stage_init(&stage);
	first = add(&stage, 7, 1);
	waiting = add(&stage, 7, 2);
	errand_finish(first, shared_new(STR("x")));
	errand_free(first);
	errand_free(waiting);
	assert_int_equal(stage.busy, 1);
	turns_begin_next(&stage.turns);
	assert_int_equal(stage.busy, 0);
	assert_int_equal(stage.count, 1);
	quota_deinit(&stage.quota);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_at_work),
		cmocka_unit_test(users_take_turns),
		cmocka_unit_test(thousands_that_fail_do_not_call_each_other),
		cmocka_unit_test(work_ends_when_those_who_waited_have_gone),
		cmocka_unit_test(what_is_not_wanted_any_more_keeps_its_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
