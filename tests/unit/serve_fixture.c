#include "serve_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../support/jansson_values.h"
#include "base/diag.h"
#include "base/env.h"
#include "base/mem.h"
#include "config/callers.h"
#include "config/resolver.h"
#include "config/secrets.h"
#include "config/snapshot.h"
#include "read/doc.h"
#include "serve/methods.h"
#include "serve/request.h"
#include "value/json.h"
#include "value/value.h"

/* Uids of nobody here, by the rights they have. */
#define PEER_UID   4100000
#define PATIENCE   20 /* seconds, for what must come */
#define LOOP_TURNS 20 /* what one change may take to go through */

static struct snapshot *snapshot_from(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	struct stack_docs docs = {0};
	struct doc *doc = doc_new();

	assert_non_null(json);
	doc->root = value_from(&doc->arena, json);
	json_decref(json);
	stack_docs_insert(&docs, LAYER_FILE, doc);
	return snapshot_new(&docs);
}

static bool view(void *data, const char *name, struct view *view)
{
	struct fixture *fixture = data;
	struct fixture_workspace *workspace;
	size_t i = 0;

	while (name && i < 2 && strcmp(fixture->workspaces[i].name, name) != 0)
		i++;
	if (i == 2)
		return false;
	workspace = &fixture->workspaces[name ? i : fixture->active];
	*view = (struct view){
		.workspace = workspace->name,
		.snapshot = workspace->snapshot,
		.history = &workspace->history,
		.access = fixture->access,
		.env = fixture->env,
		.secrets = fixture->secrets,
		.state = workspace->state,
		.shown = workspace->shown ? workspace->shown : workspace->state,
		.stale = workspace->stale,
	};
	return true;
}

static void own_view(void *data, struct peer *peer, struct view *active)
{
	struct fixture *fixture = data;
	const struct caller_rule *own = fixture->own;

	(void)peer;
	(void)view(data, own ? own->workspace : NULL, active);
	active->own = own;
}

static struct snapshot *project(void *data, const char *name,
				enum projection projection,
				const struct diag **broken)
{
	struct fixture *f = data;

	(void)name;
	*broken = f->broken;
	return *broken ? NULL
		       : f->workspaces[projection == PROJECTION_LIVE].snapshot;
}

static const char *vaults_lack(void *data, const char *workspace,
			       bool *expected)
{
	(void)data;
	(void)workspace;
	*expected = false;
	return NULL;
}

static struct resolver *resolver(void *data, const char *workspace,
				 bool candidate, enum layer_kind below)
{
	struct fixture *fixture = data;
	struct resolver *resolver = mem_alloc(sizeof(*resolver));
	const char *const source = "clearml.conf";
	struct layer *layer;

	(void)workspace;
	(void)candidate;
	(void)below;
	stack_init(&resolver->stack);
	stack_set_sources(&resolver->stack, LAYER_FILE, &source, 1, &layer);
	layer_set_text(layer, READ_HOCON, str_from(fixture->file));
	resolver->context.limits = READ_LIMITS_DEFAULT;
	stack_read(&resolver->stack, &resolver->context);
	resolver->document = SIZE_MAX;
	resolver->secrets = secrets_pin(fixture->secrets);
	return resolver;
}

/* Nothing waits. */
static struct resolver *arriving(void *data, const char *workspace,
				 struct buf *fields, const char **why_not)
{
	(void)data;
	(void)workspace;
	(void)fields;
	*why_not = NULL;
	return NULL;
}

static void status(void *data, uint64_t clearance,
		   const struct caller_rule *own, struct buf *json)
{
	struct fixture *fixture = data;

	buf_putc(json, '{');
	json_add_string(json, "state", fixture->workspaces[0].state);
	json_add_bool(json, "masked", !(clearance & SERVICE_MAY_REVEAL));
	caller_rule_write(own, json);
	buf_putc(json, '}');
}

static uint64_t clearance(void *data, const struct peer *peer)
{
	struct fixture *fixture = data;

	return access_rights(fixture->access, &peer->user) & ACCESS_SECRETS
		       ? SERVICE_MAY_READ | SERVICE_MAY_REVEAL
		       : SERVICE_MAY_READ;
}

static void workspaces(void *data, uint64_t clearance,
		       const struct caller_rule *own, struct buf *json)
{
	struct fixture *fixture = data;

	json_add_string(json, "active",
			fixture->workspaces[fixture->active].name);
	json_add_bool(json, "masked", !(clearance & SERVICE_MAY_REVEAL));
	caller_rule_write(own, json);
}

static void cancel(struct pending *pending)
{
	struct fixture *fixture = pending->work;

	if (fixture->pending == pending)
		fixture->pending = NULL;
	fixture->cancelled++;
}

static void begin(void *data, struct pending *pending)
{
	struct fixture *fixture = data;

	fixture->pending = pending;
	pending->work = fixture;
	pending->cancel = cancel;
	if (fixture->answer)
		pending_succeed(pending, str_from(fixture->answer));
	else if (fixture->fault)
		pending_fail_server(pending, fixture->fault);
}

void fixture_publish(struct fixture *fixture, size_t index, const char *json)
{
	struct fixture_workspace *workspace = &fixture->workspaces[index];
	struct snapshot *snapshot = snapshot_from(json);

	snapshot->generation = ++fixture->generation;
	snapshot_unref(workspace->snapshot);
	workspace->snapshot = snapshot;
	history_add(&workspace->history, snapshot);
	watchers_mark(&fixture->watchers, WATCHER_CONFIG);
	if (fixture->server)
		server_notify(fixture->server);
}

void fixture_publish_big(struct fixture *fixture)
{
	_cleanup_(mem_freep) char *filler = mem_alloc(FIXTURE_BIG + 1);
	_cleanup_(mem_freep) char *json = NULL;

	memset(filler, 'x', FIXTURE_BIG);
	json = mem_printf("{\"a\":1,\"big\":\"%s\"}", filler);
	fixture_publish(fixture, 0, json);
}

static void add_workspace(struct fixture *fixture, size_t index,
			  const char *name, const char *json)
{
	struct fixture_workspace *workspace = &fixture->workspaces[index];

	workspace->name = name;
	workspace->state = "ready";
	workspace->stale = -1;
	history_init(&workspace->history, FIXTURE_HISTORY, SIZE_MAX);
	fixture_publish(fixture, index, json);
}

/* Lists of numbers: uids PEER_UID + rights. */
static struct access *access_of_peers(void)
{
	char lists[3][64] = {"", "", ""};

	for (unsigned int rights = 0; rights < 8; rights++)
		for (size_t i = 0; i < 3; i++)
			if (rights & 1U << i)
				(void)snprintf(lists[i] + strlen(lists[i]),
					       sizeof(lists[i]) -
						       strlen(lists[i]),
					       "%u ", PEER_UID + rights);
	return access_new(lists[0], lists[1], lists[2], true);
}

struct peer fixture_peer(unsigned int rights)
{
	return (struct peer){.user.uid = PEER_UID + rights};
}

struct fixture *fixture_new(void)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));

	(void)signal(SIGPIPE, SIG_IGN);
	fixture->secrets = secrets_new(NULL);
	fixture->access = access_of_peers();
	fixture->service = (struct service){
		.data = fixture,
		.view = view,
		.own_view = own_view,
		.project = project,
		.vaults_lack = vaults_lack,
		.clearance = clearance,
		.status = status,
		.workspaces = workspaces,
		.resolver = resolver,
		.arriving = arriving,
		.begin = begin,
	};
	watchers_init(&fixture->watchers, &fixture->service);
	consumers_init(&fixture->consumers);
	consumer_init(&fixture->consumer, &fixture->consumers, &fixture->peer);
	quota_init(&fixture->quota);
	for (size_t i = 0; i < ARRAY_SIZE(fixture->quota.limits); i++)
		fixture->quota.limits[i] = 2;
	fixture->quota.limits[QUOTA_BYTES] = (size_t)1 << 20;
	fixture->quota.rates[RATE_ENVIRONMENT] = 1000;
	fixture->quota.rates[RATE_SERVER] = 1000;
	fixture->file = "n = 1\na = ${A}\nsecret_key = ${A}";
	offload_init(&fixture->offload, &fixture->loop);
	fixture->offload.on_due = offload_go_on;
	fixture->limits = (struct limits){
		.message = INT64_C(64) << 10,
		.connections_per_user = 2000,
		.watchers_per_user = 2000,
		.bytes_per_user = INT64_C(64) << 20,
		.environment_calls = 1000,
	};
	uv_loop_init(&fixture->loop);
	add_workspace(fixture, 0, "one", "{\"a\": 1}");
	add_workspace(fixture, 1, "two", "{\"a\": 2}");
	return fixture;
}

static void on_stopped(void *data)
{
	struct fixture *fixture = data;

	fixture->server = NULL;
}

void fixture_stop(struct fixture *fixture, uint64_t grace_ms)
{
	server_stop(fixture->server, grace_ms, on_stopped, fixture);
}

/* Whoever hangs here is stopped by `make test`. */
static void end_server(struct fixture *fixture)
{
	char lock[64];

	if (fixture->server)
		fixture_stop(fixture, 0);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_null(fixture->server);
	assert_int_equal(access(fixture->path, F_OK), -1);
	(void)snprintf(lock, sizeof(lock), "%s.lock", fixture->path);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(rmdir(fixture->folder), 0);
}

void fixture_free(struct fixture *fixture)
{
	if (fixture->folder[0])
		end_server(fixture);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	consumer_deinit(&fixture->consumer);
	for (size_t i = 0; i < fixture->watching_count; i++) {
		consumer_deinit(fixture->watching[i]);
		mem_free(fixture->watching[i]);
	}
	mem_free(fixture->watching);
	out_deinit(&fixture->out);
	call_memo_deinit(&fixture->memo);
	arena_free(&fixture->scratch);
	watchers_deinit(&fixture->watchers);
	assert_int_equal(fixture->watchers.count, 0);
	quota_deinit(&fixture->quota);
	for (size_t i = 0; i < 2; i++) {
		history_deinit(&fixture->workspaces[i].history);
		snapshot_unref(fixture->workspaces[i].snapshot);
	}
	access_free(fixture->access);
	secrets_free(fixture->secrets);
	fixture->env = env_unref(fixture->env);
	mem_free(fixture);
}

/* Without the blanks behind the head, which moves: the rest may be large. */
static const char *close_up(char *message)
{
	char *gap = strstr(message, "\"value\": ");
	size_t head, blanks;

	if (!gap)
		return message;
	head = (size_t)(gap - message) + strlen("\"value\":");
	blanks = strspn(message + head, " ");
	memmove(message + blanks, message, head);
	return message + blanks;
}

static const char *take_out(struct fixture *fixture)
{
	static struct buf text;
	struct str bytes;

	text.len = 0;
	out_close(&fixture->out);
	for (size_t i = 0; i < fixture->out.count; i++)
		buf_add_str(&text, out_bytes(&fixture->out, i));
	out_clear(&fixture->out);
	bytes = buf_str(&text);
	if (!bytes.len)
		return "";
	/* Exactly one message, whole. */
	assert_int_equal(strlen(bytes.ptr), bytes.len - 1);
	return close_up(text.data);
}

/* What another thread answers is waited for. */
static void wait_for_job(struct fixture *fixture, struct request *request)
{
	struct pending *pending = TAKE(request->pending);

	while (!pending_has_reply(pending))
		(void)uv_run(&fixture->loop, UV_RUN_ONCE);
	pending_write(pending, request->peer, request->out);
	pending_free(pending);
}

/* Who watches has a connection of its own. */
static struct consumer *add_watching(struct fixture *fixture)
{
	size_t count = ++fixture->watching_count;
	struct consumer *consumer = mem_alloc(sizeof(*consumer));

	fixture->watching =
		mem_grow(fixture->watching, count * sizeof(struct consumer *));
	fixture->watching[count - 1] = consumer;
	consumer_init(consumer, &fixture->consumers, &fixture->peer);
	return consumer;
}

static struct consumer *consumer_of_call(struct fixture *fixture, bool watches)
{
	if (fixture->asks)
		return fixture->asks;
	return watches ? add_watching(fixture) : &fixture->consumer;
}

const char *fixture_call(struct fixture *fixture, unsigned int rights,
			 const char *message, struct watcher **watcher)
{
	struct peer *peer = fixture->asks ? &fixture->asker : &fixture->peer;
	struct request request = {
		.service = &fixture->service,
		.peer = peer,
		.quota = &fixture->quota,
		.offload = &fixture->offload,
		.watchers = &fixture->watchers,
		.consumer = consumer_of_call(fixture, watcher != NULL),
		.out = &fixture->out,
		.memo = &fixture->memo,
		.scratch = &fixture->scratch,
	};

	*peer = fixture_peer(rights);
	methods_answer(&request, str_from(message));
	if (request.pending && !request.pending->method)
		wait_for_job(fixture, &request);
	if (watcher)
		*watcher = request.watcher;
	else
		assert_null(request.watcher);
	if (!fixture->keep_pending)
		assert_null(request.pending);
	if (request.watcher) {
		watcher_set_owner(request.watcher, request.watcher);
		watcher_settle(request.watcher);
	}
	return take_out(fixture);
}

const char *fixture_tell(struct fixture *fixture, struct watcher *watcher,
			 unsigned int rights, bool *ended)
{
	struct peer peer = fixture_peer(rights);
	enum watcher_outcome outcome =
		watcher_answer(watcher, &peer, &fixture->out);

	if (ended)
		*ended = outcome == WATCHER_HAS_ENDED;
	else
		assert_int_equal(outcome, WATCHER_GOES_ON);
	return take_out(fixture);
}

void fixture_start(struct fixture *fixture)
{
	(void)snprintf(fixture->folder, sizeof(fixture->folder),
		       "/tmp/clearconf.XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/sock",
		       fixture->folder);
	fixture->server =
		server_new(&fixture->loop, &fixture->service, &fixture->limits);
	assert_int_equal(server_listen(fixture->server, fixture->path), 0);
}

void fixture_settle(struct fixture *fixture)
{
	for (int i = 0; i < LOOP_TURNS; i++)
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
}

struct client client_connect(struct fixture *fixture)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct client client = {fixture, -1, BUF_INIT, 0};

	memcpy(address.sun_path, fixture->path, strlen(fixture->path));
	client.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(client.fd >= 0);
	assert_int_equal(connect(client.fd, (struct sockaddr *)&address,
				 sizeof(address)),
			 0);
	assert_int_equal(fcntl(client.fd, F_SETFL, O_NONBLOCK), 0);
	return client;
}

void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	buf_deinit(&client->input);
}

/* One turn of the loop and a moment for the kernel. */
static void wait_a_little(struct fixture *fixture, time_t start)
{
	struct timespec moment = {.tv_nsec = 100000};

	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	(void)nanosleep(&moment, NULL);
	assert_true(time(NULL) < start + PATIENCE);
}

bool client_send(struct client *client, const void *bytes, size_t len)
{
	const char *at = bytes;
	time_t start = time(NULL);
	ssize_t n;

	while (len) {
		n = send(client->fd, at, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return false;
		at += n < 0 ? 0 : n;
		len -= n < 0 ? 0 : (size_t)n;
		if (n < 0)
			wait_a_little(client->fixture, start);
	}
	return true;
}

void client_call(struct client *client, const char *message)
{
	assert_true(client_send(client, message, strlen(message) + 1));
}

/* What has arrived; false when the server has hung up. */
static bool read_some(struct client *client)
{
	char *end = buf_reserve(&client->input, 65536);
	ssize_t n = recv(client->fd, end, 65536, 0);

	if (n > 0)
		client->input.len += (size_t)n;
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static const char *whole_message(struct client *client)
{
	char *message = client->input.data + client->used;
	size_t left = client->input.len - client->used;
	const char *end = left ? memchr(message, '\0', left) : NULL;

	if (!end)
		return NULL;
	client->used += (size_t)(end - message) + 1;
	return close_up(message);
}

const char *client_receive(struct client *client)
{
	time_t start = time(NULL);
	const char *message;

	if (client->used == client->input.len)
		client->used = client->input.len = 0;
	while (!(message = whole_message(client))) {
		uv_run(&client->fixture->loop, UV_RUN_NOWAIT);
		if (!read_some(client) && !(message = whole_message(client)))
			return NULL;
		if (message)
			break;
		wait_a_little(client->fixture, start);
	}
	return message;
}

bool client_hears_nothing(struct client *client)
{
	size_t len = client->input.len;

	fixture_settle(client->fixture);
	return read_some(client) && client->input.len == len;
}

void client_expect(struct client *client, const char *message)
{
	const char *received = client_receive(client);

	assert_non_null(received);
	assert_string_equal(received, message);
}

void client_exchange(struct client *client, const char *call,
		     const char *message)
{
	client_call(client, call);
	client_expect(client, message);
}
