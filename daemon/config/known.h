#ifndef CONFIG_KNOWN_H
#define CONFIG_KNOWN_H

/*
 * Known secrets: a set of strings, to be found inside other strings.
 *
 * A string is found by its first eight bytes, so that looking costs the same
 * however many there are: with hundreds of secrets every string of a
 * configuration is searched for all of them. Shorter ones are not taken. The
 * set owns copies; a zeroed struct is an empty one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define KNOWN_PREFIX sizeof(uint64_t)

struct known {
	struct known_secret **buckets; /* by hash of the first bytes */
	size_t count, bucket_count;    /* bucket_count: a power of two */
};

/* At least KNOWN_PREFIX bytes; again changes nothing. */
void known_add(struct known *known, struct str secret);

bool known_has(const struct known *known, struct str secret);

/* Bytes of the longest of the secrets that @text begins with; 0: none does. */
size_t known_at(const struct known *known, struct str text);

void known_copy(struct known *copy, const struct known *known);
void known_deinit(struct known *known);

#endif
