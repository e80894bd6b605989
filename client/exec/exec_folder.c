#include "exec/exec_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/mem.h"
#include "text/complain.h"
#include "text/exit_status.h"

#define PREFIX     "exec."
#define SHARED_RAM "/dev/shm"
#define TRIES      64

static bool is_in_memory(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 &&
	       (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/* The place of such folders; NULL: there is none. */
static char *choose_parent(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (runtime && runtime[0] == '/')
		return mem_printf("%s/clearconf", runtime);
	if (is_in_memory(SHARED_RAM))
		return mem_printf(SHARED_RAM "/clearconf.%lu",
				  (unsigned long)geteuid());
	return NULL;
}

/* --- what is in a folder -------------------------------------------------- */

typedef void (*visit_fn)(void *data, int folder, const char *name);

/* Call @visit with each name in @folder but "." and "..". */
static void each_name(int folder, visit_fn visit, void *data)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!entries) {
		file_closep(&copy);
		return;
	}
	while ((entry = readdir(entries)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			visit(data, folder, entry->d_name);
	(void)closedir(entries);
}

static void remove_file(void *data, int folder, const char *name)
{
	(void)data;
	(void)unlinkat(folder, name, 0);
}

static void remove_folder(int parent, int folder, const char *name)
{
	each_name(folder, remove_file, NULL);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
}

static int open_folder(int parent, const char *name)
{
	return openat(parent, name,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A folder of some exec's of this user's; -1: it is none. */
static int open_some(int parent, const char *name)
{
	struct stat st;
	int folder;

	if (strncmp(name, PREFIX, sizeof(PREFIX) - 1) != 0)
		return -1;
	folder = open_folder(parent, name);
	if (folder >= 0 && fstat(folder, &st) == 0 && st.st_uid == geteuid())
		return folder;
	file_closep(&folder);
	return -1;
}

/* Before its lock was had, somebody else may have swept it, and made another
 * one of this name since. */
static bool is_still_there(int parent, const char *name, int folder)
{
	struct stat ours, theirs;

	return fstat(folder, &ours) == 0 &&
	       fstatat(parent, name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static bool is_locked_by_us(int parent, const char *name, int folder)
{
	return flock(folder, LOCK_EX | LOCK_NB) == 0 &&
	       is_still_there(parent, name, folder);
}

static void sweep(void *data, int parent, const char *name)
{
	_cleanup_(file_closep) int folder = open_some(parent, name);

	(void)data;
	if (folder >= 0 && is_locked_by_us(parent, name, folder))
		remove_folder(parent, folder, name);
}

/* --- ours ----------------------------------------------------------------- */

/* 0 or a negative errno; -EEXIST: try again, also when somebody has swept it.
 */
static int claim(struct exec_folder *folder)
{
	if (mkdirat(folder->parent, folder->name, 0700) < 0)
		return -errno;
	folder->dir = open_folder(folder->parent, folder->name);
	if (folder->dir < 0)
		return errno == ENOENT ? -EEXIST : -errno;
	if (is_locked_by_us(folder->parent, folder->name, folder->dir))
		return fchmod(folder->dir, 0700) < 0 ? -errno : 0;
	file_closep(&folder->dir);
	folder->dir = -1;
	return -EEXIST;
}

/* Another process may have our number, in another container. */
static int claim_some(struct exec_folder *folder)
{
	int r = -EEXIST;

	for (int i = 0; i < TRIES && r == -EEXIST; i++) {
		mem_free(folder->name);
		folder->name = i ? mem_printf(PREFIX "%d.%d", (int)getpid(), i)
				 : mem_printf(PREFIX "%d", (int)getpid());
		r = claim(folder);
	}
	return r;
}

static int open_parent(struct exec_folder *folder, const char *path,
		       char **problem)
{
	int r = file_make_folder(path, 0755);

	*problem = NULL;
	if (r < 0)
		return r;
	folder->parent = folder_open_checked(path, geteuid(), problem);
	return folder->parent < 0 ? folder->parent : 0;
}

int exec_folder_make(struct exec_folder *folder)
{
	_cleanup_(mem_freep) char *path = choose_parent();
	_cleanup_(mem_freep) char *problem = NULL;
	int r;

	*folder = EXEC_FOLDER_INIT;
	if (!path)
		return complain(EXIT_FAILED,
				"no place in memory for the configuration: set "
				"XDG_RUNTIME_DIR to a folder of yours on a "
				"tmpfs");
	r = open_parent(folder, path, &problem);
	if (r == 0) {
		each_name(folder->parent, sweep, NULL);
		r = claim_some(folder);
	}
	if (r < 0)
		return complain(EXIT_FAILED,
				"cannot make a private folder in %s: %s", path,
				problem ? problem : strerror(-r));
	folder->file =
		mem_printf("%s/%s/" EXEC_FOLDER_FILE, path, folder->name);
	return EXIT_DONE;
}

/* --- those of the dead ---------------------------------------------------- */

struct left {
	const char *parent;
	exec_left_fn visit;
	void *data;
};

static void look_at_left(void *data, int parent, const char *name)
{
	const struct left *left = data;
	_cleanup_(file_closep) int folder = open_some(parent, name);
	_cleanup_(mem_freep) char *path = NULL;
	pid_t pid;

	if (folder < 0)
		return;
	pid = (pid_t)strtol(name + sizeof(PREFIX) - 1, NULL, 10);
	if (pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH)
		return;
	path = mem_printf("%s/%s", left->parent, name);
	/* Programs in Python share a lock. */
	left->visit(left->data, path, flock(folder, LOCK_EX | LOCK_NB) < 0);
}

void exec_folder_each_left(exec_left_fn visit, void *data)
{
	_cleanup_(mem_freep) char *path = choose_parent();
	_cleanup_(file_closep) int parent = -1;
	struct left left = {path, visit, data};

	if (path)
		parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0)
		each_name(parent, look_at_left, &left);
}

int exec_folder_write(const struct exec_folder *folder, struct str text)
{
	return file_replace(folder->dir, EXEC_FOLDER_FILE, text, 0600);
}

void exec_folder_remove(struct exec_folder *folder)
{
	if (folder->dir >= 0)
		remove_folder(folder->parent, folder->dir, folder->name);
	file_closep(&folder->dir);
	file_closep(&folder->parent);
	mem_free(folder->name);
	mem_free(folder->file);
	*folder = EXEC_FOLDER_INIT;
}
