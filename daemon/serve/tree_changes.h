#ifndef SERVE_TREE_CHANGES_H
#define SERVE_TREE_CHANGES_H

/*
 * What differs between the configuration that is served and one that might be:
 * trees alone, without documents to say where a value was written.
 */

struct buf;
struct secrets;
struct value;

/* Add the member `changes`, a list of type Change with old and new values as
 * they may be seen through @mask (NULL: as they are). Called by any thread. */
void tree_changes_add(struct buf *fields, const struct value *old,
		      const struct value *new, const struct secrets *mask);

#endif
