#include "fleet/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fleet/plan.h"
#include "fleet/rollout.h"
#include "fleet/vaults.h"

/* What a report is dated by may be wrong by so much, and nobody minds. */
#define CLOCK_S 300

void fleet_deinit(struct fleet *fleet)
{
	catalog_deinit(&fleet->catalog);
	verdicts_deinit(&fleet->verdicts);
	mem_free(fleet->hosts);
	arena_free(&fleet->arena);
	arena_free(&fleet->reasons);
	*fleet = (struct fleet){0};
}

static int compare_names(const void *a, const void *b)
{
	return str_compare(((const struct host *)a)->name,
			   ((const struct host *)b)->name);
}

struct host *fleet_add(struct fleet *fleet, struct str name)
{
	struct host *host;

	fleet->hosts =
		mem_room(fleet->hosts, fleet->count, sizeof(*fleet->hosts));
	host = &fleet->hosts[fleet->count++];
	*host = (struct host){.name = arena_str(&fleet->arena, name)};
	return host;
}

struct host *fleet_find(const struct fleet *fleet, struct str name)
{
	const struct host key = {.name = name};

	return fleet->count ? bsearch(&key, fleet->hosts, fleet->count,
				      sizeof(key), compare_names)
			    : NULL;
}

/* --- one host ------------------------------------------------------------- */

struct judgement {
	struct fleet *fleet;
	struct host *host;
	struct buf why;
};

static bool is_offline(struct judgement *at)
{
	if (at->host->revision)
		return false;
	buf_puts(&at->why, "it is down, or does not reach etcd");
	return true;
}

static bool is_unreadable(struct judgement *at)
{
	if (!at->host->fault)
		return false;
	buf_puts(&at->why, at->host->fault);
	return true;
}

static bool is_doubled(struct judgement *at)
{
	struct str rival = at->host->rival;

	if (rival.len)
		buf_printf(&at->why,
			   "machine %.*s would report under this name, too",
			   STR_PRINT(rival));
	return rival.len > 0;
}

/* Rollouts that are over do not matter any more. */
static bool is_bad(const struct fleet *fleet, const struct host_bad *bad)
{
	const struct catalog_entry *entry =
		catalog_find(&fleet->catalog, bad->name);

	return entry && entry->rollout &&
	       str_equal(entry->rollout->id, bad->rollout);
}

static bool is_broken(struct judgement *at)
{
	const struct host *host = at->host;

	for (size_t i = 0; i < host->bad_count; i++) {
		const struct host_bad *bad = &host->bad[i];

		if (!is_bad(at->fleet, bad))
			continue;
		buf_printf(&at->why, "%.*s: %.*s: %.*s", STR_PRINT(bad->name),
			   STR_PRINT(bad->kind), STR_PRINT(bad->reason));
		return true;
	}
	for (size_t i = 0; i < host->document_count; i++) {
		if (!host->documents[i].broken)
			continue;
		buf_printf(&at->why, "%.*s is broken",
			   STR_PRINT(host->documents[i].name));
		if (host->problem.len)
			buf_printf(&at->why, ": %.*s",
				   STR_PRINT(host->problem));
		return true;
	}
	return false;
}

static bool is_behind(struct judgement *at)
{
	const char *gap =
		catalog_gap(&at->fleet->catalog, at->host, &at->fleet->reasons);

	if (gap)
		buf_puts(&at->why, gap);
	return gap != NULL;
}

static bool is_held(struct judgement *at)
{
	buf_add_str(&at->why, at->host->held_why);
	return at->host->held;
}

static bool is_waiting(struct judgement *at)
{
	const struct host *host = at->host;
	struct str rest = host->waiting, revision;

	while (str_next_word(&rest, &revision))
		vaults_add_wait(&at->why, at->fleet, revision);
	if (host->skipped.len)
		buf_printf(&at->why, "%svaults were skipped: %.*s",
			   host->waiting.len ? "; " : "",
			   STR_PRINT(host->skipped));
	return host->waiting.len || host->skipped.len;
}

static bool is_ailing(struct judgement *at)
{
	if (str_is(at->host->state, "ready"))
		return false;
	buf_add_str(&at->why, at->host->state);
	if (at->host->problem.len)
		buf_printf(&at->why, ": %.*s", STR_PRINT(at->host->problem));
	return true;
}

/* What else there is to say of one that is well. */
static bool is_ready(struct judgement *at)
{
	const struct host *host = at->host;

	if (host->clock)
		buf_printf(&at->why, "its clock is %lld seconds %s",
			   (long long)llabs(host->clock),
			   host->clock > 0 ? "ahead" : "behind");
	else if (host->time > at->fleet->now + CLOCK_S)
		buf_puts(&at->why, "its report is from the future");
	else if (host->consumers_behind > 0)
		buf_printf(&at->why,
			   "%lld of its consumers run on older "
			   "values",
			   (long long)host->consumers_behind);
	return true;
}

/* Drifting is seen beside the others, afterwards. */
static const struct {
	enum host_status status;
	bool (*is)(struct judgement *at);
} statuses[] = {
	{HOST_OFFLINE, is_offline}, {HOST_UNREADABLE, is_unreadable},
	{HOST_DOUBLED, is_doubled}, {HOST_BROKEN, is_broken},
	{HOST_BEHIND, is_behind},   {HOST_HELD, is_held},
	{HOST_AILING, is_ailing},   {HOST_WAITING, is_waiting},
	{HOST_READY, is_ready},
};

static int64_t since_of(const struct host *host)
{
	switch (host->status) {
	case HOST_HELD: return host->held_since;
	case HOST_UNREADABLE:
	case HOST_DOUBLED:
	case HOST_BROKEN:
	case HOST_BEHIND: return host->time;
	case HOST_OFFLINE: /* since it was missed */
	case HOST_WAITING:
	case HOST_DRIFTING:
	case HOST_AILING:
	case HOST_READY:
	case HOST_STATUSES: break;
	}
	return host->since;
}

static void judge(struct fleet *fleet, struct host *host)
{
	struct judgement at = {fleet, host, BUF_INIT};
	size_t i = 0;

	while (!statuses[i].is(&at))
		i++;
	host->status = statuses[i].status;
	host->status_since = since_of(host);
	host->reason = arena_str(&fleet->reasons, buf_str(&at.why)).ptr;
	buf_deinit(&at.why);
}

/* --- one beside the others ------------------------------------------------ */

static int compare_documents(const struct host_document *a,
			     const struct host_document *b)
{
	int order = str_compare(a->name, b->name);

	if (!order)
		order = (a->revision > b->revision) -
			(a->revision < b->revision);
	return order ? order : str_compare(a->rollout, b->rollout);
}

/* Do they have the same documents, and comparable digests? */
static int compare_sources(const struct host *a, const struct host *b)
{
	int order = (a->document_total > b->document_total) -
		    (a->document_total < b->document_total);

	if (!order)
		order = (int)a->keyed - (int)b->keyed;
	if (!order)
		order = str_compare(a->workspace, b->workspace);
	for (size_t i = 0;
	     !order && i < a->document_count && i < b->document_count; i++)
		order = compare_documents(&a->documents[i], &b->documents[i]);
	return order ? order
		     : (a->document_count > b->document_count) -
			       (a->document_count < b->document_count);
}

static int compare_results(const void *a, const void *b)
{
	const struct host *one = *(const struct host *const *)a;
	const struct host *other = *(const struct host *const *)b;
	int order = compare_sources(one, other);

	return order ? order : str_compare(one->digest, other->digest);
}

/* How many of @count hosts, from the first on, have its digest. */
static size_t run_of(struct host *const *hosts, size_t count)
{
	size_t i = 1;

	while (i < count && str_equal(hosts[i]->digest, hosts[0]->digest))
		i++;
	return i;
}

static void set_drifting(struct fleet *fleet, struct host *host, size_t others)
{
	struct buf why = BUF_INIT;

	buf_printf(&why, "%zu hosts with the same documents have other values",
		   others);
	host->status = HOST_DRIFTING;
	host->status_since = host->since;
	host->reason = arena_str(&fleet->reasons, buf_str(&why)).ptr;
	buf_deinit(&why);
}

/* Of hosts with the same sources those drift that differ from more than half
 * of them. */
static void judge_alike(struct fleet *fleet, struct host **hosts, size_t count)
{
	size_t most = 0, first = 0, run;

	for (size_t i = 0; i < count; i += run) {
		run = run_of(hosts + i, count - i);
		if (run > most) {
			most = run;
			first = i;
		}
	}
	if (2 * most <= count)
		return;
	for (size_t i = 0; i < count; i++)
		if (i < first || i >= first + most)
			set_drifting(fleet, hosts[i], most);
}

/* Who waits for vaults has other values on purpose. */
static bool may_drift(const struct host *host)
{
	return host->digest.len && !host->waiting.len && !host->skipped.len &&
	       (host->status == HOST_READY || host->status == HOST_AILING);
}

static void judge_drift(struct fleet *fleet)
{
	_cleanup_(mem_freep) struct host **hosts =
		mem_alloc((fleet->count + 1) * sizeof(*hosts));
	size_t count = 0, next;

	for (size_t i = 0; i < fleet->count; i++)
		if (may_drift(&fleet->hosts[i]))
			hosts[count++] = &fleet->hosts[i];
	qsort(hosts, count, sizeof(*hosts), compare_results);
	for (size_t i = 0; i < count; i = next) {
		next = i + 1;
		while (next < count && !compare_sources(hosts[i], hosts[next]))
			next++;
		judge_alike(fleet, hosts + i, next - i);
	}
}

void fleet_judge(struct fleet *fleet)
{
	arena_free(&fleet->reasons);
	if (fleet->count)
		qsort(fleet->hosts, fleet->count, sizeof(*fleet->hosts),
		      compare_names);
	for (size_t i = 0; i < fleet->count; i++)
		judge(fleet, &fleet->hosts[i]);
	judge_drift(fleet);
}

/* --- rows ----------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
	const struct host *one = *(const struct host *const *)a;
	const struct host *other = *(const struct host *const *)b;
	int order = (int)one->status - (int)other->status;

	if (!order)
		order = str_compare(one->digest, other->digest);
	return order ? order : strcmp(one->reason, other->reason);
}

static int compare_in_rows(const void *a, const void *b)
{
	int order = compare_rows(a, b);

	return order ? order
		     : compare_names(*(const struct host *const *)a,
				     *(const struct host *const *)b);
}

static void add_row(struct fleet_rows *rows, size_t first, size_t count)
{
	struct fleet_row *row = &rows->items[rows->count++];

	*row = (struct fleet_row){rows->hosts + first, count, -1};
	for (size_t i = 0; i < count; i++) {
		int64_t since = row->hosts[i]->status_since;

		if (since >= 0 && (row->since < 0 || since < row->since))
			row->since = since;
	}
}

/* The most hosts first, within a status. */
static int compare_sizes(const void *a, const void *b)
{
	const struct fleet_row *one = a, *other = b;
	int order = (int)one->hosts[0]->status - (int)other->hosts[0]->status;

	return order ? order
		     : (one->count < other->count) -
			       (one->count > other->count);
}

void fleet_rows_make(struct fleet_rows *rows, const struct fleet *fleet)
{
	size_t count = fleet->count, next;

	rows->hosts = mem_alloc((count + 1) * sizeof(*rows->hosts));
	rows->items = mem_alloc((count + 1) * sizeof(*rows->items));
	rows->count = 0;
	for (size_t i = 0; i < count; i++)
		rows->hosts[i] = &fleet->hosts[i];
	qsort(rows->hosts, count, sizeof(*rows->hosts), compare_in_rows);
	for (size_t i = 0; i < count; i = next) {
		next = i + 1;
		while (next < count &&
		       !compare_rows(&rows->hosts[i], &rows->hosts[next]))
			next++;
		add_row(rows, i, next - i);
	}
	qsort(rows->items, rows->count, sizeof(*rows->items), compare_sizes);
}

void fleet_rows_deinit(struct fleet_rows *rows)
{
	mem_free(rows->hosts);
	mem_free(rows->items);
}

struct plan_tally fleet_tally(const struct fleet *fleet,
			      const struct catalog_entry *entry)
{
	struct plan_tally tally = {0};

	for (size_t i = 0; i < fleet->count; i++)
		if (catalog_is_for(entry->name, &fleet->hosts[i]))
			catalog_tally(entry, &fleet->hosts[i], &tally);
	return tally;
}
