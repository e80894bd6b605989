#ifndef SUPPORT_SKIPPING_H
#define SUPPORT_SKIPPING_H

/*
 * Tests that something is missing for, in words that run_tests.py counts and
 * tests/skips.txt knows: cmocka's own skip() gives no reason. Include it after
 * cmocka.h.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define skip_because(why)                                                      \
	do {                                                                   \
		(void)printf("# skipped: %s\n", (why));                        \
		(void)fflush(stdout);                                          \
		skip();                                                        \
	} while (0)

/* Memcheck takes time, and keeps limits, of its own. */
static inline bool is_under_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded && strstr(preloaded, "valgrind");
}

#endif
