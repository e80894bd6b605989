#include "fetch/watch.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file_stamp.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetch/path_dirs.h"
#include "fetch/writers.h"

#define TICKS_A_SETTLE 4
#define BURST_SETTLES  10
#define HOLD_SETTLES   125

/* Each round follows the paths into folders that appeared during the one
 * before. Who makes folders faster than that is gone on with at the next tick.
 */
#define ROUNDS_MAX 8

enum watch_state {
	WATCH_IDLE,     /* on_change has been called for all that is known */
	WATCH_STIRRED,  /* events came, a look is due */
	WATCH_SETTLING, /* a look differed, on_change is due */
	WATCH_CLOSED,
};

struct watched_path {
	char *name;
	struct file_stamp known;
	int writers;  /* the watch on who writes to it; or WRITERS_NONE */
	bool writing; /* somebody does, and more is to come */
};

/* A folder that is watched, or would be if the system let us. */
struct folder {
	struct list member;
	struct watch *watch;
	uv_fs_event_t handle; /* active: watched */
	char *path;
	dev_t device;
	ino_t inode;
	bool wanted;   /* lies on the way of a path */
	bool doubtful; /* the handle may be tied to a folder that went away */
	int error;     /* why it cannot be watched; 0 */
};

struct watch {
	uv_timer_t timer; /* ticks while STIRRED or SETTLING */
	enum watch_state state;
	unsigned int open_handles; /* the timer and one a folder */
	uint64_t settle_ms;
	uint64_t burst_ms;  /* since when it has been SETTLING untold */
	uint64_t differ_ms; /* when a look last differed */
	bool waited;        /* for a writer, when it last could have told */
	bool limited;       /* the log has it that inotify is exhausted */
	struct watched_path *paths;
	size_t count;
	struct writers writers;
	struct list folders;
	watch_change_fn on_change;
	void *data;
};

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* --- state --- */

static void on_tick(uv_timer_t *timer);

static void watch_enter(struct watch *watch, enum watch_state state)
{
	uint64_t tick = watch->settle_ms / TICKS_A_SETTLE;

	assert(watch->state != WATCH_CLOSED);
	watch->state = state;
	if (state == WATCH_IDLE || state == WATCH_CLOSED)
		uv_timer_stop(&watch->timer);
	else if (!uv_is_active((uv_handle_t *)&watch->timer))
		uv_timer_start(&watch->timer, on_tick, tick, tick ? tick : 1);
}

static void watch_differs(struct watch *watch)
{
	watch->differ_ms = now_ms();
	if (watch->state == WATCH_SETTLING)
		return;
	watch->burst_ms = watch->differ_ms;
	watch_enter(watch, WATCH_SETTLING);
}

static void take_news(struct watch *watch, const struct writers_news *news)
{
	for (size_t i = 0; i < watch->count; i++) {
		struct watched_path *path = &watch->paths[i];

		if (news->watch != WRITERS_NONE && news->watch != path->writers)
			continue;
		path->writing = news->writing;
		if (news->is_ended)
			path->writers = WRITERS_NONE;
	}
}

/* Is a file being written in place? Half of it is as wrong as none, and it
 * would be taken for all there is. */
static bool is_held(struct watch *watch)
{
	struct writers_news news;
	bool held = false;

	while (writers_next(&watch->writers, &news))
		take_news(watch, &news);
	for (size_t i = 0; i < watch->count; i++)
		held = held || watch->paths[i].writing;
	return held;
}

/* on_change may close the watch: nothing is to be touched after it. A burst
 * that is cut goes on SETTLING, so that its end is told too. */
static void watch_settle(struct watch *watch)
{
	uint64_t now = now_ms();
	bool held = is_held(watch);
	bool waits =
		held && now - watch->burst_ms < watch->settle_ms * HOLD_SETTLES;

	if (watch->waited && !held) /* a burst of its own, of the last words */
		watch->burst_ms = now;
	watch->waited = waits;
	if (waits)
		return;
	if (now - watch->differ_ms >= watch->settle_ms)
		watch_enter(watch, WATCH_IDLE);
	else if (now - watch->burst_ms >= watch->settle_ms * BURST_SETTLES)
		watch->burst_ms = now;
	else
		return;
	watch->on_change(watch->data);
}

/* --- folders --- */

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
	writers_deinit(&watch->writers);
	mem_free(watch);
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

static struct folder *folder_new(struct watch *watch,
				 const struct path_dir *step)
{
	struct folder *folder = mem_alloc(sizeof(*folder));

	folder->watch = watch;
	folder->path = mem_strdup(step->path);
	folder->device = step->device;
	folder->inode = step->inode;
	uv_fs_event_init(watch->timer.loop, &folder->handle);
	folder->handle.data = folder;
	list_add(&watch->folders, &folder->member);
	watch->open_handles++;
	return folder;
}

/* Of another inode it would be another folder. A doubtful one is replaced. */
static bool folder_is_at(const struct folder *folder,
			 const struct path_dir *step)
{
	return folder->inode == step->inode && folder->device == step->device &&
	       !folder->doubtful && !strcmp(folder->path, step->path);
}

static struct folder *watch_folder(struct watch *watch,
				   const struct path_dir *step)
{
	struct folder *folder;
	struct list *i;

	for (list_each (&watch->folders, i)) {
		folder = CONTAINER_OF(i, struct folder, member);
		if (folder_is_at(folder, step))
			return folder;
	}
	return folder_new(watch, step);
}

/* libuv reports a folder's own end or move as it does an entry's, so any rename
 * makes it doubtful. */
static void folder_doubt(struct folder *folder)
{
	folder->doubtful = uv_is_active((uv_handle_t *)&folder->handle);
}

static void folder_stir(struct folder *folder, bool renamed)
{
	if (renamed)
		folder_doubt(folder);
	if (folder->watch->state == WATCH_IDLE)
		watch_enter(folder->watch, WATCH_STIRRED);
}

static void on_event(uv_fs_event_t *handle, const char *name, int events,
		     int status)
{
	(void)name;
	(void)status;
	folder_stir(handle->data, events & UV_RENAME);
}

/* Short of inotify the watch lives on watch_check: worth one warning. That a
 * folder may not be read, or is gone again, is ordinary. */
static void folder_refused(struct folder *folder, int error)
{
	bool limit = error == UV_ENOSPC || error == UV_EMFILE ||
		     error == UV_ENFILE || error == UV_ENOMEM;

	if (limit && !folder->watch->limited) {
		folder->watch->limited = true;
		log_warning("watch-limited", LOG_TEXT("folder", folder->path),
			    LOG_TEXT("reason", uv_strerror(error)),
			    LOG_TEXT("instead", "files are looked at at each "
						"poll interval"));
	} else if (!limit && error != folder->error) {
		log_debug("watch-refused", LOG_TEXT("folder", folder->path),
			  LOG_TEXT("reason", uv_strerror(error)));
	}
}

/* True when its events come from now on only. */
static bool folder_arm(struct folder *folder)
{
	int r;

	if (uv_is_active((uv_handle_t *)&folder->handle))
		return false;
	r = uv_fs_event_start(&folder->handle, on_event, folder->path, 0);
	if (r < 0)
		folder_refused(folder, r);
	folder->error = r;
	return r == 0;
}

static void watch_drop_unwanted(struct watch *watch)
{
	struct folder *folder;
	struct list *i, *next;

	for (i = watch->folders.next; i != &watch->folders; i = next) {
		next = i->next;
		folder = CONTAINER_OF(i, struct folder, member);
		if (!folder->wanted)
			folder_close(folder);
	}
}

/* Watch the folders of @dirs and no others; true when any of them is new. They
 * begin before others end: the one that takes a doubtful one's place shares its
 * inotify watch, if that still lives, and there is no event of an end to wake
 * up for. */
static bool watch_arm(struct watch *watch, const struct path_dirs *dirs)
{
	const struct path_dir *step;
	struct folder *folder;
	struct list *i;
	bool armed = false;

	for (list_each (&watch->folders, i))
		CONTAINER_OF(i, struct folder, member)->wanted = false;
	for (step = dirs->first; step; step = step->next) {
		folder = watch_folder(watch, step);
		folder->wanted = true;
		armed = folder_arm(folder) || armed;
	}
	watch_drop_unwanted(watch);
	return armed;
}

/* --- looking --- */

/* Watch where the paths lead now. What happened in a folder before its watch
 * began is seen by following once more; false when that takes too long. */
static bool watch_follow(struct watch *watch)
{
	struct path_dirs dirs;
	bool armed = true;

	for (int round = 0; armed && round < ROUNDS_MAX; round++) {
		dirs = PATH_DIRS_INIT;
		for (size_t i = 0; i < watch->count; i++)
			path_dirs_add(&dirs, watch->paths[i].name);
		armed = watch_arm(watch, &dirs);
		path_dirs_deinit(&dirs);
	}
	return !armed;
}

/* Nobody tells who writes to it; but what had content and has none is likely
 * to get some. */
static bool is_emptied(const struct file_stamp *was,
		       const struct file_stamp *now)
{
	return was->inode == now->inode && was->size && !now->size &&
	       !now->error;
}

/* Paths to the same file share the watch. */
static void let_go_of_writers(struct watch *watch, int writers)
{
	for (size_t i = 0; i < watch->count; i++)
		if (watch->paths[i].writers == writers)
			return;
	writers_remove(&watch->writers, writers);
}

/* Another file may be there than the one whose writers are watched. */
static void watch_writers(struct watch *watch, struct watched_path *path,
			  const struct file_stamp *now)
{
	bool same = now->inode == path->known.inode &&
		    now->device == path->known.device;
	int old;

	if (same && path->writers != WRITERS_NONE)
		return;
	old = path->writers;
	path->writers = WRITERS_NONE;
	let_go_of_writers(watch, old);
	if (now->type == S_IFREG)
		path->writers = writers_add(&watch->writers, path->name);
	path->writing = path->writers == WRITERS_NONE &&
			(file_stamp_equal(now, &path->known)
				 ? path->writing
				 : is_emptied(&path->known, now));
}

/* Watched first, looked at after: no change falls in between. */
static void watch_look(struct watch *watch)
{
	bool differs = !watch_follow(watch);
	struct file_stamp now;

	for (size_t i = 0; i < watch->count; i++) {
		file_stamp_of(&now, watch->paths[i].name);
		watch_writers(watch, &watch->paths[i], &now);
		if (file_stamp_equal(&now, &watch->paths[i].known))
			continue;
		watch->paths[i].known = now;
		differs = true;
	}
	if (differs)
		watch_differs(watch);
}

static void watch_tick(struct watch *watch)
{
	watch_look(watch);
	if (watch->state == WATCH_STIRRED)
		watch_enter(watch, WATCH_IDLE);
	else
		watch_settle(watch);
}

static void on_tick(uv_timer_t *timer)
{
	watch_tick(timer->data);
}

void watch_check(struct watch *watch)
{
	struct list *i;

	for (list_each (&watch->folders, i))
		folder_doubt(CONTAINER_OF(i, struct folder, member));
	watch_look(watch);
}

/* Lists differ in little, so the next is found right behind *near, the last. */
static const struct watched_path *known_path(const struct watch *watch,
					     const char *name, size_t *near)
{
	for (size_t i = 0; i < watch->count; i++) {
		size_t at = (*near + i) % watch->count;

		if (strcmp(watch->paths[at].name, name) != 0)
			continue;
		*near = at + 1;
		return &watch->paths[at];
	}
	return NULL;
}

static void watch_know(struct watch *watch, struct watched_path *path,
		       const char *name, size_t *near)
{
	const struct watched_path *known = known_path(watch, name, near);

	if (known) {
		*path = *known;
		path->name = mem_strdup(name);
		return;
	}
	*path = (struct watched_path){.name = mem_strdup(name),
				      .writers = WRITERS_NONE};
	file_stamp_of(&path->known, name);
}

void watch_set_paths(struct watch *watch, const char *const *paths,
		     size_t count)
{
	struct watched_path *next = mem_alloc(count * sizeof(*next)), *was;
	size_t was_count, near = 0;

	for (size_t i = 0; i < count; i++)
		watch_know(watch, &next[i], paths[i], &near);
	was = watch->paths;
	was_count = watch->count;
	watch->paths = next;
	watch->count = count;
	for (size_t i = 0; i < was_count; i++)
		let_go_of_writers(watch, was[i].writers);
	paths_free(was, was_count);
	watch_look(watch);
}

/* --- life --- */

struct watch *watch_new(uv_loop_t *loop, uint64_t settle_ms,
			watch_change_fn on_change, void *data)
{
	struct watch *watch = mem_alloc(sizeof(*watch));

	watch->settle_ms = settle_ms;
	watch->on_change = on_change;
	watch->data = data;
	list_init(&watch->folders);
	writers_init(&watch->writers);
	uv_timer_init(loop, &watch->timer);
	watch->timer.data = watch;
	watch->open_handles = 1;
	return watch;
}

static void on_timer_closed(uv_handle_t *handle)
{
	watch_release(handle->data);
}

void watch_close(struct watch *watch)
{
	struct list *first;

	if (!watch || watch->state == WATCH_CLOSED)
		return;
	watch_enter(watch, WATCH_CLOSED);
	while ((first = watch->folders.next) != &watch->folders)
		folder_close(CONTAINER_OF(first, struct folder, member));
	uv_close((uv_handle_t *)&watch->timer, on_timer_closed);
}
