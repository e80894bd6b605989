#include "serve/arriving.h"

#include "base/mem.h"
#include "config/resolver.h"
#include "config/snapshot.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/tree_changes.h"
#include "serve/trial.h"
#include "value/json.h"

struct arriving {
	struct trial trial;  /* without a resolver: nothing waits */
	const char *why_not; /* or that cannot be told */
	struct buf fields;   /* the list of what does */
};

static struct arriving *arriving_of(struct job *job)
{
	return CONTAINER_OF(job, struct arriving, trial.job);
}

static void arriving_pin(struct job *job, const struct view *view)
{
	struct arriving *arriving = arriving_of(job);
	struct trial *trial = &arriving->trial;

	trial_pin(trial, view);
	buf_putc(&arriving->fields, '{');
	trial->resolver =
		trial->service->arriving(trial->service->data, view->workspace,
					 &arriving->fields, &arriving->why_not);
}

/* --- the answer ----------------------------------------------------------- */

static void add_problem(struct buf *fields, const struct layer *layer,
			const struct secrets *mask)
{
	const struct diag *problem = &layer->problem;
	_cleanup_(mem_freep) char *named = mem_printf(
		"%s: %s",
		layer->description ? layer->description : layer->source,
		problem->text);

	if (fields->data[fields->len - 1] != '[')
		buf_putc(fields, ',');
	trial_write_problem(fields, named, &problem->pos, mask);
}

static void add_problems(struct buf *fields, const struct resolver *resolver)
{
	struct layer *layer;

	json_key(fields, "problems");
	buf_putc(fields, '[');
	for (stack_each(&resolver->stack, layer))
		if (layer_is_of(layer, LAYER_OF_VAULT) &&
		    layer->state == LAYER_BROKEN)
			add_problem(fields, layer, resolver->secrets);
	buf_putc(fields, ']');
}

static void write_answer(struct arriving *arriving, const struct value *root,
			 struct out *out)
{
	const struct resolver *resolver = arriving->trial.resolver;
	struct buf *fields = reply_open(out);

	buf_add_str(fields, str_from_offset(buf_str(&arriving->fields), 1));
	add_problems(fields, resolver);
	tree_changes_add(fields, arriving->trial.now->root, root,
			 arriving->trial.reveal ? NULL : resolver->secrets);
	reply_close(out, false);
}

static void write_nothing(struct out *out, const char *why_not)
{
	static const char *const lists[] = {"arriving", "problems", "changes"};
	struct buf *fields;

	if (why_not) {
		reply_error(out, REPLY_NOT_READY, str_from(why_not));
		return;
	}
	fields = reply_open(out);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		json_key(fields, lists[i]);
		buf_puts(fields, "[]");
	}
	reply_close(out, false);
}

static void arriving_run(struct job *job, struct out *out)
{
	_cleanup_(resolved_deinit) struct resolved resolved = {0};
	struct arriving *arriving = arriving_of(job);
	struct resolver *resolver = arriving->trial.resolver;

	if (!resolver) {
		write_nothing(out, arriving->why_not);
		return;
	}
	resolver_read(resolver, arriving->trial.env);
	if (trial_resolve(&arriving->trial, &resolved, out))
		write_answer(arriving, resolved.root, out);
}

/* --- the question --------------------------------------------------------- */

static void arriving_free(struct job *job)
{
	struct arriving *arriving = arriving_of(job);

	trial_deinit(&arriving->trial);
	buf_deinit(&arriving->fields);
	mem_free(arriving);
}

static const struct job_kind arriving_kind = {arriving_pin, arriving_run,
					      arriving_free};

void arriving_answer(struct request *request)
{
	struct arriving *arriving;
	bool reveal;

	if (!trial_is_granted(request, &reveal))
		return;
	arriving = mem_alloc(sizeof(*arriving));
	trial_init(&arriving->trial, &arriving_kind, request, reveal);
	arriving->trial.job.masked = !reveal;
	offload_add(request, &arriving->trial.job, 0);
}
