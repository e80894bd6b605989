#include "engine/chosen.h"

#include <errno.h>
#include <fcntl.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/source.h"

#define FILE_NAME      "active"
#define NAME_MAX_BYTES 4096

struct chosen_write {
	uv_work_t work;
	struct chosen *chosen;
	char *folder, *name;
	int result; /* negative errno */
};

void chosen_init(struct chosen *chosen, uv_loop_t *loop, const char *folder)
{
	*chosen = (struct chosen){
		.loop = loop,
		.folder = folder ? mem_strdup(folder) : NULL,
	};
}

void chosen_deinit(struct chosen *chosen)
{
	while (chosen->write)
		(void)uv_run(chosen->loop, UV_RUN_ONCE);
	mem_free(chosen->folder);
}

char *chosen_read(const struct chosen *chosen)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(mem_freep) char *path = NULL;
	struct source source;
	struct str name;

	if (!chosen->folder)
		return NULL;
	path = mem_printf("%s/" FILE_NAME, chosen->folder);
	if (source_from_file(&source, &arena, path, NAME_MAX_BYTES, NULL))
		return NULL;
	name = str_trim(source.text);
	return name.len ? mem_strndup(name.ptr, name.len) : NULL;
}

/* --- on the thread pool --------------------------------------------------- */

static int write_name(const struct chosen_write *write)
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
	struct chosen_write *write = work->data;

	write->result = write_name(write);
}

/* --- in the loop ---------------------------------------------------------- */

static void start(struct chosen *chosen);

static void finish(struct chosen_write *write)
{
	struct chosen *chosen = write->chosen;

	if (write->result < 0)
		log_warning("active-not-kept",
			    LOG_TEXT("folder", write->folder),
			    LOG_TEXT("error", strerror(-write->result)));
	chosen->write = NULL;
	mem_free(write->folder);
	mem_free(write->name);
	mem_free(write);
	if (chosen->next)
		start(chosen);
}

static void on_done(uv_work_t *work, int status)
{
	(void)status;
	finish(work->data);
}

static void start(struct chosen *chosen)
{
	struct chosen_write *write = mem_alloc(sizeof(*write));

	write->work.data = write;
	write->chosen = chosen;
	write->folder = mem_strdup(chosen->folder);
	write->name = TAKE(chosen->next);
	chosen->write = write;
	(void)uv_queue_work(chosen->loop, &write->work, on_work, on_done);
}

void chosen_write(struct chosen *chosen, const char *name)
{
	if (!chosen->folder)
		return;
	mem_free(chosen->next);
	chosen->next = mem_strdup(name);
	if (!chosen->write)
		start(chosen);
}
