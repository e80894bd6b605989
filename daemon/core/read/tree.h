#ifndef READ_TREE_H
#define READ_TREE_H

/*
 * The tree while it is read: plain values, and delayed ones that hold
 * substitutions and wait for the end of the text.
 *
 * A delayed value is a value of type VALUE_DELAYED; what contains one is
 * flagged, so that resolving looks only where there is something to do. Each
 * knows its place, the object or list that is given its result, and what its
 * key held before it. resolve_all leaves none behind.
 *
 * What is put, merged and copied, and which of two trees a delayed value calls
 * its place afterwards, is as in ClearML: its passes (resolve.h) show it.
 * semantics.md, "Substitutions", has the rules.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "value/path.h"
#include "value/value.h"

struct reading;

#define VALUE_DELAYED VALUE_READER_FIRST

/* value->flags */
enum {
	TREE_DELAYED = 1, /* a delayed value is somewhere inside */
	TREE_MISSING = 2, /* a list's element that nothing was found for */
	TREE_SECRET = 4,  /* comes from a secret of the host */
	TREE_LATER = 8,   /* its root key has held another before */
	TREE_ANEW = 16,   /* a number that is printed otherwise than written */
};

/* ${path} */
struct subst {
	struct str text; /* as ClearML looks it up; also a variable's name */
	struct path path;
	const struct path *scope;  /* of the include it stands in; NULL: none */
	struct value *holder;      /* the delayed value it is a part of */
	const struct subst *maker; /* this is a copy that came of; NULL: none */
	uint32_t index;            /* of that part */
	uint32_t offset;
	uint16_t source;
	bool optional; /* ${?path} */
	bool own;      /* it means what its own key held before */
	bool told;     /* a departure of it was told */
	bool warned;   /* the same of what ClearML accepts */
	bool charged;  /* what it stands for was counted */
	bool inner;    /* it stands in a part of another delayed value */
	bool secret;   /* its key's value is one, and its name may be part */
	uint32_t was, is, done, listed; /* agenda.c's */
};

enum concat_part_kind {
	PART_TEXT,   /* unquoted */
	PART_QUOTED, /* "..." */
	PART_VALUE,  /* anything that is a value by itself */
	PART_SUBST,
	PART_NOTHING, /* a substitution that stands for nothing */
};

/* One part of a concatenation. */
struct concat_part {
	uint8_t kind; /* enum concat_part_kind */
	bool before;  /* the object that the key held before */
	bool after;   /* an object that came to the key later */
	uint32_t offset;
	struct str text;   /* TEXT, QUOTED; of a VALUE how it was written */
	struct str blanks; /* what follows on the line */
	union {
		struct value *value;
		struct subst *subst;
	};
};

/* How often a key may come again with substitutions that wait. */
#define TREE_CHAIN_MAX 500

struct delayed {
	struct concat_part *parts;
	struct value *earlier; /* what the key held before; NULL: nothing */
	uint32_t count, cap;   /* of parts */
	uint32_t waiting;      /* of them, substitutions without a value */
	uint32_t chain;        /* earlier delayed values, one over the other */
	bool settled;          /* nothing waits, here or earlier */
	bool append;           /* made of a += */
	bool hidden;           /* a later value came over it */
	bool endless : 1;      /* merged over itself: ClearML never ends */
	bool told : 1;         /* a departure of it was told */

	struct value *parent; /* the object or list it is in; NULL: lost */
	const char *key;      /* its key there */
	uint32_t key_len;
	uint32_t index;       /* its number there; of a member, where it was */
	struct value *placed; /* what it put there; NULL: nothing */

	struct value *merged;    /* its value, for what is merged over it */
	struct value *forgotten; /* what the key held in an included text */
};

static inline struct str delayed_key(const struct delayed *delayed)
{
	return (struct str){delayed->key, delayed->key_len};
}

static inline bool tree_is_delayed(const struct value *value)
{
	return value && value->type == VALUE_DELAYED;
}

static inline struct delayed *tree_delayed(const struct value *value)
{
	return value->reader;
}

/* Does @value hold substitutions, or is it one? */
static inline bool tree_waits(const struct value *value)
{
	return tree_is_delayed(value) || value->flags & TREE_DELAYED;
}

struct value *tree_new_delayed(struct reading *reading, size_t source,
			       size_t offset, struct concat_part *parts,
			       size_t count);

/* Where @delayed's object holds it, added when that went. */
struct value **tree_place(struct reading *reading,
			  const struct delayed *delayed);

/* Assign @value to @path of @object, as ClearML does when a key comes again
 * in one text (semantics.md, "The same key again"); takes @value over. */
bool tree_put(struct reading *reading, struct value *object,
	      const struct path *path, struct value *value);

/* @from over @into: objects merge, everything else is replaced. @copy: what is
 * merged into is a copy, so that nobody else sees it change. */
void tree_merge(struct reading *reading, struct value *into,
		const struct value *from, bool copy);

/* Add an element, which stands in @list from now on. */
void tree_list_add(struct reading *reading, struct value *list,
		   struct value *item);

/* @value as it is handed out: a list that waits is a copy, but its elements
 * still call the first one their place. */
struct value *tree_handed_out(struct reading *reading, struct value *value);

/* Another object with the members of @object: what waits in them stands there
 * from now on. */
struct value *tree_moved(struct reading *reading, const struct value *object);

/* Everything that waits in @value anew, for @maker; everything else shared.
 * NULL when it nests too deep, or is too much. */
struct value *tree_deep_copy(struct reading *reading, struct value *value,
			     const struct subst *maker);

/* Tell that ClearML refuses what stands at @place, once for each delayed value.
 */
bool tree_departs(struct reading *reading, struct value *delayed,
		  const struct value *place, const char *what);

#endif
