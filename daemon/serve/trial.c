#include "serve/trial.h"

#include "base/buf.h"
#include "base/env.h"
#include "base/mem.h"
#include "config/mask.h"
#include "config/resolver.h"
#include "config/snapshot.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "value/json.h"

void trial_pin(struct trial *trial, const struct view *view)
{
	trial->now = snapshot_ref(view->candidate ? view->candidate
						  : view->snapshot);
	snapshot_freeze(trial->now);
	/* The thread takes references of it, which the daemon's own would not
	 * survive. */
	trial->env = env_new(view->env->variables, view->env->count);
}

bool trial_resolve(struct trial *trial, struct resolved *resolved,
		   struct out *out)
{
	struct resolver *resolver = trial->resolver;
	int r = resolver_resolve(resolver, trial->env, PROJECTION_SERVED, false,
				 resolved);

	if (r == RESOLVE_E_BROKEN)
		reply_broken(out, &resolved->diag, resolver->secrets);
	else if (r == RESOLVE_E_TOO_LARGE)
		reply_quota_exceeded(out, "document", resolver->document);
	return r == 0;
}

void trial_write_problem(struct buf *json, const char *text,
			 const struct pos *pos, const struct secrets *mask)
{
	_cleanup_(mem_freep) char *shown = mask_text(mask, text);

	buf_putc(json, '{');
	json_add_string(json, "text", shown);
	json_add_pos(json, pos);
	buf_putc(json, '}');
}

void trial_deinit(struct trial *trial)
{
	resolver_free(trial->resolver);
	env_unref(trial->env);
	if (trial->now)
		snapshot_unref(trial->now);
}

bool trial_is_granted(struct request *request, bool *reveal)
{
	return request_may_reveal(request, reveal) &&
	       request_count(request, RATE_ENVIRONMENT, "environment_calls");
}

void trial_init(struct trial *trial, const struct job_kind *kind,
		const struct request *request, bool reveal)
{
	trial->job.kind = kind;
	trial->reveal = reveal;
	trial->service = request->service;
}
