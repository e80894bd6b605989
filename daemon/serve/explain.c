#include "serve/explain.h"

#include "base/arena.h"
#include "base/buf.h"
#include "config/explain.h"
#include "config/snapshot.h"
#include "serve/access.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "value/json.h"
#include "value/path.h"

void explain_add_origin(struct buf *fields, const struct origin *origin)
{
	json_key(fields, "origin");
	buf_putc(fields, '{');
	json_add_string(fields, "layer", origin->layer);
	json_add_string(fields, "source", origin->source);
	json_add_optional_string(fields, "description", origin->description);
	if (origin->pos.line) {
		json_add_int(fields, "line", origin->pos.line);
		json_add_int(fields, "column", origin->pos.column);
	}
	buf_putc(fields, '}');
}

bool explain_may_reveal(struct request *request, bool *reveal)
{
	*reveal = call_bool(&request->call, "reveal", false);
	if (!*reveal || request->rights & ACCESS_SECRETS)
		return true;
	reply_error(request->out, REPLY_ACCESS_DENIED, STR("secrets"));
	return false;
}

static void add_offer(struct buf *fields, const struct origins *origins,
		      const struct offer *offer)
{
	struct origin origin = origins_find(origins, offer->value);

	json_key(fields, "value");
	json_write(fields, offer->shown);
	explain_add_origin(fields, &origin);
}

static void add_overridden(struct buf *fields, const struct origins *origins,
			   const struct explained_leaf *leaf)
{
	json_key(fields, "overridden");
	buf_putc(fields, '[');
	for (size_t i = 1; i < leaf->count; i++) {
		buf_puts(fields, i > 1 ? ",{" : "{");
		add_offer(fields, origins, &leaf->offers[i]);
		buf_putc(fields, '}');
	}
	buf_putc(fields, ']');
}

static void add_leaf(struct buf *fields, const struct explanation *explanation,
		     const struct explained_leaf *leaf)
{
	_cleanup_(buf_deinit) struct buf note = BUF_INIT;

	explain_write_note(explanation, leaf, &note);
	json_key(fields, "path");
	json_write_string(fields, leaf->path);
	add_offer(fields, &explanation->origins, &leaf->offers[0]);
	add_overridden(fields, &explanation->origins, leaf);
	if (note.len) {
		json_key(fields, "note");
		json_write_string(fields, buf_str(&note));
	}
}

static void reply(struct request *request,
		  const struct explanation *explanation)
{
	struct buf *fields = reply_open(request->out);

	json_add_int(fields, "generation",
		     (long long)request->view.snapshot->generation);
	json_key(fields, "leaves");
	buf_putc(fields, '[');
	for (size_t i = 0; i < explanation->count; i++) {
		buf_puts(fields, i ? ",{" : "{");
		add_leaf(fields, explanation, &explanation->leaves[i]);
		buf_putc(fields, '}');
	}
	buf_putc(fields, ']');
	reply_close(request->out, false);
}

static void answer(struct request *request, const struct path *path,
		   bool reveal)
{
	const struct view *view = &request->view;
	_cleanup_(explanation_deinit) struct explanation explanation;
	int r = explain(&explanation, view->snapshot, path,
			reveal ? NULL : view->secrets);

	if (r == EXPLAIN_E_NOT_FOUND)
		reply_error(request->out, REPLY_PATH_NOT_FOUND,
			    call_string(&request->call, "path"));
	else if (r == EXPLAIN_E_TOO_MUCH)
		reply_quota_exceeded(request->out, "explained_values",
				     EXPLAIN_VALUES_MAX);
	else
		reply(request, &explanation);
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
		answer(request, &path, reveal);
	else
		reply_invalid_path(request->out, text, &error);
}
