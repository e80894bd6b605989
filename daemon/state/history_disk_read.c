/* The reading part of history_disk_parts.h. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/private_file.h"
#include "config/snapshot.h"
#include "config/snapshot_codec.h"
#include "read/doc.h"
#include "read/doc_codec.h"
#include "state/history_disk_parts.h"

/* A longer file is none of these: documents are bounded by the settings. */
#define BYTES_MAX ((size_t)1 << 30)

/* The file @name, which is sealed as @seal says; false with @diag set. */
static bool read_sealed(struct history_disk *disk, const char *name,
			const struct seal *seal, struct buf *bytes,
			struct str *content)
{
	_cleanup_(mem_freep) char *path =
		history_folder_path(&disk->folder, name);
	const struct private_file file = {.dir = disk->folder.fd,
					  .name = name,
					  .path = path,
					  .what = "history",
					  .limit = BYTES_MAX};
	int r = private_file_read(&file, bytes, disk->diag);

	disk->stays = r < 0;
	if (r == -ENOENT)
		return diag_set(disk->diag, path, "is missing");
	return r == 0 &&
	       seal_open(seal, path, buf_str(bytes), content, disk->diag);
}

static struct doc *read_doc(struct history_disk *disk,
			    const unsigned char *name)
{
	_cleanup_(mem_freep) char *file = history_document_name(name);
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	unsigned char found[SHA256_BYTES];
	struct unpack in = {0};
	struct doc *doc = NULL;

	if (!read_sealed(disk, file, &history_document_seal, &bytes, &in.rest))
		return NULL;
	history_digest(in.rest, found);
	if (!memcmp(found, name, SHA256_BYTES))
		doc = doc_unpack(&in);
	if (!doc || in.rest.len)
		(void)diag_set(disk->diag, file, "is damaged");
	return doc && in.rest.len ? doc_unref(doc) : doc;
}

static void set_aside(struct history_disk *disk, const char *name,
		      const char *ending)
{
	if (!disk->stays)
		history_folder_set_aside(&disk->folder, name, ending);
}

static struct doc *get(void *data, const unsigned char *name)
{
	struct history_disk *disk = data;
	uint32_t number = kept_docs_find(&disk->docs, name);
	_cleanup_(mem_freep) char *file = history_document_name(name);
	struct kept_doc *kept;

	if (number == KEPT_NONE) {
		(void)diag_set(disk->diag, file, "is missing");
		return NULL;
	}
	record_add_doc(disk->current, number);
	kept = &disk->docs.items[number];
	if (!kept->doc)
		kept->doc = read_doc(disk, name);
	if (kept->doc)
		return doc_ref(kept->doc);
	set_aside(disk, file, HISTORY_DOCUMENT);
	return NULL;
}

static bool take_record(struct history_disk *disk, const char *name,
			struct str content, uint64_t *previous,
			struct history_entry *entry)
{
	const struct doc_shelf shelf = {.data = disk, .get = get};
	struct unpack in = {.rest = content};
	const char *why;

	*previous = unpack_number(&in);
	entry->until = unpack_number(&in);
	entry->again_from = unpack_number(&in);
	entry->again_until = unpack_number(&in);
	entry->snapshot = snapshot_unpack(&in, &shelf, &why);
	if (entry->snapshot && !in.rest.len &&
	    entry->snapshot->generation == disk->current->generation)
		return true;
	entry->snapshot = snapshot_unref(entry->snapshot);
	return diag_set(disk->diag, name, "%s", why);
}

/* False: it is not to be believed. */
static bool read_entry(struct history_disk *disk, uint64_t *previous,
		       struct history_entry *entry)
{
	_cleanup_(mem_freep) char *name =
		history_record_name(disk->current->generation);
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct str content = {0};

	*entry = (struct history_entry){0};
	if (read_sealed(disk, name, &history_record_seal, &bytes, &content) &&
	    take_record(disk, name, content, previous, entry))
		return true;
	set_aside(disk, name, HISTORY_RECORD);
	return false;
}

/* --- from the newest to the oldest ---------------------------------------- */

/* Is it known that nothing was served between @entry and the one after it? */
static void extend(const struct history_disk *disk, struct history_entry *entry)
{
	const struct snapshot *later = disk->last.snapshot;

	if (later && disk->before_last == entry->snapshot->generation)
		entry->until = later->generation - 1;
}

static bool has_room(struct history_disk *disk, const struct snapshot *older)
{
	const struct snapshot *later = disk->last.snapshot;
	size_t bytes = later ? snapshot_bytes_besides(older, later) : 0;

	if (bytes > disk->bytes_left || disk->count >= disk->place.limit)
		return false;
	disk->bytes_left -= bytes;
	return true;
}

/* Nothing came of the later one but its number, as a start gives one: @entry
 * was served again. */
static void absorb(struct history_disk *disk, struct history_entry *entry)
{
	const struct history_entry *later = &disk->last;

	if (entry->until == later->snapshot->generation - 1) {
		entry->until = later->until;
		entry->again_from = later->again_from;
		entry->again_until = later->again_until;
	} else {
		entry->again_from = later->snapshot->generation;
		entry->again_until =
			later->again_until ? later->again_until : later->until;
	}
}

/* The file of the older one says so before that of the later one goes. */
static void merge_equal(struct history_disk *disk, struct history_entry *entry,
			struct record *record, uint64_t previous)
{
	struct record written = {.generation = record->generation};
	uint64_t later = disk->last.snapshot->generation;

	absorb(disk, entry);
	if (history_write_entry(disk, &written, entry, previous) == 0)
		(void)history_remove_record(disk, later);
	mem_free(written.docs);
	snapshot_unref(disk->last.snapshot);
	disk->last = (struct history_entry){0};
	history_drop_last_record(disk);
}

/* Read the next one; true when disk->last is one to tell, into @told. */
static bool read_next(struct history_disk *disk, struct history_entry *told)
{
	struct record record = {.generation =
					disk->unread[--disk->unread_count]};
	struct history_entry entry;
	uint64_t previous;

	*told = (struct history_entry){0};
	disk->current = &record;
	if (!read_entry(disk, &previous, &entry)) {
		mem_free(record.docs);
		return false;
	}
	extend(disk, &entry);
	if (disk->last.snapshot &&
	    snapshot_equal(entry.snapshot, disk->last.snapshot))
		merge_equal(disk, &entry, &record, previous);
	if (!has_room(disk, entry.snapshot)) {
		snapshot_unref(entry.snapshot);
		mem_free(record.docs);
		disk->unread_count++;
		disk->full = true;
		return false;
	}
	*told = disk->last;
	history_add_record(disk, &record);
	disk->last = entry;
	disk->before_last = previous;
	return told->snapshot != NULL;
}

static void reverse_records(struct history_disk *disk)
{
	for (size_t i = 0; i < disk->count / 2; i++) {
		struct record first = disk->records[i];

		disk->records[i] = disk->records[disk->count - 1 - i];
		disk->records[disk->count - 1 - i] = first;
	}
}

static void forget_docs(struct history_disk *disk)
{
	for (uint32_t i = 0; i < disk->docs.count; i++)
		disk->docs.items[i].doc = doc_unref(disk->docs.items[i].doc);
}

/* What is beyond the limits goes, and so do documents that nobody names. */
static void end_reading(struct history_disk *disk)
{
	while (disk->unread_count)
		(void)history_remove_record(disk,
					    disk->unread[--disk->unread_count]);
	forget_docs(disk);
	(void)history_remove_unused_docs(disk);
	reverse_records(disk);
}

bool history_disk_next(struct history_disk *disk, struct history_entry *entry,
		       struct diag *diag)
{
	bool told = false;

	*entry = (struct history_entry){0};
	if (!disk->unread_count && !disk->last.snapshot)
		return false;
	if (history_folder_open(&disk->folder, false) < 0)
		disk->unread_count = 0;
	disk->diag = diag;
	while (!told && disk->unread_count && !disk->full)
		told = read_next(disk, entry);
	if (!told) {
		*entry = disk->last;
		disk->last = (struct history_entry){0};
		end_reading(disk);
	}
	disk->diag = NULL;
	history_folder_close(&disk->folder);
	return entry->snapshot != NULL;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* What ends so, but has more before that, is no file of ours. */
static bool is_named(struct str name, struct str ending, size_t before)
{
	return str_ends(name, ending) && name.len == before + ending.len;
}

static void note_file(void *data, const char *file)
{
	struct history_disk *disk = data;
	struct str name = str_from(file);
	struct str bare = {file, strspn(file, "0123456789abcdef")};
	unsigned char digest_of[SHA256_BYTES];
	uint64_t *place;

	if (is_named(name, STR(HISTORY_RECORD), HISTORY_DIGITS) &&
	    strspn(file, "0123456789") == HISTORY_DIGITS) {
		disk->unread =
			mem_grow(disk->unread, (disk->unread_count + 1) *
						       sizeof(disk->unread[0]));
		place = &disk->unread[disk->unread_count++];
		*place = strtoull(file, NULL, 10);
	} else if (is_named(name, STR(HISTORY_DOCUMENT), bare.len) &&
		   str_read_hex(bare, digest_of, SHA256_BYTES)) {
		(void)kept_docs_add(&disk->docs, digest_of);
	}
}

/* False: the folder is not @owner's. */
static bool is_of(struct history_disk *disk, const char *owner, bool *waits)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct str found = {0};

	if (!read_sealed(disk, HISTORY_OWNER, &history_owner_seal, &bytes,
			 &found))
		return false;
	*waits = !*owner && found.len;
	if (!*waits && !str_is(found, owner))
		return diag_set(disk->diag, disk->folder.path,
				"was made for another server, company or key");
	disk->owner = mem_strdup(owner);
	return true;
}

int history_claim(struct history_disk *disk, const char *owner)
{
	bool waits = false;
	int r = 0;

	if (!disk->unseen)
		return 0;
	if (!is_of(disk, owner, &waits) || waits) {
		history_forget_all(disk);
		r = history_folder_set_all_aside(&disk->folder);
		if (r == 0)
			r = history_folder_open(&disk->folder, true);
	}
	disk->unseen = r < 0;
	return r;
}

/* Another process went on from a number that is newer: its own come first. */
static void leave_out_newer(struct history_disk *disk, uint64_t below)
{
	while (disk->unread_count &&
	       disk->unread[disk->unread_count - 1] >= below)
		(void)history_remove_record(disk,
					    disk->unread[--disk->unread_count]);
}

/* False: it waits. */
static bool look(struct history_disk *disk, const char *owner, uint64_t below)
{
	bool waits = false, fits;

	history_folder_each(&disk->folder, note_file, disk);
	if (!disk->unread_count && !disk->docs.count)
		return true;
	fits = is_of(disk, owner, &waits);
	if (!fits || waits)
		history_forget_all(disk);
	if (!fits)
		disk->unseen = history_folder_set_all_aside(&disk->folder) < 0;
	if (!fits || waits)
		return !waits;
	qsort(disk->unread, disk->unread_count, sizeof(uint64_t), by_number);
	leave_out_newer(disk, below);
	return true;
}

bool history_disk_open(struct history_disk *disk, const char *owner,
		       uint64_t below, struct diag *diag)
{
	int r = history_folder_open(&disk->folder, false);
	bool ready;

	disk->unseen = r < 0 && r != -ENOENT;
	if (disk->unseen)
		private_folder_complain(disk->folder.path, r, diag);
	if (r < 0)
		return true;
	disk->diag = diag;
	ready = look(disk, owner, below);
	disk->diag = NULL;
	history_folder_close(&disk->folder);
	return ready;
}
