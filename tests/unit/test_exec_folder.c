/* Folders of execs that begin and end together, each of which sweeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "exec/exec_folder.h"
#include "text/exit_status.h"

#define TOGETHER 4
#define TIMES    500

static bool make_and_use(void)
{
	struct exec_folder folder;
	bool well = exec_folder_make(&folder) == EXIT_DONE &&
		    exec_folder_write(&folder, STR("a: 1")) == 0 &&
		    access(folder.file, R_OK) == 0;

	exec_folder_remove(&folder);
	return well;
}

static _Noreturn void come_and_go(void)
{
	for (int i = 0; i < TIMES; i++)
		if (!make_and_use())
			_exit(1);
	_exit(0);
}

static void those_that_begin_together_each_have_one(void **state)
{
	char place[] = "/tmp/clearconf-test.XXXXXX";
	_cleanup_(mem_freep) char *parent = NULL;
	pid_t pids[TOGETHER];
	int status;

	(void)state;
	assert_non_null(mkdtemp(place));
	assert_int_equal(setenv("XDG_RUNTIME_DIR", place, 1), 0);
	for (int i = 0; i < TOGETHER; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			come_and_go();
	}
	for (int i = 0; i < TOGETHER; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	parent = mem_printf("%s/clearconf", place);
	assert_int_equal(rmdir(parent), 0);
	assert_int_equal(rmdir(place), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_that_begin_together_each_have_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
