#include "state/active_workspace.h"

#include <errno.h>
#include <fcntl.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/printable.h"
#include "base/source.h"

#define FILE_NAME      "active"
#define NAME_MAX_BYTES 4096

struct active_workspace_write {
	uv_work_t work;
	struct active_workspace *kept;
	char *folder, *name;
	int result; /* negative errno */
};

void active_workspace_init(struct active_workspace *kept, uv_loop_t *loop,
			   const char *folder)
{
	*kept = (struct active_workspace){
		.loop = loop,
		.folder = folder ? mem_strdup(folder) : NULL,
	};
}

void active_workspace_deinit(struct active_workspace *kept)
{
	while (kept->write)
		(void)uv_run(kept->loop, UV_RUN_ONCE);
	mem_free(kept->folder);
}

char *active_workspace_read(const struct active_workspace *kept)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(mem_freep) char *path = NULL;
	struct source source;
	struct str name;

	if (!kept->folder)
		return NULL;
	path = mem_printf("%s/" FILE_NAME, kept->folder);
	if (source_from_file(&source, &arena, path, NAME_MAX_BYTES, NULL))
		return NULL;
	name = str_trim(source.text);
	return name.len && !printable_has_control(name)
		       ? mem_strndup(name.ptr, name.len)
		       : NULL;
}

/* --- on the thread pool --------------------------------------------------- */

static int write_name(const struct active_workspace_write *write)
{
	_cleanup_(file_closep) int dir =
		open(write->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(mem_freep) char *line = mem_printf("%s\n", write->name);

	if (dir < 0)
		return -errno;
	return file_replace(dir, FILE_NAME, str_from(line), 0600);
}

static void on_work(uv_work_t *work)
{
	struct active_workspace_write *write = work->data;

	write->result = write_name(write);
}

/* --- in the loop ---------------------------------------------------------- */

static void start(struct active_workspace *kept);

static void finish(struct active_workspace_write *write)
{
	struct active_workspace *kept = write->kept;

	if (write->result < 0)
		log_warning("active-not-kept",
			    LOG_TEXT("folder", write->folder),
			    LOG_TEXT("error", strerror(-write->result)));
	kept->write = NULL;
	mem_free(write->folder);
	mem_free(write->name);
	mem_free(write);
	if (kept->next)
		start(kept);
}

static void on_done(uv_work_t *work, int status)
{
	(void)status;
	finish(work->data);
}

static void start(struct active_workspace *kept)
{
	struct active_workspace_write *write = mem_alloc(sizeof(*write));

	write->work.data = write;
	write->kept = kept;
	write->folder = mem_strdup(kept->folder);
	write->name = TAKE(kept->next);
	kept->write = write;
	(void)uv_queue_work(kept->loop, &write->work, on_work, on_done);
}

void active_workspace_write(struct active_workspace *kept, const char *name)
{
	if (!kept->folder)
		return;
	mem_free(kept->next);
	kept->next = mem_strdup(name);
	if (!kept->write)
		start(kept);
}
