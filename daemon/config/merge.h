#ifndef CONFIG_MERGE_H
#define CONFIG_MERGE_H

/*
 * Merge: two trees -> one, by ClearML's override rule (SEMANTICS B5.3).
 *
 * Objects merge deep; anything else of the upper replaces the lower whole, null
 * included. Neither input changes: new nodes are made only for objects that
 * both have a say in, everything else is shared.
 */

struct arena;
struct value;

/* Either may be NULL: the other is the result. */
struct value *merge(struct arena *arena, struct value *lower,
		    struct value *upper);

#endif
