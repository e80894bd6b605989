#include "serve/tree_changes.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "config/mask.h"
#include "serve/get.h"
#include "serve/origin_json.h"
#include "value/diff.h"
#include "value/json.h"
#include "value/path.h"

static void add_side(struct buf *fields, const char *key,
		     const struct value *root, struct str path,
		     const struct secrets *mask)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct path_error error;
	struct path parsed;

	path_parse(&parsed, &arena, path, &error);
	json_key(fields, key);
	get_write_visible(fields, mask ? mask_at(mask, &arena, root, &parsed)
				       : path_find(root, &parsed));
}

void tree_changes_add(struct buf *fields, const struct value *old,
		      const struct value *new, const struct secrets *mask)
{
	_cleanup_(changes_deinit) struct changes changes = CHANGES_INIT;
	const struct origin_json shown = {.secrets = mask};

	diff_add(&changes, STR(""), old, new);
	changes_sort(&changes);
	json_key(fields, "changes");
	buf_putc(fields, '[');
	for (size_t i = 0; i < changes.count; i++) {
		const struct change *change = &changes.items[i];

		buf_puts(fields, i ? ",{" : "{");
		origin_json_add_path(&shown, fields, change->path);
		json_add_string(fields, "kind", change_kind_name(change->kind));
		if (change->old)
			add_side(fields, "old", old, change->path, mask);
		if (change->new)
			add_side(fields, "new", new, change->path, mask);
		buf_putc(fields, '}');
	}
	buf_putc(fields, ']');
}
