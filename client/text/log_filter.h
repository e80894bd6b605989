#ifndef LOG_FILTER_H
#define LOG_FILTER_H

/*
 * What of an answer to History somebody wants to see.
 */

#include <stdint.h>

struct arena;
struct path;
struct value;

struct log_filter {
	int64_t since;           /* seconds since 1970 */
	const struct path *path; /* what concerns it alone; NULL: all */
};

/* The answer with what is left of it; what is new lies in @arena. */
const struct value *log_filter(struct arena *arena, const struct value *answer,
			       const struct log_filter *filter);

#endif
