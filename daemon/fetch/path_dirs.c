#include "fetch/path_dirs.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

/* As the kernel's MAXSYMLINKS: more of them are a loop. */
#define LINKS_MAX 40

/* On the way along one path. */
struct walk {
	struct path_dirs *dirs;
	struct buf folder; /* where we are */
	struct stat seen;  /* of that folder */
	int links;         /* followed so far */
};

void path_dirs_deinit(struct path_dirs *dirs)
{
	arena_free(&dirs->arena);
	*dirs = PATH_DIRS_INIT;
}

static bool path_dirs_has(const struct path_dirs *dirs, const struct stat *seen)
{
	const struct path_dir *folder;

	for (folder = dirs->first; folder; folder = folder->next)
		if (folder->inode == seen->st_ino &&
		    folder->device == seen->st_dev)
			return true;
	return false;
}

static void walk_note(struct walk *walk)
{
	struct path_dirs *dirs = walk->dirs;
	struct path_dir *folder;

	if (path_dirs_has(dirs, &walk->seen))
		return;
	folder = arena_alloc(&dirs->arena, sizeof(*folder));
	folder->path = arena_str(&dirs->arena, buf_str(&walk->folder)).ptr;
	folder->device = walk->seen.st_dev;
	folder->inode = walk->seen.st_ino;
	if (dirs->last)
		dirs->last->next = folder;
	else
		dirs->first = folder;
	dirs->last = folder;
}

static bool walk_root(struct walk *walk)
{
	walk->folder.len = 0;
	buf_putc(&walk->folder, '/');
	return stat("/", &walk->seen) == 0;
}

/* There is no link in the path, so its text says what is above. */
static bool walk_up(struct walk *walk)
{
	struct buf *folder = &walk->folder;

	while (folder->len > 1 && folder->data[--folder->len] != '/')
		;
	return stat(buf_str(folder).ptr, &walk->seen) == 0;
}

static bool walk_path(struct walk *walk, const char *path);

/* The folder ends in the name of a link: go where that points, from the folder
 * that holds it, whose path is @parent bytes long. */
static bool walk_link(struct walk *walk, size_t parent)
{
	char target[PATH_MAX];
	ssize_t len;

	len = readlink(buf_str(&walk->folder).ptr, target, sizeof(target) - 1);
	if (len < 0 || ++walk->links > LINKS_MAX)
		return false;
	target[len] = '\0';
	walk->folder.len = parent;
	return walk_path(walk, target);
}

static bool walk_step(struct walk *walk, struct str name)
{
	size_t parent = walk->folder.len;
	struct stat seen;

	if (str_is(name, "."))
		return true;
	walk_note(walk);
	if (str_is(name, ".."))
		return walk_up(walk);
	if (!str_is(buf_str(&walk->folder), "/"))
		buf_putc(&walk->folder, '/');
	buf_add_str(&walk->folder, name);
	if (lstat(buf_str(&walk->folder).ptr, &seen) < 0)
		return false;
	if (S_ISLNK(seen.st_mode))
		return walk_link(walk, parent);
	walk->seen = seen;
	return S_ISDIR(seen.st_mode);
}

/* False when the way ends at anything but a folder. */
static bool walk_path(struct walk *walk, const char *path)
{
	size_t len;

	if (*path == '/' && !walk_root(walk))
		return false;
	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		len = strcspn(path, "/");
		if (!walk_step(walk, (struct str){path, len}))
			return false;
		path += len;
	}
	return true;
}

static bool walk_remembered(struct walk *walk)
{
	buf_puts(&walk->folder, walk->dirs->folder);
	walk->seen = walk->dirs->seen;
	return true;
}

static void walk_remember(struct walk *walk, const char *way)
{
	struct path_dirs *dirs = walk->dirs;

	dirs->way = arena_strdup(&dirs->arena, way);
	dirs->folder = arena_str(&dirs->arena, buf_str(&walk->folder)).ptr;
	dirs->seen = walk->seen;
}

/* Along @way, the folders of a path. */
static bool walk_way(struct walk *walk, const char *way)
{
	char working[PATH_MAX];

	if (str_same(walk->dirs->way, way))
		return walk_remembered(walk);
	if (*way != '/' &&
	    !(getcwd(working, sizeof(working)) && walk_path(walk, working)))
		return false;
	if (!walk_path(walk, way))
		return false;
	walk_remember(walk, way);
	return true;
}

/* The whole way, also to the working folder; true when it ends at a folder. */
static bool path_dirs_add_way(struct path_dirs *dirs, const char *path)
{
	struct walk walk = {.dirs = dirs};
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) + 1 : 0;
	_cleanup_(mem_freep) char *way = mem_strndup(path, len);
	bool at_folder = walk_way(&walk, way) && walk_path(&walk, path + len);

	if (at_folder)
		walk_note(&walk);
	buf_deinit(&walk.folder);
	return at_folder;
}

/* A file of a folder may lie elsewhere, behind a link. */
static void path_dirs_add_links(struct path_dirs *dirs, const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	char *inside;

	while (folder && (entry = readdir(folder))) {
		if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
			continue;
		inside = mem_printf("%s/%s", path, entry->d_name);
		(void)path_dirs_add_way(dirs, inside);
		mem_free(inside);
	}
	if (folder)
		(void)closedir(folder);
}

void path_dirs_add(struct path_dirs *dirs, const char *path)
{
	if (path_dirs_add_way(dirs, path))
		path_dirs_add_links(dirs, path);
}
