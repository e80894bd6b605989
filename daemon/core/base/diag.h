#ifndef BASE_DIAG_H
#define BASE_DIAG_H

/*
 * Diagnostics: what is wrong, and where in which source.
 *
 * A diag keeps the first failure reported to it and ignores the rest, so a
 * parser may carry on unwinding after an error without checking every step. It
 * owns copies of all it says, because it outlives the document that failed.
 * The text never quotes a value: it may be logged. The excerpt is the line
 * itself, for a person who may read the file.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/source.h"

struct diag {
	char *source;   /* NULL: nothing has failed */
	struct pos pos; /* 0:0 when it is about the source as a whole */
	char *text;
	char *excerpt; /* NULL without a position */
};

#define DIAG_INIT ((struct diag){0})

/* A failure at byte @offset. Always false: `return diag_at(...);` */
bool diag_at(struct diag *diag, struct source *source, size_t offset,
	     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A failure of @source as a whole. Always false. */
bool diag_set(struct diag *diag, const char *source, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static inline bool diag_failed(const struct diag *diag)
{
	return diag->source != NULL;
}

/* Hand over what @diag holds; it is empty after. */
struct diag diag_take(struct diag *diag);

/* All but the excerpt, which is for who may read the file. */
struct diag diag_copy(const struct diag *diag);

bool diag_equal(const struct diag *a, const struct diag *b);
void diag_deinit(struct diag *diag);

/* "clearml.conf:12:18: expected '}'". The caller frees it. */
char *diag_line(const struct diag *diag);

/* The same, printed as one line that is safe to log. */
void diag_print(const struct diag *diag, FILE *out);

/* Print @diag with @label ("", "warning: ") before the text, and the offending
 * line and a caret after it; may show a secret. */
void diag_print_excerpt(const struct diag *diag, const char *label, FILE *out);

/* The warnings of one document, the first DIAG_LIST_MAX of them. */
#define DIAG_LIST_MAX 200

struct diag_list {
	struct diag *items;
	size_t count;
};

/* Where the next warning goes; NULL when the list is full. */
struct diag *diag_list_next(struct diag_list *list);
void diag_list_deinit(struct diag_list *list);

#endif
