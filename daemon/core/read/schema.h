#ifndef READ_SCHEMA_H
#define READ_SCHEMA_H

/*
 * The schema: the keys that ClearML knows, and the types of their values.
 *
 * The table is made at build time from clearml_keys.txt, a key a line, sorted
 * by bytes: path, type, and in which versions of which program where not in
 * all. In a path "[]" stands for each element of a list. A type is one of
 *
 *	any  boolean  integer  number  string  path  url  size  level
 *	integer(LEAST..MOST)  number(LEAST..MOST), either may be missing
 *	one(WORD,WORD...)  list<TYPE>  object  TYPE|TYPE
 *
 * and names what ClearML makes use of, so it takes what ClearML's Python takes
 * as well: 0 and 1 for a boolean, a number's digits as text. null and the empty
 * text mean everywhere that nothing is set.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

struct value;

struct schema_key {
	const char *path, *type;
	const char *versions; /* "agent>=3.0.0 sdk<=2.0.8"; "": all */
};

/* NULL: ClearML knows no such key. */
const struct schema_key *schema_find(struct str path);

/* The first key right below @path, which may be empty, and the one after
 * @after; NULL: there is none. */
const struct schema_key *schema_child(struct str path,
				      const struct schema_key *after);

/* The last part of its path. */
struct str schema_name(const struct schema_key *key);

bool schema_accepts(const struct schema_key *key, const struct value *value);

/* Append what the key takes, for people: "text or a list of texts". */
void schema_add_wanted(const struct schema_key *key, struct buf *text);

/* Append the whole as JSON Schema 2020-12. */
void schema_add_json(struct buf *json);

#endif
