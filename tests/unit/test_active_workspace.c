#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uv.h>

#include "../support/quiet.h"
#include "../support/scratch.h"
#include "base/mem.h"
#include "state/active_workspace.h"

struct bench {
	uv_loop_t loop;
	struct active_workspace kept;
};

static int open_bench(void **state)
{
	struct bench *bench = mem_alloc(sizeof(*bench));

	scratch_enter();
	uv_loop_init(&bench->loop);
	active_workspace_init(&bench->kept, &bench->loop, scratch_root);
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *bench = *state;

	active_workspace_deinit(&bench->kept);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	mem_free(bench);
	scratch_leave();
	return 0;
}

static void assert_kept(struct bench *bench, const char *name)
{
	_cleanup_(mem_freep) char *read = NULL;

	(void)uv_run(&bench->loop, UV_RUN_DEFAULT);
	read = active_workspace_read(&bench->kept);
	if (name)
		assert_string_equal(read, name);
	else
		assert_null(read);
}

static void nobody_has_chosen(void **state)
{
	assert_kept(*state, NULL);
}

static void of_several_choices_the_last_stands(void **state)
{
	struct bench *bench = *state;

	active_workspace_write(&bench->kept, "one");
	active_workspace_write(&bench->kept, "two");
	active_workspace_write(&bench->kept, "three of us");
	assert_kept(bench, "three of us");
}

static void the_file_is_private(void **state)
{
	struct bench *bench = *state;
	struct stat st;

	active_workspace_write(&bench->kept, "one");
	assert_kept(bench, "one");
	assert_int_equal(stat(scratch_at("active"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void a_blank_file_is_no_choice(void **state)
{
	scratch_write("active", "\n");
	assert_kept(*state, NULL);
}

static void a_name_that_nobody_can_see_is_no_choice(void **state)
{
	scratch_write("active", " \xef\xbb\xbfone\n");
	assert_kept(*state, NULL);
}

static void a_file_that_is_no_text_is_no_choice(void **state)
{
	FILE *file = fopen(scratch_at("active"), "we");

	assert_non_null(file);
	assert_int_equal(fwrite("one \0two\n", 9, 1, file), 1);
	assert_int_equal(fclose(file), 0);
	assert_kept(*state, NULL);
}

static void without_a_folder_nothing_is_kept(void **state)
{
	struct bench *bench = *state;
	struct active_workspace nowhere;

	active_workspace_init(&nowhere, &bench->loop, NULL);
	active_workspace_write(&nowhere, "one");
	assert_null(active_workspace_read(&nowhere));
	active_workspace_deinit(&nowhere);
}

static void a_folder_that_is_gone_is_survived(void **state)
{
	struct bench *bench = *state;
	struct active_workspace gone;

	quiet_begin();
	active_workspace_init(&gone, &bench->loop, scratch_at("gone"));
	active_workspace_write(&gone, "one");
	(void)uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_null(active_workspace_read(&gone));
	active_workspace_deinit(&gone);
	quiet_end();
}

#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nobody_has_chosen),
		CASE(of_several_choices_the_last_stands),
		CASE(the_file_is_private),
		CASE(a_blank_file_is_no_choice),
		CASE(a_name_that_nobody_can_see_is_no_choice),
		CASE(a_file_that_is_no_text_is_no_choice),
		CASE(without_a_folder_nothing_is_kept),
		CASE(a_folder_that_is_gone_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
