#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/mem.h"
#include "fetch/poll_phase.h"

#define HALF    (UINT32_C(1) << 31)
#define QUARTER (UINT32_C(1) << 30)

static struct poll_phase_id id_of(const char *machine, const char *host,
				  const char *workspace)
{
	return (struct poll_phase_id){str_from(machine), str_from(host),
				      str_from(workspace)};
}

static uint32_t phase(const char *machine, const char *host,
		      const char *workspace)
{
	struct poll_phase_id id = id_of(machine, host, workspace);

	return poll_phase_of(&id);
}

/* A fleet of two releases must not fall into two halves that collide. */
static void it_is_the_same_for_ever(void **state)
{
	(void)state;
	assert_int_equal(
		phase("0123456789abcdef0123456789abcdef", "node-1", "default"),
		UINT32_C(0x481470d0));
}

static void every_part_counts(void **state)
{
	uint32_t all = phase("m", "h", "w");

	(void)state;
	assert_int_not_equal(all, phase("n", "h", "w"));
	assert_int_not_equal(all, phase("m", "i", "w"));
	assert_int_not_equal(all, phase("m", "h", "x"));
	assert_int_not_equal(all, phase("mh", "", "w"));
	assert_int_not_equal(all, phase("m", "hw", ""));
}

/* Names that differ in their last digits, as those of a cluster do. */
static void a_fleet_spreads_evenly(void **state)
{
	unsigned int seconds[60] = {0};

	(void)state;
	for (int i = 0; i < 6000; i++) {
		char host[16];

		(void)snprintf(host, sizeof(host), "node-%04d", i);
		seconds[poll_phase_part(
			phase("the-same-image", host, "default"), 60)]++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++)
		assert_in_range(seconds[i], 60, 140);
}

/* phase, interval, now -> until */
static const struct {
	uint32_t phase;
	uint64_t interval, now, until;
} table[] = {
	{0, 60000, 0, 0},
	{0, 60000, 1, 59999},
	{0, 60000, 60000, 0},
	{HALF, 60000, 0, 30000},
	{HALF, 60000, 30000, 0},
	{HALF, 60000, 30001, 59999},
	{QUARTER, 60000, 120000, 15000},
	{UINT32_MAX, 60000, 0, 59999},
	{UINT32_MAX, 1, 7, 0},
	{HALF, UINT64_MAX, 0, UINT64_MAX / 2},
};

static void the_table_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(poll_phase_until(table[i].phase,
						  table[i].interval,
						  table[i].now),
				 table[i].until);
}

static void this_host_has_one_a_workspace(void **state)
{
	(void)state;
	assert_int_equal(poll_phase_here("a"), poll_phase_here("a"));
	assert_int_not_equal(poll_phase_here("a"), poll_phase_here("b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_same_for_ever),
		cmocka_unit_test(every_part_counts),
		cmocka_unit_test(a_fleet_spreads_evenly),
		cmocka_unit_test(the_table_holds),
		cmocka_unit_test(this_host_has_one_a_workspace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
