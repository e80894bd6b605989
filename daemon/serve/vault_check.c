#include "serve/vault_check.h"

#include "base/env.h"
#include "base/mem.h"
#include "config/mask.h"
#include "config/resolver.h"
#include "config/snapshot.h"
#include "serve/offload.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/tree_changes.h"
#include "value/json.h"

struct vault_check {
	struct job job;
	char *text, *replaces;
	struct resolver_vault vault; /* of these two */
	bool reveal;
	const struct service *service;

	/* Pinned. */
	struct snapshot *now;
	struct env *env;
	struct resolver *resolver;
};

static struct vault_check *vault_check_of(struct job *job)
{
	return CONTAINER_OF(job, struct vault_check, job);
}

static void check_pin(struct job *job, const struct view *view)
{
	struct vault_check *check = vault_check_of(job);

	check->now = snapshot_ref(view->snapshot);
	snapshot_settle(check->now);
	/* The thread takes references of it, which the daemon's own would not
	 * survive. */
	check->env = env_new(view->env->variables, view->env->count);
	check->resolver =
		check->service->resolver(check->service->data, view->workspace,
					 projection_below(PROJECTION_SERVED));
}

/* --- the answer ----------------------------------------------------------- */

static void add_problem(struct buf *fields, const struct diag *problem,
			const struct secrets *mask)
{
	_cleanup_(mem_freep) char *text = mask_text(mask, problem->text);

	buf_putc(fields, '{');
	json_add_string(fields, "text", text);
	if (problem->pos.line) {
		json_add_int(fields, "line", problem->pos.line);
		json_add_int(fields, "column", problem->pos.column);
	}
	buf_putc(fields, '}');
}

/* A broken text has none: the document is the last good one's. */
static void add_warnings(struct buf *fields, const struct layer *layer,
			 const struct secrets *mask)
{
	const struct diag_list *warnings =
		layer->state == LAYER_BROKEN ? NULL : layer_warnings(layer);

	json_key(fields, "warnings");
	buf_putc(fields, '[');
	for (size_t i = 0; warnings && i < warnings->count; i++) {
		if (i)
			buf_putc(fields, ',');
		add_problem(fields, &warnings->items[i], mask);
	}
	buf_putc(fields, ']');
}

/* What is broken changes nothing: the last good text goes on. */
static void write_answer(struct vault_check *check, const struct layer *layer,
			 const struct value *root, struct out *out)
{
	const struct secrets *mask = check->resolver->secrets;
	struct buf *fields = reply_open(out);

	if (layer->state == LAYER_BROKEN) {
		json_key(fields, "problem");
		add_problem(fields, &layer->problem, mask);
	}
	add_warnings(fields, layer, mask);
	tree_changes_add(fields, check->now->root, root,
			 check->reveal ? NULL : mask);
	reply_close(out, false);
}

static void check_run(struct job *job, struct out *out)
{
	_cleanup_(resolved_deinit) struct resolved resolved = {0};
	struct vault_check *check = vault_check_of(job);
	struct resolver *resolver = check->resolver;
	const struct layer *layer =
		resolver_add_vault(resolver, check->env, &check->vault);
	int r;

	if (!layer) {
		reply_error(out, REPLY_INVALID_PARAMETER, STR("replaces"));
		return;
	}
	r = resolver_resolve(resolver, check->env, PROJECTION_SERVED, false,
			     &resolved);
	if (r == RESOLVE_E_BROKEN)
		reply_broken(out, &resolved.diag, resolver->secrets);
	else if (r == RESOLVE_E_TOO_LARGE)
		reply_quota_exceeded(out, "document", resolver->document);
	else
		write_answer(check, layer, resolved.root, out);
}

/* --- the question --------------------------------------------------------- */

static void check_free(struct job *job)
{
	struct vault_check *check = vault_check_of(job);

	resolver_free(check->resolver);
	env_unref(check->env);
	if (check->now)
		snapshot_unref(check->now);
	mem_free(check->text);
	mem_free(check->replaces);
	mem_free(check);
}

static const struct job_kind vault_check_kind = {check_pin, check_run,
						 check_free};

void vault_check_answer(struct request *request)
{
	const struct call *call = &request->call;
	struct str text = call_string(call, "text");
	struct str replaces = call_string(call, "replaces");
	struct vault_check *check;
	struct str named = call_string(call, "format");
	enum read_format format = READ_HOCON;
	bool reveal;

	if (!request_may_reveal(request, &reveal))
		return;
	if (named.ptr && !read_format_from_name(named, &format)) {
		reply_error(request->out, REPLY_INVALID_PARAMETER,
			    STR("format"));
		return;
	}
	if (!request_count(request, RATE_ENVIRONMENT, "environment_calls"))
		return;
	check = mem_alloc(sizeof(*check));
	check->job.kind = &vault_check_kind;
	check->text = mem_strndup(text.ptr, text.len);
	if (replaces.ptr)
		check->replaces = mem_strndup(replaces.ptr, replaces.len);
	check->vault = (struct resolver_vault){
		{check->text, text.len}, format, check->replaces};
	check->reveal = call_bool(call, "reveal", false);
	check->service = request->service;
	offload_add(request, &check->job, text.len);
}
