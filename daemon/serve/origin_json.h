#ifndef SERVE_ORIGIN_JSON_H
#define SERVE_ORIGIN_JSON_H

/*
 * Origins as the interface tells them, one after the other in one answer.
 *
 * Neighbours mostly stand in one text, whose name and description are masked
 * and written once for all of them.
 */

#include "base/buf.h"
#include "base/str.h"
#include "config/origin.h"

struct secrets;

struct origin_json {
	const struct secrets *secrets; /* what is masked; NULL: nothing */
	struct origin last;            /* its texts are those of: */
	struct buf texts;
};

void origin_json_deinit(struct origin_json *json);

/* Add the member `origin` of type Origin. A vault's description may tell what
 * its text may not, so it is masked, too. */
void origin_json_add(struct origin_json *json, struct buf *fields,
		     const struct origin *origin);

/* Add the member @key, masked as they are; NULL: none. */
void origin_json_add_text(const struct origin_json *json, struct buf *fields,
			  const char *key, const char *text);

/* Add the member `path`: somebody may have written a secret where a key
 * belongs.
 */
void origin_json_add_path(const struct origin_json *json, struct buf *fields,
			  struct str path);

#endif
