#ifndef FETCH_WATCH_H
#define FETCH_WATCH_H

/*
 * Watch: tells when local files have changed.
 *
 * It watches folders, not files, because editors and Kubernetes rename: the
 * folder of every link in the chain to each path, and the nearest existing
 * parent of what does not exist yet. Any event there, and each watch_check(),
 * makes it look again at device, inode, size and times of all its paths; after
 * a moment of quiet it says that something changed. inotify may drop events
 * and NFS has none: that is what watch_check() at each poll is for.
 *
 *   IDLE --event or check that differs--> SETTLING --quiet--> on_change, IDLE
 */

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct watch;

typedef void (*watch_change_fn)(void *data);

/* @settle_ms: the quiet that ends a burst of changes; a burst that never
 * pauses is cut after ten times that. */
struct watch *watch_new(uv_loop_t *loop, uint64_t settle_ms,
			watch_change_fn on_change, void *data);
void watch_close(struct watch *watch); /* asynchronous, frees itself */

/* Watch exactly these files from now on (they need not exist; copied). What
 * they look like now counts as known. Folders may be named too: then a change
 * of their entries counts. Relative paths are relative to the working folder. */
void watch_set_paths(struct watch *watch, const char *const *paths,
		     size_t count);

/* Look now, without waiting for an event. */
void watch_check(struct watch *watch);

#endif
