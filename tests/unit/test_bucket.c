#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetch/bucket.h"

static unsigned int take_all(struct bucket *bucket, uint64_t now_ms)
{
	unsigned int count = 0;

	while (bucket_take(bucket, now_ms))
		count++;
	return count;
}

static void a_minutes_worth_may_go_at_once(void **state)
{
	struct bucket bucket = BUCKET_INIT;

	(void)state;
	assert_int_equal(take_all(&bucket, 5000), BUCKET_PER_MINUTE);
	assert_int_equal(bucket_wait(&bucket, 5000), 1000);
}

static void then_comes_one_a_second(void **state)
{
	struct bucket bucket = BUCKET_INIT;

	(void)state;
	(void)take_all(&bucket, 0);
	assert_false(bucket_take(&bucket, 999));
	assert_int_equal(bucket_wait(&bucket, 999), 1);
	assert_true(bucket_take(&bucket, 1000));
	assert_false(bucket_take(&bucket, 1000));
	assert_int_equal(take_all(&bucket, 11000), 10);
}

/* Whatever the pattern, an hour has no more than 60 minutes and a bucket. */
static void a_loop_gone_wild_is_capped(void **state)
{
	struct bucket bucket = BUCKET_INIT;
	unsigned int count = 0;

	(void)state;
	for (uint64_t ms = 0; ms < 3600000; ms += 7)
		count += bucket_take(&bucket, ms);
	assert_in_range(count, BUCKET_PER_MINUTE * 60, BUCKET_PER_MINUTE * 61);
}

static void rest_fills_it_but_no_further(void **state)
{
	struct bucket bucket = BUCKET_INIT;

	(void)state;
	assert_true(bucket_is_full(&bucket, 0));
	(void)take_all(&bucket, 0);
	assert_false(bucket_is_full(&bucket, 59999));
	assert_true(bucket_is_full(&bucket, 60000));
	assert_int_equal(take_all(&bucket, UINT64_MAX), BUCKET_PER_MINUTE);
}

static void a_clock_that_goes_back_gives_nothing(void **state)
{
	struct bucket bucket = BUCKET_INIT;

	(void)state;
	(void)take_all(&bucket, 100000);
	assert_false(bucket_take(&bucket, 0));
	assert_int_equal(take_all(&bucket, 101000), 1);
}

static void it_may_grow_and_shrink(void **state)
{
	struct bucket bucket = BUCKET_INIT;

	(void)state;
	(void)take_all(&bucket, 0);
	bucket.per_minute += 30;
	assert_int_equal(take_all(&bucket, 0), 30);
	bucket.per_minute -= 30;
	assert_int_equal(bucket_wait(&bucket, 0), 31000);
	assert_false(bucket_take(&bucket, 30999));
	assert_true(bucket_take(&bucket, 31000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minutes_worth_may_go_at_once),
		cmocka_unit_test(then_comes_one_a_second),
		cmocka_unit_test(a_loop_gone_wild_is_capped),
		cmocka_unit_test(rest_fills_it_but_no_further),
		cmocka_unit_test(a_clock_that_goes_back_gives_nothing),
		cmocka_unit_test(it_may_grow_and_shrink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
