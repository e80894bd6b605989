#ifndef FETCH_WATCH_H
#define FETCH_WATCH_H

/*
 * Watch: tells when local files have changed.
 *
 * It watches folders, not files, because editors and Kubernetes rename: each in
 * which a step of a path is looked up (fetch/path_dirs). An event there makes
 * it look again at what all its paths lead to (base/file_stamp), and when that
 * differs it waits for a moment of quiet before it says so. inotify may drop
 * events and NFS has none: that is what watch_check() at each poll is for.
 *
 *   IDLE --event--> STIRRED --differs--> SETTLING --quiet: on_change--> IDLE
 *     ^                |                    ^  |
 *     +--- the same ---+                    +--+ differs again, or a file
 *                                                that changed is being written
 *
 * A watch owns its timer, its copies of the paths and a handle for each folder;
 * it frees itself when the last of them is closed.
 */

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct watch;

typedef void (*watch_change_fn)(void *data);

/* @settle_ms: the quiet that ends a burst of changes; a burst that never
 * pauses is told of every ten times that, and when it ends. A file that is
 * written to in place is waited for until it is closed, 125 times @settle_ms at
 * most. It looks four times in @settle_ms at most, whatever the number of
 * events. @on_change may do anything to the watch, also close it. */
struct watch *watch_new(uv_loop_t *loop, uint64_t settle_ms,
			watch_change_fn on_change, void *data);

/* Asynchronous, frees itself; no on_change any more. NULL is allowed. */
void watch_close(struct watch *watch);

/* Watch exactly these files from now on (they need not exist; copied). What a
 * new one looks like now counts as known, so read it after this call, not
 * before; one that was watched already stays known as it was. Folders may be
 * named too: then a change of their entries counts. Relative paths are relative
 * to the working folder. */
void watch_set_paths(struct watch *watch, const char *const *paths,
		     size_t count);

/* Look now, without waiting for an event, and begin anew to watch each folder,
 * for whatever reason its events did not come. Never calls on_change before it
 * returns. */
void watch_check(struct watch *watch);

#endif
