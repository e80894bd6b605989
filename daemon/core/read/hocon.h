#ifndef READ_HOCON_H
#define READ_HOCON_H

/*
 * HOCON as ClearML reads it (semantics.md) -> document.
 *
 * hocon.c has one function for each production; a word of the text comes from
 * lexer.c, a key from key.c, and what a key that comes again means is tree.c's
 * business. Substitutions stay in the tree as delayed values until all the
 * text is read; then subst.c resolves them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "read/lexer.h"
#include "value/value.h"

struct path;
struct reading;

/* A field whose value is being read: they lead to where an include is. */
struct hocon_frame {
	const struct hocon_frame *outer;
	const struct path *path;
	size_t offset; /* of the key */
};

/* One text being read: the document's own, or an included one. */
struct hocon {
	struct reading *reading;
	struct lexer lexer;
	size_t source;              /* its number */
	const struct hocon *parent; /* the text that includes it; NULL: none */
	const struct path *scope;   /* the path it is included at; NULL: root */
	const struct hocon_frame *frame; /* innermost; NULL: at the root */
	unsigned int lists;              /* brackets open: paths end there */
	bool root;   /* its keys are keys of the document's root */
	bool braces; /* the whole stands in braces */
};

/* Are the keys that come now keys of the document's root? */
static inline bool hocon_at_root(const struct hocon *hocon)
{
	return hocon->root && !hocon->frame && !hocon->lists;
}

/* Is what is read now the value of a key that keeps a secret? */
bool hocon_is_secret(const struct hocon *hocon);

/* Note the failure. Always false, for `return hocon_fail(...);` */
bool hocon_fail(struct hocon *hocon, size_t offset, const char *what);

/* A value of @type that stands at @offset of the text. */
struct value *hocon_value(struct hocon *hocon, enum value_type type,
			  size_t offset);

bool hocon_read(struct reading *reading);

/* A text that is exactly one value, as which it becomes the root; NULL when
 * the value is a substitution that leads nowhere. False when it is anything
 * else: comments count. */
bool hocon_read_value(struct reading *reading);

/* The fields of a text that @parent includes; NULL on failure. */
struct value *hocon_read_included(struct hocon *parent, size_t source,
				  const struct path *scope);

#endif
