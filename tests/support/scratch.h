#ifndef SUPPORT_SCRATCH_H
#define SUPPORT_SCRATCH_H

/*
 * A temporary folder for tests about files, and short verbs to fill it.
 *
 * It is the working folder while it lasts, so that a test names its files
 * relative to it; scratch_at() gives the absolute name. Every verb asserts that
 * it worked. Include it after cmocka.h.
 */

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_root[PATH_MAX];

static inline void scratch_enter(void)
{
	char name[] = "/tmp/clearconf-test.XXXXXX";

	assert_non_null(mkdtemp(name));
	assert_non_null(realpath(name, scratch_root));
	assert_int_equal(chdir(scratch_root), 0);
}

static inline int scratch_remove_one(const char *path, const struct stat *seen,
				     int kind, struct FTW *place)
{
	(void)seen;
	(void)kind;
	(void)place;
	return remove(path);
}

static inline void scratch_remove(const char *path)
{
	assert_int_equal(
		nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void scratch_leave(void)
{
	assert_int_equal(chdir("/"), 0);
	scratch_remove(scratch_root);
}

/* Good until it has been called eight times more. */
static inline const char *scratch_at(const char *name)
{
	static char names[8][PATH_MAX + 256];
	static unsigned int next;
	char *full = names[next++ % 8];

	assert_true(snprintf(full, sizeof(names[0]), "%s/%s", scratch_root,
			     name) < (int)sizeof(names[0]));
	return full;
}

static inline void scratch_write(const char *name, const char *text)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* With its missing parents. */
static inline void scratch_folder(const char *name)
{
	char part[PATH_MAX];

	assert_true(strlen(name) < sizeof(part));
	for (size_t i = 0; i <= strlen(name); i++) {
		part[i] = '\0';
		if (i && (name[i] == '/' || !name[i]))
			assert_true(mkdir(part, 0755) == 0 ||
				    access(part, F_OK) == 0);
		part[i] = name[i];
	}
}

static inline void scratch_link(const char *target, const char *name)
{
	assert_int_equal(symlink(target, name), 0);
}

static inline void scratch_rename(const char *from, const char *to)
{
	assert_int_equal(rename(from, to), 0);
}

/* Make the existing link @name point to @target, in one step. */
static inline void scratch_relink(const char *target, const char *name)
{
	char fresh[PATH_MAX];

	assert_true(snprintf(fresh, sizeof(fresh), "%s.new", name) <
		    (int)sizeof(fresh));
	scratch_link(target, fresh);
	scratch_rename(fresh, name);
}

#endif
