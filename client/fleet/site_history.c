#include "fleet/site_history.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "fleet/document.h"
#include "fleet/store.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/table.h"
#include "value/json.h"

int site_history_find(struct revision *copy, struct store *store,
		      const char *name, const char *number)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(mem_freep) char *key = NULL;
	struct etcd_kv kv;
	int64_t wanted;
	int status;

	if (!str_to_number(str_from(number), &wanted) || !wanted)
		return complain(EXIT_USAGE,
				"'%s' is no revision: see 'clearconf site log "
				"%s'",
				number, name);
	key = store_revision_key(store, name, wanted);
	status = store_get(store, key, &arena, &kv);
	if (status != EXIT_DONE)
		return status;
	if (kv.revision)
		revision_read(copy, wanted, kv.value);
	if (!kv.revision || revision_is_damaged(copy))
		return complain(EXIT_NO_PATH,
				"there is no revision %s of %s: see 'clearconf "
				"site log %s'",
				number, name, name);
	return EXIT_DONE;
}

/* --- all of them ---------------------------------------------------------- */

struct copies {
	struct str folder; /* that they are in */
	struct revision items[2 * REVISIONS_MAX];
	int64_t revisions[2 * REVISIONS_MAX]; /* etcd's */
	size_t count;
};

static void copies_deinit(struct copies *copies)
{
	for (size_t i = 0; i < copies->count; i++)
		revision_deinit(&copies->items[i]);
}

static void take_copy(void *data, const struct etcd_kv *kv)
{
	struct copies *copies = data;
	struct revision *copy = &copies->items[copies->count];
	int64_t number = revision_number(kv->key, copies->folder);

	if (copies->count == ARRAY_SIZE(copies->items) || !number)
		return;
	revision_read(copy, number, kv->value);
	copies->revisions[copies->count++] = kv->revision;
}

static void add_row(struct table *table, const struct revision *copy)
{
	_cleanup_(buf_deinit) struct buf cell = BUF_INIT;

	table_add_number(table, copy->number);
	table_add_time(table, copy->time);
	table_add(table, copy->by);
	table_add_number(table, copy->text.ptr ? (int64_t)copy->text.len : -1);
	if (revision_is_damaged(copy))
		buf_puts(&cell, "damaged, or of a newer version");
	else if (!copy->text.ptr)
		buf_puts(&cell, "removed");
	else if (copy->reverts)
		buf_printf(&cell, "as revision %lld", (long long)copy->reverts);
	else if (copy->rollout.len)
		buf_puts(&cell, "rolled out");
	else if (!copy->by.len)
		buf_puts(&cell, "found so, put by other means");
	table_add(table, buf_str(&cell));
	table_add(table, copy->reason);
}

static void write_table(struct buf *out, const struct copies *copies,
			const struct document *document)
{
	static const char *const heading[] = {"REVISION", "TIME", "BY",
					      "BYTES",    "WHAT", "REASON"};
	_cleanup_(table_deinit) struct table table = {
		.columns = ARRAY_SIZE(heading)};

	table_add_heading(&table, heading);
	for (size_t i = copies->count; i-- > 0;)
		add_row(&table, &copies->items[i]);
	table_write(out, &table);
	if (document_is_foreign(document))
		buf_printf(out,
			   "what %s says now was put by other means, as etcd's "
			   "revision %lld\n",
			   document->name, (long long)document->now.revision);
	else if (!document->now.revision && document->newest.text.ptr)
		buf_printf(out, "%s was removed by other means\n",
			   document->name);
}

static void write_json(struct buf *out, const struct copies *copies)
{
	buf_putc(out, '[');
	for (size_t i = copies->count; i-- > 0;) {
		const struct revision *copy = &copies->items[i];

		buf_putc(out, '{');
		json_add_int(out, "revision", copy->number);
		json_add_int(out, "etcd_revision", copies->revisions[i]);
		json_add_bool(out, "damaged", revision_is_damaged(copy));
		json_add_optional_int(out, "time", copy->time);
		json_add_string(out, "by", copy->by.ptr);
		json_add_string(out, "reason", copy->reason.ptr);
		json_add_bool(out, "removed", !copy->text.ptr);
		json_add_int(out, "bytes", (long long)copy->text.len);
		if (copy->reverts)
			json_add_int(out, "reverts", copy->reverts);
		if (copy->rollout.len)
			json_add_string(out, "rollout", copy->rollout.ptr);
		buf_puts(out, i ? "}," : "}");
	}
	buf_puts(out, "]\n");
}

int site_history_print(struct store *store, const char *name, bool json)
{
	_cleanup_(document_deinit) struct document document = {0};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(mem_freep) char *folder = store_key(store, "revisions", name);
	_cleanup_(mem_freep) char *prefix = mem_printf("%s/", folder);
	_cleanup_(copies_deinit) struct copies copies = {
		.folder = str_from(folder)};
	const struct store_range range = {
		.prefix = prefix, .each = take_copy, .data = &copies};
	int status = document_look(&document, store, name);

	if (status == EXIT_DONE)
		status = store_read(store, &range, NULL);
	if (status != EXIT_DONE)
		return status;
	if (!copies.count && !document.now.revision)
		return complain(EXIT_NO_PATH,
				"there is no document %s, nor was one: see "
				"'clearconf site list'",
				name);
	if (json)
		write_json(&out, &copies);
	else
		write_table(&out, &copies, &document);
	return output_show(buf_str(&out));
}
