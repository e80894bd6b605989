#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../support/skipping.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/source.h"

#define LIMIT ((size_t)1000)

/* A folder to work in, and what every test needs. */
struct fixture {
	char folder[64], file[80];
	struct arena arena;
	struct source source;
	struct diag diag;
};

static int set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/source.XXXXXX");
	*state = f;
	if (!mkdtemp(f->folder) || chmod(f->folder, 0755) < 0)
		return -1;
	(void)snprintf(f->file, sizeof(f->file), "%s/file", f->folder);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (unlink(f->file) < 0)
		(void)rmdir(f->file);
	assert_int_equal(rmdir(f->folder), 0);
	diag_deinit(&f->diag);
	arena_free(&f->arena);
	mem_free(f);
	return 0;
}

static void write_file(const char *path, struct str text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.ptr, text.len), text.len);
	assert_int_equal(close(fd), 0);
}

static int from_text(struct fixture *f, struct str text)
{
	diag_deinit(&f->diag);
	return source_from_text(&f->source, &f->arena, "text", text, &f->diag);
}

static int from_file(struct fixture *f, const char *path)
{
	diag_deinit(&f->diag);
	return source_from_file(&f->source, &f->arena, path, LIMIT, &f->diag);
}

static void assert_pos(struct fixture *f, size_t offset, uint32_t line,
		       uint32_t column)
{
	struct pos pos = source_pos(&f->source, offset);

	assert_int_equal(pos.line, line);
	assert_int_equal(pos.column, column);
}

static void an_empty_text_has_one_line(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(from_text(f, STR("")), 0);
	assert_pos(f, 0, 1, 1);
	assert_int_equal(source_line(&f->source, 0).len, 0);
}

static void the_text_is_a_copy_with_a_nul_behind(void **state)
{
	struct fixture *f = *state;
	char text[] = "a\0b";

	assert_int_equal(from_text(f, (struct str){text, 3}), 0);
	text[0] = 'x';
	assert_int_equal(f->source.text.len, 3);
	assert_memory_equal(f->source.text.ptr, "a\0b", 4);
	assert_string_equal(f->source.name, "text");
}

static void a_byte_order_mark_is_no_part_of_the_text(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(from_text(f, STR("\xEF\xBB\xBF"
					  "ab")),
			 0);
	assert_true(str_is(f->source.text, "ab"));
	assert_pos(f, 1, 1, 2);
	assert_int_equal(from_text(f, STR("\xEF\xBB\xBF")), 0);
	assert_int_equal(f->source.text.len, 0);
	assert_int_equal(f->source.text.ptr[0], '\0');
	assert_int_equal(from_text(f, STR("a\xEF\xBB\xBF")), 0);
	assert_int_equal(f->source.text.len, 4);
}

static void every_sort_of_line_end_counts_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(from_text(f, STR("a\nb\r\nc\rd\n\r\n")), 0);
	assert_pos(f, 0, 1, 1);
	assert_pos(f, 1, 1, 2);
	assert_pos(f, 2, 2, 1);
	assert_pos(f, 3, 2, 2);
	assert_pos(f, 4, 2, 3); /* between CR and LF */
	assert_pos(f, 5, 3, 1);
	assert_pos(f, 6, 3, 2);
	assert_pos(f, 7, 4, 1);
	assert_pos(f, 9, 5, 1);
	assert_pos(f, 11, 6, 1);
	assert_int_equal(f->source.lines, 6);
}

static void a_last_line_end_begins_a_line(void **state)
{
	static const struct str ends[] = {STR("\n"), STR("\r"), STR("\r\n")};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		assert_int_equal(from_text(f, ends[i]), 0);
		assert_pos(f, ends[i].len, 2, 1);
		assert_int_equal(f->source.lines, 2);
	}
}

static void columns_count_characters(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(from_text(f, STR("\n\t\u00e9\u20ac\U0001F600x")), 0);
	assert_pos(f, 1, 2, 1);
	assert_pos(f, 2, 2, 2);
	assert_pos(f, 4, 2, 3);
	assert_pos(f, 7, 2, 4);
	assert_pos(f, 11, 2, 5);
	assert_pos(f, 12, 2, 6);
}

static void columns_count_characters_of_long_lines_too(void **state)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct fixture *f = *state;

	buf_puts(&text, "first\n");
	for (int i = 0; i < 3000; i++)
		buf_puts(&text, i % 3 ? "x" : "\u20ac");
	assert_int_equal(from_text(f, buf_str(&text)), 0);
	for (uint32_t i = 0; i < 3000; i += 3) {
		assert_pos(f, 6 + i / 3 * 5, 2, i + 1);
		assert_pos(f, 6 + i / 3 * 5 + 3, 2, i + 2);
	}
	assert_pos(f, text.len, 2, 3001);
	assert_pos(f, 0, 1, 1);
}

static void many_lines_are_all_found(void **state)
{
	struct fixture *f = *state;
	char text[1000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '\n' : 'x';
	assert_int_equal(from_text(f, (struct str){text, sizeof(text)}), 0);
	for (size_t i = 0; i < sizeof(text); i++)
		assert_pos(f, i, (uint32_t)(i / 2 + 1), i % 2 ? 2 : 1);
	assert_pos(f, sizeof(text), 501, 1);
}

/* Asked first, before anybody asked for a position. */
static void a_line_comes_without_its_end(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(from_text(f, STR("one\ntwo\r\nthree")), 0);
	assert_true(str_is(source_line(&f->source, 5), "two"));
	assert_true(str_is(source_line(&f->source, 8), "two"));
	assert_true(str_is(source_line(&f->source, 0), "one"));
	assert_true(str_is(source_line(&f->source, 14), "three"));
}

static void what_is_not_utf8_is_broken_at_its_place(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(from_text(f, STR("a\n\u00e9\xC3(")), SOURCE_E_BROKEN);
	assert_int_equal(f->diag.pos.line, 2);
	assert_int_equal(f->diag.pos.column, 2);
	assert_string_equal(f->diag.text, "byte 0xc3 is not valid UTF-8");
}

static void a_file_is_read_whole(void **state)
{
	struct fixture *f = *state;

	write_file(f->file, STR("\xEF\xBB\xBF"
				"a = 1\n"));
	assert_int_equal(from_file(f, f->file), 0);
	assert_true(str_is(f->source.text, "a = 1\n"));
	assert_int_equal(f->source.text.ptr[f->source.text.len], '\0');
	assert_string_equal(f->source.name, f->file);
	assert_false(diag_failed(&f->diag));
}

static void an_empty_file_is_an_empty_text(void **state)
{
	struct fixture *f = *state;

	write_file(f->file, STR(""));
	assert_int_equal(from_file(f, f->file), 0);
	assert_int_equal(f->source.text.len, 0);
	assert_pos(f, 0, 1, 1);
}

static void the_limit_is_the_largest_size(void **state)
{
	struct fixture *f = *state;
	char text[LIMIT + 1];

	memset(text, 'x', sizeof(text));
	write_file(f->file, (struct str){text, LIMIT});
	assert_int_equal(from_file(f, f->file), 0);
	assert_int_equal(f->source.text.len, LIMIT);
	write_file(f->file, (struct str){text, LIMIT + 1});
	assert_int_equal(from_file(f, f->file), SOURCE_E_BROKEN);
	assert_string_equal(f->diag.text,
			    "is larger than the limit of 1000 bytes");
	assert_int_equal(f->diag.pos.line, 0);
}

static void what_does_not_exist_is_missing(void **state)
{
	struct fixture *f = *state;
	char below[96];

	assert_int_equal(from_file(f, f->file), SOURCE_E_MISSING);
	write_file(f->file, STR(""));
	(void)snprintf(below, sizeof(below), "%s/below", f->file);
	assert_int_equal(from_file(f, below), SOURCE_E_MISSING);
	assert_false(diag_failed(&f->diag));
}

static void a_missing_source_can_be_asked_for_places(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(from_file(f, f->file), SOURCE_E_MISSING);
	assert_int_equal(f->source.text.len, 0);
	assert_pos(f, 0, 1, 1);
}

static void a_folder_is_missing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(from_file(f, f->folder), SOURCE_E_MISSING);
	assert_false(diag_failed(&f->diag));
}

static void a_fifo_is_missing_and_nobody_hangs(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(f->file, 0644), 0);
	(void)alarm(60); /* would kill us */
	assert_int_equal(from_file(f, f->file), SOURCE_E_MISSING);
	(void)alarm(0);
	assert_false(diag_failed(&f->diag));
}

static void a_socket_is_missing(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		       f->file);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	assert_int_equal(from_file(f, f->file), SOURCE_E_MISSING);
	assert_false(diag_failed(&f->diag));
	assert_int_equal(close(fd), 0);
}

static void a_device_is_missing(void **state)
{
	assert_int_equal(from_file(*state, "/dev/null"), SOURCE_E_MISSING);
}

static void a_symbolic_link_is_followed(void **state)
{
	struct fixture *f = *state;
	char link[96];

	(void)snprintf(link, sizeof(link), "%s/link", f->folder);
	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(from_file(f, link), SOURCE_E_MISSING);
	write_file(f->file, STR("x"));
	assert_int_equal(from_file(f, link), 0);
	assert_true(str_is(f->source.text, "x"));
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("link", link), 0);
	assert_int_equal(from_file(f, link), SOURCE_E_BROKEN);
	assert_int_equal(unlink(link), 0);
}

/* Root reads everything, so be nobody for a moment. */
static void what_may_not_be_read_is_broken(void **state)
{
	struct fixture *f = *state;
	uid_t uid = geteuid();
	int file, folder;

	write_file(f->file, STR("x"));
	assert_int_equal(chmod(f->file, 0), 0);
	if (uid == 0 && seteuid(65534) < 0)
		skip_because("this root may not be somebody else");
	file = from_file(f, f->file);
	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(file, SOURCE_E_BROKEN);
	assert_string_equal(f->diag.text, "cannot be read: Permission denied");
	assert_int_equal(unlink(f->file), 0);

	assert_int_equal(mkdir(f->file, 0), 0);
	assert_int_equal(uid == 0 ? seteuid(65534) : 0, 0);
	folder = from_file(f, f->file);
	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(folder, SOURCE_E_MISSING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_text_has_one_line),
		TEST(the_text_is_a_copy_with_a_nul_behind),
		TEST(a_byte_order_mark_is_no_part_of_the_text),
		TEST(every_sort_of_line_end_counts_once),
		TEST(a_last_line_end_begins_a_line),
		TEST(columns_count_characters),
		TEST(columns_count_characters_of_long_lines_too),
		TEST(many_lines_are_all_found),
		TEST(a_line_comes_without_its_end),
		TEST(what_is_not_utf8_is_broken_at_its_place),
		TEST(a_file_is_read_whole),
		TEST(an_empty_file_is_an_empty_text),
		TEST(the_limit_is_the_largest_size),
		TEST(what_does_not_exist_is_missing),
		TEST(a_missing_source_can_be_asked_for_places),
		TEST(a_folder_is_missing),
		TEST(a_fifo_is_missing_and_nobody_hangs),
		TEST(a_socket_is_missing),
		TEST(a_device_is_missing),
		TEST(a_symbolic_link_is_followed),
		TEST(what_may_not_be_read_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
