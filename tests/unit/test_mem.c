#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../support/skipping.h"
#include "base/mem.h"

#define SECRET "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"

static void new_memory_is_zeroed(void **state)
{
	_cleanup_(mem_freep) unsigned char *block = mem_alloc(1000);

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(block[i], 0);
}

static void nothing_at_all_is_still_a_block(void **state)
{
	_cleanup_(mem_freep) void *block = mem_alloc(0);

	(void)state;
	assert_non_null(block);
}

static void growth_keeps_the_bytes(void **state)
{
	_cleanup_(mem_freep) char *text = mem_strdup("abc");

	(void)state;
	for (size_t size = 4; size < 100000; size *= 3)
		text = mem_grow(text, size);
	assert_string_equal(text, "abc");
}

static void a_copy_of_a_part_ends_in_nul(void **state)
{
	_cleanup_(mem_freep) char *part = mem_strndup("abcdef", 3);
	_cleanup_(mem_freep) char *nothing = mem_strndup(NULL, 0);

	(void)state;
	assert_string_equal(part, "abc");
	assert_string_equal(nothing, "");
}

static void a_formatted_text_has_any_length(void **state)
{
	_cleanup_(mem_freep) char *empty = mem_printf("%s", "");
	_cleanup_(mem_freep) char *text = mem_printf("%05000d", 7);

	(void)state;
	assert_string_equal(empty, "");
	assert_int_equal(strlen(text), 5000);
	assert_int_equal(text[4999], '7');
}

static void taking_leaves_null_behind(void **state)
{
	_cleanup_(mem_freep) char *owner = mem_strdup("x");
	_cleanup_(mem_freep) char *heir = TAKE(owner);

	(void)state;
	assert_null(owner);
	assert_string_equal(heir, "x");
}

static void freeing_null_does_nothing(void **state)
{
	void *none = NULL;

	(void)state;
	mem_free(NULL);
	mem_freep(&none);
	assert_null(none);
}

/* A skip is a jump: what is held then is lost. */
static void need_a_look_at_what_was_freed(void)
{
	if (is_under_valgrind())
		skip_because("memcheck allows no look at what was freed");
}

/* What the heap hands out next holds none of what was given back. (Sanitizers
 * never hand the same memory out so soon: there this cannot fail.) */
static void assert_heap_forgot(size_t from, size_t to)
{
	char *block;

	for (size_t size = from; size <= to; size += 16) {
		block = mem_grow(NULL, size);
		assert_null(memmem(block, size, SECRET, 16));
		mem_free(block);
	}
}

static void freed_memory_is_wiped(void **state)
{
	(void)state;
	need_a_look_at_what_was_freed();
	mem_free(mem_strdup(SECRET));
	assert_heap_forgot(sizeof(SECRET), sizeof(SECRET));
}

static void growth_wipes_the_old_place(void **state)
{
	char *text, *fence;

	(void)state;
	need_a_look_at_what_was_freed();
	text = mem_strdup(SECRET);
	fence = mem_alloc(1);
	assert_non_null(fence);
	text = mem_grow(text, 4000);
	assert_heap_forgot(sizeof(SECRET), sizeof(SECRET));
	mem_free(text);
	mem_free(fence);
}

static void an_array_has_room_for_one_more(void **state)
{
	_cleanup_(mem_freep) int *items = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		items = mem_room(items, (size_t)i, sizeof(*items));
		items[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
}

static void an_array_with_room_stays_where_it_is(void **state)
{
	_cleanup_(mem_freep) int *items = mem_room(NULL, 0, sizeof(*items));

	(void)state;
	for (size_t count = 1; count < 8; count++)
		assert_ptr_equal(mem_room(items, count, sizeof(*items)), items);
}

static void formatting_leaves_no_copy(void **state)
{
	(void)state;
	need_a_look_at_what_was_freed();
	mem_free(mem_printf("%s%s%s%s%s%s", SECRET, SECRET, SECRET, SECRET,
			    SECRET, SECRET));
	assert_heap_forgot(16, 800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_memory_is_zeroed),
		cmocka_unit_test(nothing_at_all_is_still_a_block),
		cmocka_unit_test(growth_keeps_the_bytes),
		cmocka_unit_test(a_copy_of_a_part_ends_in_nul),
		cmocka_unit_test(a_formatted_text_has_any_length),
		cmocka_unit_test(taking_leaves_null_behind),
		cmocka_unit_test(freeing_null_does_nothing),
		cmocka_unit_test(freed_memory_is_wiped),
		cmocka_unit_test(growth_wipes_the_old_place),
		cmocka_unit_test(an_array_has_room_for_one_more),
		cmocka_unit_test(an_array_with_room_stays_where_it_is),
		cmocka_unit_test(formatting_leaves_no_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
