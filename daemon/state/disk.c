#include "state/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/private_file.h"

struct disk_work {
	uv_work_t work;
	char *folder, *name;
	bool removes;
	struct disk_content content; /* of nothing: it is in the bytes */
	struct buf bytes;
	int result;
	struct disk_told told;
};

/* --- on the thread pool --- */

static int remove_file(int dir, const char *name)
{
	int r = private_file_remove(dir, name);

	if (r < 0)
		return r;
	return fsync(dir) < 0 ? -errno : 0;
}

static int do_work(struct disk_work *work)
{
	_cleanup_(file_closep) int dir =
		open(work->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	if (work->removes)
		return remove_file(dir, work->name);
	if (work->content.write)
		work->content.write(&work->bytes, work->content.data);
	return file_replace(dir, work->name, buf_str(&work->bytes), 0600);
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
	buf_deinit(&work->bytes);
	mem_free(work);
	if (told.done)
		told.done(told.data, result);
}

static void on_done(uv_work_t *uv_work, int status)
{
	(void)status;
	finish(uv_work->data);
}

/* @path is absolute. */
static struct disk_work *work_on(const char *path, struct disk_told told)
{
	struct disk_work *work = mem_alloc(sizeof(*work));
	const char *slash = strrchr(path, '/');

	work->work.data = work;
	work->folder = slash == path
			       ? mem_strdup("/")
			       : mem_strndup(path, (size_t)(slash - path));
	work->name = mem_strdup(slash + 1);
	work->told = told;
	return work;
}

static struct disk_work *begin(uv_loop_t *loop, struct disk_work *work)
{
	(void)uv_queue_work(loop, &work->work, on_work, on_done);
	return work;
}

struct disk_work *disk_replace(uv_loop_t *loop, const char *path,
			       struct str bytes, struct disk_told told)
{
	struct disk_work *work = work_on(path, told);

	buf_add_str(&work->bytes, bytes);
	return begin(loop, work);
}

struct disk_work *disk_compose(uv_loop_t *loop, const char *path,
			       const struct disk_content *content,
			       struct disk_told told)
{
	struct disk_work *work = work_on(path, told);

	work->content = *content;
	return begin(loop, work);
}

struct disk_work *disk_remove(uv_loop_t *loop, const char *path,
			      struct disk_told told)
{
	struct disk_work *work = work_on(path, told);

	work->removes = true;
	return begin(loop, work);
}

void disk_abandon(struct disk_work *work)
{
	if (work)
		work->told = (struct disk_told){0};
}
