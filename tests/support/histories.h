#ifndef SUPPORT_HISTORIES_H
#define SUPPORT_HISTORIES_H

/*
 * Histories on disk for tests: five generations of a workspace, and what
 * another process finds of them.
 *
 * Include it after cmocka.h.
 */

#include <dirent.h>
#include <stdio.h>

#include "../support/docs.h"
#include "../support/scratch.h"
#include "base/str.h"
#include "config/history.h"
#include "config/snapshot.h"
#include "state/history_disk.h"

#define HISTORIES_FOLDER "state/history/research.history"
#define HISTORIES_OWNER  "https://api\nkey\n\n"

static inline int histories_enter(void **state)
{
	(void)state;
	scratch_enter();
	scratch_folder("state");
	return 0;
}

static inline int histories_leave(void **state)
{
	(void)state;
	scratch_leave();
	return 0;
}

/* Of one document that is shared by all, and one of its own. */
static inline struct snapshot *histories_snapshot(uint64_t generation,
						  struct doc *shared,
						  const char *own)
{
	struct stack_docs docs = {0};
	struct snapshot *snapshot;

	stack_docs_insert(&docs, LAYER_FILE, doc_ref(shared))->source = "f";
	stack_docs_insert(&docs, LAYER_VAULT, docs_read(own))->source = "v";
	snapshot = snapshot_new(&docs);
	snapshot->generation = generation;
	return snapshot;
}

static inline struct history_disk *histories_open_with(size_t limit,
						       size_t bytes_limit)
{
	const struct history_place place = {scratch_at("state"), "research",
					    limit, bytes_limit};

	return history_disk_new(&place);
}

static inline struct history_disk *histories_open(void)
{
	return histories_open_with(64, SIZE_MAX);
}

/* "3 2 1": what a process finds that begins with @below, for @owner; the first
 * problem in *@why. */
static inline char *histories_found(struct history_disk *disk,
				    const char *owner, uint64_t below,
				    char **why)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct diag diag = DIAG_INIT;
	struct history_entry entry;

	if (!history_disk_open(disk, owner, below, &diag))
		buf_puts(&text, "waits");
	while (history_disk_next(disk, &entry, &diag)) {
		buf_printf(&text, "%s%d", text.len ? " " : "",
			   (int)entry.snapshot->generation);
		if (entry.until > entry.snapshot->generation)
			buf_printf(&text, "-%d", (int)entry.until);
		if (entry.again_from)
			buf_printf(&text, "+%d-%d", (int)entry.again_from,
				   (int)entry.again_until);
		snapshot_unref(entry.snapshot);
	}
	if (why)
		*why = diag.text ? mem_strdup(diag.text) : NULL;
	diag_deinit(&diag);
	return buf_take(&text);
}

static inline void histories_assert_found(const char *expected)
{
	struct history_disk *disk = histories_open();
	_cleanup_(mem_freep) char *why = NULL;
	_cleanup_(mem_freep) char *what =
		histories_found(disk, HISTORIES_OWNER, 1000, &why);

	assert_string_equal(what, expected);
	if (why)
		fail_msg("%s", why);
	history_disk_free(disk);
}

/* Five generations: 10, 20, 30, 40, 50, each after the one before. */
static inline struct history_disk *histories_five(void)
{
	_cleanup_(doc_unrefp) struct doc *shared =
		docs_read("{\"shared\":[1,2,3]}");
	struct history_disk *disk = histories_open();
	char own[32];

	mem_free(histories_found(disk, HISTORIES_OWNER, 10, NULL));
	for (uint64_t n = 1; n <= 5; n++) {
		struct snapshot *snapshot;

		(void)snprintf(own, sizeof(own), "{\"own\":%d}", (int)n);
		snapshot = histories_snapshot(10 * n, shared, own);
		assert_int_equal(history_disk_write(disk, HISTORIES_OWNER,
						    snapshot, 10 * (n - 1)),
				 0);
		snapshot_unref(snapshot);
	}
	return disk;
}

static inline size_t histories_count_files(const char *ending)
{
	DIR *dir = opendir(HISTORIES_FOLDER);
	struct dirent *each;
	size_t count = 0;

	while (dir && (each = readdir(dir)))
		count += str_ends(str_from(each->d_name), str_from(ending));
	if (dir)
		(void)closedir(dir);
	return count;
}

#endif
