#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"

struct fixture {
	struct arena arena;
	struct source source;
	struct diag diag;
	char *printed;
	size_t size;
};

static int set_up(void **state)
{
	*state = mem_alloc(sizeof(struct fixture));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	diag_deinit(&f->diag);
	arena_free(&f->arena);
	free(f->printed);
	mem_free(f);
	return 0;
}

/* What is printed about byte @offset of @text. */
static const char *printed(struct fixture *f, struct str text, size_t offset)
{
	FILE *out;

	free(f->printed);
	out = open_memstream(&f->printed, &f->size);
	assert_non_null(out);
	diag_deinit(&f->diag);
	(void)source_from_text(&f->source, &f->arena, "f", text, &f->diag);
	diag_at(&f->diag, &f->source, offset, "wrong");
	diag_print_excerpt(&f->diag, "", out);
	assert_int_equal(fclose(out), 0);
	return f->printed;
}

static void the_first_failure_stays(void **state)
{
	struct fixture *f = *state;

	assert_false(diag_failed(&f->diag));
	assert_false(diag_set(&f->diag, "one", "first %d", 1));
	assert_true(diag_failed(&f->diag));
	assert_int_equal(0, source_from_text(&f->source, &f->arena, "two",
					     STR("x"), &f->diag));
	assert_false(diag_at(&f->diag, &f->source, 0, "second"));
	assert_false(diag_set(&f->diag, "three", "third"));
	assert_string_equal(f->diag.source, "one");
	assert_string_equal(f->diag.text, "first 1");
	assert_int_equal(f->diag.pos.line, 0);
	assert_null(f->diag.excerpt);
}

static void a_diag_outlives_its_document(void **state)
{
	struct fixture *f = *state;

	(void)printed(f, STR("a\nbc"), 3);
	arena_free(&f->arena);
	assert_string_equal(f->diag.source, "f");
	assert_string_equal(f->diag.excerpt, "    2 | bc\n      |  ^\n");
}

static void nobody_has_to_listen(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(0, source_from_text(&f->source, &f->arena, "f",
					     STR("x"), NULL));
	assert_false(diag_at(NULL, &f->source, 0, "x"));
	assert_false(diag_set(NULL, "f", "x"));
}

static void without_a_place_only_the_source_is_named(void **state)
{
	struct fixture *f = *state;
	FILE *out = open_memstream(&f->printed, &f->size);

	diag_set(&f->diag, "f", "is gone");
	diag_print_excerpt(&f->diag, "", out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(f->printed, "f: is gone\n");
}

static void the_excerpt_is_only_printed_when_asked_for(void **state)
{
	struct fixture *f = *state;
	FILE *out;

	(void)printed(f, STR("secret"), 1);
	free(TAKE(f->printed));
	out = open_memstream(&f->printed, &f->size);
	diag_print(&f->diag, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(f->printed, "f:1:2: wrong\n");
}

static void the_caret_stands_under_the_character(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(printed(f, STR("abc\n"), 2),
			    "f:1:3: wrong\n    1 | abc\n      |   ^\n");
	assert_string_equal(printed(f, STR("\u00e9\u20ac\U0001F600x"), 9),
			    "f:1:4: wrong\n    1 | \u00e9\u20ac\U0001F600x\n"
			    "      |    ^\n");
	assert_string_equal(printed(f, STR("\ta\tb"), 3),
			    "f:1:4: wrong\n    1 | \ta\tb\n      | \t \t^\n");
}

static void the_caret_may_stand_behind_the_line(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(printed(f, STR("ab\r\nc"), 2),
			    "f:1:3: wrong\n    1 | ab\n      |   ^\n");
	assert_string_equal(printed(f, STR("ab\r\nc"), 3),
			    "f:1:4: wrong\n    1 | ab\n      |   ^\n");
	assert_string_equal(printed(f, STR("ab"), 2),
			    "f:1:3: wrong\n    1 | ab\n      |   ^\n");
	assert_string_equal(printed(f, STR(""), 0),
			    "f:1:1: wrong\n    1 | \n      | ^\n");
}

static void the_caret_follows_a_wide_line_number(void **state)
{
	struct fixture *f = *state;
	char *text = mem_alloc(1000001);

	memset(text, '\n', 1000000);
	text[1000000] = 'x';
	assert_string_equal(printed(f, (struct str){text, 1000001}, 1000000),
			    "f:1000001:1: wrong\n1000001 | x\n        | ^\n");
	mem_free(text);
}

/* The line in an excerpt of @piece, repeated: what stands before the caret and
 * what is shown at all, both in bytes. */
static void measure(struct fixture *f, const char *piece, size_t *before,
		    size_t *shown)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	const char *line, *end;

	for (int i = 0; i < 1000; i++)
		buf_puts(&text, piece);
	line = strchr(printed(f, buf_str(&text), text.len / 2), '|') + 2;
	end = strchr(line, '\n');
	*shown = (size_t)(end - line);
	assert_int_equal(str_utf8_invalid((struct str){line, *shown}), *shown);
	*before = strlen(strchr(end, '|') + 2) - strlen("^\n");
}

static void a_long_line_is_cut_around_the_spot(void **state)
{
	size_t before, shown;

	measure(*state, "x", &before, &shown);
	assert_int_equal(before, 100);
	assert_int_equal(shown, 160);
}

static void a_long_line_is_cut_between_characters(void **state)
{
	size_t before, shown;

	measure(*state, "\u20ac", &before, &shown);
	assert_int_equal(before, 33);
	assert_int_equal(shown, 159);
	measure(*state, "\u20acx", &before, &shown);
	assert_int_equal(before, 50);
	measure(*state, "x\U0001F600", &before, &shown);
	assert_int_equal(before, 40);
}

static void a_terminal_is_given_nothing_to_obey(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(printed(f,
				    STR("a\x1b[2J\0b\x7f"
					"c"),
				    8),
			    "f:1:9: wrong\n    1 | a?[2J?b?c\n"
			    "      |         ^\n");
}

static void bytes_that_are_not_utf8_are_not_shown(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(printed(f, STR("a\u00e9\xff\u00e9"), 0),
			    "f:1:3: byte 0xff is not valid UTF-8\n"
			    "    1 | a\u00e9???\n      |   ^\n");
}

/* Stray continuation bytes look like the middle of a character. */
static void a_line_may_begin_with_half_a_character(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(printed(f,
				    STR("\x80\x80"
					"abc"),
				    0),
			    "f:1:1: byte 0x80 is not valid UTF-8\n"
			    "    1 | ??abc\n      | ^\n");
	assert_string_equal(printed(f, STR("a\n\x80"), 0),
			    "f:2:1: byte 0x80 is not valid UTF-8\n"
			    "    2 | ?\n      | ^\n");
}

static void a_long_text_is_cut_between_characters(void **state)
{
	struct fixture *f = *state;
	char name[1000];

	for (size_t pad = 0; pad < 4; pad++) {
		size_t len = pad;

		memset(name, 'x', pad);
		for (; len + 4 < sizeof(name); len += 4)
			memcpy(name + len, "\U0001F600", 4);
		name[len] = '\0';
		diag_deinit(&f->diag);
		diag_set(&f->diag, "f", "%s", name);
		len = strlen(f->diag.text);
		assert_in_range(len, 500, 511);
		assert_int_equal(str_utf8_invalid(str_from(f->diag.text)), len);
	}
}

static void equal_means_same_place_and_text(void **state)
{
	struct fixture *f = *state;
	struct diag none = DIAG_INIT, other = DIAG_INIT;

	assert_true(diag_equal(&none, &f->diag));
	(void)printed(f, STR("abc"), 1);
	assert_false(diag_equal(&none, &f->diag));
	assert_false(diag_equal(&f->diag, &none));
	diag_at(&other, &f->source, 1, "wrong");
	assert_true(diag_equal(&other, &f->diag));
	diag_deinit(&other);
	diag_at(&other, &f->source, 2, "wrong");
	assert_false(diag_equal(&other, &f->diag));
	diag_deinit(&other);
	diag_at(&other, &f->source, 1, "worse");
	assert_false(diag_equal(&other, &f->diag));
	diag_deinit(&other);
}

static void taking_empties_the_diag(void **state)
{
	struct fixture *f = *state;
	struct diag taken;

	diag_set(&f->diag, "f", "x");
	taken = diag_take(&f->diag);
	assert_false(diag_failed(&f->diag));
	assert_string_equal(taken.text, "x");
	diag_deinit(&taken);
}

static void a_full_list_takes_no_more(void **state)
{
	struct diag_list list = {0};

	(void)state;
	for (int i = 0; i < DIAG_LIST_MAX; i++) {
		assert_non_null(diag_list_next(&list));
		diag_set(&list.items[i], "f", "warning %d", i);
	}
	assert_null(diag_list_next(&list));
	assert_string_equal(list.items[0].text, "warning 0");
	assert_int_equal(list.count, DIAG_LIST_MAX);
	diag_list_deinit(&list);
	assert_int_equal(list.count, 0);
	diag_list_deinit(&list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_failure_stays),
		TEST(a_diag_outlives_its_document),
		TEST(nobody_has_to_listen),
		TEST(without_a_place_only_the_source_is_named),
		TEST(the_excerpt_is_only_printed_when_asked_for),
		TEST(the_caret_stands_under_the_character),
		TEST(the_caret_may_stand_behind_the_line),
		TEST(the_caret_follows_a_wide_line_number),
		TEST(a_long_line_is_cut_around_the_spot),
		TEST(a_long_line_is_cut_between_characters),
		TEST(a_terminal_is_given_nothing_to_obey),
		TEST(bytes_that_are_not_utf8_are_not_shown),
		TEST(a_line_may_begin_with_half_a_character),
		TEST(a_long_text_is_cut_between_characters),
		TEST(equal_means_same_place_and_text),
		TEST(taking_empties_the_diag),
		TEST(a_full_list_takes_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
