#include "engine/history_disk.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/pack.h"
#include "config/snapshot.h"
#include "config/snapshot_codec.h"
#include "engine/history_disk_parts.h"
#include "read/doc.h"
#include "read/doc_codec.h"

const struct seal history_owner_seal = {"clearconf-history", 1};
const struct seal history_record_seal = {"clearconf-generation", 1};
const struct seal history_document_seal = {"clearconf-document", 1};

/* --- names ---------------------------------------------------------------- */

char *history_record_name(uint64_t generation)
{
	return mem_printf("%0*llu" HISTORY_RECORD, HISTORY_DIGITS,
			  (unsigned long long)generation);
}

char *history_document_name(const unsigned char *name)
{
	char text[2 * SHA256_BYTES + 1];

	sha256_write_hex(name, SHA256_BYTES, text);
	return mem_printf("%s" HISTORY_DOCUMENT, text);
}

void history_digest(struct str bytes, unsigned char *name)
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, bytes);
	sha256_end(&hash, name);
}

/* --- what is on the disk -------------------------------------------------- */

struct kept_doc *history_find_doc(struct history_disk *disk,
				  const unsigned char *name)
{
	for (size_t i = disk->doc_count; i-- > 0;)
		if (!memcmp(disk->docs[i].name, name, SHA256_BYTES))
			return &disk->docs[i];
	return NULL;
}

void history_keep_doc(struct history_disk *disk, const unsigned char *name)
{
	struct kept_doc *kept;

	disk->docs = mem_grow(disk->docs,
			      (disk->doc_count + 1) * sizeof(disk->docs[0]));
	kept = &disk->docs[disk->doc_count++];
	*kept = (struct kept_doc){0};
	memcpy(kept->name, name, SHA256_BYTES);
}

void record_add_name(struct record *record, const unsigned char *name)
{
	record->names =
		mem_grow(record->names, (record->count + 1) * SHA256_BYTES);
	memcpy(record->names + record->count * SHA256_BYTES, name,
	       SHA256_BYTES);
	record->count++;
}

/* The documents of @record have one user more, or less. */
static void use(struct history_disk *disk, const struct record *record,
		bool more)
{
	for (size_t i = 0; i < record->count; i++) {
		struct kept_doc *kept = history_find_doc(
			disk, record->names + i * SHA256_BYTES);

		if (kept && more)
			kept->users++;
		else if (kept && kept->users)
			kept->users--;
	}
}

void history_add_record(struct history_disk *disk, struct record *record)
{
	use(disk, record, true);
	disk->records =
		mem_grow(disk->records, (disk->count + 1) * sizeof(*record));
	disk->records[disk->count++] = *record;
	*record = (struct record){0};
}

void history_drop_last_record(struct history_disk *disk)
{
	struct record *record = &disk->records[--disk->count];

	use(disk, record, false);
	mem_free(record->names);
}

void history_forget_docs(struct history_disk *disk)
{
	for (size_t i = 0; i < disk->doc_count; i++)
		disk->docs[i].doc = doc_unref(disk->docs[i].doc);
}

static void forget_known(struct known_doc **known, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		doc_unref((*known)[i].doc);
	mem_free(*known);
	*known = NULL;
	*count = 0;
}

void history_forget_all(struct history_disk *disk)
{
	for (size_t i = 0; i < disk->count; i++)
		mem_free(disk->records[i].names);
	history_forget_docs(disk);
	forget_known(&disk->known, &disk->known_count);
	mem_free(disk->records);
	mem_free(disk->docs);
	mem_free(disk->unread);
	mem_free(disk->owner);
	snapshot_unref(disk->last.snapshot);
	disk->records = NULL;
	disk->docs = NULL;
	disk->unread = NULL;
	disk->owner = NULL;
	disk->last = (struct history_entry){0};
	disk->count = disk->doc_count = disk->unread_count = 0;
}

struct history_disk *history_disk_new(const struct history_place *place)
{
	struct history_disk *disk = mem_alloc(sizeof(*disk));

	history_folder_init(&disk->folder, place->state_dir, place->workspace);
	disk->place = *place;
	disk->place.state_dir = disk->place.workspace = NULL;
	disk->bytes_left = place->bytes_limit;
	return disk;
}

void history_disk_free(struct history_disk *disk)
{
	if (!disk)
		return;
	history_forget_all(disk);
	history_folder_deinit(&disk->folder);
	mem_free(disk);
}

/* --- writing -------------------------------------------------------------- */

static int write_sealed(struct history_disk *disk, const char *name,
			const struct seal *seal, struct str content)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

	seal_write(&bytes, seal, content);
	return history_folder_write(&disk->folder, name, buf_str(&bytes));
}

/* The name of @doc: from when it was written last, or new. */
static void name_doc(struct history_disk *disk, struct doc *doc,
		     struct buf *packed, unsigned char *name)
{
	for (size_t i = 0; i < disk->known_count; i++) {
		if (disk->known[i].doc == doc) {
			memcpy(name, disk->known[i].name, SHA256_BYTES);
			return;
		}
	}
	doc_pack(packed, doc);
	history_digest(buf_str(packed), name);
}

static void know(struct history_disk *disk, struct doc *doc,
		 const unsigned char *name)
{
	struct known_doc *known;

	disk->knowing = mem_grow(disk->knowing,
				 (disk->knowing_count + 1) * sizeof(*known));
	known = &disk->knowing[disk->knowing_count++];
	known->doc = doc_ref(doc);
	memcpy(known->name, name, SHA256_BYTES);
}

static int write_doc(struct history_disk *disk, struct doc *doc,
		     const unsigned char *name, struct buf *packed)
{
	_cleanup_(mem_freep) char *file = history_document_name(name);

	if (!packed->len)
		doc_pack(packed, doc);
	return write_sealed(disk, file, &history_document_seal,
			    buf_str(packed));
}

static void put(void *data, struct doc *doc, unsigned char *name)
{
	_cleanup_(buf_deinit) struct buf packed = BUF_INIT;
	struct history_disk *disk = data;

	name_doc(disk, doc, &packed, name);
	know(disk, doc, name);
	record_add_name(disk->current, name);
	if (disk->error || history_find_doc(disk, name))
		return;
	disk->error = write_doc(disk, doc, name, &packed);
	if (!disk->error)
		history_keep_doc(disk, name);
}

static int write_record(struct history_disk *disk,
			const struct history_entry *entry, uint64_t previous)
{
	struct snapshot *snapshot = entry->snapshot;
	_cleanup_(mem_freep) char *name =
		history_record_name(snapshot->generation);
	const struct doc_shelf shelf = {.data = disk, .put = put};
	_cleanup_(buf_deinit) struct buf content = BUF_INIT;

	pack_number(&content, previous);
	pack_number(&content, entry->until);
	pack_number(&content, entry->again_from);
	pack_number(&content, entry->again_until);
	snapshot_pack(&content, snapshot, &shelf);
	if (disk->error)
		return disk->error;
	return write_sealed(disk, name, &history_record_seal,
			    buf_str(&content));
}

/* The record becomes @record's; what is known after is its documents. */
int history_write_entry(struct history_disk *disk, struct record *record,
			const struct history_entry *entry, uint64_t previous)
{
	int r;

	disk->current = record;
	disk->error = 0;
	r = write_record(disk, entry, previous);
	forget_known(&disk->known, &disk->known_count);
	disk->known = disk->knowing;
	disk->known_count = disk->knowing_count;
	disk->knowing = NULL;
	disk->knowing_count = 0;
	return r;
}

static int write_owner(struct history_disk *disk, const char *owner)
{
	int r;

	if (disk->owner && !strcmp(disk->owner, owner))
		return 0;
	r = write_sealed(disk, HISTORY_OWNER, &history_owner_seal,
			 str_from(owner));
	if (r == 0) {
		mem_free(disk->owner);
		disk->owner = mem_strdup(owner);
	}
	return r;
}

int history_disk_write(struct history_disk *disk, const char *owner,
		       struct snapshot *snapshot, uint64_t previous)
{
	const struct history_entry entry = {.snapshot = snapshot,
					    .until = snapshot->generation};
	struct record record = {.generation = snapshot->generation};
	int r = history_folder_open(&disk->folder, true);

	if (r == 0)
		r = write_owner(disk, owner);
	if (r == 0)
		r = history_write_entry(disk, &record, &entry, previous);
	if (r == 0)
		history_add_record(disk, &record);
	mem_free(record.names);
	history_folder_close(&disk->folder);
	return r;
}

int history_disk_set_owner(struct history_disk *disk, const char *owner)
{
	int r;

	if (!disk->owner)
		return 0;
	r = history_folder_open(&disk->folder, true);
	if (r == 0)
		r = write_owner(disk, owner);
	history_folder_close(&disk->folder);
	return r;
}

/* --- removing ------------------------------------------------------------- */

int history_remove_record(struct history_disk *disk, uint64_t generation)
{
	_cleanup_(mem_freep) char *name = history_record_name(generation);

	return history_folder_remove(&disk->folder, name);
}

static int remove_doc(struct history_disk *disk, const unsigned char *name)
{
	_cleanup_(mem_freep) char *file = history_document_name(name);

	return history_folder_remove(&disk->folder, file);
}

int history_remove_unused_docs(struct history_disk *disk)
{
	size_t left = 0;
	int r = 0, one;

	for (size_t i = 0; i < disk->doc_count; i++) {
		one = disk->docs[i].users
			      ? 1
			      : remove_doc(disk, disk->docs[i].name);
		if (one == 0) {
			doc_unref(disk->docs[i].doc);
			continue;
		}
		disk->docs[left++] = disk->docs[i];
		r = one < 0 ? one : r;
	}
	disk->doc_count = left;
	return r;
}

/* The first @count are off the disk. */
static void drop_records(struct history_disk *disk, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		use(disk, &disk->records[i], false);
		mem_free(disk->records[i].names);
	}
	disk->count -= count;
	memmove(disk->records, disk->records + count,
		disk->count * sizeof(disk->records[0]));
}

static int prune(struct history_disk *disk, uint64_t oldest)
{
	size_t gone = 0;
	int r = 0;

	while (r == 0 && gone < disk->count &&
	       disk->records[gone].generation < oldest) {
		r = history_remove_record(disk, disk->records[gone].generation);
		gone += r == 0;
	}
	drop_records(disk, gone);
	return r == 0 ? history_remove_unused_docs(disk) : r;
}

int history_disk_prune(struct history_disk *disk, uint64_t oldest)
{
	int r;

	if (!disk->count || disk->records[0].generation >= oldest)
		return 0;
	r = history_folder_open(&disk->folder, false);
	if (r == 0)
		r = prune(disk, oldest);
	history_folder_close(&disk->folder);
	return r;
}

int history_disk_clear(struct history_disk *disk)
{
	history_forget_all(disk);
	return history_folder_clear(&disk->folder);
}
