#ifndef CONFIG_SECRET_SET_H
#define CONFIG_SECRET_SET_H

/*
 * The inside of `struct secrets`, for secret.c, which learns, and
 * secret_mask.c, which looks.
 *
 * What is known is shared by all who look at it: whoever wants to add to it
 * while somebody else looks makes a set of his own. Who pinned it (another
 * thread, for one answer) adds to a small set beside it instead.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/known.h"
#include "config/pattern.h"

struct value;

/* Secrets that were seen. */
struct secret_texts {
	struct known anywhere; /* found inside other texts */
	struct known whole;    /* too short for that: found as whole values */
};

struct secret_set {
	atomic_uint refs;
	uint64_t version;
	bool full; /* there are more secrets than it has room for */
	struct patterns settings, configuration; /* of keys */
	struct patterns variables;               /* of names before '=' */
	struct secret_texts texts;
};

struct secrets {
	struct secret_set *set;
	bool pinned;
	struct secret_texts more; /* learned since it was pinned */
};

/* Where a walk stands: what the key of a value and its ancestors' say. */
struct secret_context {
	enum hiding hiding;
	bool s3; /* inside `s3` */
};

/* What a secret key holds is secret, however deep. */
struct secret_context secret_enter(const struct secrets *secrets,
				   struct secret_context context,
				   struct str key, const struct value *value);

/* Is the value of a scalar there hidden? */
bool secret_hides(struct secret_context context, const struct value *scalar);

/* Is @text as a whole one of the known secrets? */
bool secret_is_known(const struct secrets *secrets, struct str text);

/* Is what stands behind the name of a variable secret, by a pattern? */
bool secret_names_variable(const struct secrets *secrets, struct str name);

#endif
