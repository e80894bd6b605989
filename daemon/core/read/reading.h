#ifndef READ_READING_H
#define READ_READING_H

/*
 * One text on its way into a document: what the reader of a format is given.
 *
 * It lives on the stack of read_text or read_file. Everything a reader makes
 * lies in the document's arena; the first failure goes into diag, and whoever
 * sees `false` unwinds.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/source.h"
#include "read/doc.h"
#include "read/reader.h"
#include "value/value.h"

/* Keys of one dotted path. ClearML takes 800, and what is built of them is
 * walked by recursion. */
#define READING_PATH_MAX 1000

struct subst;

struct reading {
	struct doc *doc;
	struct arena *arena; /* the document's */
	const struct read_options *options;
	struct diag *diag;
	size_t depth;  /* of braces and brackets open now */
	size_t levels; /* of objects and lists open now, dotted keys included */
	size_t nodes;  /* made by substitutions so far */
	bool refused;  /* what the text asks for is not allowed */
	bool again;    /* it has to be read once more: versions.h */
	bool reordered;               /* keys with substitutions came again */
	bool departed;                /* ClearML refuses this text */
	bool has_secrets;             /* some came from the lower layers */
	struct value *root;           /* while it is read: the document's */
	const struct value *overlong; /* its key came again too often */
	struct value *versions;       /* see versions.h */
	struct subst **substs;        /* every ${...}, as they came */
	size_t subst_count, subst_cap;
};

/* Where ClearML refuses the text and the HOCON specification has a meaning:
 * warn and go on (true), or in the strict dialect fail. The one place that
 * decides this. */
bool reading_departs(struct reading *reading, struct source *source,
		     size_t offset, const char *what);

/* Where ClearML reads another value than the specification says: ClearML's
 * holds, with a warning in any dialect. */
void reading_warn(struct reading *reading, struct source *source, size_t offset,
		  const char *what);

/* Note that one more brace or bracket is open; false when that is one too many.
 */
bool reading_enter(struct reading *reading, struct source *source,
		   size_t offset);
void reading_leave(struct reading *reading);

/* May the text make one more value? That it may is asked for each. */
bool reading_is_full(struct reading *reading, struct source *source,
		     size_t offset);

static inline bool reading_has_room(struct reading *reading,
				    struct source *source, size_t offset)
{
	size_t limit = reading->options->limits.values;

	return !limit ||
	       reading->doc->nodes.used < limit * sizeof(struct value) ||
	       reading_is_full(reading, source, offset);
}

/* The substitution at @place made @nodes more values. */
bool reading_charge(struct reading *reading, const struct value *place,
		    size_t nodes);

/* Most levels a tree may have, however it came about. */
static inline size_t reading_levels_max(const struct reading *reading)
{
	return reading->options->limits.depth + READING_PATH_MAX;
}

/* A value of @type that stands at @offset of source number @source. */
static inline struct value *reading_value(struct reading *reading,
					  enum value_type type, size_t source,
					  size_t offset)
{
	struct value *value = value_new(&reading->doc->nodes, type);

	value->source = (uint16_t)source;
	value->offset = (uint32_t)offset;
	return value;
}

static inline struct source *reading_source(struct reading *reading,
					    const struct value *value)
{
	return reading->doc->sources[value->source];
}

#endif
