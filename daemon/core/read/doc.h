#ifndef READ_DOC_H
#define READ_DOC_H

/*
 * A document: one text, parsed and resolved.
 *
 * It owns the arena in which its sources, its tree and every name lie; it is
 * shared by reference between the layer that holds it and the snapshots that
 * pin it, and the last unref takes everything away. Immutable once a reader
 * returned it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/source.h"

struct value;

#define DOC_SOURCES_MAX 64 /* the text itself and its includes */

struct doc {
	atomic_uint refs;   /* threads share documents */
	struct arena arena; /* sources, strings, and what objects grow in */
	struct arena nodes; /* the values themselves, so that an object which is
			     * being filled can grow in place */
	struct source *sources[DOC_SOURCES_MAX]; /* [0]: the text itself */
	size_t source_count;
	struct value *root; /* an object */
	struct diag_list warnings;
	size_t first_finding, finding_count; /* of them: keys and types */

	/* What the result depends on besides the text, so that its owner knows
	 * when to read again. */
	const char **includes; /* paths of included files, also missing ones */
	size_t include_count;
	bool like_yaml;     /* read as HOCON, but may have been meant as YAML */
	bool misread;       /* ClearML itself reads other values in this text */
	const char *remark; /* for status, not owned; NULL: none */
	bool used_environment; /* some ${NAME} looked into the environment */
	bool used_lower;       /* some ${path} looked into the lower layers */
	bool appends_to_none;  /* a += found nothing: what lies below counts */
};

struct doc *doc_new(void);
struct doc *doc_ref(struct doc *doc);
struct doc *doc_unref(struct doc *doc); /* NULL, for x = doc_unref(x) */
void doc_unrefp(struct doc **doc);

/* A new source in the document's arena; NULL when there are too many. */
struct source *doc_add_source(struct doc *doc);

/* Remember that the result depends on the file @path. */
void doc_add_include(struct doc *doc, const char *path);

/* Would reading its files give the same document again? Not known where an
 * include was missing. */
bool doc_is_current(const struct doc *doc);

/* What is to be known of the text as a whole: warn with @why; @remark says so
 * in short, for as long as the document holds. */
void doc_add_remark(struct doc *doc, const char *remark, const char *why);

/* The text means other values to ClearML, or none: warn, once, with @why. */
void doc_set_misread(struct doc *doc, const char *why);

/* Where @value of this document was written. */
struct pos doc_pos(struct doc *doc, const struct value *value);

#endif
