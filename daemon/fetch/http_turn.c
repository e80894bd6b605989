#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "fetch/bucket.h"
#include "fetch/http_call.h"

/* One server: how much it still gets, and who waits for more. */
struct http_server {
	struct list link;
	char *name; /* "https://host:port" */
	struct bucket bucket;
	unsigned int reserved; /* calls a minute of bucket.per_minute */
	struct list waiting;   /* first come, first served */
	bool told;             /* the log knows that calls wait */
};

static struct http_server *server_of(struct list *i)
{
	return CONTAINER_OF(i, struct http_server, link);
}

static struct http_call *first_waiting(const struct http_server *server)
{
	return CONTAINER_OF(server->waiting.next, struct http_call, turn);
}

/* --- servers --- */

static void server_free(struct http_server *server)
{
	list_remove(&server->link);
	mem_free(server->name);
	mem_free(server);
}

/* Those that nobody has asked anything lately: whoever comes next finds a full
 * bucket anyway. */
static void forget_idle(struct list *servers, uint64_t now_ms)
{
	struct list *next;

	for (struct list *i = servers->next; i != servers; i = next) {
		struct http_server *server = server_of(i);

		next = i->next;
		if (!server->reserved && list_is_empty(&server->waiting) &&
		    bucket_is_full(&server->bucket, now_ms))
			server_free(server);
	}
}

static struct http_server *server_new(struct list *servers, char *name)
{
	struct http_server *server = mem_alloc(sizeof(*server));

	server->name = name;
	server->bucket = BUCKET_INIT;
	list_init(&server->waiting);
	list_add(servers, &server->link);
	return server;
}

static struct http_server *server_at(struct list *servers,
				     const struct http_origin *origin,
				     uint64_t now_ms)
{
	_cleanup_(mem_freep) char *name =
		mem_printf("%s://%s:%s", origin->https ? "https" : "http",
			   origin->host, origin->port);
	struct list *i;

	for (list_each (servers, i))
		if (strcasecmp(server_of(i)->name, name) == 0)
			return server_of(i);
	forget_idle(servers, now_ms);
	return server_new(servers, TAKE(name));
}

void http_turns_reserve(struct list *servers, const char *url, int per_minute)
{
	struct http_origin origin;
	struct http_server *server;

	if (http_origin_parse(&origin, url)) {
		server = server_at(servers, &origin, 0);
		server->reserved += (unsigned int)per_minute;
		server->bucket.per_minute += (unsigned int)per_minute;
	}
	http_origin_deinit(&origin);
}

void http_turns_deinit(struct list *servers)
{
	while (!list_is_empty(servers))
		server_free(server_of(servers->next));
}

/* --- turns --- */

static void tell(struct http_server *server)
{
	if (!server->told)
		log_warning("calls-held-back", LOG_TEXT("server", server->name),
			    LOG_INT("per_minute", server->bucket.per_minute));
	server->told = true;
}

bool http_turns_take(struct list *servers, struct http_call *call,
		     uint64_t now_ms)
{
	struct http_server *server;

	if (!call->server)
		return true; /* it will not get as far as a server */
	server = server_at(servers, &call->origin, now_ms);
	if (bucket_is_full(&server->bucket, now_ms))
		server->told = false;
	if (list_is_empty(&server->waiting) &&
	    bucket_take(&server->bucket, now_ms))
		return true;
	tell(server);
	list_add(&server->waiting, &call->turn);
	return false;
}

/* The earliest deadline need not be that of the first in the queue. */
static struct http_call *late_call(const struct http_server *server,
				   uint64_t now_ms)
{
	struct list *i;

	for (list_each (&server->waiting, i)) {
		struct http_call *call =
			CONTAINER_OF(i, struct http_call, turn);

		if (call->deadline_ms <= now_ms)
			return call;
	}
	return NULL;
}

static struct http_call *call_of_server(struct http_server *server,
					uint64_t now_ms)
{
	struct http_call *call = late_call(server, now_ms);

	if (!call && !list_is_empty(&server->waiting) &&
	    bucket_take(&server->bucket, now_ms))
		call = first_waiting(server);
	return call;
}

struct http_call *http_turns_next(struct list *servers, uint64_t now_ms)
{
	struct http_call *call = NULL;
	struct list *i;

	for (list_each (servers, i)) {
		call = call_of_server(server_of(i), now_ms);
		if (call)
			break;
	}
	if (call)
		list_remove(&call->turn);
	return call;
}

static uint64_t server_wait(struct http_server *server, uint64_t now_ms)
{
	uint64_t wait = bucket_wait(&server->bucket, now_ms);
	struct list *i;

	for (list_each (&server->waiting, i)) {
		uint64_t deadline =
			CONTAINER_OF(i, struct http_call, turn)->deadline_ms;
		uint64_t left = deadline > now_ms ? deadline - now_ms : 0;

		wait = left < wait ? left : wait;
	}
	return wait;
}

uint64_t http_turns_wait(struct list *servers, uint64_t now_ms)
{
	uint64_t wait = UINT64_MAX;
	struct list *i;

	for (list_each (servers, i)) {
		struct http_server *server = server_of(i);
		uint64_t its = list_is_empty(&server->waiting)
				       ? UINT64_MAX
				       : server_wait(server, now_ms);

		wait = its < wait ? its : wait;
	}
	return wait;
}
