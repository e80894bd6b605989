#ifndef CONFIG_ORIGIN_H
#define CONFIG_ORIGIN_H

/*
 * Origins: where the values of a list of documents were written.
 *
 * Nothing is stored with a value but its place in its document; which document
 * that is, its address tells. Values that agent.c put into derived documents
 * lead to the text they come from. The index is made for one answer and lives
 * as long as the documents do.
 */

#include <stddef.h>

#include "base/source.h"

struct buf;
struct change;
struct doc;
struct layer_edit;
struct origin_block;
struct stack_docs;
struct value;

struct origin {
	const char *layer;       /* its kind's name */
	const char *source;      /* file, vault id or variable; "": none */
	const char *description; /* of a vault; NULL: none */
	struct pos pos;          /* line 0: there are no lines */
	const struct doc *doc;   /* NULL: none */
	const struct layer_edit *edit; /* of its text; NULL: no document */
	struct source *text;           /* of it; NULL: one without lines */
};

struct origins {
	const struct stack_docs *docs;
	struct origin_block *blocks; /* by address */
	size_t count;
	const struct value *kept; /* object of the protected keys; NULL: none */
};

void origins_init(struct origins *origins, const struct stack_docs *docs);
void origins_deinit(struct origins *origins);

/* Of a value of one of the documents, or of a merge of them: what several made
 * together is where the first part of it is. */
struct origin origins_find(const struct origins *origins,
			   const struct value *value);

/* Where what @change has made was written, or what it took away. */
struct origin origins_of_change(const struct origins *before,
				const struct origins *after,
				const struct change *change);

/* Append one more note, after a "; " if there is something before. */
void origin_add_note(struct buf *text, const char *note);

/* How ClearML itself may read the text there otherwise, as far as the document
 * knows, appended to @text after a "; " if there is something before. */
void origin_write_departures(const struct origin *origin, struct buf *text);

#endif
