#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../support/scratch.h"
#include "front/systemd.h"

static int enter(void **state)
{
	(void)state;
	scratch_enter();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	scratch_leave();
	return 0;
}

/* A socket as systemd has one, under $NOTIFY_SOCKET; '@' for an abstract one.
 */
static int listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(len < sizeof(address.sun_path));
	memcpy(address.sun_path, name, len);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static void assert_heard(int fd, const char *text)
{
	char heard[1024];
	ssize_t n = recv(fd, heard, sizeof(heard) - 1, 0);

	assert_true(n >= 0);
	heard[n] = '\0';
	assert_string_equal(heard, text);
}

static void a_socket_with_a_path_is_told(void **state)
{
	int fd = listen_at(scratch_at("notify"));

	(void)state;
	systemd_notify("READY=1");
	assert_heard(fd, "READY=1");
	systemd_notify("STATUS=%s, generation %d\nREADY=1", "fine", 42);
	assert_heard(fd, "STATUS=fine, generation 42\nREADY=1");
	assert_true(recv(fd, (char[1]){0}, 1, 0) < 0);
	(void)close(fd);
}

static void an_abstract_socket_is_told(void **state)
{
	char name[64];
	int fd;

	(void)state;
	(void)snprintf(name, sizeof(name), "@clearconf-test-%d", (int)getpid());
	fd = listen_at(name);
	systemd_notify("READY=1");
	assert_heard(fd, "READY=1");
	(void)close(fd);
}

static void a_long_message_is_cut(void **state)
{
	int fd = listen_at(scratch_at("notify"));
	char text[2000], heard[2000];
	ssize_t n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	systemd_notify("STATUS=%s", text);
	n = recv(fd, heard, sizeof(heard), 0);
	assert_true(n > 100 && n < (ssize_t)sizeof(text) - 1);
	assert_memory_equal(heard, "STATUS=xxx", 10);
	(void)close(fd);
}

/* Descriptors now open: one that is opened and closed has the lowest number
 * that is free. */
static int free_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	(void)close(fd);
	return fd;
}

static void without_a_socket_nothing_happens(void **state)
{
	static const char *const names[] = {"", "relative", "/nowhere/at/all",
					    "@nobody-listens-here",
					    "vsock:2:1"};
	char name[300];
	int before = free_descriptor();

	(void)state;
	(void)unsetenv("NOTIFY_SOCKET");
	systemd_notify("READY=1");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
		systemd_notify("READY=1");
	}
	memset(name, 'x', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	systemd_notify("READY=1");
	assert_int_equal(free_descriptor(), before);
}

static void pass_sockets(pid_t pid, const char *count)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	assert_int_equal(setenv("LISTEN_PID", text, 1), 0);
	assert_int_equal(setenv("LISTEN_FDS", count, 1), 0);
	assert_int_equal(setenv("LISTEN_FDNAMES", "clearconf.socket", 1), 0);
}

static void assert_variables_are_gone(void)
{
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_FDNAMES"));
}

/* Descriptor 3 as systemd passes it, while @with is called. */
static int take_with_descriptor(int kind)
{
	int kept = fcntl(3, F_DUPFD_CLOEXEC, 10);
	int fd = socket(AF_UNIX, kind, 0), taken, flags = 0;

	assert_true(fd >= 0);
	if (fd != 3) {
		assert_int_equal(dup2(fd, 3), 3);
		(void)close(fd);
	}
	taken = systemd_take_socket();
	if (taken == 3)
		flags = fcntl(3, F_GETFD);
	(void)close(3);
	if (kept >= 0) {
		assert_int_equal(dup2(kept, 3), 3);
		(void)close(kept);
	}
	if (taken == 3)
		assert_true(flags & FD_CLOEXEC);
	return taken;
}

static void a_passed_socket_is_taken_once(void **state)
{
	(void)state;
	pass_sockets(getpid(), "1");
	assert_int_equal(take_with_descriptor(SOCK_STREAM), 3);
	assert_variables_are_gone();
	assert_int_equal(take_with_descriptor(SOCK_STREAM), -1);
}

static void of_several_sockets_the_first_is_taken(void **state)
{
	(void)state;
	pass_sockets(getpid(), "2");
	assert_int_equal(take_with_descriptor(SOCK_STREAM), 3);
}

static void sockets_for_another_process_are_not_ours(void **state)
{
	(void)state;
	pass_sockets(getppid(), "1");
	assert_int_equal(take_with_descriptor(SOCK_STREAM), -1);
	assert_variables_are_gone();
}

static void without_sockets_there_is_none(void **state)
{
	static const char *const counts[] = {"0", "-1", "", "x"};

	(void)state;
	assert_int_equal(systemd_take_socket(), -1);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		pass_sockets(getpid(), counts[i]);
		assert_int_equal(take_with_descriptor(SOCK_STREAM), -1);
		assert_variables_are_gone();
	}
	assert_int_equal(setenv("LISTEN_FDS", "1", 1), 0);
	assert_int_equal(take_with_descriptor(SOCK_STREAM), -1);
	assert_variables_are_gone();
}

/* The variables of a start whose descriptor is not there. */
static void a_descriptor_that_is_closed_is_none(void **state)
{
	int kept = fcntl(3, F_DUPFD_CLOEXEC, 10);

	(void)state;
	(void)close(3);
	pass_sockets(getpid(), "1");
	assert_int_equal(systemd_take_socket(), -1);
	if (kept >= 0) {
		assert_int_equal(dup2(kept, 3), 3);
		(void)close(kept);
	}
}

static uint64_t watchdog(const char *usec, const char *pid)
{
	uint64_t ms;

	if (usec)
		assert_int_equal(setenv("WATCHDOG_USEC", usec, 1), 0);
	if (pid)
		assert_int_equal(setenv("WATCHDOG_PID", pid, 1), 0);
	ms = systemd_watchdog_ms();
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return ms;
}

static void a_watchdog_is_for_the_process_it_names(void **state)
{
	char ours[32];

	(void)state;
	(void)snprintf(ours, sizeof(ours), "%d", (int)getpid());
	assert_int_equal(watchdog("30000000", ours), 30000);
	assert_int_equal(watchdog("30000000", NULL), 30000);
	assert_int_equal(watchdog("1", ours), 1);
	assert_int_equal(watchdog("30000000", "1"), 0);
	assert_int_equal(watchdog("0", ours), 0);
	assert_int_equal(watchdog("-5", ours), 0);
	assert_int_equal(watchdog("soon", ours), 0);
	assert_int_equal(watchdog(NULL, ours), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(a_socket_with_a_path_is_told),
		TEST(an_abstract_socket_is_told),
		TEST(a_long_message_is_cut),
		TEST(without_a_socket_nothing_happens),
		TEST(a_passed_socket_is_taken_once),
		TEST(of_several_sockets_the_first_is_taken),
		TEST(sockets_for_another_process_are_not_ours),
		TEST(without_sockets_there_is_none),
		TEST(a_descriptor_that_is_closed_is_none),
		TEST(a_watchdog_is_for_the_process_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
