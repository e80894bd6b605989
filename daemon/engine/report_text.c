#include "engine/report_text.h"

#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "config/mask.h"
#include "engine/engine.h"
#include "engine/layers.h"
#include "read/doc.h"
#include "read/reader.h"
#include "site/site.h"
#include "value/json.h"
#include "value/value.h"

#define FORMAT         1
#define WORKSPACES_MAX 16
#define DOCUMENTS_MAX  64
#define BAD_MAX        8
#define PROBLEM_BYTES  300

/* Parts of trees are told while the whole is no longer than this. */
#define PARTS_ROOM 12288

/* Clocks that differ by less are right. */
#define CLOCK_OFF_S 60

/* --- texts --- */

/* @text as everybody may see it, and not too long; the caller's. */
static char *shown(const struct engine *engine, const char *text)
{
	char *masked = mask_text(engine->host.secrets, text);
	size_t len = strlen(masked);

	if (len <= PROBLEM_BYTES)
		return masked;
	masked[PROBLEM_BYTES] = '\0';
	masked[str_utf8_invalid(str_from(masked))] = '\0';
	return masked;
}

static void add_shown(const struct engine *engine, struct buf *json,
		      const char *key, const char *text)
{
	_cleanup_(mem_freep) char *masked = text ? shown(engine, text) : NULL;

	json_add_optional_string(json, key, masked);
}

static char *describe_broken(const struct layer *layer)
{
	const struct diag *problem = &layer->problem;

	if (!problem->pos.line)
		return mem_printf("%s %s: %s", layer_traits[layer->kind].name,
				  problem->source, problem->text);
	return mem_printf("%s %s:%u:%u: %s", layer_traits[layer->kind].name,
			  problem->source, problem->pos.line,
			  problem->pos.column, problem->text);
}

/* What is wrong with @workspace; NULL: nothing. The caller's. */
static char *problem_of(const struct workspace *workspace)
{
	const char *problem = workspace_problem(workspace);
	const struct layer *layer;

	if (problem)
		return mem_strdup(problem);
	for (stack_each(&workspace->stack, layer))
		if (layer->state == LAYER_BROKEN)
			return describe_broken(layer);
	return NULL;
}

/* --- the site --- */

static void write_document(const struct engine *engine,
			   const struct site_doc *doc, struct buf *json)
{
	const struct layer *layer =
		stack_find(&engine->active->stack, LAYER_ETCD, doc->key);
	const struct site_rollout *rollout =
		site_docs_rollout(&engine->site->docs, doc->key);

	buf_putc(json, '{');
	json_add_string(json, "name",
			doc->key + strlen(engine->site->docs.prefix));
	if (doc->revision)
		json_add_int(json, "revision", doc->revision);
	if (rollout)
		json_add_string(json, "rollout", rollout->id);
	if (layer && layer->state == LAYER_BROKEN)
		json_add_string(json, "state", "broken");
	buf_putc(json, '}');
}

static void write_site(const struct engine *engine, struct buf *json)
{
	const struct site_docs *docs = &engine->site->docs;

	json_key(json, "site");
	buf_putc(json, '{');
	json_add_string(json, "state", site_state_name(engine->site));
	if (docs->revision)
		json_add_int(json, "revision", docs->revision);
	json_add_int(json, "count", (long long)docs->count);
	json_key(json, "documents");
	buf_putc(json, '[');
	for (size_t i = 0; i < docs->count && i < DOCUMENTS_MAX; i++) {
		if (i)
			buf_putc(json, ',');
		write_document(engine, &docs->items[i], json);
	}
	buf_puts(json, "]}");
}

/* --- workspaces --- */

const struct report_digest *report_digest_of(const struct report_facts *facts,
					     const char *workspace)
{
	for (size_t i = 0; i < facts->digest_count; i++)
		if (!strcmp(facts->digests[i].workspace, workspace))
			return &facts->digests[i];
	return NULL;
}

static void write_digest(const struct report_facts *facts,
			 const struct report_digest *digest, struct buf *json)
{
	json_add_string(json, "digest", digest->hex);
	json_add_bool(json, "keyed", facts->keyed);
	if (!digest->parts || json->len + strlen(digest->parts) > PARTS_ROOM)
		return;
	json_key(json, "paths");
	buf_puts(json, digest->parts);
}

/* The revisions of vaults that are not served yet, or by a skip. */
static void write_revisions(const struct workspace *workspace, const char *key,
			    enum arrival_state state, struct buf *json)
{
	_cleanup_(buf_deinit) struct buf names = BUF_INIT;

	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		const struct arrival *arrival = &workspace->arrivals[i];

		if (arrival->state == state && arrival_is_shown(arrival))
			buf_printf(&names, "%s\"%s\"", names.len ? "," : "",
				   arrival->name);
	}
	if (!names.len)
		return;
	json_key(json, key);
	buf_putc(json, '[');
	buf_add_str(json, buf_str(&names));
	buf_putc(json, ']');
}

static void write_hold(const struct engine *engine, const struct hold *hold,
		       struct buf *json)
{
	const struct hold_record *record = hold->record;

	if (!record)
		return;
	json_key(json, "hold");
	buf_putc(json, '{');
	json_add_int(json, "generation", (long long)record->generation);
	json_add_int(json, "since", record->since);
	if (record->until)
		json_add_int(json, "until", record->until);
	add_shown(engine, json, "reason", record->reason);
	json_add_int(json, "uid", record->uid);
	json_add_bool(json, "differs", hold->differs);
	buf_putc(json, '}');
}

static void write_workspace(const struct report_facts *facts,
			    const struct workspace *workspace, struct buf *json)
{
	const struct engine *engine = facts->engine;
	const struct report_digest *digest =
		report_digest_of(facts, workspace->name);
	_cleanup_(mem_freep) char *problem = problem_of(workspace);

	buf_putc(json, '{');
	json_add_string(json, "name", workspace->name);
	json_add_bool(json, "active", workspace == engine->active);
	json_add_string(json, "state", workspace_state_shown(workspace));
	json_add_int(json, "since", workspace->since);
	json_add_int(json, "generation",
		     (long long)workspace->snapshot->generation);
	if (digest && digest->edition)
		write_digest(facts, digest, json);
	if (workspace_stale(workspace) >= 0)
		json_add_int(json, "confirmed",
			     clock_wall_of(workspace->last_good.good_ms));
	write_revisions(workspace, "waiting", ARRIVAL_WAITING, json);
	write_revisions(workspace, "skipped", ARRIVAL_SKIPPED, json);
	write_hold(engine, &workspace->hold, json);
	add_shown(engine, json, "problem", problem);
	buf_putc(json, '}');
}

static void write_workspaces(const struct report_facts *facts, struct buf *json)
{
	const struct engine *engine = facts->engine;

	json_key(json, "workspaces");
	buf_putc(json, '[');
	for (size_t i = 0; i < engine->workspace_count && i < WORKSPACES_MAX;
	     i++) {
		if (i)
			buf_putc(json, ',');
		write_workspace(facts, engine->workspaces[i], json);
	}
	buf_putc(json, ']');
}

/* --- all of it --- */

/* The first there is now, if there is one, is the last one. */
static void note_problem(struct report_facts *facts)
{
	const struct engine *engine = facts->engine;
	char *problem = NULL;

	for (size_t i = 0; i < engine->workspace_count && !problem; i++)
		problem = problem_of(engine->workspaces[i]);
	if (!problem || str_same(problem, facts->problem)) {
		mem_free(problem);
		return;
	}
	mem_free(facts->problem);
	facts->problem = problem;
	facts->problem_time = time(NULL);
}

static void write_problem(const struct report_facts *facts, struct buf *json)
{
	json_key(json, "problem");
	buf_putc(json, '{');
	json_add_int(json, "time", facts->problem_time);
	add_shown(facts->engine, json, "text", facts->problem);
	buf_putc(json, '}');
}

static void write_groups(const struct site_docs *docs, struct buf *json)
{
	json_key(json, "groups");
	buf_putc(json, '[');
	for (size_t i = 0; i < docs->group_count; i++) {
		if (i)
			buf_putc(json, ',');
		json_write_string(json, str_from(docs->groups[i]));
	}
	buf_putc(json, ']');
}

static void write_consumers(const struct report_facts *facts, struct buf *json)
{
	json_key(json, "consumers");
	buf_putc(json, '{');
	json_add_int(json, "count", (long long)facts->consumers);
	json_add_int(json, "behind", (long long)facts->consumers_behind);
	buf_putc(json, '}');
}

bool report_clock_is_off(int64_t ahead)
{
	return ahead >= CLOCK_OFF_S || ahead <= -CLOCK_OFF_S;
}

static void write_host(const struct report_facts *facts, struct buf *json)
{
	const struct engine *engine = facts->engine;

	json_add_int(json, "format", FORMAT);
	json_add_string(json, "host", engine->site->docs.host);
	json_add_string(json, "machine", engine->machine.id);
	json_add_string(json, "run", facts->run);
	write_groups(&engine->site->docs, json);
	json_add_string(json, "version", CLEARCONF_VERSION);
	json_add_int(json, "started", facts->started);
	if (report_clock_is_off(facts->clock_ahead))
		json_add_int(json, "clock", facts->clock_ahead);
	json_add_string(json, "state",
			workspace_state_name(engine->active->state));
	json_add_int(json, "since", engine->since);
}

static void write_bad(const struct engine *engine,
		      const struct site_rollout *rollout, struct buf *json)
{
	buf_putc(json, '{');
	json_add_string(json, "rollout", rollout->id);
	json_add_string(json, "name",
			rollout->key + strlen(engine->site->docs.prefix));
	json_add_int(json, "time", rollout->bad_since);
	json_add_string(json, "kind", rollout_bad_name(rollout->bad));
	add_shown(engine, json, "reason", rollout->reason);
	buf_putc(json, '}');
}

/* The first vault of @feed that is broken; NULL: none. */
static const struct layer *broken_vault(const struct workspace *workspace,
					enum vault_feed feed)
{
	const struct layer *layer;

	for (stack_each(&workspace->stack, layer))
		if (layer->kind == layers_of_feeds[feed] &&
		    layer->state == LAYER_BROKEN)
			return layer;
	return NULL;
}

static void write_bad_vault(const struct engine *engine, const char *revision,
			    const struct layer *layer, struct buf *json)
{
	_cleanup_(mem_freep) char *reason = describe_broken(layer);

	buf_putc(json, '{');
	json_add_string(json, "vaults", revision);
	json_add_string(json, "kind", rollout_bad_name(rollout_bad_of(layer)));
	add_shown(engine, json, "reason", reason);
	buf_putc(json, '}');
}

/* Returns how many @written there are then. */
static size_t write_bad_vaults(const struct engine *engine,
			       const struct workspace *workspace,
			       size_t written, struct buf *json)
{
	for (size_t i = 0; i < VAULT_FEEDS && written < BAD_MAX; i++) {
		const char *revision = workspace->arrivals[i].in_force_name;
		const struct layer *layer =
			broken_vault(workspace, (enum vault_feed)i);

		if (!layer || !*revision)
			continue;
		if (written++)
			buf_putc(json, ',');
		write_bad_vault(engine, revision, layer, json);
	}
	return written;
}

static void write_bads(const struct engine *engine, struct buf *json)
{
	const struct site_rollouts *rollouts = &engine->site->docs.rollouts;
	size_t written = 0;

	json_key(json, "bad");
	buf_putc(json, '[');
	for (size_t i = 0; i < rollouts->count && written < BAD_MAX; i++) {
		if (!rollouts->items[i].bad)
			continue;
		if (written++)
			buf_putc(json, ',');
		write_bad(engine, &rollouts->items[i], json);
	}
	for (size_t i = 0; i < engine->workspace_count; i++)
		written = write_bad_vaults(engine, engine->workspaces[i],
					   written, json);
	buf_putc(json, ']');
}

void report_write(struct report_facts *facts, struct buf *json)
{
	note_problem(facts);
	write_host(facts, json);
	write_site(facts->engine, json);
	write_workspaces(facts, json);
	if (facts->problem)
		write_problem(facts, json);
	write_consumers(facts, json);
	write_bads(facts->engine, json);
}

/* --- of anybody's --- */

static void take_text(const struct value *root, const char *name, char *text,
		      size_t size)
{
	const struct value *value = value_get(root, str_from(name));

	if (value_is(value, VALUE_STRING) && value->text.len < size)
		memcpy(text, value->text.ptr, value->text.len);
}

bool report_read_sender(struct report_sender *sender, struct str text)
{
	const struct read_options options = {
		.format = READ_JSON,
		.limits = {.bytes = 65536, .depth = 8, .values = 5000},
	};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;

	*sender = (struct report_sender){0};
	if (read_text(&doc, "report", text, &options, &diag) != 0)
		return false;
	take_text(doc->root, "machine", sender->machine,
		  sizeof(sender->machine));
	take_text(doc->root, "run", sender->run, sizeof(sender->run));
	take_text(doc->root, "rival", sender->rival, sizeof(sender->rival));
	return value_is(doc->root, VALUE_OBJECT);
}
