#ifndef SERVE_ARRIVING_H
#define SERVE_ARRIVING_H

/*
 * GetArrivals: the vaults that wait, and what they would change. A job
 * (offload.h), as their texts may cost much.
 */

struct request;

void arriving_answer(struct request *request);

#endif
