#ifndef SERVE_CHANGE_JSON_H
#define SERVE_CHANGE_JSON_H

/*
 * What has changed from one snapshot to another, as the interface tells it:
 * paths, origins and, if they are wanted, values before and after.
 *
 * Changes are found in the real trees, so that a secret that has changed is
 * one, and shown as whoever is told may see them.
 */

#include <stdbool.h>

struct arena;
struct buf;
struct changes;
struct path;
struct secrets;
struct snapshot;
struct value;

/* What is shown of the value at @path in @snapshot, where it exists, to who
 * gets it through @mask (NULL: as it is). NULL: something else stands in its
 * place.
 */
typedef const struct value *(*change_json_view)(struct snapshot *snapshot,
						const struct path *path,
						const struct secrets *mask,
						struct arena *arena);

/* The value as it may be shown by what is a secret now. The masked form that a
 * snapshot keeps is the loop's; this masks by itself, in any thread. */
const struct value *change_json_shown(struct snapshot *snapshot,
				      const struct path *path,
				      const struct secrets *mask,
				      struct arena *arena);

struct change_json {
	struct snapshot *old, *new;    /* without changes: may be NULL */
	const struct secrets *secrets; /* what is masked; NULL: nothing */
	change_json_view view;         /* of the values; NULL: none are told */
	bool edits; /* who wrote the text is told too, as far as it is known */
};

/* Add the member `changes`, a list of type Change. */
void change_json_add(struct buf *fields, const struct change_json *from,
		     const struct changes *changes);

#endif
