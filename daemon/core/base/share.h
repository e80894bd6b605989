#ifndef BASE_SHARE_H
#define BASE_SHARE_H

/*
 * Share: which hosts go first when something comes to a part of a fleet.
 *
 * Nobody hands out the shares: each host computes its own, from which machine
 * it is and what comes, and anybody can compute it after it. Another subject
 * shuffles the hosts anew, so that it is not always the same that go first.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define SHARE_WHOLE   10000U
#define SHARE_PERCENT (SHARE_WHOLE / 100)

/* The place of @machine, an id, in the queue for @subject: 0 ..< SHARE_WHOLE,
 * evenly spread; the first so many ten-thousandths of a fleet are the hosts
 * whose place is below that. It is the same for ever and everywhere: of
 * SHA-256(@machine, a NUL, @subject) the first eight bytes, as a big-endian
 * fraction of 2^64, times SHARE_WHOLE, rounded down. */
unsigned int share_of(struct str machine, struct str subject);

/* A percentage without its sign, such as "12.5", which is 1250: more than 0, at
 * most 100, of at most two decimals. */
bool share_read(struct str percent, int64_t *share);

#endif
