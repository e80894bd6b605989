#include "serve/notice.h"

#include "base/buf.h"
#include "base/mem.h"
#include "config/secrets.h"
#include "config/snapshot.h"
#include "serve/change_json.h"
#include "serve/filter.h"
#include "serve/get.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/service.h"
#include "value/diff.h"
#include "value/json.h"

static const struct secrets *mask_of(const struct notice_step *step)
{
	return step->masked ? step->view->secrets : NULL;
}

static void write_changes(struct buf *fields, const struct notice_step *step,
			  const struct changes *changes)
{
	static const struct changes none = CHANGES_INIT;
	const struct change_json from = {
		.old = step->base,
		.new = step->view->snapshot,
		.secrets = mask_of(step),
		.view = step->old_new ? get_visible : NULL,
	};

	change_json_add(fields, &from, step->changes ? changes : &none);
}

static void write_value(struct out *out, const struct notice_step *step)
{
	struct snapshot *snapshot = step->view->snapshot;

	json_key(&out->bytes, "value");
	if (step->filter)
		filter_write_values(step->filter, snapshot, mask_of(step),
				    &out->bytes);
	else
		out_add_tree(out, snapshot_rendition(snapshot, mask_of(step)));
}

static void write_reply(struct out *out, const struct notice_step *step,
			const struct changes *changes)
{
	struct buf *fields = reply_open(out);

	get_add_state(fields, step->view);
	if (step->view->held)
		json_add_int(fields, "held", (long long)step->view->held);
	json_add_bool(fields, "resync", !step->base);
	json_add_int(fields, "skipped", (long long)step->skipped);
	write_changes(fields, step, changes);
	if (step->value)
		write_value(out, step);
	reply_close(out, step->continues);
}

bool notice_write(struct out *out, const struct notice_step *step)
{
	_cleanup_(changes_deinit) struct changes changes = CHANGES_INIT;

	if (step->base && step->base != step->view->snapshot)
		filter_diff(step->filter, step->base, step->view->snapshot,
			    &changes);
	if (step->base && !changes.count && !step->even_empty)
		return false;
	write_reply(out, step, &changes);
	return true;
}

static unsigned int options_of(const struct notice_step *step)
{
	return (unsigned int)step->masked | (unsigned int)step->continues << 1 |
	       (unsigned int)step->changes << 2 |
	       (unsigned int)step->old_new << 3 |
	       (unsigned int)step->states << 4;
}

static const struct notice *find(const struct notices *notices,
				 const struct notice_step *step)
{
	const struct notice *notice;

	for (size_t i = 0; i < notices->count; i++) {
		notice = &notices->items[i];
		if (notice->from == step->base->generation &&
		    notice->to == step->view->snapshot->generation &&
		    notice->filter == step->filter &&
		    notice->secrets == secrets_version(step->view->secrets) &&
		    notice->options == options_of(step))
			return notice;
	}
	return NULL;
}

static void notice_deinit(struct notice *notice)
{
	filter_unref(notice->filter);
	shared_unref(notice->bytes);
	*notice = (struct notice){0};
}

void notices_clear(struct notices *notices)
{
	for (size_t i = 0; i < notices->count; i++)
		notice_deinit(&notices->items[i]);
	notices->count = notices->next = 0;
}

/* When the cache is full, the oldest notice makes room. */
static const struct notice *add(struct notices *notices,
				const struct notice_step *step,
				struct shared *bytes)
{
	struct notice *notice = &notices->items[notices->next];

	notices->next = (notices->next + 1) % NOTICES;
	if (notices->count < NOTICES)
		notices->count++;
	else
		notice_deinit(notice);
	*notice = (struct notice){
		.filter = filter_ref(step->filter),
		.from = step->base->generation,
		.to = step->view->snapshot->generation,
		.secrets = secrets_version(step->view->secrets),
		.options = options_of(step),
		.bytes = bytes,
	};
	return notice;
}

static const struct notice *make(struct notices *notices,
				 const struct notice_step *step,
				 struct out *out)
{
	struct out_mark before = out_mark(out);
	struct shared *bytes = NULL;

	if (notice_write(out, step))
		bytes = out_cut(out, before);
	return add(notices, step, bytes);
}

bool notice_answer(struct notices *notices, const struct notice_step *step,
		   struct out *out)
{
	const struct notice *notice;

	if (!notices || step->value || step->even_empty)
		return notice_write(out, step);
	notice = find(notices, step);
	if (!notice)
		notice = make(notices, step, out);
	if (notice->bytes)
		out_add_shared(out, notice->bytes);
	return notice->bytes != NULL;
}
