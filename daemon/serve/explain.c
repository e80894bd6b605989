#include "serve/explain.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "config/callers.h"
#include "config/explain.h"
#include "config/mask.h"
#include "config/resolver.h"
#include "config/snapshot.h"
#include "serve/environment.h"
#include "serve/get.h"
#include "serve/origin_json.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/snapshot_query.h"
#include "value/json.h"
#include "value/path.h"

/* Values that are explained at once, in half a millisecond. */
#define EXPLAIN_SHORT 500

struct answer {
	struct explanation explanation;
	struct origin_json origins;
};

static void answer_deinit(struct answer *answer)
{
	origin_json_deinit(&answer->origins);
	explanation_deinit(&answer->explanation);
}

static void add_offer(struct buf *fields, struct answer *answer,
		      const struct offer *offer, const struct origin *origin)
{
	json_key(fields, "value");
	json_write(fields, offer->shown);
	origin_json_add(&answer->origins, fields, origin);
}

static void add_overridden(struct buf *fields, struct answer *answer,
			   const struct explained_leaf *leaf)
{
	json_key(fields, "overridden");
	buf_putc(fields, '[');
	for (size_t i = 1; i < leaf->count; i++) {
		struct origin origin = origins_find(
			&answer->explanation.origins, leaf->offers[i].value);

		buf_puts(fields, i > 1 ? ",{" : "{");
		add_offer(fields, answer, &leaf->offers[i], &origin);
		buf_putc(fields, '}');
	}
	buf_putc(fields, ']');
}

/* A note names sources, and somebody may have put a secret into a name. */
static void add_note(struct buf *fields, const struct secrets *secrets,
		     const char *note)
{
	_cleanup_(mem_freep) char *shown =
		secrets ? mask_text(secrets, note) : mem_strdup(note);

	json_add_string(fields, "note", shown);
}

static void add_leaf(struct buf *fields, struct answer *answer,
		     const struct explained_leaf *leaf)
{
	struct origin origin = origins_find(&answer->explanation.origins,
					    leaf->offers[0].value);
	_cleanup_(buf_deinit) struct buf note = BUF_INIT;

	explain_write_note(&answer->explanation, leaf, &origin, &note);
	origin_json_add_path(&answer->origins, fields, leaf->path);
	add_offer(fields, answer, &leaf->offers[0], &origin);
	add_overridden(fields, answer, leaf);
	if (note.len)
		add_note(fields, answer->origins.secrets, buf_str(&note).ptr);
}

/* The fields of a reply, still open. */
static struct buf *begin_reply(struct out *out, const struct snapshot *snapshot,
			       struct answer *answer)
{
	const struct explanation *explanation = &answer->explanation;
	struct buf *fields = reply_open(out);

	json_add_int(fields, "generation", (long long)snapshot->generation);
	json_key(fields, "leaves");
	buf_putc(fields, '[');
	for (size_t i = 0; i < explanation->count; i++) {
		buf_puts(fields, i ? ",{" : "{");
		add_leaf(fields, answer, &explanation->leaves[i]);
		buf_putc(fields, '}');
	}
	buf_putc(fields, ']');
	return fields;
}

/* NULL: it has been refused. */
static struct buf *write_leaves(struct out *out,
				const struct snapshot *snapshot,
				struct str text, const struct secrets *secrets)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(answer_deinit) struct answer answer = {.origins.secrets =
								 secrets};
	struct path_error error;
	struct path path;
	int r;

	(void)path_parse(&path, &arena, text, &error);
	r = explain(&answer.explanation, snapshot, &path, secrets);
	if (r == EXPLAIN_E_NOT_FOUND)
		reply_error(out, REPLY_PATH_NOT_FOUND, text);
	else if (r == EXPLAIN_E_TOO_MUCH)
		reply_quota_exceeded(out, "explained_values",
				     EXPLAIN_VALUES_MAX);
	return r ? NULL : begin_reply(out, snapshot, &answer);
}

static void add_members(struct buf *fields, struct str members)
{
	if (members.len)
		buf_printf(fields, ",%.*s", STR_PRINT(members));
}

static void write_explanation(struct out *out,
			      const struct snapshot_query *query)
{
	struct buf *fields = write_leaves(out, query->snapshots[0], query->path,
					  query->secrets);

	if (!fields)
		return;
	add_members(fields, query->members);
	reply_close(out, false);
}

/* A snapshot of its own pins the documents that it tells places in. */
static void write_resolved(struct out *out, struct environment_call *call,
			   struct resolved *resolved)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		snapshot_new(&resolved->docs);
	struct buf *fields;

	snapshot->generation = call->generation;
	snapshot->locks = resolved->locks; /* lent: the loop counts them */
	fields = write_leaves(out, snapshot, call->text,
			      call->masked ? resolved->secrets : NULL);
	snapshot->locks = NULL;
	if (fields && fields->len > call->limit) {
		out_clear(out);
		environment_refuse_size(out, call);
	} else if (fields) {
		get_add_left_out(fields, &snapshot->docs, resolved->secrets);
		add_members(fields, buf_str(&call->fields));
		reply_close(out, false);
	}
}

/* A path with too many values is refused at once, so only what lies between is
 * long. */
static bool is_long(size_t cost)
{
	return cost > EXPLAIN_SHORT && cost < EXPLAIN_VALUES_MAX;
}

void explain_answer(struct request *request)
{
	_cleanup_(buf_deinit) struct buf members = BUF_INIT;
	struct view *view = &request->view;
	struct snapshot_query query = {
		.path = call_string(request->call, "path"),
		.write = write_explanation,
	};
	struct path_error error;
	struct path path;
	bool reveal;

	if (!request_may_reveal(request, &reveal))
		return;
	if (!path_parse(&path, request->scratch, query.path, &error)) {
		reply_invalid_path(request->out, query.path, &error);
		return;
	}
	if (call_get(request->call, "environment")) {
		struct environment_call call = {
			.text = query.path,
			.masked = !reveal,
			.generation = view->snapshot->generation,
			.write = write_resolved,
		};

		caller_rule_write(view->own, &call.fields);
		environment_answer(request, &call);
		return;
	}
	caller_rule_write(view->own, &members);
	query.members = buf_str(&members);
	query.secrets = reveal ? NULL : view->secrets;
	(void)snapshot_query_gather(&query, view, request->scratch);
	snapshot_query_answer(request, &query,
			      is_long(explain_cost(view->snapshot, &path)));
}
