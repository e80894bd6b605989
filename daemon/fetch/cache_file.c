#include "fetch/cache_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/private_file.h"
#include "fetch/history_folder.h"

#define FOLDER "cache"
#define SUFFIX ".cache"

/* A written name is at most this long; of a longer one it is the beginning,
 * with a checksum. */
#define NAME_MAX_BYTES 160

/* --- names --- */

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_' || c == '.';
}

static uint64_t fnv1(struct str text, uint64_t sum)
{
	for (size_t i = 0; i < text.len; i++)
		sum = (sum * UINT64_C(0x100000001b3)) ^
		      (unsigned char)text.ptr[i];
	return sum;
}

/* "%%" is in no name that was written whole. Should two long names have the
 * same checksums all the same: the entry says whose it is. */
static void shorten(struct buf *name, struct str workspace)
{
	uint64_t one = fnv1(workspace, UINT64_C(0xcbf29ce484222325));
	uint64_t other = fnv1(workspace, one);

	name->len = NAME_MAX_BYTES - 34;
	buf_printf(name, "%%%%%016llx%016llx", (unsigned long long)one,
		   (unsigned long long)other);
}

/* Everything but small letters, digits, '-', '_' and an inner '.' as %xx, so
 * that no name is another's, leads elsewhere, or is hidden. */
char *cache_plain_name(const char *workspace)
{
	struct buf name = BUF_INIT;

	for (const char *c = workspace; *c; c++)
		if (is_plain(*c) && (*c != '.' || c != workspace))
			buf_putc(&name, *c);
		else
			buf_printf(&name, "%%%02x", (unsigned char)*c);
	if (!name.len)
		buf_putc(&name, '%');
	if (name.len > NAME_MAX_BYTES)
		shorten(&name, str_from(workspace));
	return buf_take(&name);
}

char *cache_file_name(const char *workspace)
{
	_cleanup_(mem_freep) char *name = cache_plain_name(workspace);

	return mem_printf("%s" SUFFIX, name);
}

/* --- the folder --- */

/* As private_folder_open says; @make: its parent too. */
static int open_folder(const char *state_dir, bool make)
{
	_cleanup_(mem_freep) char *path = mem_printf("%s/" FOLDER, state_dir);
	int r = make ? file_make_folder(state_dir, 0700) : 0;

	return r < 0 ? r : private_folder_open(path, make);
}

/* --- reading --- */

/* A file that may be the entry. */
struct candidate {
	const struct cache_query *query;
	int dir;
	char *file, *path;  /* its name in the folder, and for people */
	struct diag *diag;  /* the caller's */
	struct diag reason; /* what is wrong with it, by itself */
	struct buf bytes;
};

static bool is_as_asked(struct candidate *candidate,
			const struct cache_entry *entry)
{
	const struct cache_query *query = candidate->query;
	const struct {
		const char *what, *asked, *found;
	} rows[] = {
		{"workspace", query->workspace, entry->workspace},
		{"API server", query->api_server, entry->api_server},
		{"company", query->company_id, entry->company_id},
		{"user", query->user_id, entry->user_id ? entry->user_id : ""},
		{"access key", query->access_key, entry->access_key},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].asked && strcmp(rows[i].asked, rows[i].found) != 0)
			return diag_set(&candidate->reason, candidate->path,
					"was made for another %s",
					rows[i].what);
	return true;
}

static char *aside_of(const char *file)
{
	return mem_printf("%s" PRIVATE_ASIDE, file);
}

/* What cannot be renamed is not used either. */
static bool set_aside(struct candidate *candidate)
{
	_cleanup_(mem_freep) char *aside = aside_of(candidate->file);

	return !candidate->query->read_only &&
	       renameat(candidate->dir, candidate->file, candidate->dir,
			aside) == 0;
}

static int reject(struct candidate *candidate, int outcome)
{
	bool moved = set_aside(candidate);

	(void)diag_set(
		candidate->diag, candidate->path, "%s; it is not used%s%s%s",
		candidate->reason.text, moved ? ", and renamed to " : "",
		moved ? candidate->file : "", moved ? PRIVATE_ASIDE : "");
	return outcome;
}

/* It stays. */
static int not_opened(struct candidate *candidate, int r)
{
	if (r == -ENOENT)
		return CACHE_E_ABSENT;
	(void)diag_set(candidate->diag, candidate->path, "%s",
		       candidate->reason.text);
	return CACHE_E_DAMAGED;
}

static int read_candidate(struct candidate *candidate,
			  struct cache_entry *entry)
{
	const struct private_file file = {
		.dir = candidate->dir,
		.name = candidate->file,
		.path = candidate->path,
		.what = "cache",
		.limit = CACHE_BYTES_MAX,
	};
	int r = private_file_read(&file, &candidate->bytes, &candidate->reason);

	if (r < 0)
		return not_opened(candidate, r);
	if (r > 0 ||
	    !cache_entry_read(entry, candidate->path,
			      buf_str(&candidate->bytes), &candidate->reason))
		return reject(candidate, CACHE_E_DAMAGED);
	if (is_as_asked(candidate, entry))
		return 0;
	cache_entry_deinit(entry);
	return reject(candidate, CACHE_E_FOREIGN);
}

static int no_folder(const struct cache_query *query, int r, struct diag *diag)
{
	_cleanup_(mem_freep) char *path =
		mem_printf("%s/" FOLDER, query->state_dir);

	if (r == -ENOENT)
		return CACHE_E_ABSENT;
	private_folder_complain(path, r, diag);
	return CACHE_E_DAMAGED;
}

int cache_file_read(struct cache_entry *entry, const struct cache_query *query,
		    struct diag *diag)
{
	struct candidate candidate = {.query = query, .diag = diag};
	int r;

	candidate.dir = open_folder(query->state_dir, false);
	if (candidate.dir < 0)
		return no_folder(query, candidate.dir, diag);
	candidate.file = cache_file_name(query->workspace);
	candidate.path = mem_printf("%s/" FOLDER "/%s", query->state_dir,
				    candidate.file);
	r = read_candidate(&candidate, entry);
	file_closep(&candidate.dir);
	buf_deinit(&candidate.bytes);
	diag_deinit(&candidate.reason);
	mem_free(candidate.file);
	mem_free(candidate.path);
	return r;
}

/* --- writing --- */

int cache_file_write(const char *state_dir, const char *file, struct str bytes)
{
	_cleanup_(file_closep) int dir = -1;

	if (bytes.len > CACHE_BYTES_MAX)
		return -EFBIG;
	dir = open_folder(state_dir, true);
	if (dir < 0)
		return dir;
	return file_replace(dir, file, bytes, 0600);
}

int cache_file_remove(const char *state_dir, const char *file)
{
	_cleanup_(mem_freep) char *aside = aside_of(file);
	_cleanup_(file_closep) int dir = open_folder(state_dir, false);
	int r, also;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	r = private_file_remove(dir, file);
	also = private_file_remove(dir, aside);
	if (fsync(dir) < 0 && r == 0)
		r = -errno;
	return r < 0 ? r : also;
}

/* --- sweeping --- */

size_t cache_file_sweep(const struct cache_sweep *sweep)
{
	const struct sweep_kind kind = {SUFFIX, cache_plain_name};

	return history_folder_sweep(sweep) +
	       sweep_files(sweep, &kind, open_folder(sweep->state_dir, false));
}
