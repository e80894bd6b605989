#ifndef TESTS_FUZZ_STAGE_H
#define TESTS_FUZZ_STAGE_H

/*
 * The daemon's serving half without sockets: one workspace whose snapshots a
 * target publishes, asked by peers whose uid says which rights they have.
 *
 * Jobs are waited for, in the default loop; a reply lies in the
 * outbox until stage_take_reply.
 */

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "config/history.h"
#include "config/resolver.h"
#include "config/snapshot.h"
#include "config/stack.h"
#include "fuzz_text.h"
#include "serve/consumer.h"
#include "serve/methods.h"
#include "serve/offload.h"
#include "serve/out.h"
#include "serve/peer.h"
#include "serve/pending.h"
#include "serve/quota.h"
#include "serve/request.h"
#include "serve/watcher.h"

#define WATCHERS_MAX 8
#define UID_FIRST    4100000

struct stage {
	struct secrets *secrets;
	struct snapshot *snapshot;
	struct history history;
	struct access *access;
	struct env *env;
	struct service service;
	struct watchers watchers;
	struct quota quota;
	struct peer peer; /* who asks */
	struct consumers consumers;
	struct consumer consumer, watching[WATCHERS_MAX];
	struct offload offload;
	struct call_memo memo;
	struct arena scratch;
	struct out out;
	struct watcher *kept[WATCHERS_MAX];
	size_t kept_count;
};

/* --- the service -------------------------------------------------------------
 */

static inline bool stage_view(void *data, const char *name, struct view *view)
{
	struct stage *stage = data;

	if (name && strcmp(name, "one") != 0)
		return false;
	*view = (struct view){
		.workspace = "one",
		.snapshot = stage->snapshot,
		.history = &stage->history,
		.access = stage->access,
		.env = stage->env,
		.secrets = stage->secrets,
		.state = "ready",
		.stale = -1,
	};
	return true;
}

static inline void stage_own_view(void *data, struct peer *peer,
				  struct view *view)
{
	(void)peer;
	(void)stage_view(data, NULL, view);
}

static inline struct snapshot *stage_project(void *data, const char *name,
					     enum projection projection,
					     const struct diag **broken)
{
	struct stage *stage = data;

	*broken = NULL;
	(void)name;
	(void)projection;
	return stage->snapshot;
}

static inline void stage_members(void *data, uint64_t clearance,
				 const struct caller_rule *own,
				 struct buf *json)
{
	(void)data;
	(void)own;
	json_add_int(json, "clearance", (long long)clearance);
}

static inline void stage_status(void *data, uint64_t clearance,
				const struct caller_rule *own, struct buf *json)
{
	buf_putc(json, '{');
	stage_members(data, clearance, own, json);
	buf_putc(json, '}');
}

static inline uint64_t stage_clearance(void *data, const struct peer *peer)
{
	struct stage *stage = data;

	return access_rights(stage->access, &peer->user);
}

static inline struct resolver *stage_resolver(void *data, const char *name,
					      enum layer_kind below)
{
	struct resolver *resolver = mem_alloc(sizeof(*resolver));
	struct stage *stage = data;

	(void)name;
	(void)below;
	stack_init(&resolver->stack);
	resolver->context.limits = READ_LIMITS_DEFAULT;
	resolver->agent = true;
	resolver->document = 1 << 20;
	resolver->secrets = secrets_pin(stage->secrets);
	return resolver;
}

static inline struct resolver *stage_arriving(void *data, const char *name,
					      struct buf *fields)
{
	json_key(fields, "arriving");
	buf_puts(fields, "[]");
	return stage_resolver(data, name, LAYER_KINDS);
}

static inline const char *stage_vaults_lack(void *data, const char *name,
					    bool *expected)
{
	(void)data;
	(void)name;
	*expected = false;
	return NULL;
}

static inline void stage_begin(void *data, struct pending *pending)
{
	(void)data;
	if (pending->masked)
		pending_fail_not_ready(pending, "not here");
	else
		pending_succeed(pending, STR("{\"done\":true}"));
}

/* --- the stage ---------------------------------------------------------------
 */

static inline struct access *stage_access(void)
{
	char lists[3][64] = {"", "", ""};
	size_t len;

	for (unsigned int rights = 0; rights < 8; rights++)
		for (size_t i = 0; i < 3; i++) {
			if (!(rights & 1U << i))
				continue;
			len = strlen(lists[i]);
			(void)snprintf(lists[i] + len, sizeof(lists[i]) - len,
				       "%u ", UID_FIRST + rights);
		}
	return access_new(lists[0], lists[1], lists[2], true);
}

static inline void stage_init(struct stage *stage)
{
	*stage = (struct stage){
		.secrets = secrets_new(NULL),
		.access = stage_access(),
		.env = fuzz_env(),
		.service = {.data = stage,
			    .view = stage_view,
			    .own_view = stage_own_view,
			    .project = stage_project,
			    .vaults_lack = stage_vaults_lack,
			    .clearance = stage_clearance,
			    .status = stage_status,
			    .workspaces = stage_members,
			    .resolver = stage_resolver,
			    .arriving = stage_arriving,
			    .begin = stage_begin},
	};
	history_init(&stage->history, 8, (size_t)1 << 20);
	watchers_init(&stage->watchers, &stage->service);
	quota_init(&stage->quota);
	consumers_init(&stage->consumers);
	consumer_init(&stage->consumer, &stage->consumers, &stage->peer);
	for (size_t i = 0; i < WATCHERS_MAX; i++)
		consumer_init(&stage->watching[i], &stage->consumers,
			      &stage->peer);
	offload_init(&stage->offload, uv_default_loop());
	stage->offload.on_due = offload_go_on;
	for (size_t i = 0; i < QUOTA_KINDS; i++)
		stage->quota.limits[i] = i == QUOTA_BYTES ? 1 << 20 : 4;
	stage->quota.rates[RATE_ENVIRONMENT] = 4;
	stage->quota.rates[RATE_SERVER] = 4;
}

static inline void stage_deinit(struct stage *stage)
{
	(void)uv_run(stage->offload.loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < stage->kept_count; i++)
		watcher_free(stage->kept[i]);
	consumer_deinit(&stage->consumer);
	for (size_t i = 0; i < WATCHERS_MAX; i++)
		consumer_deinit(&stage->watching[i]);
	out_deinit(&stage->out);
	call_memo_deinit(&stage->memo);
	arena_free(&stage->scratch);
	watchers_deinit(&stage->watchers);
	quota_deinit(&stage->quota);
	history_deinit(&stage->history);
	snapshot_unref(stage->snapshot);
	access_free(stage->access);
	secrets_free(stage->secrets);
	env_unref(stage->env);
}

/* --- texts and snapshots --------------------------------------------------
 */

/* False: it cannot be read. */
static inline bool stage_add_text(struct stage *stage, struct stack_docs *docs,
				  enum layer_kind kind, struct str text)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct read_options options = fuzz_options(READ_HOCON, stage->env);
	struct doc *doc = NULL;
	struct stack_doc *item;

	if (read_text(&doc, "text", text, &options, &diag) != 0)
		return false;
	secrets_learn(stage->secrets, doc->root);
	item = stack_docs_insert(docs, kind, doc);
	item->source = "text";
	return true;
}

/* Takes @docs over. */
static inline void stage_publish(struct stage *stage, struct stack_docs *docs,
				 uint64_t generation)
{
	struct snapshot *snapshot = snapshot_new(docs);

	snapshot->generation = generation;
	history_add(&stage->history, snapshot);
	snapshot_unref(stage->snapshot);
	stage->snapshot = snapshot;
}

/* --- calls ----------------------------------------------------------------
 */

static inline void stage_keep(struct stage *stage, struct watcher *watcher)
{
	if (stage->kept_count == WATCHERS_MAX) {
		watcher_free(watcher);
		return;
	}
	watcher_set_owner(watcher, watcher);
	watcher_settle(watcher);
	stage->kept[stage->kept_count++] = watcher;
}

static inline void stage_end_pending(struct stage *stage,
				     struct pending *pending,
				     const struct peer *peer)
{
	while (!pending_has_reply(pending))
		(void)uv_run(stage->offload.loop, UV_RUN_ONCE);
	pending_write(pending, peer, &stage->out);
	pending_free(pending);
}

static inline void stage_ask(struct stage *stage, unsigned int rights,
			     struct str message)
{
	struct request request = {
		.service = &stage->service,
		.peer = &stage->peer,
		.consumer = stage->kept_count < WATCHERS_MAX
				    ? &stage->watching[stage->kept_count]
				    : &stage->consumer,
		.quota = &stage->quota,
		.watchers = &stage->watchers,
		.offload = &stage->offload,
		.out = &stage->out,
		.memo = &stage->memo,
		.scratch = &stage->scratch,
	};

	stage->peer = (struct peer){.user.uid = UID_FIRST + rights};
	methods_answer(&request, message);
	if (request.watcher)
		stage_keep(stage, request.watcher);
	if (request.pending)
		stage_end_pending(stage, request.pending, &stage->peer);
}

/* What is in the outbox, at most one reply, as one text. */
static inline void stage_take_reply(struct stage *stage, struct buf *reply)
{
	if (out_close(&stage->out))
		for (size_t i = 0; i < stage->out.count; i++)
			buf_add_str(reply, out_bytes(&stage->out, i));
	out_clear(&stage->out);
}

/* A reply, whose last byte is NUL, as JSON; NULL: it is right but for a number
 * that jansson has no room for. */
static inline json_t *stage_parse(struct str reply)
{
	json_error_t error;
	json_t *json =
		json_loadb(reply.ptr, reply.len - 1,
			   JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

	assert(json || json_error_code(&error) == json_error_numeric_overflow);
	return json;
}

#endif
