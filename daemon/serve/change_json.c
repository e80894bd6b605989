#include "serve/change_json.h"

#include "base/arena.h"
#include "base/buf.h"
#include "config/mask.h"
#include "config/snapshot.h"
#include "serve/get.h"
#include "serve/origin_json.h"
#include "value/diff.h"
#include "value/json.h"
#include "value/path.h"

struct writer {
	const struct change_json *from;
	struct buf *fields;
	struct origins before, after;
	struct origin_json origins;
	struct arena arena;
};

const struct value *change_json_shown(struct snapshot *snapshot,
				      const struct path *path,
				      const struct secrets *mask,
				      struct arena *arena)
{
	return mask ? mask_at(mask, arena, snapshot->root, path)
		    : path_find(snapshot->root, path);
}

static void writer_deinit(struct writer *writer)
{
	origin_json_deinit(&writer->origins);
	origins_deinit(&writer->before);
	origins_deinit(&writer->after);
	arena_free(&writer->arena);
}

static void add_side(struct writer *writer, const char *key,
		     struct snapshot *snapshot, const struct path *path)
{
	const struct change_json *from = writer->from;

	json_key(writer->fields, key);
	get_write_visible(
		writer->fields,
		from->view(snapshot, path, from->secrets, &writer->arena));
}

static void add_sides(struct writer *writer, const struct change *change)
{
	struct path_error error;
	struct path path;

	path_parse(&path, &writer->arena, change->path, &error);
	if (change->old)
		add_side(writer, "old", writer->from->old, &path);
	if (change->new)
		add_side(writer, "new", writer->from->new, &path);
	arena_reset(&writer->arena);
}

/* What the server said may hold a secret, as any text may. */
static void add_edit(struct writer *writer, const struct layer_edit *edit)
{
	const struct origin_json *json = &writer->origins;

	origin_json_add_text(json, writer->fields, "scope", edit->scope);
	origin_json_add_text(json, writer->fields, "owner", edit->owner);
	origin_json_add_text(json, writer->fields, "last_update",
			     edit->last_update);
	if (edit->revision)
		json_add_int(writer->fields, "revision", edit->revision);
}

static void add_change(struct writer *writer, const struct change *change)
{
	struct origin origin =
		origins_of_change(&writer->before, &writer->after, change);

	buf_putc(writer->fields, '{');
	origin_json_add_path(&writer->origins, writer->fields, change->path);
	json_add_string(writer->fields, "kind", change_kind_name(change->kind));
	if (writer->from->view)
		add_sides(writer, change);
	origin_json_add(&writer->origins, writer->fields, &origin);
	if (writer->from->edits && origin.edit)
		add_edit(writer, origin.edit);
	buf_putc(writer->fields, '}');
}

void change_json_add(struct buf *fields, const struct change_json *from,
		     const struct changes *changes)
{
	_cleanup_(writer_deinit) struct writer writer = {
		.from = from,
		.fields = fields,
		.origins.secrets = from->secrets,
	};

	json_key(fields, "changes");
	buf_putc(fields, '[');
	if (changes->count) {
		origins_init(&writer.before, &from->old->docs);
		origins_init(&writer.after, &from->new->docs);
	}
	for (size_t i = 0; i < changes->count; i++) {
		if (i)
			buf_putc(fields, ',');
		add_change(&writer, &changes->items[i]);
	}
	buf_putc(fields, ']');
}
