#include "serve/diff_reply.h"

#include "base/buf.h"
#include "config/history.h"
#include "config/snapshot.h"
#include "serve/change_json.h"
#include "serve/filter.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/snapshot_query.h"
#include "value/diff.h"
#include "value/json.h"

/* Trees of at most so many bytes, both together, are compared at once. */
#define COMPARED_AT_ONCE ((size_t)64 * 1024)

static struct snapshot *new_of(const struct snapshot_query *query,
			       const struct view *view)
{
	if (query->new >= 0)
		return history_at(view->history, (uint64_t)query->new);
	if (query->old >= 0 || !view->candidate)
		return view->snapshot;
	return view->candidate;
}

/* The new one, and the old one; none when either is not there. */
static void find(struct snapshot_query *query, const struct view *view)
{
	struct snapshot *old =
		query->old < 0
			? view->snapshot
			: history_at(view->history, (uint64_t)query->old);
	struct snapshot *new = new_of(query, view);

	query->oldest = history_oldest(view->history)->generation;
	query->missing = (uint64_t)(old ? query->new : query->old);
	if (!old || !new)
		return;
	query->snapshots[query->count++] = new;
	query->snapshots[query->count++] = old;
}

static void write_diff(struct out *out, const struct snapshot_query *query)
{
	_cleanup_(changes_deinit) struct changes changes = CHANGES_INIT;
	struct snapshot *new = query->snapshots[0], *old = query->snapshots[1];
	const struct change_json from = {old, new, query->secrets,
					 change_json_shown};
	struct buf *fields = reply_open(out);

	json_add_int(fields, "old", (long long)old->generation);
	if (query->old >= 0)
		json_add_int(fields, "new", (long long)new->generation);
	if (old != new)
		filter_diff(NULL, old, new, &changes);
	change_json_add(fields, &from, &changes);
	reply_close(out, false);
}

static void write_answer(struct out *out, const struct snapshot_query *query)
{
	if (query->count)
		write_diff(out, query);
	else
		reply_unknown_generation(out, query->missing, query->oldest);
}

void diff_reply_answer(struct request *request)
{
	const struct call *call = request->call;
	const struct view *view = &request->view;
	struct snapshot_query query = {
		.old = call_int(call, "old", -1),
		.new = call_int(call, "new", -1),
		.find = find,
		.write = write_answer,
	};
	size_t bytes;
	bool reveal;

	if (!request_may_reveal(request, &reveal))
		return;
	if (query.new >= 0 && query.old < 0) {
		reply_error(request->out, REPLY_INVALID_PARAMETER, STR("new"));
		return;
	}
	query.secrets = reveal ? NULL : view->secrets;
	bytes = snapshot_query_gather(&query, view, request->scratch);
	snapshot_query_answer(request, &query, bytes > COMPARED_AT_ONCE);
}
