#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "../support/scratch.h"
#include "base/buf.h"
#include "base/mem.h"
#include "state/disk.h"

#define UNTOLD 1

struct bench {
	uv_loop_t loop;
	int result;
};

static int enter(void **state)
{
	struct bench *bench = mem_alloc(sizeof(*bench));

	scratch_enter();
	uv_loop_init(&bench->loop);
	bench->result = UNTOLD;
	*state = bench;
	return 0;
}

static int leave(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(uv_loop_close(&bench->loop), 0);
	mem_free(bench);
	scratch_leave();
	return 0;
}

static void on_done(void *data, int result)
{
	struct bench *bench = data;

	assert_int_equal(bench->result, UNTOLD);
	bench->result = result;
}

static int finish(struct bench *bench)
{
	int result;

	assert_int_equal(bench->result, UNTOLD);
	(void)uv_run(&bench->loop, UV_RUN_DEFAULT);
	result = bench->result;
	bench->result = UNTOLD;
	return result;
}

static void assert_file(const char *name, const char *text)
{
	char read[64] = "";
	FILE *file = fopen(name, "re");
	struct stat st;

	assert_non_null(file);
	assert_int_equal(fread(read, 1, sizeof(read) - 1, file), strlen(text));
	assert_int_equal(fclose(file), 0);
	assert_string_equal(read, text);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void a_file_is_replaced_and_removed(void **state)
{
	struct bench *bench = *state;
	const struct disk_told told = {on_done, bench};
	const char *path = scratch_at("file");

	(void)disk_replace(&bench->loop, path, STR("one"), told);
	assert_int_equal(finish(bench), 0);
	assert_file("file", "one");
	(void)disk_replace(&bench->loop, path, STR("two"), told);
	assert_int_equal(finish(bench), 0);
	assert_file("file", "two");
	(void)disk_remove(&bench->loop, path, told);
	assert_int_equal(finish(bench), 0);
	assert_int_equal(access("file", F_OK), -1);
	(void)disk_remove(&bench->loop, path, told);
	assert_int_equal(finish(bench), 0);
}

static void add_name(struct buf *bytes, const void *data)
{
	buf_puts(bytes, data);
}

static void what_a_file_holds_is_made_meanwhile(void **state)
{
	struct bench *bench = *state;
	const struct disk_content content = {add_name, "made"};

	(void)disk_compose(&bench->loop, scratch_at("file"), &content,
			   (struct disk_told){on_done, bench});
	assert_int_equal(finish(bench), 0);
	assert_file("file", "made");
}

static void what_cannot_be_done_is_told(void **state)
{
	struct bench *bench = *state;
	const struct disk_told told = {on_done, bench};

	(void)disk_replace(&bench->loop, scratch_at("none/file"), STR("x"),
			   told);
	assert_int_equal(finish(bench), -ENOENT);
	scratch_folder("folder");
	(void)disk_replace(&bench->loop, scratch_at("folder"), STR("x"), told);
	assert_int_equal(finish(bench), -EISDIR);
}

static void who_has_gone_is_not_told(void **state)
{
	struct bench *bench = *state;
	const struct disk_told told = {on_done, bench};

	disk_abandon(NULL);
	disk_abandon(disk_replace(&bench->loop, scratch_at("file"), STR("one"),
				  told));
	assert_int_equal(finish(bench), UNTOLD);
	assert_file("file", "one");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_replaced_and_removed),
		TEST(what_a_file_holds_is_made_meanwhile),
		TEST(what_cannot_be_done_is_told),
		TEST(who_has_gone_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
