/* Rows in aligned columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/table.h"

static void assert_table(size_t columns, const char *const *cells,
			 const char *expected)
{
	_cleanup_(table_deinit) struct table table = {.columns = columns};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	for (; *cells; cells++)
		table_add(&table, str_from(*cells));
	table_write(&out, &table);
	assert_string_equal(buf_str(&out).ptr, expected);
}

static void columns_are_as_wide_as_what_is_in_them(void **state)
{
	static const char *const cells[] = {
		"A",  "LONG HEADING",
		"C",  "1",
		"x",  "\xc3\xa9\xc3\xa9\xc3\xa9",
		"22", "",
		"y",  NULL,
	};

	(void)state;
	assert_table(3, cells,
		     "A   LONG HEADING  C\n"
		     "1   x             \xc3\xa9\xc3\xa9\xc3\xa9\n"
		     "22                y\n");
}

static void a_column_that_nobody_fills_is_left_out(void **state)
{
	static const char *const cells[] = {"A", "B", "C", "1", "", "3", NULL};

	(void)state;
	assert_table(3, cells, "A  C\n1  3\n");
}

static void lines_end_without_blanks(void **state)
{
	static const char *const cells[] = {"A", "B", "1", "", "2", "x", NULL};

	(void)state;
	assert_table(2, cells, "A  B\n1\n2  x\n");
}

static void what_a_terminal_would_obey_is_a_question_mark(void **state)
{
	static const char *const cells[] = {"A", "\033[31m\n\177", NULL};

	(void)state;
	assert_table(1, cells, "A\n?[31m??\n");
}

static void the_widest_columns_are_cut_to_fit(void **state)
{
	_cleanup_(table_deinit) struct table table = {.columns = 3,
						      .width = 31};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	table_add(&table, STR("A"));
	table_add(&table, STR("B"));
	table_add(&table, STR("C"));
	table_add(&table, STR("1"));
	table_add(&table, STR("a word, and one more"));
	table_add(&table, STR("\xc3\xa9\xc3\xa9\xc3\xa9, and another few"));
	table_write(&out, &table);
	assert_string_equal(buf_str(&out).ptr,
			    "A  B              C\n"
			    "1  a word, an...  "
			    "\xc3\xa9\xc3\xa9\xc3\xa9, and a...\n");
}

static void columns_are_never_cut_to_nothing(void **state)
{
	_cleanup_(table_deinit) struct table table = {.columns = 2, .width = 3};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	table_add(&table, STR("A"));
	table_add(&table, STR("B"));
	table_add(&table, STR("0123456789"));
	table_add(&table, STR("0123456789"));
	table_write(&out, &table);
	assert_string_equal(buf_str(&out).ptr,
			    "A         B\n01234...  01234...\n");
}

static void no_time_is_an_empty_cell(void **state)
{
	_cleanup_(table_deinit) struct table table = {.columns = 1};

	(void)state;
	table_add_time(&table, -1);
	assert_int_equal(table.cells[0].len, 0);
	table_add_time(&table, 0);
	assert_int_equal(table.cells[1].len, sizeof("1970-01-01 00:00") - 1);
}

static void a_heading_has_a_word_for_each_column(void **state)
{
	static const char *const heading[] = {"A", "B"};
	_cleanup_(table_deinit) struct table table = {.columns = 2};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	table_add_heading(&table, heading);
	table_add_number(&table, 0);
	table_add_number(&table, -1);
	table_add_number(&table, INT64_MAX);
	table_add_number(&table, 12);
	table_write(&out, &table);
	assert_string_equal(buf_str(&out).ptr, "A                    B\n"
					       "0\n"
					       "9223372036854775807  12\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_what_is_in_them),
		cmocka_unit_test(a_column_that_nobody_fills_is_left_out),
		cmocka_unit_test(lines_end_without_blanks),
		cmocka_unit_test(what_a_terminal_would_obey_is_a_question_mark),
		cmocka_unit_test(the_widest_columns_are_cut_to_fit),
		cmocka_unit_test(columns_are_never_cut_to_nothing),
		cmocka_unit_test(no_time_is_an_empty_cell),
		cmocka_unit_test(a_heading_has_a_word_for_each_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
