#include "fleet/catalog.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/share.h"
#include "fleet/host.h"
#include "fleet/plan.h"
#include "fleet/rollout.h"

#define ROLLOUT_SUFFIX ".rollout/"

void catalog_deinit(struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->count; i++) {
		if (catalog->items[i].rollout)
			rollout_deinit(catalog->items[i].rollout);
		mem_free(catalog->items[i].rollout);
	}
	mem_free(catalog->items);
	arena_free(&catalog->arena);
	*catalog = (struct catalog){0};
}

/* Is @name that of a rollout's key? *document: of what. */
static bool is_rollout(struct str name, struct str *document)
{
	if (!str_ends(name, STR(ROLLOUT_SUFFIX)))
		return false;
	*document = (struct str){name.ptr, name.len - strlen(ROLLOUT_SUFFIX)};
	return document->len > 0;
}

static struct str name_at(const void *entries, size_t i)
{
	return ((const struct catalog_entry *)entries)[i].name;
}

/* Where @name is, or would be. */
static size_t place_of(const struct catalog *catalog, struct str name)
{
	return str_place(name, catalog->items, catalog->count, name_at);
}

static bool is_at(const struct catalog *catalog, size_t at, struct str name)
{
	return at < catalog->count && str_equal(catalog->items[at].name, name);
}

const struct catalog_entry *catalog_find(const struct catalog *catalog,
					 struct str name)
{
	size_t at = place_of(catalog, name);

	return is_at(catalog, at, name) ? &catalog->items[at] : NULL;
}

static struct catalog_entry *entry_for(struct catalog *catalog, struct str name)
{
	size_t at = place_of(catalog, name);

	if (is_at(catalog, at, name))
		return &catalog->items[at];
	catalog->items = mem_room(catalog->items, catalog->count,
				  sizeof(*catalog->items));
	memmove(&catalog->items[at + 1], &catalog->items[at],
		(catalog->count++ - at) * sizeof(*catalog->items));
	catalog->items[at] = (struct catalog_entry){
		.name = arena_str(&catalog->arena, name)};
	return &catalog->items[at];
}

void catalog_add(struct catalog *catalog, struct str name, int64_t revision,
		 struct str value)
{
	struct catalog_entry *entry;
	struct str document;

	if (!is_rollout(name, &document)) {
		if (name.len && !str_ends(name, STR("/")))
			entry_for(catalog, name)->revision = revision;
		return;
	}
	entry = entry_for(catalog, document);
	entry->rollout_revision = revision;
	entry->rollout = mem_alloc(sizeof(*entry->rollout));
	if (rollout_parse(entry->rollout, value))
		return;
	mem_free(entry->rollout);
	entry->rollout = NULL;
}

/* --- for whom ------------------------------------------------------------- */

/* What of @name stands between @folder and the next '/'; false: it is not in
 * that folder. */
static bool owner_in(struct str name, struct str folder, struct str *owner)
{
	const char *slash;

	if (!str_starts(name, folder))
		return false;
	name = str_from_offset(name, folder.len);
	slash = memchr(name.ptr, '/', name.len);
	*owner = (struct str){name.ptr, slash ? (size_t)(slash - name.ptr) : 0};
	return true;
}

bool catalog_is_for(struct str name, const struct host *host)
{
	struct str owner;

	if (owner_in(name, STR("groups/"), &owner))
		return owner.len && host_is_in(host, owner);
	if (owner_in(name, STR("hosts/"), &owner))
		return owner.len && str_equal(owner, host->name);
	return true;
}

/* Is @host among those that @rollout reaches? */
static bool reaches(const struct rollout *rollout, const struct host *host)
{
	return host->machine.len &&
	       share_of(host->machine, rollout->id) < rollout_share(rollout);
}

/* --- what a host lacks ---------------------------------------------------- */

static const char *say(struct arena *arena, struct buf *text)
{
	const char *copy = arena_str(arena, buf_str(text)).ptr;

	buf_deinit(text);
	return copy;
}

/* May it have the rollout's text in place of the document's? */
static bool is_of_rollout(const struct catalog_entry *entry,
			  const struct host_document *document)
{
	return entry->rollout && document && document->rollout.len &&
	       str_equal(document->rollout, entry->rollout->id);
}

/* Must it? What has been stopped may have reached it in time, or not. */
static bool is_expected(const struct catalog_entry *entry,
			const struct host *host)
{
	return entry->rollout && entry->rollout->state == ROLLOUT_RUNNING &&
	       reaches(entry->rollout, host);
}

static const char *gap_at(const struct catalog_entry *entry,
			  const struct host *host, struct arena *arena)
{
	const struct host_document *document = host_document(host, entry->name);
	struct buf why = BUF_INIT;

	if (is_of_rollout(entry, document))
		return NULL;
	if (!document && host->document_total > (int64_t)host->document_count)
		return NULL; /* it has more than it lists */
	if (is_expected(entry, host)) {
		buf_printf(&why, "%.*s: its rollout has not arrived",
			   STR_PRINT(entry->name));
		return say(arena, &why);
	}
	if (!entry->revision ||
	    (document && document->revision == entry->revision &&
	     !document->rollout.len))
		return NULL;
	if (!document)
		buf_printf(&why, "%.*s has not arrived",
			   STR_PRINT(entry->name));
	else if (!document->revision)
		buf_printf(&why, "%.*s is from its cache",
			   STR_PRINT(entry->name));
	else
		buf_printf(&why, "%.*s is of revision %lld, and %lld is put",
			   STR_PRINT(entry->name),
			   (long long)document->revision,
			   (long long)entry->revision);
	return say(arena, &why);
}

const char *catalog_gap(const struct catalog *catalog, const struct host *host,
			struct arena *arena)
{
	struct buf why = BUF_INIT;
	const char *gap = NULL;

	for (size_t i = 0; i < catalog->count && !gap; i++)
		if (catalog_is_for(catalog->items[i].name, host))
			gap = gap_at(&catalog->items[i], host, arena);
	for (size_t i = 0; i < host->document_count && !gap; i++) {
		if (catalog_find(catalog, host->documents[i].name))
			continue;
		buf_printf(&why, "%.*s is removed, and it still has it",
			   STR_PRINT(host->documents[i].name));
		gap = say(arena, &why);
	}
	return gap;
}

void catalog_tally(const struct catalog_entry *entry, const struct host *host,
		   struct plan_tally *tally)
{
	const struct host_document *document = host_document(host, entry->name);
	bool bad = host_bad(host, entry->rollout->id) != NULL;
	bool taken = is_of_rollout(entry, document);

	if (!bad && !taken && !reaches(entry->rollout, host))
		return;
	tally->reached++;
	if (!host->revision)
		tally->offline++;
	else if (bad || (taken && document->broken))
		tally->broken++;
	else if (taken)
		tally->taken++;
	else
		tally->behind++;
}
