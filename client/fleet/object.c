#include "fleet/object.h"

#include "base/diag.h"
#include "base/mem.h"
#include "read/doc.h"
#include "read/reader.h"

/* etcd's own limit of a value, and what a report of a thousand workspaces has
 * of everything. */
#define BYTES_MAX  ((size_t)2 << 20)
#define DEPTH_MAX  16
#define VALUES_MAX 100000

struct doc *object_read(struct str text)
{
	const struct read_options options = {
		.format = READ_JSON,
		.limits = {.bytes = BYTES_MAX,
			   .depth = DEPTH_MAX,
			   .values = VALUES_MAX},
	};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct doc *doc = NULL;

	if (read_text(&doc, "etcd", text, &options, &diag) != 0)
		return NULL;
	return doc;
}
