#ifndef CONFIG_LIMITS_H
#define CONFIG_LIMITS_H

/* What one user may take, and how large a text may be: [limits] of the
 * settings, as everybody gets it who has to keep to it. */

#include <stdint.h>

struct limits {
	int64_t connections_per_user, watchers_per_user;
	int64_t bytes_per_user;              /* that wait */
	int64_t environment_calls;           /* a second and user */
	int64_t message, document, response; /* bytes */
	int64_t depth, history, history_bytes;

	/* Milliseconds for a request to be whole; 0: 30 s. No setting. */
	int64_t half_sent;
};

#endif
