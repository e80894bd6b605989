#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "../support/jwt.h"

#include "fetch/token.h"

#define AHEAD 360

/* left, lifetime, random -> used for */
static const struct {
	int64_t left, lifetime;
	uint32_t random;
	int64_t after;
} table[] = {
	/* 30 days, renewed six minutes before the end, or a tenth earlier. */
	{2592000, 2592000, 0, 2591640},
	{2592000, 2592000, UINT32_MAX, 2332477},
	/* Never more than half of the life is given away. */
	{60, 60, 0, 30},
	{360, 360, 0, 180},
	{1, 1, 0, 1},
	/* An old token: what is left of it decides. */
	{1000, 2592000, 0, 640},
	{100, 2592000, 0, 0},
	/* Over, or over before it began. */
	{0, 3600, 0, -1},
	{-1, -1, 0, -1},
	{INT64_MIN + 1, 3600, 0, -1},
};

static void the_table_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(token_renew_after(table[i].left,
						   table[i].lifetime, AHEAD,
						   table[i].random),
				 table[i].after);
}

static char *token_text(int64_t issued, int64_t expires)
{
	_cleanup_(mem_freep) char *claims =
		mem_printf("{\"iat\":%lld,\"exp\":%lld}", (long long)issued,
			   (long long)expires);

	return jwt_make(claims);
}

static void set_foreign(struct token *token, int64_t issued, int64_t expires)
{
	_cleanup_(mem_freep) char *text = token_text(issued, expires);

	token_set_foreign(token, str_from(text), AHEAD);
}

static void a_token_somebody_brought_is_as_old_as_it_says(void **state)
{
	_cleanup_(token_deinit) struct token token = {0};
	int64_t now = time(NULL);

	(void)state;
	set_foreign(&token, now - 100000, now + 100000);
	assert_false(token_wants_renewal(&token));
	set_foreign(&token, now - 100000, now + 100);
	assert_true(token_wants_renewal(&token));
}

static void a_token_brought_too_late_is_renewed_first(void **state)
{
	_cleanup_(token_deinit) struct token token = {0};
	int64_t now = time(NULL);

	(void)state;
	set_foreign(&token, now - 200, now - 100);
	assert_true(token_wants_renewal(&token));
	assert_true(token_is_usable(&token));
	token_postpone(&token);
	assert_false(token_wants_renewal(&token));
}

/* Of what does not fit 64 bits, and of what nobody will live to see. */
static void ends_beyond_all_days_are_never(void **state)
{
	static const char *const claims[] = {
		"{\"iat\":1000,\"exp\":123456789012345678901234567890}",
		"{\"iat\":1000,\"exp\":9223372036854775807}",
		"{\"iat\":-9223372036854775808,\"exp\":1e300}",
		"{\"iat\":123456789012345678901234567890}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		_cleanup_(token_deinit) struct token token = {0};
		_cleanup_(mem_freep) char *text = jwt_make(claims[i]);

		token_set(&token, str_from(text), AHEAD);
		assert_int_equal(token.renew_at, -1);
		token_set_foreign(&token, str_from(text), AHEAD);
		assert_int_equal(token.renew_at, -1);
	}
}

/* The server's clock and ours may be years apart. */
static void a_fresh_token_is_new_whatever_the_clock(void **state)
{
	static const int64_t begins[] = {1000, 4000000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		_cleanup_(token_deinit) struct token token = {0};
		_cleanup_(mem_freep) char *text =
			token_text(begins[i], begins[i] + 3600);

		token_set(&token, str_from(text), AHEAD);
		assert_false(token_wants_renewal(&token));
		assert_true(token.renew_at > 0);
	}
}

static void a_short_life_does_not_make_a_loop_of_logins(void **state)
{
	_cleanup_(token_deinit) struct token token = {0};
	_cleanup_(mem_freep) char *brief = token_text(1000, 1001);
	_cleanup_(mem_freep) char *over = token_text(1000, 999);
	struct timespec now;

	(void)state;
	token_set(&token, str_from(brief), AHEAD);
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	assert_true(token.renew_at > now.tv_sec + 5);
	token_set(&token, str_from(over), AHEAD);
	assert_false(token_wants_renewal(&token));
	assert_int_equal(token.renew_at, -1);
}

static void no_expiry_is_never(void **state)
{
	_cleanup_(token_deinit) struct token token = {0};
	_cleanup_(mem_freep) char *text = jwt_make("{\"iat\":1000}");

	(void)state;
	token_set(&token, str_from(text), AHEAD);
	assert_int_equal(token.renew_at, -1);
	token_set_foreign(&token, STR("no JWT at all"), AHEAD);
	assert_int_equal(token.renew_at, -1);
	assert_string_equal(token.text, "no JWT at all");
}

static void only_the_token_that_was_sent_is_rejected(void **state)
{
	_cleanup_(token_deinit) struct token token = {0};
	unsigned int first;

	(void)state;
	token_set(&token, STR("first"), AHEAD);
	first = token.serial;
	token_set(&token, STR("second"), AHEAD);
	token_reject(&token, first);
	assert_true(token_is_usable(&token));
	token_reject(&token, token.serial);
	assert_false(token_is_usable(&token));
}

static void a_failed_renewal_is_put_off(void **state)
{
	_cleanup_(token_deinit) struct token token = {0};
	int64_t now = time(NULL);

	(void)state;
	set_foreign(&token, now - 100000, now + 100);
	token_postpone(&token);
	assert_false(token_wants_renewal(&token));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_holds),
		cmocka_unit_test(a_token_somebody_brought_is_as_old_as_it_says),
		cmocka_unit_test(a_token_brought_too_late_is_renewed_first),
		cmocka_unit_test(ends_beyond_all_days_are_never),
		cmocka_unit_test(a_fresh_token_is_new_whatever_the_clock),
		cmocka_unit_test(a_short_life_does_not_make_a_loop_of_logins),
		cmocka_unit_test(no_expiry_is_never),
		cmocka_unit_test(only_the_token_that_was_sent_is_rejected),
		cmocka_unit_test(a_failed_renewal_is_put_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
