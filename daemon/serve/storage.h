#ifndef SERVE_STORAGE_H
#define SERVE_STORAGE_H

/*
 * ResolveStorage: the credentials that ClearML would use for a URI, from the
 * current snapshot and the daemon's own variables; with an environment of the
 * caller's from a tree and variables that are his (environment.h).
 */

struct request;

void storage_answer(struct request *request);

#endif
