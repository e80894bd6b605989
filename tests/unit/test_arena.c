#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"

static void assert_zeroed(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], 0);
}

static void memory_is_zeroed_and_aligned(void **state)
{
	struct arena arena = ARENA_INIT;
	unsigned char *mem;

	(void)state;
	for (size_t size = 1; size < 3000; size += 7) {
		mem = arena_alloc(&arena, size);
		assert_int_equal((uintptr_t)mem % 8, 0);
		assert_zeroed(mem, size);
		memset(mem, 0xFF, size);
	}
	arena_free(&arena);
}

static void what_was_handed_out_stays_where_it_is(void **state)
{
	struct arena arena = ARENA_INIT;
	const char *first = arena_strdup(&arena, "first");

	(void)state;
	for (int i = 0; i < 4096; i++)
		memset(arena_alloc(&arena, 100), 'x', 100);
	assert_string_equal(first, "first");
	arena_free(&arena);
}

static void a_large_piece_has_a_block_of_its_own(void **state)
{
	struct arena arena = ARENA_INIT;
	size_t size = (size_t)5 * 1024 * 1024;
	unsigned char *large;

	(void)state;
	(void)arena_strdup(&arena, "small");
	large = arena_alloc(&arena, size);
	assert_zeroed(large, size);
	assert_string_equal(arena_strdup(&arena, "after"), "after");
	arena_free(&arena);
}

static void the_last_piece_grows_in_place(void **state)
{
	struct arena arena = ARENA_INIT;
	char *piece = arena_alloc(&arena, 10), *grown;

	(void)state;
	memset(piece, 'x', 10);
	grown = arena_grow(&arena, piece, 10, 100);
	assert_ptr_equal(grown, piece);
	assert_memory_equal(grown, "xxxxxxxxxx", 10);
	assert_zeroed((unsigned char *)grown + 10, 90);
	assert_int_equal(arena.used, 104);
	arena_free(&arena);
}

static void an_earlier_piece_grows_by_moving(void **state)
{
	struct arena arena = ARENA_INIT;
	char *piece = arena_alloc(&arena, 10), *grown;
	const char *next = arena_strdup(&arena, "next");

	(void)state;
	memset(piece, 'x', 10);
	grown = arena_grow(&arena, piece, 10, 100);
	assert_ptr_not_equal(grown, piece);
	assert_memory_equal(grown, "xxxxxxxxxx", 10);
	assert_zeroed((unsigned char *)grown + 10, 90);
	assert_string_equal(next, "next");
	arena_free(&arena);
}

static void a_piece_that_outgrows_its_block_moves(void **state)
{
	struct arena arena = ARENA_INIT;
	unsigned char *piece = NULL;
	size_t size = 0;

	(void)state;
	for (size_t want = 64; want <= 65536; want *= 2) {
		piece = arena_grow(&arena, piece, size, want);
		assert_zeroed(piece + size, want - size);
		memset(piece + size, (int)(want >> 6), want - size);
		size = want;
	}
	for (size_t want = 64, at = 0; want <= 65536; at = want, want *= 2)
		assert_int_equal(piece[at], (unsigned char)(want >> 6));
	arena_free(&arena);
}

static void growth_within_the_rounding_costs_nothing(void **state)
{
	struct arena arena = ARENA_INIT;
	char *piece = arena_alloc(&arena, 9);

	(void)state;
	assert_ptr_equal(arena_grow(&arena, piece, 9, 16), piece);
	assert_int_equal(arena.used, 16);
	arena_free(&arena);
}

static void a_string_keeps_its_nuls_and_gains_one(void **state)
{
	struct arena arena = ARENA_INIT;
	struct str copy = arena_str(&arena, STR("a\0b"));
	struct str absent = arena_str(&arena, (struct str){0});

	(void)state;
	assert_int_equal(copy.len, 3);
	assert_memory_equal(copy.ptr, "a\0b", 4);
	assert_int_equal(absent.len, 0);
	assert_string_equal(absent.ptr, "");
	arena_free(&arena);
}

static void a_freed_arena_is_an_empty_one(void **state)
{
	struct arena arena = ARENA_INIT;

	(void)state;
	(void)arena_alloc(&arena, 10000);
	assert_int_equal(arena.used, 10000);
	arena_free(&arena);
	assert_int_equal(arena.used, 0);
	assert_string_equal(arena_strdup(&arena, "again"), "again");
	arena_free(&arena);
	arena_free(&arena);
}

static void a_reset_arena_keeps_one_block_and_no_content(void **state)
{
	struct arena arena = ARENA_INIT;
	char *first, *again;

	(void)state;
	first = arena_alloc(&arena, 100);
	memset(first, 'x', 100);
	(void)arena_alloc(&arena, 100000);
	arena_reset(&arena);
	assert_int_equal(arena.used, 0);
	again = arena_alloc(&arena, 100);
	assert_ptr_equal(again, first);
	for (int i = 0; i < 100; i++)
		assert_int_equal(again[i], 0);
	arena_free(&arena);
	arena_reset(&arena);
	assert_null(arena.blocks);
}

static void an_arena_knows_what_is_its_own(void **state)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(arena_free) struct arena other = ARENA_INIT;
	char *mine[2000];
	int elsewhere;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mine); i++)
		mine[i] = arena_alloc(&arena, 1 + i % 90);
	for (size_t i = 0; i < ARRAY_SIZE(mine); i++)
		assert_true(arena_owns(&arena, mine[i]));
	assert_false(arena_owns(&arena, arena_alloc(&other, 8)));
	assert_false(arena_owns(&arena, &elsewhere));
	assert_false(arena_owns(&arena, NULL));
}

static void its_memory_can_be_walked(void **state)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const struct arena_block *at = NULL;
	size_t used = 0, found = 0;
	struct str memory;
	char *mine = NULL;

	(void)state;
	assert_false(arena_next_block(&arena, &at, &memory));
	for (size_t i = 0; i < 2000; i++)
		mine = arena_alloc(&arena, 1 + i % 90);
	while (arena_next_block(&arena, &at, &memory)) {
		used += memory.len;
		found += mine >= memory.ptr && mine < memory.ptr + memory.len;
	}
	assert_int_equal(used, arena.used);
	assert_int_equal(found, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_arena_knows_what_is_its_own),
		cmocka_unit_test(its_memory_can_be_walked),
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(what_was_handed_out_stays_where_it_is),
		cmocka_unit_test(a_large_piece_has_a_block_of_its_own),
		cmocka_unit_test(the_last_piece_grows_in_place),
		cmocka_unit_test(an_earlier_piece_grows_by_moving),
		cmocka_unit_test(a_piece_that_outgrows_its_block_moves),
		cmocka_unit_test(growth_within_the_rounding_costs_nothing),
		cmocka_unit_test(a_string_keeps_its_nuls_and_gains_one),
		cmocka_unit_test(a_freed_arena_is_an_empty_one),
		cmocka_unit_test(a_reset_arena_keeps_one_block_and_no_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
