#ifndef READ_TREE_H
#define READ_TREE_H

/*
 * The tree while it is read: plain values, and delayed ones that hold
 * substitutions and wait for the end of the text.
 *
 * A delayed value is a value of type VALUE_DELAYED; what contains one is
 * flagged, so that resolving looks only where there is something to do.
 * resolve_all leaves neither behind.
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
	TREE_BUSY = 2,    /* being resolved now */
	TREE_SECRET = 4,  /* comes from a secret of the host */
};

/* ${path} */
struct subst {
	struct str text; /* as ClearML looks it up; also a variable's name */
	struct path path;
	struct value
		*back; /* what its own root key held before; NULL: nothing */
	const struct path *scope; /* of the include it stands in; NULL: none */
	uint32_t offset;
	uint16_t source;
	bool optional; /* ${?path} */
	bool append;   /* made of a += */
	bool self;     /* stands in the value of its own root key, and is it */
	bool first;    /* stands in the first value of its own root key */
};

enum piece_kind {
	PIECE_TEXT,   /* unquoted */
	PIECE_QUOTED, /* "..." */
	PIECE_VALUE,  /* anything that is a value by itself */
	PIECE_SUBST,
};

/* A part of a value. */
struct piece {
	enum piece_kind kind;
	uint32_t offset;
	struct str text;   /* TEXT, QUOTED; of a VALUE how it was written */
	struct str blanks; /* what follows on the line */
	union {
		struct value *value;
		struct subst *subst;
	};
};

enum delayed_state { DELAYED_WAITING, DELAYED_BUSY, DELAYED_DONE };

struct delayed {
	struct piece *pieces;
	struct value *earlier; /* what the key held before; NULL: nothing */
	union {
		struct value *forgotten; /* reading: what came to the key later,
					  * see hocon.c */
		struct value *next; /* resolving: the list of hidden ones */
	};
	struct value *result; /* DONE; NULL: there is none */
	uint32_t count;       /* of pieces */
	uint32_t jump;        /* BUSY: see resolve.c */
	uint8_t state;        /* enum delayed_state */
	bool onto_object;     /* assigned to a key that held an object */
	bool added_object;    /* an object put over a delayed value */
	bool append;          /* made of a += */
	bool found_null;      /* it stands for null, by another key */
	bool missing;         /* all it stands for is missing */
	bool itself;          /* a root key's own: stands on what that held */
	bool first_itself;    /* the same of a key that held nothing */
};

static inline bool tree_is_delayed(const struct value *value)
{
	return value->type == VALUE_DELAYED;
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

/* Does @value wait for other keys than its own? ClearML has nothing to refer to
 * then: it resolves what refers to its own key first. */
bool tree_waits_for_others(const struct value *value);

struct value *tree_new_delayed(struct reading *reading, size_t source,
			       size_t offset);

/* The value itself, below the objects that were put over it. */
struct delayed *tree_innermost(const struct value *value);

/* Assign @value to @path of @object, as ClearML does when a key comes again
 * in one text (SEMANTICS B4.2); takes @value over. */
bool tree_put(struct reading *reading, struct value *object,
	      const struct path *path, struct value *value);

/* What a block of braces that comes again does to the first (B4.2): objects
 * merge, everything else is replaced. */
void tree_merge(struct reading *reading, struct value *into,
		struct value *from);

/* A copy of the objects of a tree, sharing everything else; NULL when the
 * limit does not allow more values. @place: whose fault that is. */
struct value *tree_copy_objects(struct reading *reading, struct value *value,
				const struct value *place);

#endif
