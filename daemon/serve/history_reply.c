#include "serve/history_reply.h"

#include "base/buf.h"
#include "config/snapshot.h"
#include "serve/change_json.h"
#include "serve/filter.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/snapshot_query.h"
#include "value/diff.h"
#include "value/json.h"

/* Histories of at most so many bytes, all generations together, are compared at
 * once. */
#define HISTORY_SHORT ((size_t)64 * 1024)

/* The first generation of all changed nothing that was there before. */
static void add_changes(struct buf *fields, struct snapshot *old,
			struct snapshot *new, const struct secrets *secrets)
{
	_cleanup_(changes_deinit) struct changes changes = CHANGES_INIT;
	const struct change_json from = {old, new, secrets, change_json_shown,
					 true};

	if (old)
		filter_diff(NULL, old, new, &changes);
	change_json_add(fields, &from, &changes);
}

static void add_generation(struct buf *fields, struct snapshot *old,
			   struct snapshot *new, const struct secrets *secrets)
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
	struct snapshot *new = query->snapshots[0], *old;
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
	int64_t limit = call_int(request->call, "limit", INT64_MAX);
	const struct view *view = &request->view;
	struct snapshot_query query = {
		.generations = (size_t)limit,
		.write = write_history,
	};
	size_t bytes;
	bool reveal;

	if (!request_may_reveal(request, &reveal))
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
