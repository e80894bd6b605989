#ifndef SERVE_CONSUMER_H
#define SERVE_CONSUMER_H

/*
 * Consumers: what programs tell of themselves that run something on the
 * configuration (ReportConsumer). Shown in the status, and nothing depends on
 * it: who may read may tell, and only pid and uid are known to be true.
 *
 * The connection owns its consumer: it is told anew by each call, and gone with
 * the connection. One that goes while its child lives is logged.
 */

#include <stdbool.h>

#include "base/list.h"

struct buf;
struct consumer;
struct request;
struct secrets;

#define CONSUMERS_PER_USER 64

/* Whose consumers may be seen. */
struct consumer_reader {
	const struct secrets *secrets;
	bool (*may_read)(const void *data, const char *workspace);
	const void *data;
};

/* A list of Consumer, as JSON; @consumers: of struct consumer. */
void consumers_write(const struct list *consumers,
		     const struct consumer_reader *reader, struct buf *json);

/* Its connection ends. NULL is allowed. */
void consumer_free(struct consumer *consumer);

/* Method of io.clearconf. */
void consumer_report(struct request *request);

#endif
