#ifndef SERVE_CONSUMER_LIST_H
#define SERVE_CONSUMER_LIST_H

/*
 * ListConsumers: every connection that has a configuration, and what it has.
 *
 * A process that reports is told of once for a workspace: its other connections
 * are how it comes to what it reports. One that does not is called by the name
 * that the kernel has for it. That is asked for when somebody wants the list;
 * many names are asked for by a job (offload.h).
 */

struct request;

/* Method of io.clearconf. */
void consumer_list_answer(struct request *request);

#endif
