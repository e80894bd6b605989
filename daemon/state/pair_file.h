#ifndef STATE_PAIR_FILE_H
#define STATE_PAIR_FILE_H

/*
 * Pair file: one key pair, both halves in one file, a piece of clearml.conf as
 * `clearconf credentials create` prints it, which clearml.conf can include:
 *
 *	api { credentials { access_key: "...", secret_key: "..." } }
 *
 * It is read and replaced whole, so that nobody ever sees halves of two pairs.
 */

#include <stdbool.h>

#include "base/buf.h"

struct diag;

struct pair {
	char *access_key, *secret_key;
};

void pair_deinit(struct pair *pair);

/* False, with @diag set, when there is no whole pair in it. */
bool pair_file_read(struct pair *pair, const char *path, struct diag *diag);

/* NULL, or why this process cannot replace it, or should not: the caller's.
 * Nothing but the pair may be in it, which would be lost. */
char *pair_file_obstacle(const char *path);

/* Write the content of the file: JSON, which is HOCON and YAML too. */
void pair_file_write(struct buf *out, const struct pair *pair);

#endif
