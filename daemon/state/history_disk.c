#include "state/history_disk.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/pack.h"
#include "config/snapshot.h"
#include "config/snapshot_codec.h"
#include "read/doc.h"
#include "read/doc_codec.h"
#include "state/history_disk_parts.h"

/* Of a few documents each is waited for until it is on the disk; of more, for
 * all that the file system has. */
#define SYNCED_ONE_BY_ONE 16

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

void record_add_doc(struct record *record, uint32_t number)
{
	record->docs =
		mem_room(record->docs, record->count, sizeof(*record->docs));
	record->docs[record->count++] = number;
}

/* The documents of @record have one user more, or less. */
static void use(struct history_disk *disk, const struct record *record,
		bool more)
{
	for (size_t i = 0; i < record->count; i++)
		disk->docs.items[record->docs[i]].users += more ? 1 : -1U;
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
	mem_free(record->docs);
}

static void forget_known(struct known_docs *known)
{
	for (size_t i = 0; i < known->count; i++)
		doc_unref(known->items[i].doc);
	mem_free(known->items);
	*known = (struct known_docs){0};
}

void history_forget_all(struct history_disk *disk)
{
	for (size_t i = 0; i < disk->count; i++)
		mem_free(disk->records[i].docs);
	kept_docs_deinit(&disk->docs);
	forget_known(&disk->known);
	mem_free(disk->records);
	mem_free(disk->unread);
	mem_free(disk->owner);
	snapshot_unref(disk->last.snapshot);
	disk->records = NULL;
	disk->unread = NULL;
	disk->owner = NULL;
	disk->last = (struct history_entry){0};
	disk->count = disk->unread_count = 0;
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

/* What it was when it was written last, likely at the same place; KEPT_NONE: it
 * is new. */
static uint32_t find_known(const struct history_disk *disk,
			   const struct doc *doc)
{
	const struct known_docs *known = &disk->known;
	size_t at = disk->knowing.count;

	if (at < known->count && known->items[at].doc == doc)
		return known->items[at].number;
	for (size_t i = 0; i < known->count; i++)
		if (known->items[i].doc == doc)
			return known->items[i].number;
	return KEPT_NONE;
}

static void know(struct history_disk *disk, struct doc *doc, uint32_t number)
{
	struct known_docs *knowing = &disk->knowing;

	knowing->items = mem_room(knowing->items, knowing->count,
				  sizeof(knowing->items[0]));
	knowing->items[knowing->count++] =
		(struct known_doc){doc_ref(doc), number};
	record_add_doc(disk->current, number);
}

static int write_doc(struct history_disk *disk, const unsigned char *name,
		     struct str packed)
{
	_cleanup_(mem_freep) char *file = history_document_name(name);
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

	seal_write(&bytes, &history_document_seal, packed);
	disk->written++;
	return history_folder_put(&disk->folder, file, buf_str(&bytes),
				  disk->written <= SYNCED_ONE_BY_ONE);
}

/* The number of @doc, which is on the disk after; KEPT_NONE: it cannot be. */
static uint32_t keep(struct history_disk *disk, const struct doc *doc,
		     unsigned char *name)
{
	_cleanup_(buf_deinit) struct buf packed = BUF_INIT;
	uint32_t number;

	doc_pack(&packed, doc);
	history_digest(buf_str(&packed), name);
	number = kept_docs_find(&disk->docs, name);
	if (number != KEPT_NONE || disk->error)
		return number;
	disk->error = write_doc(disk, name, buf_str(&packed));
	return disk->error ? KEPT_NONE : kept_docs_add(&disk->docs, name);
}

static void put(void *data, struct doc *doc, unsigned char *name)
{
	struct history_disk *disk = data;
	uint32_t number = find_known(disk, doc);

	if (number == KEPT_NONE)
		number = keep(disk, doc, name);
	else
		memcpy(name, disk->docs.items[number].name, SHA256_BYTES);
	if (number != KEPT_NONE)
		know(disk, doc, number);
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
	if (!disk->error && disk->written > SYNCED_ONE_BY_ONE)
		disk->error = history_folder_sync(&disk->folder);
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
	disk->written = 0;
	r = write_record(disk, entry, previous);
	forget_known(&disk->known);
	disk->known = disk->knowing;
	disk->knowing = (struct known_docs){0};
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
		r = history_claim(disk, owner);
	if (r == 0)
		r = write_owner(disk, owner);
	if (r == 0)
		r = history_write_entry(disk, &record, &entry, previous);
	if (r == 0)
		history_add_record(disk, &record);
	mem_free(record.docs);
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

static int remove_doc(void *data, const unsigned char *name)
{
	_cleanup_(mem_freep) char *file = history_document_name(name);
	struct history_disk *disk = data;

	return history_folder_remove(&disk->folder, file);
}

/* What is known of a document that goes is its number. */
int history_remove_unused_docs(struct history_disk *disk)
{
	int r = kept_docs_sweep(&disk->docs, remove_doc, disk);
	size_t left = 0;

	for (size_t i = 0; i < disk->known.count; i++) {
		struct known_doc *known = &disk->known.items[i];

		if (disk->docs.items[known->number].here)
			disk->known.items[left++] = *known;
		else
			doc_unref(known->doc);
	}
	disk->known.count = left;
	return r;
}

/* The first @count are off the disk. */
static void drop_records(struct history_disk *disk, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		use(disk, &disk->records[i], false);
		mem_free(disk->records[i].docs);
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
	int r = history_folder_clear(&disk->folder);

	history_forget_all(disk);
	disk->unseen = disk->unseen && r < 0;
	return r;
}
