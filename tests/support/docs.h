#ifndef SUPPORT_DOCS_H
#define SUPPORT_DOCS_H

/*
 * Documents and trees for tests, made of JSON text and compared as such.
 *
 * Include it after cmocka.h.
 */

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"
#include "read/doc.h"
#include "read/reader.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

/* A reference of the caller's. */
static inline struct doc *docs_read(const char *json)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct read_options options = {.format = READ_JSON,
				       .limits = READ_LIMITS_DEFAULT};
	struct doc *doc = NULL;

	(void)read_text(&doc, "test", str_from(json), &options, &diag);
	if (!doc) {
		fail_msg("%s in %s", diag.text, json);
		abort(); /* for the analyzer: fail_msg has not returned */
	}
	return doc;
}

/* NULL when there is nothing at the path @text. */
static inline const struct value *docs_find(const struct value *root,
					    const char *text)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct path_error error;
	struct path path;

	assert_true(path_parse(&path, &arena, str_from(text), &error));
	return path_find(root, &path);
}

static inline void docs_assert_json(const struct value *tree, const char *json)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	assert_non_null(tree);
	json_write(&text, tree);
	assert_string_equal(buf_str(&text).ptr, json);
}

#endif
