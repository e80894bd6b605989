#include "front/status.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/callers.h"
#include "config/lock.h"
#include "config/mask.h"
#include "engine/engine.h"
#include "engine/report.h"
#include "engine/rotation.h"
#include "fetch/http.h"
#include "fetch/session.h"
#include "front/arrivals.h"
#include "front/hold_json.h"
#include "read/doc.h"
#include "serve/consumer.h"
#include "serve/holding.h"
#include "serve/server.h"
#include "serve/service.h"
#include "site/site.h"
#include "state/history_store.h"
#include "value/json.h"
#include "value/value.h"

/* To whom status is told. */
struct reader {
	struct buf *json;
	const struct secrets *secrets;
	const struct locks *locks;
	const struct server *server; /* NULL: nobody asks of it */
	bool masked;
};

/* Status is read, and sent on, by more than those who may see secrets. */
static void add_text(struct reader *reader, const char *key, const char *text)
{
	_cleanup_(mem_freep) char *shown =
		text ? mask_text(reader->secrets, text) : NULL;

	json_add_optional_string(reader->json, key, shown);
}

static char *with_place(const struct diag *problem)
{
	if (!problem->pos.line)
		return mem_printf("%s: %s", problem->source, problem->text);
	return mem_printf("%s:%u:%u: %s", problem->source, problem->pos.line,
			  problem->pos.column, problem->text);
}

/* A file may be broken by what it includes: the place is in that one, and no
 * line of the layer's source. */
static void write_problem(struct reader *reader, const struct layer *layer)
{
	struct buf *json = reader->json;
	const struct diag *problem = &layer->problem;
	bool elsewhere = layer_is_of(layer, LAYER_OF_FILE) &&
			 strcmp(problem->source, layer->source) != 0;
	_cleanup_(mem_freep) char *text =
		elsewhere ? with_place(problem) : mem_strdup(problem->text);

	add_text(reader, "error", text);
	if (!elsewhere)
		json_add_pos(json, &problem->pos);
}

/* What is locked and set all the same, each with its place; *@first is that of
 * the first. */
static void write_locked(const struct reader *reader, const struct layer *layer,
			 struct buf *text, struct pos *first)
{
	const struct value *value;
	const struct lock *lock;
	size_t at = 0;

	while ((lock = locks_next(reader->locks, layer->kind, layer->doc->root,
				  &at, &value))) {
		struct pos pos = source_pos(layer->doc->sources[value->source],
					    value->offset);

		if (!first->line)
			*first = pos;
		buf_printf(text, "%s%s at %u:%u", text->len ? ", " : "sets ",
			   lock->text, pos.line, pos.column);
	}
	if (text->len)
		buf_puts(text, ", which is locked: exec and dumps keep what "
			       "lies below the vaults");
}

/* Keys and types that are not ClearML's: the first, and how many there are. */
static void write_findings(const struct doc *doc, struct buf *text,
			   struct pos *first)
{
	const struct diag *finding;

	if (!doc->finding_count)
		return;
	finding = &doc->warnings.items[doc->first_finding];
	if (!first->line)
		*first = finding->pos;
	buf_printf(text, "%s%s (%u:%u)", text->len ? "; " : "", finding->text,
		   finding->pos.line, finding->pos.column);
	if (doc->finding_count > 1)
		buf_printf(text,
			   " and %zu more of the kind, which clearconfd "
			   "--check lists",
			   doc->finding_count - 1);
}

/* What is odd about a document that is in order. */
static void write_remark(struct reader *reader, const struct layer *layer)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct pos first = {0};

	write_locked(reader, layer, &text, &first);
	if (layer->doc->remark)
		buf_printf(&text, "%s%s", text.len ? "; " : "",
			   layer->doc->remark);
	write_findings(layer->doc, &text, &first);
	if (!text.len)
		return;
	add_text(reader, "error", buf_str(&text).ptr);
	json_add_pos(reader->json, &first);
}

/* @stale: age in seconds of a vault that the server has not confirmed lately;
 * -1: it is none, or it has. */
static void write_layer(struct reader *reader, const struct layer *layer,
			int64_t stale)
{
	struct buf *json = reader->json;
	const char *state = layer_state_name(layer->state);
	int64_t age = (clock_boot_ms() - layer->since) / 1000;

	buf_putc(json, '{');
	json_add_string(json, "layer", layer_traits[layer->kind].name);
	add_text(reader, "source", layer->source);
	add_text(reader, "description", layer->description);
	json_add_string(json, "state",
			stale >= 0 && layer->state == LAYER_OK ? "stale"
							       : state);
	if (layer->doc)
		json_add_int(json, "age", stale > age ? stale : age);
	if (layer->state == LAYER_BROKEN)
		write_problem(reader, layer);
	else if (layer->doc)
		write_remark(reader, layer);
	buf_putc(json, '}');
}

/* Settings that a reload refused, or that are hardly meant, stand among the
 * layers: it is where a person looks for what is wrong. */
static void write_settings_problem(struct reader *reader, const char *state,
				   const struct diag *problem)
{
	struct buf *json = reader->json;

	if (json->data[json->len - 1] == '}')
		buf_putc(json, ',');
	buf_putc(json, '{');
	json_add_string(json, "layer", "settings");
	json_add_string(json, "source", problem->source);
	json_add_string(json, "state", state);
	add_text(reader, "error", problem->text);
	json_add_pos(json, &problem->pos);
	buf_putc(json, '}');
}

/* @vaults and @documents: the age of those that nobody has confirmed lately. */
static int64_t stale_of(const struct layer *layer, int64_t vaults,
			int64_t documents)
{
	if (layer_is_of(layer, LAYER_OF_ETCD))
		return documents;
	return layer_is_of(layer, LAYER_OF_VAULT) ? vaults : -1;
}

static void write_layers(struct reader *reader, const struct engine *engine,
			 const struct workspace *workspace)
{
	struct buf *json = reader->json;
	int64_t stale = workspace_stale(workspace);
	int64_t documents = engine->site ? site_stale(engine->site) : -1;
	struct layer *layer;
	size_t start;

	json_key(json, "layers");
	buf_putc(json, '[');
	start = json->len;
	if (diag_failed(&engine->settings_problem))
		write_settings_problem(reader, "broken",
				       &engine->settings_problem);
	for (size_t i = 0; i < engine->settings->warnings.count; i++)
		write_settings_problem(reader, "ok",
				       &engine->settings->warnings.items[i]);
	for (stack_each(&workspace->stack, layer)) {
		if (json->len > start)
			buf_putc(json, ',');
		write_layer(reader, layer, stale_of(layer, stale, documents));
	}
	buf_putc(json, ']');
}

static void write_claims(const struct api_claims *claims, struct buf *json)
{
	json_add_optional_string(json, "api_version", claims->api_version);
	json_add_optional_string(json, "server_version",
				 claims->server_version);
	json_add_optional_string(json, "feature_set", claims->feature_set);
	if (claims->expires_at)
		json_add_int(json, "token_expires_at", claims->expires_at);
}

static void write_upstream(struct reader *reader,
			   const struct upstream *upstream)
{
	struct buf *json = reader->json;
	const struct api_claims *claims = session_claims(upstream->session);
	int64_t next = upstream_next_poll(upstream);

	/* They may hold a password. */
	add_text(reader, "api_server", upstream->login.api_server);
	add_text(reader, "web_server", upstream->login.web_server);
	add_text(reader, "files_server", upstream->login.files_server);
	if (claims)
		write_claims(claims, json);
	if (upstream->last_success)
		json_add_int(json, "last_success", upstream->last_success);
	if (next)
		json_add_int(json, "next_poll", next);
	json_add_optional_int(json, "proved_at", upstream_proved_at(upstream));
}

/* Write the login, also one that nobody could log in with. */
static void write_server(struct reader *reader,
			 const struct workspace *workspace)
{
	struct buf *json = reader->json;
	const char *problem = workspace_problem(workspace);

	json_key(json, "server");
	buf_putc(json, '{');
	if (workspace->upstream)
		write_upstream(reader, workspace->upstream);
	else
		add_text(reader, "api_server", workspace->declared->api_server);
	if (problem != workspace_candidate_problem(workspace))
		add_text(reader, "last_error", problem);
	buf_putc(json, '}');
}

static void write_names(const struct workspace *workspace, struct buf *json)
{
	const struct principal_names *names = workspace_names(workspace);

	json_add_optional_string(json, "company_id", names->company_id);
	json_add_optional_string(json, "company_name", names->company_name);
	json_add_optional_string(json, "user_id", names->user_id);
	json_add_optional_string(json, "user_name", names->user_name);
}

static void write_key(struct reader *reader, const struct login *login)
{
	struct buf *json = reader->json;

	if (!login->access_key)
		return;
	json_add_string(json, "access_key",
			reader->masked ? SECRET_MASK : login->access_key);
	json_key(json, "access_key_origin");
	buf_putc(json, '{');
	json_add_string(json, "layer", login->key_layer);
	add_text(reader, "source", login->key_source);
	buf_putc(json, '}');
}

static void write_key_life(const struct workspace *workspace, struct buf *json)
{
	json_add_int(json, "access_key_expires",
		     workspace->upstream->key_expiry.expires);
	json_add_bool(json, "access_key_runs_out", workspace->runs_out);
}

/* Its key and its trouble stand apart from those of the login in force. */
static void write_candidate(struct reader *reader,
			    const struct workspace *workspace)
{
	const struct upstream *candidate = workspace->candidate;
	struct buf *json = reader->json;

	json_key(json, "new_login");
	buf_putc(json, '{');
	add_text(reader, "api_server", candidate->login.api_server);
	write_key(reader, &candidate->login);
	add_text(reader, "last_error", workspace_candidate_problem(workspace));
	buf_putc(json, '}');
}

static void write_behind(struct reader *reader,
			 const struct workspace *workspace)
{
	struct behind behind = server_behind(reader->server, workspace->name,
					     &workspace->history);
	struct buf *json = reader->json;

	json_key(json, "consumers_behind");
	buf_putc(json, '{');
	for (size_t i = 0; i < BEHIND_AGES; i++)
		json_add_int(json, behind_names[i], (long long)behind.count[i]);
	buf_putc(json, '}');
}

/* How far back it goes, and whether that lasts. */
static void write_history(const struct workspace *workspace, struct buf *json)
{
	const struct history *history = &workspace->history;
	const char *problem = workspace->store
				      ? history_store_problem(workspace->store)
				      : NULL;

	json_add_int(json, "history", (long long)history->count);
	json_add_int(json, "history_since",
		     (long long)history_oldest(history)->time);
	json_add_optional_string(json, "history_problem", problem);
}

static void write_workspace(struct reader *reader, const struct engine *engine,
			    const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;
	struct buf *json = reader->json;

	buf_putc(json, '{');
	json_add_string(json, "name", workspace->name);
	json_add_bool(json, "active", workspace == engine->active);
	json_add_string(json, "state", workspace_state_shown(workspace));
	write_names(workspace, json);
	if (upstream)
		write_key(reader, &upstream->login);
	if (upstream && upstream->key_expiry.expires)
		write_key_life(workspace, json);
	if (workspace->rotation)
		rotation_write_status(workspace->rotation, reader->masked,
				      json);
	json_add_int(json, "generation",
		     (long long)workspace->snapshot->generation);
	write_history(workspace, json);
	hold_json_add(json, &workspace->hold, reader->secrets);
	if (upstream || workspace->login_error)
		write_server(reader, workspace);
	else if (workspace->unasked)
		json_add_string(json, "unasked", workspace->unasked);
	if (workspace->candidate)
		write_candidate(reader, workspace);
	if (reader->server)
		write_behind(reader, workspace);
	if (arrivals_exist(workspace, NULL))
		arrivals_write(workspace, NULL, json);
	write_layers(reader, engine, workspace);
	buf_putc(json, '}');
}

static unsigned int clearance_at(uint64_t clearance, size_t index)
{
	if (index >= SERVICE_CLEARANCES)
		return 0;
	return (unsigned int)(clearance >> SERVICE_BITS * index) &
	       (SERVICE_MAY_READ | SERVICE_MAY_REVEAL);
}

/* Write the workspaces that may be read. */
static void write_workspaces(const struct engine *engine,
			     const struct server *server, uint64_t clearance,
			     struct buf *json)
{
	struct reader reader = {.json = json,
				.server = server,
				.secrets = engine->host.secrets,
				.locks = engine->host.locks};
	size_t start;

	json_key(json, "workspaces");
	buf_putc(json, '[');
	start = json->len;
	for (size_t i = 0; i < engine->workspace_count; i++) {
		unsigned int may = clearance_at(clearance, i);

		if (!(may & SERVICE_MAY_READ))
			continue;
		if (json->len > start)
			buf_putc(json, ',');
		reader.masked = !(may & SERVICE_MAY_REVEAL);
		write_workspace(&reader, engine, engine->workspaces[i]);
	}
	buf_putc(json, ']');
}

void status_write_workspaces(const struct engine *engine,
			     const struct status_reader *reader,
			     struct buf *json)
{
	json_add_string(json, "active", engine->active->name);
	caller_rule_write(reader->own, json);
	write_workspaces(engine, NULL, reader->clearance, json);
}

static void write_http_counts(struct http_counts counts, struct buf *json)
{
	json_add_int(json, "requests", (long long)counts.calls);
	json_add_int(json, "requests_failed", (long long)counts.failures);
	json_add_int(json, "requests_ms", (long long)counts.waited_ms);
	json_add_int(json, "requests_bytes", (long long)counts.received);
}

static void write_server_counts(struct server_counts counts, struct buf *json)
{
	json_add_int(json, "connections", (long long)counts.accepted);
	json_add_int(json, "calls", (long long)counts.calls);
	json_add_int(json, "refused", (long long)counts.refused);
	json_add_int(json, "bytes_received", (long long)counts.received);
	json_add_int(json, "bytes_sent", (long long)counts.sent);
}

/* Write the longest turns, in microseconds. */
static void write_turns(const struct turn_clock *clock, struct buf *json)
{
	struct turn_times longest = turn_clock_longest(clock);
	struct turn_times recent = turn_clock_recent(clock);

	json_add_int(json, "longest_turn_us",
		     (long long)longest.wall_ns / 1000);
	json_add_int(json, "longest_turn_cpu_us",
		     (long long)longest.cpu_ns / 1000);
	json_add_int(json, "recent_turn_us", (long long)recent.wall_ns / 1000);
	json_add_int(json, "recent_turn_cpu_us",
		     (long long)recent.cpu_ns / 1000);
}

static void write_counters(const struct engine *engine,
			   const struct server *server, struct buf *json)
{
	json_key(json, "counters");
	buf_putc(json, '{');
	json_add_int(json, "reloads", (long long)engine->reloads);
	json_add_int(json, "fetches", (long long)engine->host.fetched);
	json_add_int(json, "fetches_failed", (long long)engine->host.failed);
	write_turns(&engine->turn_clock, json);
	write_http_counts(http_counts(engine->http), json);
	write_server_counts(server_counts(server), json);
	if (engine->site)
		json_add_optional_int(json, "site_lag", site_lag(engine->site));
	buf_putc(json, '}');
}

/* Whom status is told to, as far as it decides which consumers are shown. */
struct audience {
	const struct engine *engine;
	uint64_t clearance;
};

static bool may_read(const void *data, const char *workspace)
{
	const struct audience *audience = data;
	const struct engine *engine = audience->engine;

	for (size_t i = 0; i < engine->workspace_count; i++)
		if (!strcmp(engine->workspaces[i]->name, workspace))
			return clearance_at(audience->clearance, i) &
			       SERVICE_MAY_READ;
	return false;
}

static void write_consumers(const struct server *server,
			    const struct audience *audience, struct buf *json)
{
	const struct consumer_reader reader = {audience->engine->host.secrets,
					       may_read, audience};

	json_key(json, "consumers");
	server_write_consumers(server, &reader, json);
}

static void write_site(const struct engine *engine, struct buf *json)
{
	const char *problem = site_problem(engine->site);
	_cleanup_(mem_freep) char *shown =
		problem ? mask_text(engine->host.secrets, problem) : NULL;

	json_key(json, "site");
	buf_putc(json, '{');
	site_write_status(engine->site, shown, json);
	if (engine->site->docs.rollouts.count) {
		json_key(json, "rollouts");
		site_write_rollouts(engine->site, engine->host.secrets, json);
	}
	if (engine->report) {
		json_key(json, "report");
		report_write_status(engine->report, json);
	}
	buf_putc(json, '}');
}

void status_write(const struct engine *engine, const struct server *server,
		  const struct status_reader *reader, struct buf *json)
{
	const struct audience audience = {engine, reader->clearance};

	buf_putc(json, '{');
	json_add_string(json, "version", CLEARCONF_VERSION);
	json_add_string(json, "instance",
			engine->places.system ? "system" : "user");
	json_add_int(json, "pid", getpid());
	json_add_int(json, "uptime",
		     (clock_boot_ms() - engine->started_at) / 1000);
	json_add_string(json, "mode",
			engine->settings->mode == MODE_SDK ? "sdk" : "agent");
	json_add_string(json, "state",
			workspace_state_name(engine->active->state));
	json_add_int(json, "since", engine->since);
	json_add_int(json, "generation",
		     (long long)engine->active->snapshot->generation);
	caller_rule_write(reader->own, json);
	write_workspaces(engine, server, reader->clearance, json);
	if (engine->site)
		write_site(engine, json);
	json_add_int(json, "connections", server_connections(server));
	json_add_int(json, "watchers", server_watchers(server));
	write_consumers(server, &audience, json);
	write_counters(engine, server, json);
	buf_putc(json, '}');
}
