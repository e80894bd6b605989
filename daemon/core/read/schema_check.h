#ifndef READ_SCHEMA_CHECK_H
#define READ_SCHEMA_CHECK_H

/*
 * What a document says that ClearML makes nothing of: keys of which it knows
 * another that is spelt nearly the same, values of a type that it does not
 * take, and keys that it reads no more.
 *
 * A key is only suspected where its siblings are known: people may add keys.
 * The cost is that of a walk over what stands below known keys; of unknown keys
 * beside known ones the first SCHEMA_CHECK_UNKNOWN are compared.
 */

#include <stddef.h>

#include "base/buf.h"
#include "read/schema.h"

struct doc;
struct source;
struct value;

#define SCHEMA_CHECK_UNKNOWN 500

enum schema_fault { SCHEMA_MISSPELT, SCHEMA_ILL_TYPED, SCHEMA_RETIRED };

struct schema_finding {
	enum schema_fault fault;
	struct source *source;
	size_t offset;             /* of the key, or of the ill-typed value */
	const char *path;          /* of the value */
	const struct value *value; /* at @path */
	const struct schema_key *known; /* the key, or the one that was meant */
};

typedef void (*schema_finding_fn)(void *data,
				  const struct schema_finding *finding);

/* Below @root, a value of @doc that stands for the whole configuration. */
void schema_check(const struct doc *doc, const struct value *root,
		  schema_finding_fn on_finding, void *data);

/* Append what is wrong, for people; no value is quoted. */
void schema_finding_write(const struct schema_finding *finding,
			  struct buf *text);

#endif
