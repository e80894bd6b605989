#ifndef CONFIG_TREE_DIGEST_H
#define CONFIG_TREE_DIGEST_H

/*
 * Tree digest: a short text that says whether two trees are equal, as
 * value_equal does (the order of keys does not count), and nothing else about
 * them.
 *
 * It is HMAC-SHA256 by a key, so that who knows the digest, but not the key,
 * can confirm no guess of what is in the tree. Without a key anybody can: that
 * is for trees without secrets.
 */

#include <stdbool.h>

#include "base/sha256.h"
#include "base/str.h"

struct buf;
struct value;

#define TREE_DIGEST_HEX  33 /* 128 bits, and a NUL */
#define TREE_DIGEST_PART 13 /* 48 bits: of a part; compared by its path */

/* Parts are told of trees that have at most so many. */
#define TREE_DIGEST_PARTS 48

/* @key empty: none. */
void tree_digest(const struct value *root, struct str key,
		 char text[TREE_DIGEST_HEX]);

/* Write the digests of @root's parts as a JSON object, by their paths, which
 * are of one key or of two. False, with nothing written: it has none, or too
 * many. */
bool tree_digest_parts(const struct value *root, struct str key,
		       struct buf *json);

#endif
