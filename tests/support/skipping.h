#ifndef SUPPORT_SKIPPING_H
#define SUPPORT_SKIPPING_H

/*
 * Tests that something is missing for, in words that run_tests.py counts and
 * tests/skips.txt knows: cmocka's own skip() gives no reason. Include it after
 * cmocka.h.
 */

#include <stdio.h>

#define skip_because(why)                                                      \
	do {                                                                   \
		(void)printf("# skipped: %s\n", (why));                        \
		(void)fflush(stdout);                                          \
		skip();                                                        \
	} while (0)

#endif
