#ifndef READ_READER_H
#define READ_READER_H

/*
 * Reader: text -> document, or a diagnostic.
 *
 * One entry for every format; which function reads a format is a table in
 * reader.c. A reader never touches the network, opens no file but includes,
 * and is bounded by its limits whatever the text.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/str.h"
#include "read/doc.h"

struct env;
struct value;

enum read_format {
	READ_HOCON,
	READ_JSON,
	READ_YAML,
	READ_VALUE,   /* one HOCON value and nothing else; else a string */
	READ_LITERAL, /* a string, whatever it holds */
};

enum read_dialect {
	READ_CLEARML, /* where ClearML refuses and HOCON has a meaning: warn */
	READ_STRICT,  /* refuse what ClearML refuses */
};

struct read_limits {
	size_t bytes;  /* of one text */
	size_t depth;  /* of nested objects and lists */
	size_t nodes;  /* values that substitutions may make */
	size_t values; /* that the text itself may, as each takes far more
			* memory than it has bytes; 0: no limit */
};

struct read_options {
	enum read_format format;
	enum read_dialect dialect;
	struct read_limits limits;

	/* Where ${NAME} looks after the text itself; NULL: nowhere. */
	const struct env *env;

	/* Merge of the lower layers, for required ${path} that neither the text
	 * nor env has (semantics.md, "Variables in texts"); NULL: none. */
	const struct value *lower;

	/* A secret that ${path} finds in lower may only go where it stays one.
	 * What a key says of what stands below it, given what the keys above
	 * it said (0 at the root): READ_SECRET, and bits of the function's
	 * own. NULL: nothing is secret. */
	unsigned int (*secrecy)(unsigned int above, struct str key);

	/* The dotted key that the whole goes under, after it is resolved; it
	 * may then be any value. Empty: none. */
	struct str under;

	/* Where other substitutions of nothing go than the first, which goes to
	 * the diag; NULL: they are not looked for. */
	struct diag_list *others;

	/* Files may include others, relative to their own folder; a vault or an
	 * environment value may not include anything. */
	bool may_include;

	/* What it includes is what this document included, whatever the files
	 * hold now; NULL: the files. */
	const struct doc *kept;
};

#define READ_SECRET 1u /* of secrecy() */

#define READ_LIMITS_DEFAULT                                                    \
	((struct read_limits){.bytes = 16 << 20,                               \
			      .depth = 128,                                    \
			      .nodes = 1000000,                                \
			      .values = 1000000})

enum {
	READ_E_MISSING = 1, /* absent, a folder, not a regular file */
	READ_E_BROKEN,      /* the diag says where and why */
};

/* 0 and a document of the caller's, or READ_E_*. */
int read_file(struct doc **doc, const char *path,
	      const struct read_options *options, struct diag *diag);

/* Read @text, which is called @name in messages. 0 or READ_E_BROKEN. */
int read_text(struct doc **doc, const char *name, struct str text,
	      const struct read_options *options, struct diag *diag);

/* By suffix: .json, .yaml, .yml; anything else is HOCON. */
enum read_format read_format_of_path(const char *path);

/* "hocon", "json" or "yaml"; NULL: it is none of a file's. */
const char *read_format_name(enum read_format format);

/* "hocon", "json", "yaml"; false when @name is none of them. */
bool read_format_from_name(struct str name, enum read_format *format);

#endif
