#ifndef BASE_SOURCE_H
#define BASE_SOURCE_H

/*
 * One input: a named text, and where its lines begin.
 *
 * The text lies in the arena of its document. Values keep only the byte offset
 * of where they were written; line and column are computed when somebody asks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file_stamp.h"
#include "base/str.h"

struct arena;
struct diag;

struct pos {
	uint32_t line, column; /* both from 1; 0: no position */
};

struct source {
	const char *name;      /* path, vault or variable, for people */
	struct str text;       /* no byte order mark; a NUL follows the end */
	bool marked;           /* there was a byte order mark */
	uint32_t *line_starts; /* built by the first source_pos */
	uint32_t lines;
	uint32_t *marks;     /* built by the first source_pos in a long line:
			      * characters before each so-many-th byte */
	struct arena *arena; /* owns all of the above */
	/* Of the file when it was opened; all 0: it is none, or a later change
	 * could not be told by it. */
	struct file_stamp stamp;
};

enum {
	SOURCE_E_MISSING = 1, /* absent, or not a regular file */
	SOURCE_E_BROKEN,      /* the diag says why */
};

/* A source over a copy of @text, which must be UTF-8; a byte order mark is
 * skipped. 0 or SOURCE_E_BROKEN. */
int source_from_text(struct source *source, struct arena *arena,
		     const char *name, struct str text, struct diag *diag);

/* Like source_from_text, of the regular file @name with at most @limit bytes.
 * 0, SOURCE_E_MISSING or SOURCE_E_BROKEN. */
int source_from_file(struct source *source, struct arena *arena,
		     const char *name, size_t limit, struct diag *diag);

/* Is it of a file that has not changed since? */
bool source_is_current(const struct source *source);

/* CR, LF and CRLF end a line; a column is a character, also a tab. */
struct pos source_pos(struct source *source, size_t offset);

/* Build what is built by the first source_pos, so that the source does not
 * change any more. */
void source_freeze(struct source *source);

/* The line that holds @offset, without its end. */
struct str source_line(struct source *source, size_t offset);

#endif
