#include "serve/environment.h"

#include <string.h>

#include "base/env.h"
#include "base/mem.h"
#include "config/resolver.h"
#include "config/snapshot.h"
#include "serve/offload.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"

struct environment_job {
	struct job job;
	struct environment_call call; /* its text belongs to the job */
	char *text;
	struct env *env; /* the caller's; nobody else has it */
	const struct service *service;
	struct resolver *resolver; /* pinned */
};

static struct environment_job *environment_job_of(struct job *job)
{
	return CONTAINER_OF(job, struct environment_job, job);
}

static void environment_pin(struct job *job, const struct view *view)
{
	struct environment_job *own = environment_job_of(job);

	/* The answer tells places in documents that it shares with the
	 * snapshot. */
	snapshot_freeze(view->snapshot);
	own->resolver = own->service->resolver(
		own->service->data, view->workspace, false,
		projection_below(own->call.projection));
}

void environment_refuse_size(struct out *out,
			     const struct environment_call *call)
{
	reply_quota_exceeded(out, "bytes_per_user", call->limit);
}

static void environment_run(struct job *job, struct out *out)
{
	_cleanup_(resolved_deinit) struct resolved resolved = {0};
	struct environment_job *own = environment_job_of(job);
	struct environment_call *call = &own->call;
	struct resolver *resolver = own->resolver;
	int r = resolver_resolve(resolver, own->env, call->projection,
				 call->masked, &resolved);

	if (r == RESOLVE_E_BROKEN)
		reply_broken(out, &resolved.diag, resolver->secrets);
	else if (r == RESOLVE_E_TOO_LARGE)
		reply_quota_exceeded(out, "document", resolver->document);
	else
		call->write(out, call, &resolved);
	stack_deinit(&resolver->stack); /* here, because freeing documents takes
					 * time */
}

static void environment_free(struct job *job)
{
	struct environment_job *own = environment_job_of(job);

	resolver_free(own->resolver);
	env_unref(own->env);
	buf_deinit(&own->call.fields);
	mem_free(own->text);
	mem_free(own);
}

static const struct job_kind environment_kind = {
	environment_pin, environment_run, environment_free};

static struct job *environment_job_new(const struct request *request,
				       const struct environment_call *call,
				       struct env *env)
{
	struct environment_job *own = mem_alloc(sizeof(*own));

	own->job.kind = &environment_kind;
	own->job.masked = call->masked;
	own->text = mem_strndup(call->text.ptr, call->text.len);
	own->call = *call;
	own->call.text = str_from(own->text);
	own->call.limit = request->quota->limits[QUOTA_BYTES];
	own->env = env;
	own->service = request->service;
	return &own->job;
}

/* Bytes of all names and values; false when some are none that a process could
 * have. */
static bool measure(json_t *environment, size_t *size)
{
	const char *name;
	struct str value;
	json_t *item;

	*size = 0;
	json_object_foreach (environment, name, item) {
		value = call_text(item);
		if (!name[0] || strchr(name, '=') ||
		    strlen(value.ptr) != value.len)
			return false;
		*size += strlen(name) + value.len;
	}
	return true;
}

static struct env *make_env(json_t *environment)
{
	_cleanup_(mem_freep) struct env_variable *variables =
		mem_alloc(json_object_size(environment) * sizeof(*variables));
	size_t count = 0;
	const char *name;
	json_t *item;

	json_object_foreach (environment, name, item)
		variables[count++] =
			(struct env_variable){str_from(name), call_text(item)};
	return env_new(variables, count);
}

/* The caller's environment, measured and counted. NULL when it is refused,
 * which the reply then says. */
static struct env *take_environment(struct request *request, size_t *size)
{
	json_t *environment = call_get(request->call, "environment");

	if (!measure(environment, size))
		reply_error(request->out, REPLY_INVALID_PARAMETER,
			    STR("environment"));
	else if (*size > ENVIRONMENT_LIMIT)
		reply_quota_exceeded(request->out, "environment",
				     ENVIRONMENT_LIMIT);
	else if (request_count(request, RATE_ENVIRONMENT, "environment_calls"))
		return make_env(environment);
	return NULL;
}

void environment_answer(struct request *request,
			const struct environment_call *call)
{
	struct buf fields = call->fields;
	size_t size;
	struct env *env = take_environment(request, &size);

	if (env)
		offload_add(request, environment_job_new(request, call, env),
			    size);
	else
		buf_deinit(&fields);
}
