#include "serve/explain.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "config/explain.h"
#include "config/secret.h"
#include "config/snapshot.h"
#include "serve/access.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "value/json.h"
#include "value/path.h"

struct answer {
	struct explanation explanation;
	const struct secrets *secrets; /* NULL: everything is shown */
};

static void answer_deinit(struct answer *answer)
{
	explanation_deinit(&answer->explanation);
}

static void add_text(struct buf *fields, const char *key, const char *text,
		     const struct secrets *secrets)
{
	_cleanup_(mem_freep) char *shown =
		secrets && text ? secrets_mask_text(secrets, text) : NULL;

	json_add_optional_string(fields, key, shown ? shown : text);
}

void explain_add_origin(struct buf *fields, const struct origin *origin,
			const struct secrets *secrets)
{
	json_key(fields, "origin");
	buf_putc(fields, '{');
	json_add_string(fields, "layer", origin->layer);
	add_text(fields, "source", origin->source, secrets);
	add_text(fields, "description", origin->description, secrets);
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

static void add_offer(struct buf *fields, const struct answer *answer,
		      const struct offer *offer)
{
	struct origin origin =
		origins_find(&answer->explanation.origins, offer->value);

	json_key(fields, "value");
	json_write(fields, offer->shown);
	explain_add_origin(fields, &origin, answer->secrets);
}

static void add_overridden(struct buf *fields, const struct answer *answer,
			   const struct explained_leaf *leaf)
{
	json_key(fields, "overridden");
	buf_putc(fields, '[');
	for (size_t i = 1; i < leaf->count; i++) {
		buf_puts(fields, i > 1 ? ",{" : "{");
		add_offer(fields, answer, &leaf->offers[i]);
		buf_putc(fields, '}');
	}
	buf_putc(fields, ']');
}

static void add_leaf(struct buf *fields, const struct answer *answer,
		     const struct explained_leaf *leaf)
{
	_cleanup_(buf_deinit) struct buf note = BUF_INIT;

	explain_write_note(&answer->explanation, leaf, &note);
	json_key(fields, "path");
	json_write_string(fields, leaf->path);
	add_offer(fields, answer, &leaf->offers[0]);
	add_overridden(fields, answer, leaf);
	if (note.len) {
		json_key(fields, "note");
		json_write_string(fields, buf_str(&note));
	}
}

static void reply(struct request *request, const struct answer *answer)
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
		.secrets = reveal ? NULL : view->secrets};
	int r = explain(&answer.explanation, view->snapshot, path,
			answer.secrets);

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
