#ifndef SUPPORT_QUIET_H
#define SUPPORT_QUIET_H

/*
 * Nothing on stderr for a while: what the tested code complains about is for
 * people, and the test looks at something else. Include it after cmocka.h.
 */

#include <fcntl.h>
#include <unistd.h>

static int quiet_stderr = -1;

static inline void quiet_begin(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	assert_true(null >= 0);
	quiet_stderr = dup(STDERR_FILENO);
	assert_true(quiet_stderr >= 0);
	assert_true(dup2(null, STDERR_FILENO) >= 0);
	(void)close(null);
}

static inline void quiet_end(void)
{
	assert_true(dup2(quiet_stderr, STDERR_FILENO) >= 0);
	(void)close(quiet_stderr);
}

#endif
