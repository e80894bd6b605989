#include "fleet/fleet_text.h"

#include "base/buf.h"
#include "base/mem.h"
#include "fleet/fleet.h"
#include "fleet/rollout.h"
#include "fleet/rollout_text.h"
#include "fleet/vaults.h"
#include "text/table.h"

/* Of hosts that are alike so many are named. */
#define NAMES_MAX 3

/* Of a digest so much is told: enough to see that two differ. */
#define DIGEST_SHOWN 8

static struct str short_digest(const struct host *host)
{
	struct str digest = host->digest;

	if (digest.len > DIGEST_SHOWN)
		digest.len = DIGEST_SHOWN;
	return digest;
}

/* "gpu-01 gpu-02 gpu-03 and 4 more"; of hosts that are well nobody is named,
 * unless it is one. */
static void add_names(struct table *table, const struct fleet_row *row)
{
	_cleanup_(buf_deinit) struct buf cell = BUF_INIT;
	bool named = row->count == 1 || row->hosts[0]->status != HOST_READY;

	for (size_t i = 0; named && i < row->count && i < NAMES_MAX; i++) {
		buf_puts(&cell, i ? " " : "");
		buf_add_str(&cell, row->hosts[i]->name);
	}
	if (named && row->count > NAMES_MAX)
		buf_printf(&cell, " and %zu more", row->count - NAMES_MAX);
	table_add(table, buf_str(&cell));
}

static void add_row(struct table *table, const struct fleet_row *row)
{
	const struct host *first = row->hosts[0];

	table_add_number(table, (int64_t)row->count);
	table_add(table, str_from(host_status_word(first->status)));
	table_add(table, short_digest(first));
	table_add_time(table, row->since);
	add_names(table, row);
	table_add(table, str_from(first->reason));
}

static void add_hosts(struct buf *out, const struct fleet *fleet)
{
	static const char *const heading[] = {"HOSTS", "STATE", "DIGEST",
					      "SINCE", "WHO",   "REASON"};
	_cleanup_(table_deinit) struct table table = {
		.columns = ARRAY_SIZE(heading)};
	_cleanup_(fleet_rows_deinit) struct fleet_rows rows = {0};

	table_add_heading(&table, heading);
	fleet_rows_make(&rows, fleet);
	for (size_t i = 0; i < rows.count; i++)
		add_row(&table, &rows.items[i]);
	table_write(out, &table);
}

void fleet_text_add(struct buf *out, const struct fleet *fleet)
{
	if (fleet->count)
		add_hosts(out, fleet);
	else
		buf_puts(out, "no host reports: it takes 'report = yes' in "
			      "[site] of their clearconfd.conf\n");
	rollout_text_add_all(out, fleet);
	vaults_add_text(out, fleet);
}

/* --- one host ------------------------------------------------------------- */

static void add_line(struct table *table, const char *name, struct str text)
{
	if (!text.len)
		return;
	table_add(table, str_from(name));
	table_add(table, text);
}

static void add_time(struct table *table, const char *name, int64_t seconds)
{
	if (seconds < 0)
		return;
	table_add(table, str_from(name));
	table_add_time(table, seconds);
}

static void add_groups(struct table *table, const struct host *host)
{
	_cleanup_(buf_deinit) struct buf cell = BUF_INIT;

	for (size_t i = 0; i < host->group_count; i++) {
		buf_puts(&cell, i ? " " : "");
		buf_add_str(&cell, host->groups[i]);
	}
	add_line(table, "groups", buf_str(&cell));
}

static void add_consumers(struct table *table, const struct host *host)
{
	_cleanup_(buf_deinit) struct buf cell = BUF_INIT;

	if (host->consumers)
		buf_printf(&cell, "%lld, %lld of them behind",
			   (long long)host->consumers,
			   (long long)host->consumers_behind);
	add_line(table, "consumers", buf_str(&cell));
}

static void add_facts(struct buf *out, const struct host *host)
{
	_cleanup_(table_deinit) struct table table = {.columns = 2};

	table_add(&table, STR("host"));
	table_add(&table, host->name);
	add_line(&table, "state", str_from(host_status_word(host->status)));
	add_line(&table, "reason", str_from(host->reason));
	add_time(&table, "since", host->status_since);
	add_line(&table, "its own state", host->state);
	add_line(&table, "problem", host->problem);
	add_line(&table, "version", host->version);
	add_groups(&table, host);
	add_line(&table, "machine", host->machine);
	add_time(&table, "started", host->started);
	add_time(&table, "report of", host->time);
	add_line(&table, "workspace", host->workspace);
	add_line(&table, "digest", host->digest);
	if (host->digest.len)
		add_line(&table, "digest by",
			 host->keyed ? STR("the fleet's key")
				     : STR("no key: of the masked tree"));
	add_time(&table, "held until", host->held_until);
	add_consumers(&table, host);
	table_write(out, &table);
}

static void add_document(struct table *table, const struct fleet *fleet,
			 const struct host_document *document)
{
	const struct catalog_entry *entry =
		catalog_find(&fleet->catalog, document->name);

	table_add(table, document->name);
	table_add_number(table, document->revision);
	table_add_number(table,
			 entry && entry->revision ? entry->revision : -1);
	table_add(table, document->rollout);
	table_add(table, document->broken ? STR("broken") : (struct str){0});
}

static void add_documents(struct buf *out, const struct fleet *fleet,
			  const struct host *host)
{
	static const char *const heading[] = {"DOCUMENT", "HAS", "ETCD HAS",
					      "ROLLOUT", "STATE"};
	_cleanup_(table_deinit) struct table table = {
		.columns = ARRAY_SIZE(heading)};

	if (!host->document_count)
		return;
	table_add_heading(&table, heading);
	for (size_t i = 0; i < host->document_count; i++)
		add_document(&table, fleet, &host->documents[i]);
	buf_putc(out, '\n');
	table_write(out, &table);
}

void fleet_text_add_host(struct buf *out, const struct fleet *fleet,
			 const struct host *host)
{
	add_facts(out, host);
	add_documents(out, fleet, host);
}
