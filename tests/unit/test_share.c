#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/share.h"

#define HOSTS 100000U

static struct str name_host(char name[16], unsigned int number)
{
	int len = snprintf(name, 16, "host-%u", number);

	return (struct str){name, (size_t)len};
}

/* What another program computes by the formula in the header; whoever changes
 * one of these splits every fleet. */
static void a_place_is_the_same_for_ever(void **state)
{
	static const struct {
		struct str machine, subject;
		unsigned int place;
	} known[] = {
		{{"", 0}, {"", 0}, 4304},
		{{"2b753f02e50d47cfa04475b049775a43", 32}, {"a", 1}, 2940},
		{{"2b753f02e50d47cfa04475b049775a43", 32},
		 {"gpu.conf 17", 11},
		 4420},
		{{"m", 1}, {"\xc3\xa9", 2}, 1149},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		assert_int_equal(share_of(known[i].machine, known[i].subject),
				 known[i].place);
}

static void what_ends_the_machine_does_not_begin_the_subject(void **state)
{
	(void)state;
	assert_int_not_equal(share_of(STR("ab"), STR("c")),
			     share_of(STR("a"), STR("bc")));
}

/* Of 100,000 hosts with numbers for names each percent has its thousand, by
 * chi-squared with 99 degrees of freedom: more than 149 comes once in a
 * thousand subjects, and these are the same in each run. */
static void hosts_are_spread_evenly(void **state)
{
	static const char *const subjects[] = {"a", "b", "67 2026-11-29"};

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(subjects); s++) {
		unsigned int counts[100] = {0};
		double chi = 0;
		char name[16];

		for (unsigned int i = 0; i < HOSTS; i++) {
			unsigned int place = share_of(name_host(name, i),
						      str_from(subjects[s]));

			assert_true(place < SHARE_WHOLE);
			counts[place / SHARE_PERCENT]++;
		}
		for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
			chi += (counts[i] - 1000.0) * (counts[i] - 1000.0) /
			       1000.0;
		assert_true(chi > 50 && chi < 149);
	}
}

/* A tenth of the tenth: who goes first for one does not for the next. */
static void another_subject_shuffles_anew(void **state)
{
	unsigned int both = 0;
	char name[16];

	(void)state;
	for (unsigned int i = 0; i < HOSTS; i++) {
		struct str host = name_host(name, i);

		both += share_of(host, STR("one")) < SHARE_WHOLE / 10 &&
			share_of(host, STR("two")) < SHARE_WHOLE / 10;
	}
	assert_in_range(both, 900, 1100);
}

static void a_percentage_has_two_decimals_at_most(void **state)
{
	static const struct {
		const char *text;
		int64_t share; /* 0: it is none */
	} cases[] = {
		{"100", 10000}, {"12.5", 1250},  {"12.05", 1205},
		{"0.01", 1},    {"007.50", 750}, {"0", 0},
		{"0.00", 0},    {"0.001", 0},    {"100.01", 0},
		{"101", 0},     {"", 0},         {".", 0},
		{"5.", 0},      {".5", 0},       {"1.2.3", 0},
		{"1.-5", 0},    {"-1", 0},       {"+1", 0},
		{" 1", 0},      {"1e1", 0},      {"99999999999999999999", 0},
	};
	int64_t share;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool read = share_read(str_from(cases[i].text), &share);

		if (read != (cases[i].share != 0) ||
		    (read && share != cases[i].share))
			fail_msg("%s", cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_percentage_has_two_decimals_at_most),
		cmocka_unit_test(a_place_is_the_same_for_ever),
		cmocka_unit_test(
			what_ends_the_machine_does_not_begin_the_subject),
		cmocka_unit_test(hosts_are_spread_evenly),
		cmocka_unit_test(another_subject_shuffles_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
