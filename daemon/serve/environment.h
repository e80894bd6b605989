#ifndef SERVE_ENVIRONMENT_H
#define SERVE_ENVIRONMENT_H

/*
 * Calls with an environment of the caller's, Get, Explain and ResolveStorage:
 * the answer is made for this call alone, by a job (offload.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "config/projection.h"

/* Bytes of a caller's environment, names and values. */
#define ENVIRONMENT_LIMIT ((size_t)64 * 1024)

struct out;
struct request;
struct resolved;

struct environment_call {
	struct str text; /* the path or the URI */
	bool masked;
	enum projection projection;
	uint64_t generation; /* of the view; Explain's */
	struct buf fields;   /* that the reply begins with; taken over */
	size_t limit;        /* bytes of the answer */

	/* Write the reply, from what is @resolved; in another thread. */
	void (*write)(struct out *out, struct environment_call *call,
		      struct resolved *resolved);
};

/* Answer @request, which has an environment, as @call says. */
void environment_answer(struct request *request,
			const struct environment_call *call);

/* The answer of @call would be too long. */
void environment_refuse_size(struct out *out,
			     const struct environment_call *call);

#endif
