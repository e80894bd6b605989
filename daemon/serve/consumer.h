#ifndef SERVE_CONSUMER_H
#define SERVE_CONSUMER_H

/*
 * Consumer: who is at the other end of a connection, as far as it has a
 * configuration: which generation of which workspace, and how it came by that
 * (Get, Watch). And what it tells of itself (ReportConsumer), on which nothing
 * depends: who may read may tell, and only pid and uid are known to be true.
 *
 * It is a part of its connection. It is among all of a server's from the first
 * thing that it was given, or has told, until the connection ends. One that
 * told of a child, and goes while that lives, is logged.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"

struct buf;
struct holding;
struct peer;
struct report;
struct request;
struct secrets;
struct service;
struct view;

#define CONSUMERS_PER_USER 64 /* of those that report */

enum consumer_how { HELD_BY_GET, HELD_BY_WATCH };

struct consumers {
	struct list reporting, silent; /* struct consumer */
	size_t count;                  /* of both */
	struct list holdings;          /* struct holding */
	const struct service *service; /* is told of those that report; NULL */
};

struct consumer {
	struct list link; /* in a list of `consumers`; or alone */
	struct consumers *consumers;
	const struct peer *peer; /* the connection's */
	struct holding *holding; /* NULL: it was given nothing. Of one that
				  * reports, the oldest that is in use */
	struct report *report;   /* NULL: it has told nothing */
	uint32_t held_since; /* since when it has that: seconds since 1970 */
	uint8_t how;         /* enum consumer_how: by what it has that */
};

void consumers_init(struct consumers *consumers);

/* Of a connection that begins: it has nothing yet. */
void consumer_init(struct consumer *consumer, struct consumers *consumers,
		   const struct peer *peer);

/* The connection ends. */
void consumer_deinit(struct consumer *consumer);

/* It is given what @view is. */
void consumer_hold(struct consumer *consumer, enum consumer_how how,
		   const struct view *view);

/* What there is to tell of one. */
struct consumer_row {
	uid_t uid;
	pid_t pid; /* 0: of another namespace */
	const char *how, *workspace;
	uint64_t generation; /* 0: not known */
	int64_t since;       /* boot clock, milliseconds */
	uint32_t held_since; /* seconds since 1970 */
	bool reports;
	bool named; /* it tells its command */
};

struct consumer_row consumer_row(const struct consumer *consumer);

/* The beginning of a Consumer of io.clearconf, left open; and, of one that
 * reports, what else it told. */
void consumer_row_write(const struct consumer_row *row,
			const struct secrets *secrets, struct buf *json);
void consumer_write_report(const struct consumer *consumer,
			   const struct secrets *secrets, struct buf *json);

/* Whose consumers may be seen. */
struct consumer_reader {
	const struct secrets *secrets;
	bool (*may_read)(const void *data, const char *workspace);
	const void *data;
};

/* Those that report, as a JSON list. */
void consumers_write(const struct consumers *consumers,
		     const struct consumer_reader *reader, struct buf *json);

/* Those that report. behind: of them, those whose file, or what they run, has
 * an older generation than the workspace has. */
struct consumer_count {
	size_t reports, behind;
};

struct consumer_count consumers_count(const struct consumers *consumers,
				      const struct service *service);

/* Method of io.clearconf. */
void consumer_report(struct request *request);

#endif
