#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "serve/pidfd.h"

#define LOOKS 500000 /* hundreds of signals come in between */

static void on_alarm(int number)
{
	(void)number;
}

/* As by SIGHUP, again and again. */
static void send_signals(bool on)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct timeval often = {0, on ? 200 : 0};
	const struct itimerval timer = {often, often};

	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* The other end of the connection is this process's own. */
static void a_signal_ends_nobody(void **state)
{
	_cleanup_(file_closep) int held = -1;
	size_t ended = 0;
	int ends[2];

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	held = pidfd_of_peer(ends[0], getpid());
	send_signals(true);
	for (size_t i = 0; i < LOOKS; i++)
		ended += pidfd_has_ended(held);
	send_signals(false);
	assert_int_equal(ended, 0);
	assert_int_equal(close(ends[0]) + close(ends[1]), 0);
}

static void what_is_not_known_is_told_apart(void **state)
{
	(void)state;
	assert_true(pidfd_has_ended(PIDFD_ENDED));
	assert_false(pidfd_has_ended(PIDFD_UNKNOWN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_ends_nobody),
		cmocka_unit_test(what_is_not_known_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
