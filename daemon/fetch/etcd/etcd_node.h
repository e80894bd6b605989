#ifndef FETCH_ETCD_NODE_H
#define FETCH_ETCD_NODE_H

/*
 * One request to one node of etcd, and what its answer is worth: what the feed
 * (etcd.h) and single questions (etcd_ask.h) have in common. It keeps nothing:
 * whom to ask, when, and whom next is theirs to say.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fetch/etcd/etcd_wire.h"
#include "fetch/http.h"

enum etcd_health {
	ETCD_STARTING, /* nothing is known yet */
	ETCD_WELL,     /* what was told is what is */
	ETCD_AWAY,     /* no node answers, or none has a leader */
	ETCD_AILING,   /* there are answers that cannot be used */
	ETCD_REJECTED, /* login or rights are refused */
};

/* How a person is told of a cluster, and what to do. Static. */
struct etcd_words {
	struct http_peer peer;
	const char *login;    /* what sets user and password */
	const char *password; /* what names the file of it */
};

/* A cluster and how to log in to it: borrowed. */
struct etcd_nodes {
	const char *const *endpoints; /* http or https URLs without a path */
	size_t endpoint_count;
	size_t first;                     /* the one to begin with */
	const char *user, *password_file; /* NULL: no login */
	struct http_tls tls;
	uint64_t timeout_ms;
	const struct etcd_words *words; /* NULL: etcd_site_words */
	const char *right; /* what may not be granted: "the role of ..."; NULL:
			    * that of who reads documents */
};

/* Of [site] in clearconfd.conf. */
extern const struct etcd_words etcd_site_words;

/* The URLs of @urls, separated by blanks, each without a '/' at its end; how
 * many. They point into @urls, which is cut up; the list is the caller's. */
const char **etcd_split_urls(char *urls, size_t *count);

bool etcd_nodes_equal(const struct etcd_nodes *a, const struct etcd_nodes *b);

/* No answer and no line has more bytes; a value of 1.5 MiB, which is what etcd
 * takes, has 2 MiB in it. */
#define ETCD_ANSWER_BYTES ((size_t)32 << 20)

/* --- a question --- */

struct etcd_post {
	const char *endpoint, *method;
	const char *token; /* NULL: none */
	struct str body;
	bool keep;              /* the connection, see http.h */
	http_lines_fn on_lines; /* not NULL: a stream */

	http_done_fn done;
	void *data;
};

/* Of the answer a struct etcd_reply is made, which is the content of http's
 * reply, unless it is a stream. Everything is copied. */
struct http_call *etcd_node_post(struct http *http,
				 const struct etcd_nodes *nodes,
				 const struct etcd_post *post);

/* Write the body of a login. The password's file is read each time: it may hold
 * a new one. NULL, or what is wrong with it; the caller's. */
char *etcd_node_write_login(const struct etcd_nodes *nodes, struct buf *body);

/* --- its answer --- */

/* What a node's words are worth that do not answer the question. */
enum etcd_health etcd_node_health(const struct etcd_reply *reply);

/* The same for people, with what to do; @http: NULL when it is a line of a
 * stream. The caller's. */
char *etcd_node_describe(const struct etcd_nodes *nodes, const char *endpoint,
			 const struct etcd_reply *reply,
			 const struct http_reply *http);

#endif
