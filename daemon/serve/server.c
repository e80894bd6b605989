#include "serve/server.h"

#include <time.h>

#include "base/mem.h"
#include "serve/conns.h"
#include "serve/consumer.h"
#include "serve/holding.h"
#include "serve/listener.h"
#include "serve/pending.h"
#include "serve/service.h"

#define HALF_SENT_MS 30000

enum server_state { SERVER_LISTENING, SERVER_DRAINING };

struct server {
	enum server_state state;
	struct listener listener;
	struct conns conns;
	uv_timer_t grace;   /* how long DRAINING may take */
	unsigned int parts; /* of the three above, still open */
	void (*done)(void *data);
	void *data;
};

static void part_closed(struct server *server)
{
	if (--server->parts)
		return;
	conns_deinit(&server->conns);
	if (server->done)
		server->done(server->data);
	mem_free(server);
}

static void on_grace_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

static void on_listener_closed(void *data)
{
	part_closed(data);
}

static void on_conns_closed(struct conns *conns)
{
	struct server *server = CONTAINER_OF(conns, struct server, conns);

	uv_close((uv_handle_t *)&server->grace, on_grace_closed);
	part_closed(server);
}

static void on_connection(void *data, int fd)
{
	struct server *server = data;

	conns_accept(&server->conns, fd);
}

static void on_unreachable(void *data)
{
	struct server *server = data;
	const struct service *service = server->conns.service;

	if (service->unreachable)
		service->unreachable(service->data);
}

static void on_grace_over(uv_timer_t *timer)
{
	struct server *server = timer->data;

	conns_abort(&server->conns);
}

struct server *server_new(uv_loop_t *loop, const struct service *service,
			  const struct limits *limits)
{
	struct server *server = mem_alloc(sizeof(*server));

	listener_init(&server->listener, loop);
	conns_init(&server->conns, loop, service);
	uv_timer_init(loop, &server->grace);
	server->listener.on_connection = on_connection;
	server->listener.on_unreachable = on_unreachable;
	server->listener.on_closed = on_listener_closed;
	server->listener.data = server->grace.data = server;
	server->conns.on_closed = on_conns_closed;
	server->parts = 3;
	server_set_limits(server, limits);
	return server;
}

void server_set_limits(struct server *server, const struct limits *limits)
{
	struct conns *conns = &server->conns;

	conns->limits = *limits;
	if (!conns->limits.half_sent)
		conns->limits.half_sent = HALF_SENT_MS;
	conns->quota.limits[QUOTA_CONNECTIONS] =
		(size_t)limits->connections_per_user;
	conns->quota.limits[QUOTA_WATCHERS] = (size_t)limits->watchers_per_user;
	conns->quota.limits[QUOTA_CALLS] = PENDING_PER_USER;
	conns->quota.limits[QUOTA_BYTES] = (size_t)limits->bytes_per_user;
	conns->quota.limits[QUOTA_CONSUMERS] = CONSUMERS_PER_USER;
	conns->quota.rates[RATE_ENVIRONMENT] =
		(unsigned int)limits->environment_calls;
	conns->quota.rates[RATE_SERVER] = SERVER_CALLS_PER_USER;
}

int server_listen(struct server *server, const char *path)
{
	return listener_open(&server->listener, path);
}

bool server_is_unreachable(const struct server *server)
{
	return server->state == SERVER_LISTENING &&
	       listener_is_unreachable(&server->listener);
}

int server_listen_again(struct server *server)
{
	return listener_open_again(&server->listener);
}

int server_listen_fd(struct server *server, int fd)
{
	return listener_open_fd(&server->listener, fd);
}

static void notify(struct server *server, enum watcher_kind kind)
{
	if (server->state != SERVER_LISTENING)
		return;
	watchers_mark(&server->conns.watchers, kind);
	conns_tell(&server->conns);
}

void server_notify(struct server *server)
{
	notify(server, WATCHER_CONFIG);
}

void server_notify_status(struct server *server)
{
	notify(server, WATCHER_STATUS);
}

struct server_counts server_counts(const struct server *server)
{
	const struct conns *conns = &server->conns;

	return (struct server_counts){
		.accepted = conns->accepted,
		.calls = conns->calls,
		.refused = conns->out.refusals + server->listener.shed,
		.received = conns->received,
		.sent = conns->sent,
	};
}

unsigned int server_connections(const struct server *server)
{
	return server->conns.count;
}

unsigned int server_watchers(const struct server *server)
{
	return server->conns.watchers.count;
}

void server_write_consumers(const struct server *server,
			    const struct consumer_reader *reader,
			    struct buf *json)
{
	consumers_write(&server->conns.consumers, reader, json);
}

struct consumer_count server_count_consumers(const struct server *server)
{
	const struct conns *conns = &server->conns;

	return consumers_count(&conns->consumers, conns->service);
}

struct behind server_behind(const struct server *server, const char *workspace,
			    const struct history *history)
{
	return holdings_behind(&server->conns.consumers.holdings, workspace,
			       history, time(NULL));
}

void server_stop(struct server *server, uint64_t grace_ms,
		 void (*done)(void *data), void *data)
{
	if (server->state == SERVER_DRAINING)
		return;
	server->state = SERVER_DRAINING;
	server->done = done;
	server->data = data;
	uv_timer_start(&server->grace, on_grace_over, grace_ms, 0);
	listener_close(&server->listener);
	conns_finish(&server->conns);
}
