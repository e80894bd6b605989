#ifndef CONFIG_STORAGE_URI_H
#define CONFIG_STORAGE_URI_H

/*
 * URIs of storage, taken apart and put together the way ClearML's storage code
 * does it (storage.md, "URIs"): not by the letter of RFC 3986, but so that a
 * prefix made here matches what a prefix made there matches.
 *
 * Pure; everything lies in the arena or in the text.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

struct arena;

/* SCHEME://AUTHORITY/PATH?query#fragment; the last two are dropped, and without
 * a "://" all of it is path. */
struct storage_uri {
	struct str scheme;    /* small letters */
	struct str authority; /* as written */
	struct str path;      /* as written, "" or from its '/' on */
};

void storage_uri_split(struct storage_uri *uri, struct arena *arena,
		       struct str text);

/* @text in small letters, ASCII only. */
struct str storage_uri_lower(struct arena *arena, struct str text);

/* A network part: HOST or HOST:PORT. */
struct storage_authority {
	struct str text; /* small letters, the host in ASCII */
	struct str host; /* small letters, else as written */
	bool has_port;
};

/* NULL, or why @text is no network part. */
const char *storage_authority_read(struct storage_authority *authority,
				   struct arena *arena, struct str text);

/* The segment of @path that begins at *at, percent-decoded, and *at moved
 * behind it: past the end after the last. A segment that is not wholly valid
 * encoded text is no encoded text at all. */
struct str storage_path_next(struct arena *arena, struct str path, size_t *at);

/* Append @path: each segment percent-encoded, once. */
void storage_path_add(struct buf *out, struct arena *arena, struct str path);

#endif
