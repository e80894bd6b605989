#include "fetch/sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/private_file.h"
#include "base/str.h"

/* Nobody writes a file for as long as that. */
#define WRITER_SECONDS 3600

static bool is_declared(const struct cache_sweep *sweep,
			const struct sweep_kind *kind, struct str name)
{
	for (size_t i = 0; i < sweep->count; i++) {
		_cleanup_(mem_freep) char *declared =
			kind->name_of(sweep->workspaces[i]);

		if (str_is(name, declared))
			return true;
	}
	return false;
}

/* As file_replace names them: ".NAME.0123456789abcdef". */
static bool is_temporary(struct str file)
{
	struct str end = str_from_offset(file, file.len - 17);

	return file.len > 17 && file.ptr[0] == '.' && end.ptr[0] == '.' &&
	       strspn(end.ptr + 1, "0123456789abcdef") == 16;
}

static bool cut(struct str *name, struct str end)
{
	if (!str_ends(*name, end))
		return false;
	name->len -= end.len;
	return true;
}

/* After how many seconds it may go; 0: never. */
static int64_t life_of(const struct cache_sweep *sweep,
		       const struct sweep_kind *kind, const char *file)
{
	struct str name = str_from(file);
	bool aside;

	if (is_temporary(name))
		return WRITER_SECONDS;
	aside = cut(&name, STR(PRIVATE_ASIDE));
	if (!cut(&name, str_from(kind->suffix)))
		return 0;
	return aside || !is_declared(sweep, kind, name) ? sweep->max_age : 0;
}

bool sweep_takes(const struct cache_sweep *sweep, const struct sweep_kind *kind,
		 int dir, const char *name)
{
	int64_t life = life_of(sweep, kind, name);
	struct stat st;

	return life > 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       time(NULL) - st.st_mtime > life;
}

size_t sweep_files(const struct cache_sweep *sweep,
		   const struct sweep_kind *kind, int dir)
{
	DIR *list = dir < 0 ? NULL : fdopendir(dir);
	struct dirent *found;
	size_t removed = 0;

	if (!list) {
		file_closep(&dir);
		return 0;
	}
	while ((found = readdir(list)))
		removed += sweep_takes(sweep, kind, dir, found->d_name) &&
			   unlinkat(dir, found->d_name, 0) == 0;
	(void)closedir(list);
	return removed;
}
