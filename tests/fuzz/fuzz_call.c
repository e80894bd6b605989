/* A connection without a socket: what a peer sends is cut into frames, parsed
 * as calls and answered by the methods. The first byte says which rights it
 * has, the second into how large pieces the rest comes. Each answer must be one
 * whole message of JSON, and tell no secret to who may have none. */

#include <jansson.h>
#include <string.h>

#include "config/history.h"
#include "config/snapshot.h"
#include "config/stack.h"
#include "fuzz_text.h"
#include "serve/access.h"
#include "serve/errand.h"
#include "serve/frame.h"
#include "serve/methods.h"
#include "serve/out.h"
#include "serve/quota.h"
#include "serve/request.h"
#include "serve/turns.h"
#include "serve/watcher.h"

#define MESSAGE_MAX  ((size_t)16 * 1024)
#define WATCHERS_MAX 8
#define UID_FIRST    4100000

/* Parts of the secrets of the texts below. */
#define TELLTALE "swordfi"

static const char *const texts[] = {
	"agent { git_pass: swordfish-1, worker_id: w, list: [1, {a: null}] }\n"
	"sdk.aws.s3 { key: swordfish-2, credentials: [{bucket: b,\n"
	"  key: swordfish-3, secret: swordfish-4}] }",
	"agent { git_pass: swordfish-5, note: swordfish-1, environment {A: "
	"swordfish-6} }\n\"a.b\" { \"c d\": \"x swordfish-2 y\" }\n"
	"url: \"http://me:swordfish-7@host/\"",
};

struct stage {
	struct secrets *secrets;
	struct snapshot *snapshot;
	struct history history;
	struct access *access;
	struct env *env;
	struct service service;
	struct watchers watchers;
	struct quota quota;
	struct turns turns;
	struct call_memo memo;
	struct arena scratch;
	struct out out;
	struct watcher *kept[WATCHERS_MAX];
	size_t kept_count;
	bool knows; /* the input itself may hold a secret */
};

/* --- the service -------------------------------------------------------------
 */

static bool view(void *data, const char *name, struct view *view)
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

static struct snapshot *project(void *data, const char *name,
				enum projection projection,
				const struct diag **broken)
{
	struct stage *stage = data;

	*broken = NULL;
	(void)name;
	(void)projection;
	return stage->snapshot;
}

static void members(void *data, uint64_t clearance, struct buf *json)
{
	(void)data;
	json_add_int(json, "clearance", (long long)clearance);
}

static void status(void *data, uint64_t clearance, struct buf *json)
{
	buf_putc(json, '{');
	members(data, clearance, json);
	buf_putc(json, '}');
}

static uint64_t clearance(void *data, const struct peer *peer)
{
	struct stage *stage = data;

	return access_rights(stage->access, peer);
}

static void begin(void *data, struct errand *errand)
{
	(void)data;
	if (errand->masked)
		errand_fail_not_ready(errand, "not here");
	else
		errand_succeed(errand, STR("{\"done\":true}"));
}

static void call_off(void *data, struct errand *errand)
{
	(void)data;
	(void)errand;
}

static void on_turn(struct turns *turns)
{
	(void)turns;
}

/* --- the stage ---------------------------------------------------------------
 */

static struct doc *read_doc(const struct env *env, const char *text)
{
	struct read_options options = fuzz_options(READ_HOCON, env);
	struct doc *doc = NULL;
	int r = read_text(&doc, "text", str_from(text), &options, NULL);

	assert(r == 0);
	return doc;
}

/* Both texts, the first alone before. */
static void publish(struct stage *stage, size_t count)
{
	struct stack_docs docs = {0};
	struct snapshot *snapshot;

	for (size_t i = 0; i < count; i++) {
		struct doc *doc = read_doc(stage->env, texts[i]);
		struct stack_doc *item;

		secrets_learn(stage->secrets, doc->root);
		item = stack_docs_insert(&docs, i ? LAYER_VAULT : LAYER_FILE,
					 doc);
		item->source = "text";
	}
	snapshot = snapshot_new(&docs, stage->secrets);
	snapshot->generation = count;
	history_add(&stage->history, snapshot);
	snapshot_unref(stage->snapshot);
	stage->snapshot = snapshot;
}

static struct access *access_by_uid(void)
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
	return access_new(lists[0], lists[1], lists[2]);
}

static void stage_init(struct stage *stage)
{
	*stage = (struct stage){
		.secrets = secrets_new(NULL),
		.access = access_by_uid(),
		.env = fuzz_env(),
		.service = {.data = stage,
			    .view = view,
			    .project = project,
			    .clearance = clearance,
			    .status = status,
			    .workspaces = members,
			    .begin = begin,
			    .call_off = call_off},
	};
	history_init(&stage->history, 4, SIZE_MAX);
	watchers_init(&stage->watchers, &stage->service);
	quota_init(&stage->quota);
	turns_init(&stage->turns, NULL);
	stage->turns.on_begin = stage->turns.on_end = on_turn;
	for (size_t i = 0; i < QUOTA_KINDS; i++)
		stage->quota.limits[i] = i == QUOTA_BYTES ? 1 << 20 : 4;
	stage->quota.environment_calls = 4;
	publish(stage, 1);
	publish(stage, 2);
}

static void stage_deinit(struct stage *stage)
{
	for (size_t i = 0; i < stage->kept_count; i++)
		watcher_free(stage->kept[i]);
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

/* --- calls
 * --------------------------------------------------------------------
 */

static void check_reply(const struct stage *stage, unsigned int rights,
			struct str reply)
{
	json_t *json;

	assert(reply.len && reply.ptr[reply.len - 1] == '\0');
	assert(!memchr(reply.ptr, '\0', reply.len - 1));
	json = json_loadb(reply.ptr, reply.len - 1,
			  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	assert(json_is_object(json));
	json_decref(json);
	if (!(rights & ACCESS_SECRETS) && !stage->knows)
		assert(!memmem(reply.ptr, reply.len, TELLTALE,
			       sizeof(TELLTALE) - 1));
}

/* At most one reply is in the outbox. */
static void take_reply(struct stage *stage, unsigned int rights)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	if (out_close(&stage->out))
		for (size_t i = 0; i < stage->out.count; i++)
			buf_add_str(&text, out_bytes(&stage->out, i));
	out_clear(&stage->out);
	if (text.len)
		check_reply(stage, rights, buf_str(&text));
}

static void keep(struct stage *stage, struct watcher *watcher)
{
	if (stage->kept_count == WATCHERS_MAX) {
		watcher_free(watcher);
		return;
	}
	watcher_set_owner(watcher, watcher);
	watcher_settle(watcher);
	stage->kept[stage->kept_count++] = watcher;
}

static void call(struct stage *stage, unsigned int rights, struct str message)
{
	const struct peer peer = {.uid = UID_FIRST + rights};
	struct request request = {
		.service = &stage->service,
		.peer = &peer,
		.quota = &stage->quota,
		.watchers = &stage->watchers,
		.turns = &stage->turns,
		.out = &stage->out,
		.memo = &stage->memo,
		.scratch = &stage->scratch,
	};

	methods_answer(&request, message);
	if (request.watcher)
		keep(stage, request.watcher);
	errand_free(request.errand);
	take_reply(stage, rights);
}

/* Whoever watches is told of the first text alone again. */
static void tell(struct stage *stage, unsigned int rights)
{
	const struct peer peer = {.uid = UID_FIRST + rights};

	publish(stage, 1);
	stage->snapshot->generation = 3;
	watchers_mark(&stage->watchers, WATCHER_CONFIG);
	watchers_mark(&stage->watchers, WATCHER_STATUS);
	while (watchers_next(&stage->watchers))
		;
	for (size_t i = 0; i < stage->kept_count; i++) {
		(void)watcher_answer(stage->kept[i], &peer, &stage->out);
		take_reply(stage, rights);
	}
}

static void receive(struct stage *stage, unsigned int rights, struct str input,
		    size_t piece)
{
	struct frame frame = FRAME_INIT;
	struct str part, message;
	int r = 0;

	while (input.len && r != FRAME_E_TOO_LONG) {
		part = (struct str){input.ptr,
				    piece < input.len ? piece : input.len};
		input = str_from_offset(input, part.len);
		while (!(r = frame_next(&frame, &part, MESSAGE_MAX, &message)))
			call(stage, rights, message);
	}
	frame_deinit(&frame);
}

static bool may_hold_secret(struct str input)
{
	return memmem(input.ptr, input.len, TELLTALE, sizeof(TELLTALE) - 1) ||
	       memmem(input.ptr, input.len, "\\u", 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = {(const char *)data, size};
	unsigned int rights;
	struct stage stage;

	if (size < 3)
		return 0;
	rights = data[0] % 8;
	stage_init(&stage);
	input = str_from_offset(input, 2);
	stage.knows = may_hold_secret(input);
	receive(&stage, rights, input, data[1] ? data[1] : size);
	tell(&stage, rights);
	stage_deinit(&stage);
	return 0;
}
