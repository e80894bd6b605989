#include "fleet/site_list.h"

#include "base/buf.h"
#include "base/mem.h"
#include "fleet/catalog.h"
#include "fleet/document.h"
#include "fleet/store.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/table.h"
#include "value/json.h"

struct listing {
	struct store *store;
	struct catalog catalog;
};

static void listing_deinit(struct listing *listing)
{
	catalog_deinit(&listing->catalog);
}

static void take_key(void *data, const struct etcd_kv *kv)
{
	struct listing *listing = data;
	size_t prefix = strlen(listing->store->place.prefix);

	catalog_add(&listing->catalog, str_from_offset(kv->key, prefix),
		    kv->revision, kv->value);
}

/* "at 10%, running"; empty: none is under way. */
static void describe_rollout(const struct catalog_entry *entry,
			     struct buf *text)
{
	if (!entry->rollout_revision)
		return;
	if (!entry->rollout) {
		buf_puts(text, "not understood");
		return;
	}
	plan_add_share(text, rollout_share(entry->rollout));
	buf_puts(text, entry->rollout->state == ROLLOUT_STOPPED ? ", stopped"
								: ", running");
}

/* The number of its newest copy is empty when that is not what it says. */
static void add_row(struct table *table, const struct catalog_entry *entry,
		    const struct document *document)
{
	_cleanup_(buf_deinit) struct buf cell = BUF_INIT;
	bool ours = document->newest.number && !document_is_foreign(document);

	table_add(table, entry->name);
	table_add_number(table, ours ? document->newest.number : -1);
	table_add_time(table, ours ? document->newest.time : -1);
	table_add(table, ours ? document->newest.by : (struct str){0});
	describe_rollout(entry, &cell);
	table_add(table, buf_str(&cell));
	table_add(table, ours ? document->newest.reason : (struct str){0});
}

static void add_json(struct buf *out, const struct catalog_entry *entry,
		     const struct document *document)
{
	_cleanup_(buf_deinit) struct buf rollout = BUF_INIT;
	bool ours = document->newest.number && !document_is_foreign(document);

	buf_puts(out, out->len > 1 ? ",{" : "{");
	json_add_str(out, "name", entry->name);
	json_add_int(out, "etcd_revision", entry->revision);
	json_add_int(out, "bytes", (long long)document->now.value.len);
	if (ours) {
		json_add_int(out, "revision", document->newest.number);
		json_add_optional_int(out, "time", document->newest.time);
		json_add_string(out, "by", document->newest.by.ptr);
		json_add_string(out, "reason", document->newest.reason.ptr);
	}
	describe_rollout(entry, &rollout);
	if (rollout.len)
		json_add_string(out, "rollout", buf_str(&rollout).ptr);
	buf_putc(out, '}');
}

static int add_entry(struct listing *listing, const struct catalog_entry *entry,
		     struct table *table, struct buf *json)
{
	_cleanup_(document_deinit) struct document document = {0};
	_cleanup_(mem_freep) char *name =
		mem_strndup(entry->name.ptr, entry->name.len);
	int status = EXIT_DONE;

	/* What others named so is listed all the same. */
	if (!document_name_problem(name))
		status = document_look(&document, listing->store, name);
	if (status != EXIT_DONE)
		return status;
	if (json)
		add_json(json, entry, &document);
	else
		add_row(table, entry, &document);
	return EXIT_DONE;
}

static int print_entries(struct listing *listing, struct buf *json)
{
	static const char *const heading[] = {"NAME", "REVISION", "TIME",
					      "BY",   "ROLLOUT",  "REASON"};
	_cleanup_(table_deinit) struct table table = {
		.columns = ARRAY_SIZE(heading)};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	int status = EXIT_DONE;

	table_add_heading(&table, heading);
	for (size_t i = 0; status == EXIT_DONE && i < listing->catalog.count;
	     i++)
		status = add_entry(listing, &listing->catalog.items[i], &table,
				   json);
	if (status != EXIT_DONE)
		return status;
	if (json)
		return EXIT_DONE;
	if (listing->catalog.count)
		table_write(&out, &table);
	return output_show(buf_str(&out));
}

int site_list_print(struct store *store, bool json)
{
	_cleanup_(listing_deinit) struct listing listing = {.store = store};
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	const struct store_range range = {
		.prefix = store->place.prefix,
		.each = take_key,
		.data = &listing,
	};
	int status = store_read(store, &range, NULL);

	buf_putc(&text, '[');
	if (status == EXIT_DONE)
		status = print_entries(&listing, json ? &text : NULL);
	buf_puts(&text, "]\n");
	return status == EXIT_DONE && json ? output_show(buf_str(&text))
					   : status;
}
