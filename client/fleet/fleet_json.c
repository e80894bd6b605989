/* What fleet_text.h has for programs. */

#include "base/buf.h"
#include "fleet/fleet.h"
#include "fleet/fleet_text.h"
#include "fleet/rollout.h"
#include "fleet/rollout_text.h"
#include "fleet/vaults.h"
#include "value/json.h"

static void add_text(struct buf *out, const char *key, struct str text)
{
	if (text.len)
		json_add_str(out, key, text);
}

static void add_members(struct buf *out, const struct host *host)
{
	add_text(out, "host", host->name);
	json_add_string(out, "status", host_status_word(host->status));
	add_text(out, "reason", str_from(host->reason));
	json_add_optional_int(out, "since", host->status_since);
	add_text(out, "state", host->state);
	add_text(out, "version", host->version);
	add_text(out, "machine", host->machine);
	add_text(out, "workspace", host->workspace);
	add_text(out, "digest", host->digest);
	if (host->digest.len)
		json_add_bool(out, "keyed", host->keyed);
	json_add_optional_int(out, "time", host->time);
	if (host->site_revision)
		json_add_int(out, "revision", host->site_revision);
}

static void add_host(struct buf *out, const struct host *host)
{
	buf_putc(out, '{');
	add_members(out, host);
	buf_putc(out, '}');
}

static void add_documents(struct buf *out, const struct host *host)
{
	json_key(out, "documents");
	buf_putc(out, '[');
	for (size_t i = 0; i < host->document_count; i++) {
		const struct host_document *document = &host->documents[i];

		buf_puts(out, i ? ",{" : "{");
		add_text(out, "name", document->name);
		json_add_int(out, "revision", document->revision);
		add_text(out, "rollout", document->rollout);
		json_add_bool(out, "broken", document->broken);
		buf_putc(out, '}');
	}
	buf_putc(out, ']');
}

void fleet_text_add_host_json(struct buf *out, const struct host *host)
{
	buf_putc(out, '{');
	add_members(out, host);
	host_write_groups(out, host);
	add_documents(out, host);
	json_add_int(out, "documents_total", host->document_total);
	json_add_int(out, "consumers", host->consumers);
	json_add_int(out, "consumers_behind", host->consumers_behind);
	add_text(out, "problem", host->problem);
	json_add_bool(out, "held", host->held);
	json_add_optional_int(out, "held_until",
			      host->held ? host->held_until : -1);
	buf_puts(out, "}\n");
}

static void count_statuses(const struct fleet *fleet,
			   size_t counts[HOST_STATUSES])
{
	memset(counts, 0, HOST_STATUSES * sizeof(*counts));
	for (size_t i = 0; i < fleet->count; i++)
		counts[fleet->hosts[i].status]++;
}

void fleet_text_add_json(struct buf *out, const struct fleet *fleet)
{
	size_t counts[HOST_STATUSES];

	count_statuses(fleet, counts);
	buf_putc(out, '{');
	json_add_int(out, "time", fleet->now);
	json_key(out, "count");
	buf_putc(out, '{');
	for (int i = 0; i < HOST_STATUSES; i++)
		json_add_int(out, host_status_word((enum host_status)i),
			     (long long)counts[i]);
	buf_putc(out, '}');
	json_key(out, "hosts");
	buf_putc(out, '[');
	for (size_t i = 0; i < fleet->count; i++) {
		buf_puts(out, i ? "," : "");
		add_host(out, &fleet->hosts[i]);
	}
	buf_putc(out, ']');
	json_key(out, "rollouts");
	rollout_text_add_all_json(out, fleet);
	json_key(out, "bad_vaults");
	vaults_add_json(out, fleet);
	buf_puts(out, "}\n");
}

/* --- Prometheus ----------------------------------------------------------- */

static void add_head(struct buf *out, const char *name, const char *help)
{
	buf_printf(out,
		   "# TYPE clearconf_fleet_%s gauge\n"
		   "# HELP clearconf_fleet_%s %s\n",
		   name, name, help);
}

/* Names of documents are of etcd's: anything but control characters. */
static void add_label(struct buf *out, struct str text)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '"' || c == '\\')
			buf_putc(out, '\\');
		if (c == '\n')
			c = ' ';
		buf_putc(out, c);
	}
	buf_putc(out, '"');
}

static void add_sample(struct buf *out, const struct catalog_entry *entry,
		       const char *state, int64_t number)
{
	buf_puts(out, "clearconf_fleet_rollout_hosts{document=");
	add_label(out, entry->name);
	buf_printf(out, ",state=\"%s\"} %lld\n", state, (long long)number);
}

static void add_rollouts(struct buf *out, const struct fleet *fleet)
{
	const struct catalog *catalog = &fleet->catalog;

	add_head(out, "rollout_share",
		 "how much of a document's hosts its rollout reaches");
	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_entry *entry = &catalog->items[i];

		if (!entry->rollout)
			continue;
		buf_puts(out, "clearconf_fleet_rollout_share{document=");
		add_label(out, entry->name);
		buf_printf(out, ",state=\"%s\"} %.4f\n",
			   rollout_state_name(entry->rollout->state),
			   rollout_share(entry->rollout) / 10000.0);
	}
	add_head(out, "rollout_hosts",
		 "hosts that a rollout reaches, by what "
		 "they say of it");
	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_entry *entry = &catalog->items[i];
		struct plan_tally tally;

		if (!entry->rollout)
			continue;
		tally = fleet_tally(fleet, entry);
		add_sample(out, entry, "taken", tally.taken);
		add_sample(out, entry, "broken", tally.broken);
		add_sample(out, entry, "behind", tally.behind);
		add_sample(out, entry, "offline", tally.offline);
	}
}

void fleet_text_add_metrics(struct buf *out, const struct fleet *fleet)
{
	size_t counts[HOST_STATUSES];

	count_statuses(fleet, counts);
	add_head(out, "hosts", "hosts by how they stand");
	for (int i = 0; i < HOST_STATUSES; i++)
		buf_printf(out, "clearconf_fleet_hosts{state=\"%s\"} %zu\n",
			   host_status_word((enum host_status)i), counts[i]);
	add_rollouts(out, fleet);
	buf_puts(out, "# EOF\n");
}
