#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* As a compiler sees it that optimises when it links, which is how packages are
 * built: who allocates, and so the size that was asked for, beside mem_free. */
#include "../../daemon/core/base/mem.c" /* NOLINT(bugprone-suspicious-include) */

/* Of 16 bytes malloc has 24 to give, of 200 just as many. */
static void what_malloc_gave_is_wiped_whatever_was_asked_for(void **state)
{
	(void)state;
	mem_free(mem_alloc(1));
	mem_free(mem_alloc(16));
	mem_free(mem_alloc(128));
	mem_free(mem_alloc(200));
	mem_free(mem_strndup("16 bytes in all", 15));
}

static void what_malloc_gave_may_be_used_after_growth(void **state)
{
	char *block = mem_grow(mem_alloc(16), 24);

	(void)state;
	memset(block, 'x', 24);
	assert_int_equal(block[23], 'x');
	mem_free(block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_malloc_gave_is_wiped_whatever_was_asked_for),
		cmocka_unit_test(what_malloc_gave_may_be_used_after_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
