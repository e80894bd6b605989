#ifndef CONFIG_MERGE_H
#define CONFIG_MERGE_H

/*
 * Merge: two trees -> one, by ClearML's override rule (semantics.md, "The
 * override rule").
 *
 * Objects merge deep; anything else of the upper replaces the lower whole, null
 * included. New nodes are made only for objects that both have a say in,
 * everything else is shared. What a merge made in an arena, the next one into
 * the same arena changes in place: so a stack of a thousand layers costs what
 * is in them, and not a copy of the whole for each.
 */

struct arena;
struct value;

/* Either may be NULL: the other is the result. @lower is given up when it came
 * from a merge into the same @arena; nothing else is changed. */
struct value *merge(struct arena *arena, struct value *lower,
		    struct value *upper);

#endif
