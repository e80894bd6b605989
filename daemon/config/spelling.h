#ifndef CONFIG_SPELLING_H
#define CONFIG_SPELLING_H

/*
 * Spelling: keys that ClearML does not know but that look like one it does.
 *
 * The table of known keys is made at build time from clearml_keys.txt, which
 * lists what ClearML's own default and sample files hold. A key is only
 * suspected where its siblings are known, and only when a known sibling that
 * is not there itself is spelt nearly the same: people may add keys.
 */

#include "base/buf.h"

struct doc;
struct value;

/* Called for each suspect: where it stands, and what may have been meant. */
typedef void (*spelling_suspect_fn)(void *data, const struct value *value,
				    const char *path, const char *known);

void spelling_check(const struct doc *doc, spelling_suspect_fn on_suspect,
		    void *data);

#endif
