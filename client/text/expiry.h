#ifndef EXPIRY_H
#define EXPIRY_H

/*
 * When something is to expire, as people say it: after how long, or when.
 */

#include <stdint.h>

/* Seconds from @now (since 1970): of "90d" (s, m, h, d, w), or until the local
 * "2027-01-31" or "2027-01-31T18:00"; 0 when it is neither, or not to come. */
int64_t expiry_parse(const char *text, int64_t now);

#endif
