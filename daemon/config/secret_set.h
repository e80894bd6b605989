#ifndef CONFIG_SECRET_SET_H
#define CONFIG_SECRET_SET_H

/*
 * The inside of `struct secrets`, for secrets.c, which learns, and mask.c,
 * which looks.
 *
 * What is known is shared by all who look at it: whoever wants to add to it
 * while somebody else looks makes a set of his own. Who pinned it (another
 * thread, for one answer) adds to a small set beside it instead.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/secret_rules.h"
#include "config/secret_trie.h"

/* Secrets that were seen. */
struct secret_texts {
	struct secret_trie anywhere; /* found inside other texts */
	struct secret_trie
		whole; /* too short for that: found as whole values */
};

struct secret_set {
	atomic_uint refs;
	uint64_t version;
	bool full; /* there are more secrets than it has room for */
	struct secret_rules rules;
	struct secret_texts texts;
};

struct secrets {
	struct secret_set *set;
	bool pinned;
	struct secret_texts more; /* learned since it was pinned */
	struct buf *told;         /* gets each of these; NULL */
};

#endif
