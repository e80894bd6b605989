#ifndef READ_ACCIDENTS_H
#define READ_ACCIDENTS_H

/*
 * Where the order of ClearML's passes shows: its value holds, but is not what
 * the text says, and whoever wrote that should know.
 *
 * Two things happen: an earlier value of a key is put over a later one, and a
 * substitution takes a value that its key loses afterwards.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct reading;
struct value;

struct accident {
	const struct value *object;
	struct str key;
	const struct value *value; /* what stood there and should */
};

#define ACCIDENTS_MAX 64 /* of the first kind: nobody reads more */

struct accidents {
	struct accident items[ACCIDENTS_MAX];
	size_t count;
	bool possible; /* some value was replaced by another's result */
};

/* Something earlier is put over @value, which stood at @key of @object. The
 * first time counts: that is the key's last. */
void accidents_forgotten(struct accidents *accidents,
			 const struct value *object, struct str key,
			 const struct value *value);

/* Warn of those that show in the end. */
void accidents_tell(const struct accidents *accidents, struct reading *reading);

#endif
