#include "serve/explain.h"

#include "base/arena.h"
#include "base/buf.h"
#include "config/explain.h"
#include "config/snapshot.h"
#include "serve/access.h"
#include "serve/origin_json.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "value/json.h"
#include "value/path.h"

struct answer {
	struct explanation explanation;
	struct origin_json origins;
};

static void answer_deinit(struct answer *answer)
{
	origin_json_deinit(&answer->origins);
	explanation_deinit(&answer->explanation);
}

bool explain_may_reveal(struct request *request, bool *reveal)
{
	*reveal = call_bool(&request->call, "reveal", false);
	if (!*reveal || request->rights & ACCESS_SECRETS)
		return true;
	reply_error(request->out, REPLY_ACCESS_DENIED, STR("secrets"));
	return false;
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

static void add_leaf(struct buf *fields, struct answer *answer,
		     const struct explained_leaf *leaf)
{
	struct origin origin = origins_find(&answer->explanation.origins,
					    leaf->offers[0].value);
	_cleanup_(buf_deinit) struct buf note = BUF_INIT;

	explain_write_note(leaf, &origin, &note);
	json_key(fields, "path");
	json_write_string(fields, leaf->path);
	add_offer(fields, answer, &leaf->offers[0], &origin);
	add_overridden(fields, answer, leaf);
	if (note.len) {
		json_key(fields, "note");
		json_write_string(fields, buf_str(&note));
	}
}

static void reply(struct request *request, struct answer *answer)
{
	const struct explanation *explanation = &answer->explanation;
	struct buf *fields = reply_open(request->out);

	json_add_int(fields, "generation",
		     (long long)request->view.snapshot->generation);
	json_key(fields, "leaves");
	buf_putc(fields, '[');
	for (size_t i = 0; i < explanation->count; i++) {
		buf_puts(fields, i ? ",{" : "{");
		add_leaf(fields, answer, &explanation->leaves[i]);
		buf_putc(fields, '}');
	}
	buf_putc(fields, ']');
	reply_close(request->out, false);
}

static void explain_path(struct request *request, const struct path *path,
			 bool reveal)
{
	const struct view *view = &request->view;
	_cleanup_(answer_deinit) struct answer answer = {
		.origins.secrets = reveal ? NULL : view->secrets};
	int r = explain(&answer.explanation, view->snapshot, path,
			answer.origins.secrets);

	if (r == EXPLAIN_E_NOT_FOUND)
		reply_error(request->out, REPLY_PATH_NOT_FOUND,
			    call_string(&request->call, "path"));
	else if (r == EXPLAIN_E_TOO_MUCH)
		reply_quota_exceeded(request->out, "explained_values",
				     EXPLAIN_VALUES_MAX);
	else
		reply(request, &answer);
}

void explain_answer(struct request *request)
{
	struct str text = call_string(&request->call, "path");
	struct path_error error;
	struct path path;
	bool reveal;

	if (!explain_may_reveal(request, &reveal))
		return;
	if (path_parse(&path, request->scratch, text, &error))
		explain_path(request, &path, reveal);
	else
		reply_invalid_path(request->out, text, &error);
}
