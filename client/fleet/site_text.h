#ifndef FLEET_SITE_TEXT_H
#define FLEET_SITE_TEXT_H

/*
 * Site text: what somebody wants to put as a document, read as every daemon
 * will read it: by the suffix of the document's name, without includes, with
 * the variables that hosts show to documents from elsewhere.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/str.h"
#include "config/conform.h"

struct buf;
struct doc;

struct site_text {
	struct arena arena;
	const char *name; /* in messages */
	struct str text;
	struct doc *doc; /* NULL: diag says why */
	struct diag diag;
};

/* The file @path, or standard input for "-", as a document called @name (NULL:
 * as the file). False: it is none that a daemon would take. */
bool site_text_read(struct site_text *text, const char *path, const char *name,
		    enum conform_policy policy);

/* The same of a text that was put before, with whatever keys it has. */
bool site_text_take(struct site_text *text, struct str taken, const char *name);
void site_text_deinit(struct site_text *text);

/* Print what is wrong with it, and what is only odd. */
void site_text_print(const struct site_text *text);
void site_text_write_json(const struct site_text *text, struct buf *json);

/* A line for each value that differs, secrets as ****; either may be NULL.
 * How many. */
size_t site_text_add_changes(struct buf *out, const struct doc *old,
			     const struct doc *new);

#endif
