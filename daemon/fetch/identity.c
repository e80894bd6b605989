#include "fetch/identity.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define NS_PER_S 1000000000

/* It is compared and digested as bytes. */
static_assert(sizeof(struct identity) == 8 * sizeof(uint64_t), "padding");

static uint64_t nanoseconds(struct timespec time)
{
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

/* Of @name in the folder @dirfd, but for its entries. */
static void identity_at(struct identity *identity, int dirfd, const char *name)
{
	struct stat seen;

	*identity = (struct identity){0};
	if (fstatat(dirfd, name, &seen, 0) < 0) {
		identity->error = (uint64_t)errno;
		return;
	}
	identity->device = seen.st_dev;
	identity->inode = seen.st_ino;
	identity->type = seen.st_mode & S_IFMT;
	identity->size = (uint64_t)seen.st_size;
	identity->modified_ns = nanoseconds(seen.st_mtim);
	identity->changed_ns = nanoseconds(seen.st_ctim);
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
	struct identity identity;

	identity_at(&identity, dirfd, name);
	hash = digest(hash, name, strlen(name) + 1);
	return digest(hash, &identity, sizeof(identity));
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

void identity_of(struct identity *identity, const char *path)
{
	identity_at(identity, AT_FDCWD, path);
	if (identity->type == S_IFDIR)
		identity->entries = entries_digest(path);
}

bool identity_equal(const struct identity *a, const struct identity *b)
{
	return !memcmp(a, b, sizeof(*a));
}
