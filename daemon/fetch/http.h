#ifndef FETCH_HTTP_H
#define FETCH_HTTP_H

/*
 * HTTP client: curl_multi driven by the loop, no thread and no blocking call
 * of ours. The only user of libcurl.
 *
 * struct http owns the multi handle, its timer and one poll handle a socket;
 * each call owns its easy handle and its reply. Proxies are taken from the
 * environment once, when struct http is made.
 *
 *   http_send --> WAITING --its turn--> RUNNING --answer--> done() --> freed
 *                    ^                     |
 *                    +-- redirect that may be followed
 *                    error or deadline in either: done() --> freed
 *                    http_cancel, http_close: no done() ---> freed
 *
 * No server gets more than a minute's worth of calls at once (fetch/bucket): a
 * call beyond that waits for its turn, redirects included, while its deadline
 * runs. There is no way around it.
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
};

struct http_request {
	const char *url;
	const char *authorization; /* header value; NULL: none */
	const char *body;          /* JSON, sent by POST; NULL: GET */
	bool put;                  /* the body, by PUT */
	struct http_tls tls;
	uint64_t timeout_ms; /* for the whole exchange */
	size_t limit;        /* of the decoded body, in bytes */
};

struct http_reply {
	const char *error; /* no answer: why, for people; NULL: there is one */
	long status;       /* 0 without an answer */
	struct str body;
	int64_t retry_after; /* seconds the server asks for; -1: does not */
	const char *proxy;   /* "host:port" that it came through; or NULL */
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

struct http_counts http_counts(const struct http *http);

/* Cancels what is left; asynchronous, frees itself. */
void http_close(struct http *http);

/* Never calls @done before it returns. Strings are copied. */
struct http_call *http_send(struct http *http,
			    const struct http_request *request,
			    http_done_fn done, void *data);

void http_cancel(struct http_call *call); /* NULL is allowed */

/* Somebody is going to send so many calls a minute to the server of @url, for
 * good reasons: its bucket grows by them, until they are released. */
void http_reserve(struct http *http, const char *url, unsigned int per_minute);
void http_release(struct http *http, const char *url, unsigned int per_minute);

#endif
