#include "engine/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

struct disk_work {
	uv_work_t work;
	char *folder, *name;
	char *bytes; /* NULL: the file is removed */
	size_t len;
	int result;
	struct disk_told told;
};

/* --- on the thread pool --- */

static int remove_file(int dir, const char *name)
{
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return -errno;
	return fsync(dir) < 0 ? -errno : 0;
}

static int do_work(const struct disk_work *work)
{
	_cleanup_(file_closep) int dir =
		open(work->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	if (!work->bytes)
		return remove_file(dir, work->name);
	return file_replace(dir, work->name,
			    (struct str){work->bytes, work->len}, 0600);
}

static void on_work(uv_work_t *uv_work)
{
	struct disk_work *work = uv_work->data;

	work->result = do_work(work);
}

/* --- in the loop --- */

static void finish(struct disk_work *work)
{
	struct disk_told told = work->told;
	int result = work->result;

	mem_free(work->folder);
	mem_free(work->name);
	mem_free(work->bytes);
	mem_free(work);
	if (told.done)
		told.done(told.data, result);
}

static void on_done(uv_work_t *uv_work, int status)
{
	(void)status;
	finish(uv_work->data);
}

/* @path is absolute; @bytes NULL: it is removed. */
static struct disk_work *begin(uv_loop_t *loop, const char *path,
			       struct str bytes, struct disk_told told)
{
	struct disk_work *work = mem_alloc(sizeof(*work));
	const char *slash = strrchr(path, '/');

	work->work.data = work;
	work->folder = slash == path
			       ? mem_strdup("/")
			       : mem_strndup(path, (size_t)(slash - path));
	work->name = mem_strdup(slash + 1);
	work->bytes = bytes.ptr ? mem_strndup(bytes.ptr, bytes.len) : NULL;
	work->len = bytes.len;
	work->told = told;
	(void)uv_queue_work(loop, &work->work, on_work, on_done);
	return work;
}

struct disk_work *disk_replace(uv_loop_t *loop, const char *path,
			       struct str bytes, struct disk_told told)
{
	return begin(loop, path, bytes, told);
}

struct disk_work *disk_remove(uv_loop_t *loop, const char *path,
			      struct disk_told told)
{
	return begin(loop, path, (struct str){0}, told);
}

void disk_abandon(struct disk_work *work)
{
	if (work)
		work->told = (struct disk_told){0};
}
