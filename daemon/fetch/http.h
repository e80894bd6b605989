#ifndef FETCH_HTTP_H
#define FETCH_HTTP_H

/*
 * HTTP client: curl_multi driven by the loop, no blocking call of ours. The
 * only user of libcurl.
 *
 * struct http owns the multi handle, its timer and one poll handle a socket;
 * each call owns its easy handle and its reply. Proxies are taken from the
 * environment once, when struct http is made.
 *
 *   http_send --> WAITING --its turn--> RUNNING --answer--> done() --> freed
 *                    ^                     |  |               ^
 *                    +-- redirect that ----+  +--> READING ---+
 *                        may be followed      a large body
 *                    error or deadline in the first two: done() --> freed
 *                    http_cancel, http_close: no done() ----------> freed
 *
 * No server gets more than a minute's worth of calls at once (fetch/bucket): a
 * call beyond that waits for its turn, redirects included, while its deadline
 * runs. There is no way around it.
 *
 * No server gets more of a turn of the loop than its share, however fast it
 * sends: what has come is taken in small pieces, a call that had its share of
 * bytes rests until the next turn, and what curl wants to do at once it does
 * then too. Head lines and trailers are bounded as bodies are.
 *
 * A call may bring the reader of its answer's body. What is large is read by
 * another thread, so that no answer stops the loop, and done() follows when
 * that is over; the deadline is for the exchange alone.
 *
 * An answer that never ends is a stream: its lines are handed over as they
 * come, and only the one that is still coming is kept. Its deadline is for the
 * connection alone: whether the server still lives is its caller's question.
 *
 * Redirects are followed for a GET only, to the same host and port (http may
 * become https on the default ports, never the reverse), five times: so what
 * is in `authorization` cannot reach anybody else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/str.h"

struct http;
struct http_call;

struct http_tls {
	bool verify;
	const char *ca; /* file or folder; NULL: that of REQUESTS_CA_BUNDLE,
			   CURL_CA_BUNDLE, else the system's */
	const char *cert, *key; /* files of a client's; NULL: none is shown */
};

/* Whom a call is for, in the words of messages about it. */
struct http_peer {
	const char *service;     /* what should be running there */
	const char *address;     /* the setting that names the server */
	const char *ca;          /* that which names the CA */
	const char *new_ca;      /* the same, to who has not named one yet */
	const char *client_cert; /* NULL: there is none */
};

/* Whole lines, with their ends, that a stream has brought; valid during the
 * call only. Anything may be done in there, http_cancel and http_close
 * included. */
typedef void (*http_lines_fn)(void *data, struct str lines);

/* How a caller wants the body of its answer read. */
struct http_reader {
	/* Called by any thread: it must touch nothing but its argument, and
	 * copy what it wants to keep of that. */
	void *(*read)(struct str body);
	void (*drop)(void *content); /* what read() returned; never NULL */
};

struct http_request {
	const char *url;
	const char *authorization;    /* header value; NULL: none */
	const char *body;             /* JSON, sent by POST; NULL: GET */
	bool put;                     /* the body, by PUT */
	const char *header;           /* one more, "Name: value"; NULL: none */
	const struct http_peer *peer; /* NULL: a ClearML API server */
	struct http_tls tls;
	uint64_t timeout_ms; /* for the whole exchange; see above for streams */
	size_t limit;        /* of the decoded body, or of a line, in bytes */
	bool keep; /* the connection, for the next call that says so */
	const struct http_reader *reader; /* static; NULL: none. No stream's */

	/* Not NULL: a stream. Of an answer other than 200 the body is the
	 * reply's as usual, of a 200 what came after the last whole line. */
	http_lines_fn on_lines;
};

struct http_reply {
	const char *error; /* no answer: why, for people; NULL: there is one */
	long status;       /* 0 without an answer */
	bool too_large;    /* that was the error */
	struct str body;
	void *content; /* the call's: what the reader made of the body; NULL
			* without a reader or an answer */
	int64_t retry_after; /* seconds the server asks for; -1: does not */
	int64_t date;      /* by the server's clock, since 1970; 0: not said */
	const char *proxy; /* "host:port" that it came through; or NULL */
};

/* @reply is valid during the call only. The call is over: not to be cancelled
 * any more. Anything else may be done in there, http_close included. */
typedef void (*http_done_fn)(void *data, const struct http_reply *reply);

/* Since http_new, of calls that were answered or failed. */
struct http_counts {
	uint64_t calls, failures; /* failures: of calls, no answer */
	uint64_t waited_ms;       /* for all of them, from http_send on */
	uint64_t received;        /* bytes, as they came decoded */
};

struct http *http_new(uv_loop_t *loop);

/* Log what calls have to do without, where libcurl is old. */
void http_log_lack(void);

struct http_counts http_counts(const struct http *http);

/* Cancels what is left; asynchronous, frees itself. */
void http_close(struct http *http);

/* Never calls @done before it returns. Strings are copied. */
struct http_call *http_send(struct http *http,
			    const struct http_request *request,
			    http_done_fn done, void *data);

void http_cancel(struct http_call *call); /* NULL is allowed */

/* Milliseconds since something of the answer came; very many before that. */
uint64_t http_silence(const struct http_call *call);

/* Somebody is going to send so many calls a minute to the server of @url, for
 * good reasons: its bucket grows by them, until they are released. */
void http_reserve(struct http *http, const char *url, unsigned int per_minute);
void http_release(struct http *http, const char *url, unsigned int per_minute);

#endif
