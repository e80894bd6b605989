#include "fleet/host.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"
#include "fleet/object.h"
#include "read/doc.h"
#include "text/answer.h"
#include "value/json.h"
#include "value/value.h"

static const char *const words[HOST_STATUSES] = {
	[HOST_OFFLINE] = "offline",   [HOST_UNREADABLE] = "unreadable",
	[HOST_DOUBLED] = "doubled",   [HOST_BROKEN] = "broken",
	[HOST_BEHIND] = "behind",     [HOST_HELD] = "held",
	[HOST_DRIFTING] = "drifting", [HOST_AILING] = "ailing",
	[HOST_WAITING] = "waiting",   [HOST_READY] = "ready",
};

const char *host_status_word(enum host_status status)
{
	return words[status];
}

/* --- reading -------------------------------------------------------------- */

static struct str take_text(struct arena *arena, const struct value *object,
			    const char *key)
{
	return arena_str(arena, answer_text(object, key));
}

/* The list @key of @object, of which at most @most items count; NULL: none. */
static const struct value *list_at(const struct value *object, const char *key,
				   size_t most, size_t *count)
{
	const struct value *list = value_get(object, str_from(key));

	*count = value_is(list, VALUE_LIST) ? list->list.count : 0;
	if (*count > most)
		*count = most;
	return list;
}

static void read_groups(struct host *host, struct arena *arena,
			const struct value *root)
{
	size_t count;
	const struct value *list = list_at(root, "groups", HOST_GROUPS, &count);

	host->groups = arena_alloc(arena, count * sizeof(*host->groups));
	for (size_t i = 0; i < count; i++)
		if (value_is(list->list.items[i], VALUE_STRING))
			host->groups[host->group_count++] = arena_str(
				arena, value_text(list->list.items[i]));
}

static void read_documents(struct host *host, struct arena *arena,
			   const struct value *site)
{
	size_t count;
	const struct value *list =
		list_at(site, "documents", HOST_DOCUMENTS, &count);

	host->documents = arena_alloc(arena, count * sizeof(*host->documents));
	for (size_t i = 0; i < count; i++) {
		const struct value *item = list->list.items[i];

		if (!answer_text(item, "name").len)
			continue;
		host->documents[host->document_count++] =
			(struct host_document){
				.name = take_text(arena, item, "name"),
				.revision = answer_int(item, "revision", 0),
				.rollout = take_text(arena, item, "rollout"),
				.broken = str_is(answer_text(item, "state"),
						 "broken"),
			};
	}
	host->document_total = answer_int(site, "count", (int64_t)count);
}

static void read_bad(struct host *host, struct arena *arena,
		     const struct value *root)
{
	size_t count;
	const struct value *list = list_at(root, "bad", HOST_BAD, &count);

	host->bad = arena_alloc(arena, count * sizeof(*host->bad));
	for (size_t i = 0; i < count; i++) {
		const struct value *item = list->list.items[i];

		if (!answer_text(item, "rollout").len &&
		    !answer_text(item, "vaults").len)
			continue;
		host->bad[host->bad_count++] = (struct host_bad){
			.rollout = take_text(arena, item, "rollout"),
			.name = take_text(arena, item, "name"),
			.vaults = take_text(arena, item, "vaults"),
			.kind = take_text(arena, item, "kind"),
			.reason = take_text(arena, item, "reason"),
		};
	}
}

static void read_hold(struct host *host, struct arena *arena,
		      const struct value *hold)
{
	host->held = value_is(hold, VALUE_OBJECT);
	host->held_since = answer_int(hold, "since", -1);
	host->held_until = answer_int(hold, "until", -1);
	host->held_why = take_text(arena, hold, "reason");
}

/* The names of a list, joined. */
static struct str take_names(struct arena *arena, const struct value *object,
			     const char *key)
{
	_cleanup_(buf_deinit) struct buf names = BUF_INIT;
	size_t count;
	const struct value *list = list_at(object, key, HOST_REVISIONS, &count);

	for (size_t i = 0; i < count; i++) {
		const struct value *item = list->list.items[i];

		if (!value_is(item, VALUE_STRING))
			continue;
		buf_puts(&names, names.len ? " " : "");
		buf_add_str(&names, value_text(item));
	}
	return arena_str(arena, buf_str(&names));
}

/* Of the active workspace; a host has one. */
static void read_workspaces(struct host *host, struct arena *arena,
			    const struct value *root)
{
	size_t count;
	const struct value *list = list_at(root, "workspaces", 1024, &count);

	for (size_t i = 0; i < count; i++) {
		const struct value *item = list->list.items[i];

		if (!answer_bool(item, "active"))
			continue;
		host->workspace = take_text(arena, item, "name");
		host->digest = take_text(arena, item, "digest");
		host->keyed = answer_bool(item, "keyed");
		read_hold(host, arena, value_get(item, STR("hold")));
		host->waiting = take_names(arena, item, "waiting");
		host->skipped = take_names(arena, item, "skipped");
		return;
	}
}

static void read_all(struct host *host, struct arena *arena,
		     const struct value *root)
{
	const struct value *site = value_get(root, STR("site"));
	const struct value *users = value_get(root, STR("consumers"));

	host->machine = take_text(arena, root, "machine");
	host->version = take_text(arena, root, "version");
	host->time = answer_int(root, "time", -1);
	host->started = answer_int(root, "started", -1);
	host->clock = answer_int(root, "clock", 0);
	host->state = take_text(arena, root, "state");
	host->since = answer_int(root, "since", -1);
	host->rival = take_text(arena, root, "rival");
	host->problem =
		take_text(arena, value_get(root, STR("problem")), "text");
	host->site_revision = answer_int(site, "revision", 0);
	host->consumers = answer_int(users, "count", 0);
	host->consumers_behind = answer_int(users, "behind", 0);
	read_groups(host, arena, root);
	read_documents(host, arena, site);
	read_bad(host, arena, root);
	read_workspaces(host, arena, root);
}

static const char *fault_of(struct str json, const struct doc *doc)
{
	int64_t format = doc ? answer_int(doc->root, "format", 0) : 0;

	if (json.len > HOST_REPORT_BYTES)
		return "its report is longer than any daemon's";
	if (!doc)
		return "its report is damaged: it is no JSON object";
	if (format > 1)
		return "its report is of a newer version: update clearconf "
		       "here";
	if (format != 1 || !answer_text(doc->root, "state").len)
		return "its report is damaged: it has no format or state";
	return NULL;
}

void host_read(struct host *host, struct arena *arena, struct str json)
{
	_cleanup_(doc_unrefp) struct doc *doc =
		json.len > HOST_REPORT_BYTES ? NULL : object_read(json);

	*host = (struct host){.name = host->name, .revision = host->revision};
	host->time = host->started = host->since = host->status_since = -1;
	host->held_since = host->held_until = -1;
	host->reason = "";
	host->fault = fault_of(json, doc);
	if (!host->fault)
		read_all(host, arena, doc->root);
}

/* --- remembering ---------------------------------------------------------- */

void host_write_groups(struct buf *json, const struct host *host)
{
	json_key(json, "groups");
	buf_putc(json, '[');
	for (size_t i = 0; i < host->group_count; i++) {
		buf_puts(json, i ? "," : "");
		json_write_string(json, host->groups[i]);
	}
	buf_putc(json, ']');
}

void host_write_memory(struct buf *json, const struct host *host, int64_t since)
{
	buf_putc(json, '{');
	json_add_int(json, "format", 1);
	json_add_string(json, "state", words[HOST_OFFLINE]);
	json_add_str(json, "machine", host->machine);
	host_write_groups(json, host);
	json_add_optional_int(json, "since", since);
	buf_putc(json, '}');
}

bool host_is_same_memory(const struct host *a, const struct host *b)
{
	if (a->group_count != b->group_count ||
	    !str_equal(a->machine, b->machine))
		return false;
	for (size_t i = 0; i < a->group_count; i++)
		if (!str_equal(a->groups[i], b->groups[i]))
			return false;
	return true;
}

/* --- asking --------------------------------------------------------------- */

const struct host_document *host_document(const struct host *host,
					  struct str name)
{
	for (size_t i = 0; i < host->document_count; i++)
		if (str_equal(host->documents[i].name, name))
			return &host->documents[i];
	return NULL;
}

const struct host_bad *host_bad(const struct host *host, struct str rollout)
{
	for (size_t i = 0; i < host->bad_count; i++)
		if (str_equal(host->bad[i].rollout, rollout))
			return &host->bad[i];
	return NULL;
}

const struct host_bad *host_bad_vaults(const struct host *host,
				       struct str revision)
{
	for (size_t i = 0; i < host->bad_count; i++)
		if (str_equal(host->bad[i].vaults, revision))
			return &host->bad[i];
	return NULL;
}

void host_add_bad(struct buf *out, const struct host *host,
		  const struct host_bad *bad)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	buf_printf(&text, " (%.*s: %.*s: %.*s)", STR_PRINT(host->name),
		   STR_PRINT(bad->kind), STR_PRINT(bad->reason));
	printable_add(out, buf_str(&text));
}

bool host_is_in(const struct host *host, struct str group)
{
	for (size_t i = 0; i < host->group_count; i++)
		if (str_equal(host->groups[i], group))
			return true;
	return false;
}
