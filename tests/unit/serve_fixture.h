#ifndef SERVE_FIXTURE_H
#define SERVE_FIXTURE_H

/*
 * A server in a temporary folder, its loop, and clients of it, all in one
 * process: whoever waits runs the loop, so nothing depends on time.
 *
 * Two workspaces, "one" (active) and "two", whose configuration is JSON text;
 * of both the view `merged` is what "one" has, and `live` what "two" has.
 * The peer in requests made by hand may have any rights; a client on the
 * socket has those of the user who runs the tests.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"
#include "config/history.h"
#include "config/limits.h"
#include "serve/call.h"
#include "serve/consumer.h"
#include "serve/offload.h"
#include "serve/out.h"
#include "serve/peer.h"
#include "serve/pending.h"
#include "serve/quota.h"
#include "serve/server.h"
#include "serve/service.h"
#include "serve/watcher.h"

#define FIXTURE_HISTORY 4
#define FIXTURE_BIG     ((size_t)3 * 1024 * 1024)

/* Calls, and the replies to them by "one" for whoever has all rights. */
#define GET(path)                                                              \
	"{\"method\":\"io.clearconf.Get\",\"parameters\":{\"path\":\"" path    \
	"\"}}"
#define GET_ALL "{\"method\":\"io.clearconf.Get\"}"
#define WATCH   "{\"method\":\"io.clearconf.Watch\",\"more\":true}"
#define GOT(generation, value)                                                 \
	"{\"parameters\":{\"generation\":" generation                          \
	",\"state\":\"ready\",\"masked\":false,\"value\":" value "}}"
#define TOLD(generation, changes)                                              \
	"{\"parameters\":{\"generation\":" generation                          \
	",\"state\":\"ready\",\"resync\":false,\"skipped\":0,\"changes\":"     \
	"[" changes "]},\"continues\":true}"
/* The fixture's documents have no names. */
#define ORIGIN        "\"origin\":{\"layer\":\"file\",\"source\":\"\"}"
#define CHANGED(path) "{\"path\":\"" path "\",\"kind\":\"changed\"," ORIGIN "}"
#define INVALID(name)                                                          \
	"{\"error\":\"org.varlink.service.InvalidParameter\","                 \
	"\"parameters\":{\"parameter\":\"" name "\"}}"

struct secrets;

struct fixture_workspace {
	const char *name;
	struct snapshot *snapshot;
	struct history history;
	const char *state, *shown; /* NULL: the same */
	int64_t stale;
};

struct fixture {
	struct fixture_workspace workspaces[2];
	size_t active;
	const struct caller_rule *own; /* everybody's; NULL: nobody has any */
	uint64_t generation;
	struct secrets *secrets;
	struct access *access;
	struct env *env; /* the daemon's; NULL: no variables */
	struct service service;
	const struct diag *broken; /* with nothing good before it; NULL */
	const char
		*file; /* the configuration, for an environment of a caller's */

	struct pending *pending; /* the last that was begun */
	/* What it meets at once; both NULL: it waits. */
	const char *answer;
	const struct pending_fault *fault;
	unsigned int cancelled;
	bool keep_pending; /* the test frees it */

	/* For calls without a socket. */
	struct watchers watchers;
	struct peer peer;
	struct consumers consumers;
	struct consumer consumer;   /* the connection's, kept between calls */
	struct peer asker;          /* who calls, as one of `asks` */
	struct consumer *asks;      /* in place of that one; NULL: nobody */
	struct consumer **watching; /* of the connections that watchers have */
	size_t watching_count;
	struct quota quota;
	struct offload offload;
	struct out out;
	struct call_memo memo;
	struct arena scratch;

	/* For calls through one. */
	uv_loop_t loop;
	struct limits limits;
	struct server *server;
	char folder[32], path[48];
};

/* Serves {"a": 1} as "one" and {"a": 2} as "two", generations 1 and 2. */
struct fixture *fixture_new(void);
void fixture_free(struct fixture *fixture);

/* @json becomes the configuration of the workspace @index. */
void fixture_publish(struct fixture *fixture, size_t index, const char *json);

/* The configuration of "one" becomes {"a":1,"big":"xxx..."}, of FIXTURE_BIG x:
 * more than a socket holds. */
void fixture_publish_big(struct fixture *fixture);

/* Somebody who has just these rights. */
struct peer fixture_peer(unsigned int rights);

/* --- without a socket ------------------------------------------------------
 */

/* The reply to the call @message by a peer with @rights, up to its NUL; "" when
 * there is none. Static. A watcher goes to *watcher, which may be NULL when
 * none may come. */
const char *fixture_call(struct fixture *fixture, unsigned int rights,
			 const char *message, struct watcher **watcher);

/* What @watcher has to say; "" for nothing. *ended may be NULL. */
const char *fixture_tell(struct fixture *fixture, struct watcher *watcher,
			 unsigned int rights, bool *ended);

/* --- through a socket ------------------------------------------------------
 */

void fixture_start(struct fixture *fixture);

/* Begin to stop; fixture->server is NULL when it has. */
void fixture_stop(struct fixture *fixture, uint64_t grace_ms);

/* Let the loop do all that can be done without waiting. */
void fixture_settle(struct fixture *fixture);

struct client {
	struct fixture *fixture;
	int fd;
	struct buf input;
	size_t used; /* of input */
};

struct client client_connect(struct fixture *fixture);
void client_close(struct client *client);

/* All of it, while the server reads; false when the server has hung up. */
bool client_send(struct client *client, const void *bytes, size_t len);

/* @message with its NUL. */
void client_call(struct client *client, const char *message);

/* The next message, valid until the next call; NULL when the server hangs up.
 */
const char *client_receive(struct client *client);

/* The next message is @message; and so it is after the call @call. */
void client_expect(struct client *client, const char *message);
void client_exchange(struct client *client, const char *call,
		     const char *message);

/* The server has nothing to say and has not hung up. */
bool client_hears_nothing(struct client *client);

#endif
