/* What is seen of processes: below this one, asleep, held still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "exec/exec_agent_process.h"
#include "exec/exec_child.h"
#include "exec/exec_descendants.h"
#include "exec/exec_freeze.h"

#define TRIES 2000

static void nap(void)
{
	struct timespec pause = {0, 5000000};

	(void)nanosleep(&pause, NULL);
}

static _Noreturn void sleep_on(void)
{
	struct timespec pause = {600, 0};

	for (;;)
		(void)nanosleep(&pause, NULL);
}

static pid_t start(void (*run)(void))
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		run();
		_exit(0);
	}
	return pid;
}

static void sleeper(void)
{
	sleep_on();
}

static void parent_of_sleeper(void)
{
	(void)start(sleeper);
	sleep_on();
}

/* Its child is nobody's before anybody looks. */
static void leaver(void)
{
	pid_t pid = fork();

	if (pid == 0)
		sleep_on();
}

static void parent_of_zombie(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	sleep_on();
}

static void spinner(void)
{
	for (volatile unsigned long i = 0;; i++)
		;
}

static void end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static size_t count_of(const pid_t apart[EXEC_HELPERS])
{
	struct exec_descendants descendants;
	size_t count;

	exec_descendants_list(&descendants, apart);
	count = descendants.count;
	exec_descendants_deinit(&descendants);
	return count;
}

static void wait_count(size_t wanted)
{
	static const pid_t nobody[EXEC_HELPERS];

	for (int i = 0; i < TRIES && count_of(nobody) != wanted; i++)
		nap();
	assert_int_equal(count_of(nobody), wanted);
}

static void end_all(void)
{
	static const pid_t nobody[EXEC_HELPERS];
	struct exec_descendants descendants;

	exec_descendants_list(&descendants, nobody);
	for (size_t i = 0; i < descendants.count; i++)
		(void)kill(descendants.list[i].pid, SIGKILL);
	exec_descendants_deinit(&descendants);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static int forget_children(void **state)
{
	(void)state;
	end_all();
	return 0;
}

static int become_subreaper(void **state)
{
	(void)state;
	return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* --- proc ----------------------------------------------------------------- */

static void a_process_is_read_whatever_its_name(void **state)
{
	struct proc before, proc;
	char name[PROC_NAME];

	(void)state;
	assert_true(proc_read(getpid(), &before));
	assert_int_equal(prctl(PR_GET_NAME, name), 0);
	assert_int_equal(prctl(PR_SET_NAME, "a) Z (1 (b"), 0);
	assert_true(proc_read(getpid(), &proc));
	assert_int_equal(prctl(PR_SET_NAME, name), 0);
	assert_string_equal(proc.name, "a) Z (1 (b");
	assert_int_equal(proc.parent, getppid());
	assert_int_equal(proc.state, 'R');
	assert_true(proc.started > 0 && proc.started == before.started);
	assert_false(proc_read(0x7ffffff0, &proc));
}

static void all_processes_are_listed_in_order(void **state)
{
	struct proc *list;
	size_t count = proc_list(&list);
	bool found = false;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_true(i == 0 || list[i].pid > list[i - 1].pid);
		found |= list[i].pid == getpid();
	}
	assert_true(found);
	mem_free(list);
}

/* --- work ----------------------------------------------------------------- */

static void children_and_theirs_are_seen(void **state)
{
	pid_t pid, apart[EXEC_HELPERS] = {0};

	(void)state;
	wait_count(0);
	pid = start(parent_of_sleeper);
	wait_count(2);
	apart[1] = pid;
	assert_int_equal(count_of(apart), 0);
}

static void who_lost_a_parent_is_still_seen(void **state)
{
	pid_t pid = start(leaver);

	(void)state;
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	wait_count(1);
}

static void an_end_that_nobody_heard_of_is_work(void **state)
{
	pid_t pid = start(parent_of_zombie);

	(void)state;
	wait_count(2);
	(void)kill(pid, SIGKILL);
	wait_count(0); /* both are ours to bury */
}

static void the_eldest_comes_first(void **state)
{
	static const pid_t nobody[EXEC_HELPERS];
	pid_t first = start(sleeper);
	struct exec_descendants descendants;

	(void)state;
	for (int i = 0; i < 5; i++) {
		nap();
		(void)start(sleeper);
	}
	exec_descendants_list(&descendants, nobody);
	assert_int_equal(descendants.count, 6);
	assert_int_equal(descendants.list[0].pid, first);
	exec_descendants_deinit(&descendants);
}

/* --- workers -------------------------------------------------------------- */

static bool wait_asleep(pid_t pid, bool wanted)
{
	for (int i = 0;
	     i < TRIES && exec_agent_process_is_asleep(pid) != wanted; i++)
		nap();
	return exec_agent_process_is_asleep(pid) == wanted;
}

static void sleep_by_select(void)
{
	struct timespec pause = {600, 0};

	for (;;)
		(void)pselect(0, NULL, NULL, NULL, &pause, NULL);
}

static void wait_for_bytes(void)
{
	int ends[2];
	char byte;

	if (pipe(ends) == 0)
		(void)!read(ends[0], &byte, 1);
}

static void who_sleeps_is_seen_to(void **state)
{
	pid_t by_nanosleep = start(sleeper), by_select = start(sleep_by_select);
	pid_t reads = start(wait_for_bytes), spins = start(spinner);

	(void)state;
	assert_true(wait_asleep(by_nanosleep, true));
	assert_true(wait_asleep(by_select, true));
	for (int i = 0; i < 20; i++) {
		assert_false(exec_agent_process_is_asleep(reads));
		assert_false(exec_agent_process_is_asleep(spins));
		nap();
	}
	assert_false(exec_agent_process_is_asleep(0x7ffffff0));
}

static void a_worker_is_known_by_the_file_it_holds(void **state)
{
	char path[] = "/tmp/.clearmlagent_1_XXXXXX";
	int fd = mkstemp(path);
	char *id;

	(void)state;
	assert_null(exec_agent_process_id(0x7ffffff0));
	assert_true(fd >= 0);
	assert_null(exec_agent_process_id(getpid())); /* nothing in it yet */
	assert_int_equal(write(fd, "vm:gpu0\n3", 9), 9);
	id = exec_agent_process_id(getpid());
	assert_string_equal(id, "vm:gpu0");
	mem_free(id);
	(void)close(fd);
	assert_null(exec_agent_process_id(getpid()));
	(void)unlink(path);
}

static void an_agent_answers_to_two_signals(void **state)
{
	static const int harmless[] = {SIGCHLD, SIGCONT, SIGWINCH};
	static const int deadly[] = {SIGHUP,  SIGTERM, SIGINT,  SIGUSR1,
				     SIGQUIT, SIGKILL, SIGSTOP, SIGALRM};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		assert_false(exec_agent_process_dies_of(harmless[i]));
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		assert_true(exec_agent_process_dies_of(deadly[i]));
}

/* --- holding -------------------------------------------------------------- */

static void wait_state(pid_t pid, char wanted)
{
	struct proc proc = {0};

	for (int i = 0; i < TRIES; i++) {
		if (proc_read(pid, &proc) && proc.state == wanted)
			return;
		nap();
	}
	fail_msg("it is %c, not %c", proc.state, wanted);
}

static void what_is_held_stands_and_goes_on(void **state)
{
	struct exec_freeze freeze = EXEC_FREEZE_INIT;
	struct exec_helper guard = {0};
	pid_t pid = start(sleeper);

	(void)state;
	assert_true(wait_asleep(pid, true));
	assert_false(exec_freeze_is_stopped(&freeze));
	assert_true(exec_freeze_begin(&freeze, pid, &guard));
	wait_state(pid, 'T');
	assert_true(exec_freeze_is_stopped(&freeze));
	assert_true(exec_agent_process_is_asleep(pid)); /* as it was */
	exec_freeze_end(&freeze);
	wait_state(pid, 'S');
	assert_int_equal(waitpid(guard.pid, NULL, 0), guard.pid);
}

static pid_t held; /* by a process that is killed */

static void holder(void)
{
	struct exec_freeze freeze = EXEC_FREEZE_INIT;
	struct exec_helper guard = {0};

	(void)exec_freeze_begin(&freeze, held, &guard);
	sleep_on();
}

static void what_is_held_goes_on_when_the_holder_is_killed(void **state)
{
	pid_t pid;

	(void)state;
	held = start(sleeper);
	pid = start(holder);
	wait_state(held, 'T');
	end(pid);
	wait_state(held, 'S');
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_is_read_whatever_its_name),
		cmocka_unit_test(all_processes_are_listed_in_order),
		cmocka_unit_test_teardown(children_and_theirs_are_seen,
					  forget_children),
		cmocka_unit_test_teardown(who_lost_a_parent_is_still_seen,
					  forget_children),
		cmocka_unit_test_teardown(an_end_that_nobody_heard_of_is_work,
					  forget_children),
		cmocka_unit_test_teardown(the_eldest_comes_first,
					  forget_children),
		cmocka_unit_test_teardown(who_sleeps_is_seen_to,
					  forget_children),
		cmocka_unit_test(a_worker_is_known_by_the_file_it_holds),
		cmocka_unit_test(an_agent_answers_to_two_signals),
		cmocka_unit_test_teardown(what_is_held_stands_and_goes_on,
					  forget_children),
		cmocka_unit_test_teardown(
			what_is_held_goes_on_when_the_holder_is_killed,
			forget_children),
	};

	return cmocka_run_group_tests(tests, become_subreaper, NULL);
}
