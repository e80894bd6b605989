#ifndef FETCH_HTTP_CALL_H
#define FETCH_HTTP_CALL_H

/*
 * The inside of http: what its files share, and they alone know libcurl.
 *
 *   http.c         the loop, and a call's way through it
 *   http_easy.c    what is asked of curl for a call, and read from its answer
 *   http_origin.c  whom a URL names, and which redirects may be followed
 *   http_stream.c  answers that are handed over line by line
 *   http_read.c    who reads the body of an answer
 *   http_turn.c    when a call may go: a bucket and a queue for each server
 *   http_fault.c   why there is no answer, for people
 *   http_compat.c  what an old libcurl does not have
 *   http_names.c   look-ups that an old libcurl would wait for
 */

#include "base/buf.h"
#include "base/list.h"
#include "fetch/http.h"
#include "fetch/http_compat.h"

/* The most bytes of a head, with all lines and trailers. */
#define HTTP_HEAD_MAX ((size_t)256 * 1024)

/* The server that answers at a URL. */
struct http_origin {
	bool https;
	char *host, *port; /* NULL: it is no http or https URL */
};

/* What every call takes from the process it is made in. */
struct http_defaults {
	char *proxy[2]; /* for http, for https; "": none */
	char *no_proxy;
	char *ca;            /* file or folder of CAs; NULL: the system's */
	const char *ca_name; /* of the variable that says so */
	char *worker; /* X-ClearML-Worker: shows as a key's last_used_from */
};

/* Header fields of the answer that are asked for later; "": it has none. */
#define HTTP_HEADER_MAX 64
struct http_headers {
	char date[HTTP_HEADER_MAX], retry_after[HTTP_HEADER_MAX];
	bool begun;    /* false: what comes is no HTTP */
	bool complete; /* what comes now is a trailer */
};

struct http_reading;

struct http_call {
	struct list link;
	struct list turn; /* while it waits for its turn */
	struct http *http;
	CURL *easy; /* NULL: curl keeps it, see http_names */
	bool runs;  /* curl has it */
	struct curl_slist *headers;
	struct http_origin origin;
	char *server;        /* "host:port", for people; NULL: no usable URL */
	char *proxy;         /* the same; NULL: none is set, but see no_proxy */
	char *ca;            /* NULL: the system's */
	const char *ca_name; /* of the setting or variable that says so */
	char *request_body;
	const struct http_peer *peer;
	http_lines_fn on_lines; /* NULL: no stream */
	struct buf body;        /* of a stream: what is not yet handed over */
	size_t whole;           /* bytes of it that are whole lines */
	uint64_t heard_ms;      /* when something came last */
	size_t limit;
	size_t head; /* bytes of head lines and trailers so far */
	struct http_headers heard;
	size_t taken; /* bytes of the body since its last turn */
	bool rests;   /* it had its share: on in the next turn */
	bool resumes; /* and now it is that turn */
	uint64_t timeout_ms, deadline_ms;
	unsigned int redirects;
	bool too_large; /* the body, or a line of a stream */
	bool certified; /* shows a client's certificate */
	char *problem;  /* set: there is no answer */
	char detail[CURL_ERROR_SIZE];
	long status; /* of the answer, once there is one */
	const struct http_reader *reader;
	void *content;                /* what it made of the body */
	struct http_reading *reading; /* not NULL: another thread does */
	http_done_fn done;
	void *data;
};

bool http_origin_parse(struct http_origin *origin, const char *url);
void http_origin_deinit(struct http_origin *origin);

/* "host:port" of a proxy, without the user and password it may hold; the
 * caller's. */
char *http_origin_of_proxy(const char *url);

/* Where an answer of @status sends @call; NULL when it is no redirect. Belongs
 * to curl. */
const char *http_origin_redirect(const struct http_call *call, long status);

/* NULL, or why @call does not follow a redirect to @url: the caller's. */
char *http_origin_problem(const struct http_call *call, const char *url);

/* For curl, in the place of the limit @ms. */
long http_names_limit(long ms);

/* A call that we, not curl, have to end now; NULL: none. */
struct http_call *http_names_overdue(struct list *calls, uint64_t now_ms);

/* Milliseconds until there may be such a call; UINT64_MAX: nobody waits. */
uint64_t http_names_wait(struct list *calls, uint64_t now_ms);

/* Take the handle of @call, which runs and is to end: it stays with curl until
 * it is over by itself, and is the caller's then. NULL: there is no need. */
CURL *http_names_park(struct http_call *call);

void http_defaults_init(struct http_defaults *defaults);
void http_defaults_deinit(struct http_defaults *defaults);

/* Tell call->easy all that @request wants; call->origin is known. */
void http_easy_prepare(struct http_call *call,
		       const struct http_request *request,
		       const struct http_defaults *defaults);

/* Go to @url, which call->origin is of, by the proxy that is for it. */
void http_easy_aim(struct http_call *call, const char *url,
		   const struct http_defaults *defaults);

/* Bytes of a stream; false: a line of it is too long. */
bool http_stream_take(struct http_call *call, struct str bytes);

/* Hand the whole lines of a stream over; @call may be gone after that. */
void http_stream_deliver(struct http_call *call);

/* Have the body of an answered call read. True: that is done, or nobody wants
 * it. False: another thread has it, and @done is told, unless the reading is
 * abandoned; what that finds is dropped. */
typedef void (*http_read_fn)(struct http_call *call);
bool http_read(struct http_call *call, uv_loop_t *loop, http_read_fn done);

/* Let go of the body and what was made of it. */
void http_read_end(struct http_call *call, uv_loop_t *loop);

/* Seconds that the answer asks to wait for; -1: it does not ask. */
int64_t http_easy_retry_after(const struct http_call *call);
int64_t http_easy_date(const struct http_call *call);

/* Why the call failed, in one line that never has credentials in it; the
 * caller's. */
char *http_fault_describe(const struct http_call *call, CURLcode code);

/* The call waited for its turn until its deadline. */
char *http_fault_held_back(const struct http_call *call);

/* NULL, or what the proxy, and no server, says with @status. */
char *http_fault_of_proxy(const struct http_call *call, long status);

/* Has the answer come by way of call->proxy? */
bool http_fault_is_by_proxy(const struct http_call *call);

/* Servers and whose turn it is at each. `now_ms` is of any clock that only goes
 * on, the same as that of call->deadline_ms. */
void http_turns_deinit(struct list *servers);

/* May @call go now? False: it is in the queue of its server. */
bool http_turns_take(struct list *servers, struct http_call *call,
		     uint64_t now_ms);

/* A call whose turn has come, or whose deadline has; it is out of the queue.
 * NULL: nobody yet. */
struct http_call *http_turns_next(struct list *servers, uint64_t now_ms);

/* Milliseconds until there may be such a call; UINT64_MAX: nobody waits. */
uint64_t http_turns_wait(struct list *servers, uint64_t now_ms);

/* The server at @url gets @per_minute calls more, or fewer. */
void http_turns_reserve(struct list *servers, const char *url, int per_minute);

#endif
