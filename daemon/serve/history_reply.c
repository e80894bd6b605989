#include "serve/history_reply.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "config/mask.h"
#include "config/snapshot.h"
#include "serve/explain.h"
#include "serve/origin_json.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/snapshot_query.h"
#include "value/diff.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

/* Histories of at most so many bytes, all generations together, are compared at
 * once. */
#define HISTORY_SHORT ((size_t)64 * 1024)

/* From one generation to the next. */
struct step {
	const struct snapshot *old, *new;
	struct origins old_origins, new_origins;
	struct origin_json origins;
	struct arena arena;
};

static void step_deinit(struct step *step)
{
	origin_json_deinit(&step->origins);
	origins_deinit(&step->old_origins);
	origins_deinit(&step->new_origins);
	arena_free(&step->arena);
}

static const struct value *shown(struct step *step, const struct value *root,
				 const struct path *path)
{
	const struct secrets *secrets = step->origins.secrets;

	return secrets ? mask_at(secrets, &step->arena, root, path)
		       : path_find(root, path);
}

static void add_side(struct buf *fields, const char *key,
		     const struct value *value)
{
	json_key(fields, key);
	json_write(fields, value);
}

static void add_sides(struct buf *fields, struct step *step,
		      const struct change *change)
{
	struct path_error error;
	struct path path;

	path_parse(&path, &step->arena, change->path, &error);
	if (change->old)
		add_side(fields, "old", shown(step, step->old->root, &path));
	if (change->new)
		add_side(fields, "new", shown(step, step->new->root, &path));
	arena_reset(&step->arena);
}

static void add_change(struct buf *fields, struct step *step,
		       const struct change *change)
{
	struct origin origin = origin_of_change(&step->old_origins,
						&step->new_origins, change);

	origin_json_add_path(&step->origins, fields, change->path);
	json_add_string(fields, "kind", change_kind_name(change->kind));
	add_sides(fields, step, change);
	origin_json_add(&step->origins, fields, &origin);
}

static void add_step(struct buf *fields, struct step *step)
{
	_cleanup_(changes_deinit) struct changes changes = CHANGES_INIT;

	diff_add(&changes, STR(""), step->old->root, step->new->root);
	changes_sort(&changes);
	origins_init(&step->old_origins, &step->old->docs);
	origins_init(&step->new_origins, &step->new->docs);
	for (size_t i = 0; i < changes.count; i++) {
		buf_puts(fields, i ? ",{" : "{");
		add_change(fields, step, &changes.items[i]);
		buf_putc(fields, '}');
	}
}

/* The first generation of all changed nothing that was there before. */
static void add_changes(struct buf *fields, const struct snapshot *old,
			const struct snapshot *new,
			const struct secrets *secrets)
{
	_cleanup_(step_deinit) struct step step = {
		.old = old, .new = new, .origins.secrets = secrets};

	json_key(fields, "changes");
	buf_putc(fields, '[');
	if (old)
		add_step(fields, &step);
	buf_putc(fields, ']');
}

static void add_generation(struct buf *fields, const struct snapshot *old,
			   const struct snapshot *new,
			   const struct secrets *secrets)
{
	buf_putc(fields, '{');
	json_add_int(fields, "generation", (long long)new->generation);
	json_add_int(fields, "time", (long long)new->time);
	json_add_string(fields, "cause", snapshot_cause_name(new->cause));
	add_changes(fields, old, new, secrets);
	buf_putc(fields, '}');
}

static void add_generations(struct buf *fields,
			    const struct snapshot_query *query)
{
	const struct snapshot *new = query->snapshots[0], *old;
	size_t start = fields->len;

	for (size_t i = 0; new &&i < query->generations; i++, new = old) {
		old = i + 1 < query->count ? query->snapshots[i + 1] : NULL;
		if (fields->len - start > HISTORY_REPLY_MAX ||
		    (!old && new->cause != CAUSE_START))
			return;
		if (i)
			buf_putc(fields, ',');
		add_generation(fields, old, new, query->secrets);
	}
}

static void write_history(struct out *out, const struct snapshot_query *query)
{
	struct buf *fields = reply_open(out);

	json_key(fields, "generations");
	buf_putc(fields, '[');
	add_generations(fields, query);
	buf_putc(fields, ']');
	reply_close(out, false);
}

void history_reply_answer(struct request *request)
{
	int64_t limit = call_int(&request->call, "limit", INT64_MAX);
	const struct view *view = &request->view;
	struct snapshot_query query = {
		.generations = (size_t)limit,
		.write = write_history,
	};
	size_t bytes;
	bool reveal;

	if (!explain_may_reveal(request, &reveal))
		return;
	if (limit < 0) {
		reply_error(request->out, REPLY_INVALID_PARAMETER,
			    STR("limit"));
		return;
	}
	query.secrets = reveal ? NULL : view->secrets;
	bytes = snapshot_query_gather(&query, view, request->scratch);
	snapshot_query_answer(request, &query, bytes > HISTORY_SHORT);
}
