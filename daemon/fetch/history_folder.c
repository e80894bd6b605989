#include "fetch/history_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/private_file.h"
#include "fetch/cache_file.h"
#include "fetch/sweep.h"

#define ALL    "history"
#define SUFFIX ".history"

void history_folder_init(struct history_folder *folder, const char *state_dir,
			 const char *workspace)
{
	_cleanup_(mem_freep) char *name = cache_plain_name(workspace);

	folder->above = mem_printf("%s/" ALL, state_dir);
	folder->path = mem_printf("%s/%s" SUFFIX, folder->above, name);
	folder->fd = -1;
}

void history_folder_deinit(struct history_folder *folder)
{
	history_folder_close(folder);
	mem_free(folder->above);
	mem_free(folder->path);
}

static int open_at(const struct history_folder *folder, bool make)
{
	_cleanup_(file_closep) int above =
		private_folder_open(folder->above, make);

	return above < 0 ? above : private_folder_open(folder->path, make);
}

int history_folder_open(struct history_folder *folder, bool make)
{
	int fd = open_at(folder, make);

	if (fd < 0)
		return fd;
	folder->fd = fd;
	return 0;
}

void history_folder_close(struct history_folder *folder)
{
	file_closep(&folder->fd);
	folder->fd = -1;
}

char *history_folder_path(const struct history_folder *folder, const char *name)
{
	return mem_printf("%s/%s", folder->path, name);
}

int history_folder_write(struct history_folder *folder, const char *name,
			 struct str bytes)
{
	return file_replace(folder->fd, name, bytes, 0600);
}

int history_folder_put(struct history_folder *folder, const char *name,
		       struct str bytes, bool waits)
{
	return file_put(folder->fd, name, bytes, waits);
}

int history_folder_sync(struct history_folder *folder)
{
	return syncfs(folder->fd) < 0 ? -errno : 0;
}

int history_folder_remove(struct history_folder *folder, const char *name)
{
	return private_file_remove(folder->fd, name);
}

/* Each name in the folder @fd but "." and ".."; NULL: no more. */
static const char *next_name(DIR *dir)
{
	struct dirent *found;

	do
		found = readdir(dir);
	while (found &&
	       (!strcmp(found->d_name, ".") || !strcmp(found->d_name, "..")));
	return found ? found->d_name : NULL;
}

static DIR *list_folder(int fd)
{
	int copy = fd < 0 ? -1 : openat(fd, ".", O_RDONLY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (!dir)
		file_closep(&copy);
	return dir;
}

void history_folder_each(struct history_folder *folder,
			 void (*take)(void *data, const char *name), void *data)
{
	DIR *dir = list_folder(folder->fd);
	const char *name;

	if (!dir)
		return;
	while ((name = next_name(dir)))
		if (name[0] == '.')
			(void)history_folder_remove(folder, name);
		else
			take(data, name);
	(void)closedir(dir);
}

void history_folder_set_aside(struct history_folder *folder, const char *name,
			      const char *ending)
{
	_cleanup_(mem_freep) char *aside =
		mem_printf("last%s" PRIVATE_ASIDE, ending);

	(void)renameat(folder->fd, name, folder->fd, aside);
}

/* The folder @path and its files; there are no folders in it. */
static int remove_folder(const char *path)
{
	_cleanup_(file_closep) int fd =
		open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = list_folder(fd);
	const char *name;
	int r = 0, one;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((name = next_name(dir))) {
		one = strcmp(name, HISTORY_OWNER) != 0
			      ? private_file_remove(fd, name)
			      : 0;
		r = one < 0 ? one : r;
	}
	(void)closedir(dir);
	if (r == 0)
		r = private_file_remove(fd, HISTORY_OWNER);
	return r == 0 && rmdir(path) < 0 ? -errno : r;
}

int history_folder_set_all_aside(struct history_folder *folder)
{
	_cleanup_(mem_freep) char *aside =
		mem_printf("%s" PRIVATE_ASIDE, folder->path);

	history_folder_close(folder);
	(void)remove_folder(aside);
	return rename(folder->path, aside) < 0 ? remove_folder(folder->path)
					       : 0;
}

int history_folder_clear(struct history_folder *folder)
{
	_cleanup_(mem_freep) char *aside =
		mem_printf("%s" PRIVATE_ASIDE, folder->path);
	int r = remove_folder(folder->path), also = remove_folder(aside);

	return r < 0 ? r : also;
}

/* --- sweeping ------------------------------------------------------------- */

size_t history_folder_sweep(const struct cache_sweep *sweep)
{
	const struct sweep_kind kind = {SUFFIX, cache_plain_name};
	_cleanup_(mem_freep) char *above =
		mem_printf("%s/" ALL, sweep->state_dir);
	_cleanup_(file_closep) int fd = private_folder_open(above, false);
	DIR *dir = sweep->max_age ? list_folder(fd) : NULL;
	const char *name;
	size_t removed = 0;

	if (!dir)
		return 0;
	while ((name = next_name(dir))) {
		_cleanup_(mem_freep) char *path =
			mem_printf("%s/%s", above, name);

		removed += sweep_takes(sweep, &kind, fd, name) &&
			   remove_folder(path) == 0;
	}
	(void)closedir(dir);
	return removed;
}
