#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/skipping.h"
#include "base/mem.h"
#include "serve/abode.h"

#define HOST_USERS "         0          0 4294967295\n"
#define STATUS(p)  "Name:\tx\nNSpid:\t" p "\nNSpgid:\t1\n"
#define ID         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define CGROUP2(p) "0::" p "\n"

struct process {
	const char *users, *status, *cgroup; /* NULL: not shown */
};

static void write_fact(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)unlink(path);
	if (!text)
		return;
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	(void)fclose(file);
}

static void make(const char *folder, const struct process *process)
{
	write_fact(folder, "uid_map", process->users);
	write_fact(folder, "status", process->status);
	write_fact(folder, "cgroup", process->cgroup);
}

static const struct process host = {HOST_USERS, STATUS("77"),
				    CGROUP2("/system.slice/x.service")};
static const struct process plain = {HOST_USERS, STATUS("77"), NULL};
static const struct process pod = {
	HOST_USERS, STATUS("9"),
	CGROUP2("/kubepods.slice/kubepods-podA.slice/cri-1.scope")};
static const struct {
	const struct process *mine;
	struct process theirs;
	const char *why; /* a part of it; NULL: it lives here */
} cases[] = {
	{&host,
	 {HOST_USERS, STATUS("99"), CGROUP2("/user.slice/s.scope")},
	 NULL},
	{&host,
	 {HOST_USERS, STATUS("9"), CGROUP2("/system.slice/docker.service")},
	 NULL},
	{&host, {HOST_USERS, STATUS("9"), NULL}, "not show"},
	{&plain, {HOST_USERS, STATUS("9"), NULL}, NULL},
	{&plain, {HOST_USERS, STATUS("9"), CGROUP2("/")}, "not show"},
	{&host,
	 {"         0          0          1\n", STATUS("99"), CGROUP2("/")},
	 "user namespace"},
	{&host, {HOST_USERS, STATUS("99\t1"), CGROUP2("/")}, "PID namespace"},
	{&host,
	 {HOST_USERS, STATUS("9"), CGROUP2("/system.slice/docker-0f.scope")},
	 "container"},
	{&host,
	 {HOST_USERS, STATUS("9"), "1:name=systemd:/docker/0f\n0::/\n"},
	 "container"},
	{&host,
	 {HOST_USERS, STATUS("9"), CGROUP2("/kubepods/burstable/p/1")},
	 "container"},
	{&host,
	 {HOST_USERS, STATUS("9"), CGROUP2("/machine.slice/m.scope")},
	 "container"},
	{&host, {HOST_USERS, STATUS("9"), CGROUP2("/own/" ID)}, "container"},
	{&host,
	 {HOST_USERS, STATUS("9"), CGROUP2("/s.slice/nerdctl-" ID ".scope")},
	 "container"},
	{&host,
	 {HOST_USERS, STATUS("9"), CGROUP2("/../cri-2.scope")},
	 "container"},
	{&host, {NULL, STATUS("9"), CGROUP2("/")}, "not show"},
	{&host, {HOST_USERS, NULL, CGROUP2("/")}, "not show"},
	{&host, {HOST_USERS, "Name:\tx\n", CGROUP2("/")}, "PID"},
	{&pod,
	 {HOST_USERS, STATUS("3"),
	  CGROUP2("/kubepods.slice/kubepods-podA.slice/cri-1.scope")},
	 NULL},
	{&pod,
	 {HOST_USERS, STATUS("3"),
	  CGROUP2("/kubepods.slice/kubepods-podA.slice/cri-2.scope")},
	 "container"},
	{&pod,
	 {HOST_USERS, STATUS("3"), CGROUP2("/system.slice/s.service")},
	 "container"},
};

static const char *compare(const char *mine, const char *theirs)
{
	struct abode *here = abode_new(mine);
	const char *why = abode_compare(here, theirs);

	abode_free(here);
	return why;
}

static void a_process_lives_where_all_is_the_same(void **state)
{
	char mine[] = "/tmp/clearconf-abode.XXXXXX";
	char theirs[] = "/tmp/clearconf-abode.XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(mine));
	assert_non_null(mkdtemp(theirs));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why;

		make(mine, cases[i].mine);
		make(theirs, &cases[i].theirs);
		why = compare(mine, theirs);
		if (!cases[i].why != !why ||
		    (why && !strstr(why, cases[i].why)))
			fail_msg("case %zu: %s", i, why ? why : "lives here");
	}
	make(mine, &(struct process){0});
	make(theirs, &(struct process){0});
	assert_int_equal(rmdir(mine) | rmdir(theirs), 0);
}

static const char *of_peer(int fd, pid_t pid)
{
	struct abode *here = abode_new("/proc/self");
	const char *why = abode_of_peer(here, fd, pid);

	abode_free(here);
	return why;
}

/* The other end of a socket that a child has connected; it goes on when what
 * is returned is closed. */
static pid_t start_peer(int *fd, int *hold, int unshared)
{
	int ends[2], gate[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(gate), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		close(gate[1]);
		if (unshared && unshare(unshared) < 0)
			byte = 1;
		(void)!write(ends[1], &byte, 1);
		(void)!read(gate[0], &byte, 1);
		_exit(0);
	}
	close(gate[0]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[1]);
	*fd = ends[0];
	*hold = gate[1];
	return byte ? -pid : pid;
}

static void end_peer(pid_t pid, int fd, int hold)
{
	close(hold);
	close(fd);
	(void)waitpid(pid < 0 ? -pid : pid, NULL, 0);
}

static void a_child_lives_here(void **state)
{
	int fd, hold;
	pid_t pid = start_peer(&fd, &hold, 0);

	(void)state;
	assert_null(compare("/proc/self", "/proc/self"));
	/* A pair is of who made it: this process. */
	assert_null(of_peer(fd, getpid()));
	end_peer(pid, fd, hold);
}

static void a_user_namespace_is_another_place(void **state)
{
	int fd, hold;
	pid_t pid = start_peer(&fd, &hold, CLONE_NEWUSER);
	char folder[32];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/proc/%ld", (long)pid);
	if (pid > 0)
		assert_string_equal(compare("/proc/self", folder),
				    "another user namespace");
	end_peer(pid, fd, hold);
	if (pid < 0)
		skip_because("no user namespace can be made here");
}

static void who_cannot_be_seen_lives_elsewhere(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_non_null(of_peer(ends[0], 0));
	assert_non_null(compare("/proc/self", "/proc/0"));
	close(ends[0]);
	close(ends[1]);
}

/* Who has connected and ended: somebody else may have its PID by now. */
static void who_has_ended_lives_elsewhere(void **state)
{
	int ends[2];
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_non_null(of_peer(ends[0], pid));
	close(ends[0]);
	close(ends[1]);
}

/* A process with the PID of one that has ended, as time brings it; -1 where a
 * PID cannot be chosen. */
static pid_t start_with_pid(pid_t pid)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};
	long made = syscall(SYS_clone3, &args, sizeof(args));

	if (made == 0) {
		(void)pause();
		_exit(0);
	}
	return (pid_t)made;
}

/* It connects, leaves the connection to its parent, and ends. */
static pid_t connect_and_end(int fd, const struct sockaddr_un *address)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(connect(fd, (const struct sockaddr *)address,
			      sizeof(*address)) < 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static bool has_peer_descriptors(int fd)
{
	socklen_t size = sizeof(int);
	int held;

	if (getsockopt(fd, SOL_SOCKET, 77, &held, &size) < 0)
		return errno != ENOPROTOOPT;
	close(held);
	return true;
}

static void the_next_of_a_pid_is_not_the_peer(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd, end;
	pid_t pid, next;

	(void)state;
	(void)snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
		       "clearconf-abode-%ld", (long)getpid());
	assert_int_equal(
		bind(listener, (struct sockaddr *)&address, sizeof(address)),
		0);
	assert_int_equal(listen(listener, 1), 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid = connect_and_end(fd, &address);
	end = accept(listener, NULL, NULL);
	next = start_with_pid(pid);
	if (next > 0) {
		char folder[32];

		(void)snprintf(folder, sizeof(folder), "/proc/%ld", (long)pid);
		assert_int_equal(next, pid);
		assert_null(compare("/proc/self", folder));
		if (has_peer_descriptors(end))
			assert_string_equal(of_peer(end, pid), "it has ended");
		(void)kill(next, SIGKILL);
		(void)waitpid(next, NULL, 0);
	}
	close(listener);
	close(fd);
	close(end);
	if (next < 0)
		skip_because("no process can have a number of one's choice");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_lives_where_all_is_the_same),
		cmocka_unit_test(a_child_lives_here),
		cmocka_unit_test(a_user_namespace_is_another_place),
		cmocka_unit_test(who_cannot_be_seen_lives_elsewhere),
		cmocka_unit_test(who_has_ended_lives_elsewhere),
		cmocka_unit_test(the_next_of_a_pid_is_not_the_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
