#include "fetch/watch.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetch/chain.h"
#include "fetch/identity.h"

#define TICKS_A_SETTLE 4
#define BURST_SETTLES  10

/* Each round follows paths into folders that appeared during the one before;
 * this many in a row is somebody's game, to be gone on with at the next tick.
 */
#define ROUNDS_MAX 8

enum watch_state {
	WATCH_IDLE,     /* what is known is what there is */
	WATCH_STIRRED,  /* events came; a look is due */
	WATCH_SETTLING, /* it differs from what on_change was last called for */
	WATCH_CLOSED,
};

struct watched_path {
	char *name;
	struct identity known;
};

/* A folder that is watched, or would be if the system let us. */
struct folder {
	struct list member;
	struct watch *watch;
	uv_fs_event_t handle; /* active: watched */
	char *path;
	dev_t device;
	ino_t inode;
	bool wanted; /* in the present chain */
	bool doubtful; /* the handle may be tied to what is not here any more */
};

struct watch {
	uv_loop_t *loop;
	uv_timer_t timer; /* ticks while STIRRED or SETTLING */
	enum watch_state state;
	unsigned int open_handles; /* the timer and one a folder */
	uint64_t settle_ms;
	uint64_t burst_ms; /* when SETTLING began, or on_change cut in */
	uint64_t last_ms;  /* when it last differed */
	bool limited; /* told already that the system's limits are reached */
	struct watched_path *paths;
	size_t count;
	struct list folders;
	watch_change_fn on_change;
	void *data;
};

/* Not the loop's clock, which stands still while a callback runs. */
static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* --- end -------------------------------------------------------------------
 */

static void paths_free(struct watched_path *paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mem_free(paths[i].name);
	mem_free(paths);
}

static void watch_release(struct watch *watch)
{
	if (--watch->open_handles)
		return;
	paths_free(watch->paths, watch->count);
	mem_free(watch);
}

static void on_timer_closed(uv_handle_t *handle)
{
	watch_release(handle->data);
}

static void folder_free(struct folder *folder)
{
	struct watch *watch = folder->watch;

	mem_free(folder->path);
	mem_free(folder);
	watch_release(watch);
}

static void on_folder_closed(uv_handle_t *handle)
{
	folder_free(handle->data);
}

static void folder_close(struct folder *folder)
{
	list_remove(&folder->member);
	uv_close((uv_handle_t *)&folder->handle, on_folder_closed);
}
