#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/rollout.h"

#include "base/buf.h"
#include "base/mem.h"

#define NOW 1764430000

static const char json[] =
	"{\"format\":1,\"id\":\"9f3c2a5b7d114e60\",\"state\":\"running\","
	"\"share\":100,\"text\":\"x = 1\\n\",\"of\":1200,"
	"\"stages\":[100,1000,10000],\"every\":600,\"stop_when\":\"broken>0\","
	"\"stepped\":1764430000,\"started\":1764430000,\"by\":\"a@b\","
	"\"reason\":\"why not\",\"why\":\"\",\"put\":\"5d0c7b1e9a3f2468\"}";

static void reads(struct rollout *rollout, const char *text)
{
	assert_true(rollout_parse(rollout, str_from(text)));
}

static void what_is_written_is_read(void **state)
{
	struct rollout rollout;
	_cleanup_(buf_deinit) struct buf again = BUF_INIT;

	(void)state;
	reads(&rollout, json);
	assert_true(str_is(rollout.text, "x = 1\n"));
	assert_int_equal(rollout.of, 1200);
	assert_int_equal(rollout_share(&rollout), 100);
	rollout_write(&again, &rollout);
	assert_string_equal(buf_str(&again).ptr, json);
	rollout_deinit(&rollout);
}

/* json with @from replaced by @to. */
static char *with(const char *from, const char *to)
{
	const char *at = strstr(json, from);

	assert_non_null(at);
	return mem_printf("%.*s%s%s", (int)(at - json), json, to,
			  at + strlen(from));
}

static void what_is_none_is_refused(void **state)
{
	static const char *const wrong[][2] = {
		{"\"format\":1", "\"format\":2"},
		{"\"share\":100", "\"share\":101"},
		{"\"share\":100", "\"share\":\"100\""},
		{"[100,1000,10000]", "[]"},
		{"[100,1000,10000]", "[1000,100]"},
		{"[100,1000,10000]", "[100,\"x\"]"},
		{"running", "walking"},
		{"\"every\":600", "\"every\":-1"},
		{"broken>0", "broken"},
		{"\"id\"", "\"ad\""},
		{"\"text\":\"x = 1\\n\"", "\"text\":null"},
	};
	struct rollout rollout;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_(mem_freep) char *text =
			with(wrong[i][0], wrong[i][1]);

		assert_false(rollout_parse(&rollout, str_from(text)));
	}
	assert_false(rollout_parse(&rollout, STR("")));
	assert_false(rollout_parse(&rollout, STR("[]")));
}

static enum rollout_verdict judge(const struct rollout *rollout,
				  struct plan_tally tally, int64_t now)
{
	_cleanup_(buf_deinit) struct buf why = BUF_INIT;
	enum rollout_verdict verdict =
		rollout_judge(rollout, &tally, now, &why);

	assert_int_equal(verdict == ROLLOUT_STOP, why.len > 0);
	return verdict;
}

static void a_stage_has_its_time(void **state)
{
	const struct plan_tally well = {.reached = 3, .taken = 3};
	struct rollout rollout;

	(void)state;
	reads(&rollout, json);
	assert_int_equal(judge(&rollout, well, NOW), ROLLOUT_WAIT);
	assert_int_equal(judge(&rollout, well, NOW + 599), ROLLOUT_WAIT);
	assert_int_equal(judge(&rollout, well, NOW + 600), ROLLOUT_NEXT);
	rollout.stage = 2;
	assert_int_equal(judge(&rollout, well, NOW + 599), ROLLOUT_WAIT);
	assert_int_equal(judge(&rollout, well, NOW + 600), ROLLOUT_END);
	rollout_deinit(&rollout);
}

static void a_clock_that_is_behind_makes_nobody_wait_for_ever(void **state)
{
	struct rollout rollout;

	(void)state;
	reads(&rollout, json);
	assert_int_equal(rollout_left(&rollout, NOW - 86400), 600);
	rollout_deinit(&rollout);
}

static void the_last_share_may_be_less_than_all(void **state)
{
	_cleanup_(mem_freep) char *text = with("[100,1000,10000]", "[100]");
	struct rollout rollout;

	(void)state;
	reads(&rollout, text);
	assert_int_equal(judge(&rollout, (struct plan_tally){0}, NOW + 600),
			 ROLLOUT_REST);
	rollout_deinit(&rollout);
}

static void a_limit_stops_it_at_any_time(void **state)
{
	const struct plan_tally bad = {.reached = 3, .taken = 2, .broken = 1};
	struct rollout rollout;

	(void)state;
	reads(&rollout, json);
	assert_int_equal(judge(&rollout, bad, NOW), ROLLOUT_STOP);
	assert_int_equal(judge(&rollout, bad, NOW + 600), ROLLOUT_STOP);
	rollout.state = ROLLOUT_STOPPED;
	assert_int_equal(judge(&rollout, bad, NOW + 600), ROLLOUT_REST);
	rollout_deinit(&rollout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(a_stage_has_its_time),
		cmocka_unit_test(
			a_clock_that_is_behind_makes_nobody_wait_for_ever),
		cmocka_unit_test(the_last_share_may_be_less_than_all),
		cmocka_unit_test(a_limit_stops_it_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
