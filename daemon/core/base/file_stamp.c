#include "base/file_stamp.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define NS_PER_S 1000000000

/* Some file systems count time in steps of two seconds. */
#define SETTLED_NS (UINT64_C(3) * NS_PER_S)

/* It is compared and digested as bytes. */
static_assert(sizeof(struct file_stamp) == 8 * sizeof(uint64_t), "padding");

static uint64_t nanoseconds(struct timespec time)
{
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

void file_stamp_from(struct file_stamp *stamp, const struct stat *seen)
{
	*stamp = (struct file_stamp){
		.device = seen->st_dev,
		.inode = seen->st_ino,
		.type = seen->st_mode & S_IFMT,
		.size = (uint64_t)seen->st_size,
		.modified_ns = nanoseconds(seen->st_mtim),
		.changed_ns = nanoseconds(seen->st_ctim),
	};
}

/* Of @name in the folder @dirfd, but for its entries. */
static void stamp_at(struct file_stamp *stamp, int dirfd, const char *name)
{
	struct stat seen;

	if (fstatat(dirfd, name, &seen, 0) == 0)
		file_stamp_from(stamp, &seen);
	else
		*stamp = (struct file_stamp){.error = (uint64_t)errno};
}

/* FNV-1a */
static uint64_t digest(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;

	while (len--)
		hash = (hash ^ *byte++) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t entry_digest(int dirfd, const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	struct file_stamp stamp;

	stamp_at(&stamp, dirfd, name);
	hash = digest(hash, name, strlen(name) + 1);
	return digest(hash, &stamp, sizeof(stamp));
}

static bool is_self_or_parent(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* A sum, because readdir gives them in any order. */
static uint64_t entries_digest(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	uint64_t sum = 0;

	while (folder && (entry = readdir(folder)))
		if (!is_self_or_parent(entry->d_name))
			sum += entry_digest(dirfd(folder), entry->d_name);
	if (folder)
		(void)closedir(folder);
	return sum;
}

void file_stamp_of(struct file_stamp *stamp, const char *path)
{
	stamp_at(stamp, AT_FDCWD, path);
	if (stamp->type == S_IFDIR)
		stamp->entries = entries_digest(path);
}

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool file_stamp_is_settled(const struct file_stamp *stamp, struct timespec now)
{
	uint64_t now_ns = nanoseconds(now);

	return now_ns > stamp->changed_ns &&
	       now_ns - stamp->changed_ns > SETTLED_NS;
}
