#ifndef READ_SPELLING_H
#define READ_SPELLING_H

/*
 * Spelling: keys that ClearML does not know but that look like one it does.
 *
 * The table of known keys is made at build time from clearml_keys.txt, which
 * lists what ClearML's own default and sample files hold. A key is only
 * suspected where its siblings are known, and only when one of those is spelt
 * nearly the same: people may add keys.
 */

#include "base/buf.h"

struct doc;
struct source;
struct value;

struct spelling_suspect {
	struct source *source;
	size_t offset; /* of the key, in its text */
	const char *path;
	const char *known; /* the key that may have been meant */
};

typedef void (*spelling_suspect_fn)(void *data,
				    const struct spelling_suspect *suspect);

/* Below @root, a value of @doc that stands for the whole configuration. */
void spelling_check(const struct doc *doc, const struct value *root,
		    spelling_suspect_fn on_suspect, void *data);

#endif
