#include "serve/vault_check.h"

#include "base/mem.h"
#include "config/resolver.h"
#include "config/snapshot.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/tree_changes.h"
#include "serve/trial.h"
#include "value/json.h"

struct vault_check {
	struct trial trial;
	char *text, *replaces;
	struct resolver_vault vault; /* of these two */
};

static struct vault_check *vault_check_of(struct job *job)
{
	return CONTAINER_OF(job, struct vault_check, trial.job);
}

static void check_pin(struct job *job, const struct view *view)
{
	struct trial *trial = &vault_check_of(job)->trial;

	trial_pin(trial, view);
	trial->resolver = trial->service->resolver(
		trial->service->data, view->workspace, true,
		projection_below(PROJECTION_SERVED));
}

/* --- the answer ----------------------------------------------------------- */

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
		trial_write_problem(fields, warnings->items[i].text,
				    &warnings->items[i].pos, mask);
	}
	buf_putc(fields, ']');
}

/* What is broken changes nothing: the last good text goes on. */
static void write_answer(struct vault_check *check, const struct layer *layer,
			 const struct value *root, struct out *out)
{
	const struct secrets *mask = check->trial.resolver->secrets;
	struct buf *fields = reply_open(out);

	if (layer->state == LAYER_BROKEN) {
		json_key(fields, "problem");
		trial_write_problem(fields, layer->problem.text,
				    &layer->problem.pos, mask);
	}
	add_warnings(fields, layer, mask);
	tree_changes_add(fields, check->trial.now->root, root,
			 check->trial.reveal ? NULL : mask);
	reply_close(out, false);
}

static void check_run(struct job *job, struct out *out)
{
	_cleanup_(resolved_deinit) struct resolved resolved = {0};
	struct vault_check *check = vault_check_of(job);
	struct resolver *resolver = check->trial.resolver;
	const struct layer *layer =
		resolver_add_vault(resolver, check->trial.env, &check->vault);

	if (!layer) {
		reply_error(out, REPLY_INVALID_PARAMETER, STR("replaces"));
		return;
	}
	if (trial_resolve(&check->trial, &resolved, out))
		write_answer(check, layer, resolved.root, out);
}

/* --- the question --------------------------------------------------------- */

static void check_free(struct job *job)
{
	struct vault_check *check = vault_check_of(job);

	trial_deinit(&check->trial);
	mem_free(check->text);
	mem_free(check->replaces);
	mem_free(check);
}

static const struct job_kind vault_check_kind = {check_pin, check_run,
						 check_free};

void vault_check_answer(struct request *request)
{
	const struct call *call = request->call;
	struct str text = call_string(call, "text");
	struct str replaces = call_string(call, "replaces");
	struct vault_check *check;
	struct str named = call_string(call, "format");
	enum read_format format = READ_HOCON;
	bool reveal;

	if (named.ptr && !read_format_from_name(named, &format)) {
		reply_error(request->out, REPLY_INVALID_PARAMETER,
			    STR("format"));
		return;
	}
	if (!trial_is_granted(request, &reveal))
		return;
	check = mem_alloc(sizeof(*check));
	trial_init(&check->trial, &vault_check_kind, request, reveal);
	check->text = mem_strndup(text.ptr, text.len);
	if (replaces.ptr)
		check->replaces = mem_strndup(replaces.ptr, replaces.len);
	check->vault = (struct resolver_vault){
		{check->text, text.len}, format, check->replaces};
	offload_add(request, &check->trial.job, text.len);
}
