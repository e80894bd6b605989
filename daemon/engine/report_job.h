#ifndef ENGINE_REPORT_JOB_H
#define ENGINE_REPORT_JOB_H

/*
 * Report job: the digests of all workspaces' trees of one moment, made by
 * another thread, which takes a millisecond for 3,000 keys. It pins what it
 * reads. Digests that are known already go along.
 */

#include <stddef.h>

#include "engine/report_text.h"

struct engine;
struct report_job;

/* The digests, one for each workspace; taken over by who is told. */
typedef void (*report_job_fn)(void *data, struct report_digest *digests,
			      size_t count);

void report_digests_free(struct report_digest *digests, size_t count);

/* The digests of @engine's trees by @key (NULL: none, of what may be shown).
 * NULL when those in @facts are up to date. */
struct report_job *report_job_start(const struct engine *engine,
				    const struct report_facts *facts,
				    const char *key);
void report_job_then(struct report_job *job, report_job_fn done, void *data);

/* Nobody is told any more. NULL is allowed. */
void report_job_leave(struct report_job *job);

#endif
