#include "serve/past.h"

#include "base/arena.h"
#include "base/buf.h"
#include "config/history.h"
#include "config/secret.h"
#include "config/snapshot.h"
#include "serve/explain.h"
#include "serve/origin_json.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "value/diff.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

/* From one generation to the next. */
struct step {
	const struct snapshot *old, *new;
	const struct secrets *secrets; /* NULL: everything is shown */
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
				 struct str text)
{
	struct path_error error;
	struct path path;

	path_parse(&path, &step->arena, text, &error);
	if (!step->secrets)
		return path_find(root, &path);
	return secrets_mask_at(step->secrets, &step->arena, root, &path);
}

static void add_side(struct buf *fields, const char *key,
		     const struct value *value)
{
	json_key(fields, key);
	json_write(fields, value);
}

static void add_change(struct buf *fields, struct step *step,
		       const struct change *change)
{
	struct origin origin = origin_of_change(&step->old_origins,
						&step->new_origins, change);

	json_key(fields, "path");
	json_write_string(fields, change->path);
	json_add_string(fields, "kind", change_kind_name(change->kind));
	if (change->old)
		add_side(fields, "old",
			 shown(step, step->old->root, change->path));
	if (change->new)
		add_side(fields, "new",
			 shown(step, step->new->root, change->path));
	origin_json_add(&step->origins, fields, &origin);
	arena_reset(&step->arena);
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
		.old = old,
		.new = new,
		.secrets = secrets,
		.origins.secrets = secrets};

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

static void add_generations(struct buf *fields, const struct view *view,
			    int64_t limit, const struct secrets *secrets)
{
	const struct snapshot *new = history_get(view->history, 0), *old;
	size_t start = fields->len;

	for (size_t i = 1; new &&limit; i++, limit--, new = old) {
		old = history_get(view->history, i);
		if (fields->len - start > PAST_BYTES_MAX ||
		    (!old && new->cause != CAUSE_START))
			return;
		if (i > 1)
			buf_putc(fields, ',');
		add_generation(fields, old, new, secrets);
	}
}

void past_answer(struct request *request)
{
	int64_t limit = call_int(&request->call, "limit", INT64_MAX);
	const struct view *view = &request->view;
	struct buf *fields;
	bool reveal;

	if (!explain_may_reveal(request, &reveal))
		return;
	if (limit < 0) {
		reply_error(request->out, REPLY_INVALID_PARAMETER,
			    STR("limit"));
		return;
	}
	fields = reply_open(request->out);
	json_key(fields, "generations");
	buf_putc(fields, '[');
	add_generations(fields, view, limit, reveal ? NULL : view->secrets);
	buf_putc(fields, ']');
	reply_close(request->out, false);
}
