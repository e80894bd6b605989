#ifndef TESTS_OFFICIAL_H
#define TESTS_OFFICIAL_H

/*
 * ClearML's own sample and default files, which are not ours to copy: tests
 * that read them look beside the checkout ($CLEARCONF_SHARED, else ../shared)
 * and are skipped where they are not. What ClearML's code reads from them is in
 * tests/corpus/official.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The folder of the files, from the checkout's @root; false: not here. */
static inline bool official_folder(const char *root, char *path, size_t size)
{
	const char *shared = getenv("CLEARCONF_SHARED");
	int len = shared ? snprintf(path, size, "%s/official", shared)
			 : snprintf(path, size, "%s/../shared/official", root);

	return len > 0 && (size_t)len < size && access(path, R_OK) == 0;
}

#endif
