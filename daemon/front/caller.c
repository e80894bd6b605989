#include "front/caller.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/env.h"
#include "base/mem.h"
#include "config/agent.h"
#include "config/lock.h"
#include "config/projection.h"
#include "config/secret.h"
#include "config/snapshot.h"
#include "config/vault_env.h"
#include "engine/engine.h"
#include "engine/layers.h"
#include "read/doc.h"
#include "read/variables.h"
#include "serve/errand.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/storage.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

struct job {
	uv_work_t work;
	struct errand *errand; /* it outlives the job; read only, but its env */
	struct stack stack;
	struct layer_context context; /* without environments */
	char *vault_environment;
	bool agent, system;
	size_t limit, document; /* bytes of the answer, and of one text */
	struct locks *locks;
	struct secrets *secrets;
	struct shared *reply;
};

/* What is made of it, in the other thread. */
struct result {
	struct arena arena;
	struct env *env, *vault_env;
	struct stack_docs docs;
	struct value *root;
	struct diag diag;
	struct out out;
};

/* --- in the other thread ----------------------------------------------------
 */

/* Texts that are others for the caller may hold secrets that are others, too.
 * What is too large to be answered is not looked through. */
static bool learn_secrets(struct job *job, const struct stack_docs *docs)
{
	for (size_t i = 0; i < docs->count; i++) {
		const struct doc *doc = docs->items[i].doc;
		size_t left = job->document;

		if (!docs->items[i].read_again)
			continue;
		if (!json_fits(doc->root, &left))
			return false;
		secrets_learn(job->secrets, doc->root);
	}
	return true;
}

static void refuse_size(struct job *job, struct out *out)
{
	reply_quota_exceeded(out, "bytes_per_user", job->limit);
}

/* What ClearML would tell of at its start. */
static void add_left_out(const struct job *job, const struct stack_docs *docs,
			 struct buf *fields)
{
	const char *comma = NULL;

	for (size_t i = 0; i < docs->count; i++) {
		const char *why = docs->items[i].left_out;
		_cleanup_(mem_freep) char *shown = NULL;

		if (!why)
			continue;
		if (!comma)
			json_key(fields, "left_out");
		buf_puts(fields, comma ? comma : "[");
		shown = secrets_mask_text(job->secrets, why);
		json_write_string(fields, str_from(shown));
		comma = ",";
	}
	if (comma)
		buf_putc(fields, ']');
}

static void reply_value(struct job *job, struct result *result,
			const struct path *path, const struct value *value)
{
	struct errand *errand = job->errand;
	struct buf *fields = reply_open(&result->out);

	if (errand->masked)
		value = secrets_mask_at(job->secrets, &result->arena,
					result->root, path);
	buf_add_str(fields, buf_str(&errand->fields));
	json_write(fields, value);
	add_left_out(job, &result->docs, fields);
	if (fields->len > job->limit) { /* by what had to be escaped */
		out_clear(&result->out);
		refuse_size(job, &result->out);
		return;
	}
	reply_close(&result->out, false);
}

static void answer_storage(struct job *job, struct result *result)
{
	const struct storage_inquiry inquiry = {
		.docs = &result->docs,
		.root = result->root,
		.env = result->env,
		.env_is_callers = true,
		.secrets = job->secrets,
		.arena = &result->arena,
		.uri = str_from(job->errand->text),
		.masked = job->errand->masked,
	};

	storage_write(&result->out, &inquiry);
}

static void answer(struct job *job, struct result *result)
{
	struct str text = str_from(job->errand->text);
	const struct value *value;
	size_t left = job->limit;
	struct path_error error;
	struct path path;

	if (!path_parse(&path, &result->arena, text, &error)) {
		reply_invalid_path(&result->out, text, &error);
		return;
	}
	value = path_find(result->root, &path);
	if (!value)
		reply_error(&result->out, REPLY_PATH_NOT_FOUND, text);
	else if (!json_fits(value, &left))
		refuse_size(job, &result->out);
	else
		reply_value(job, result, &path, value);
}

static bool has_foreign(const struct stack_docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		if (docs->items[i].read_again)
			return true;
	return false;
}

/* No text that a caller can bring: it is no part of any secret. */
static void fill_variables(struct layer_context *context, struct env **env,
			   struct env **vault_env)
{
	*env = env_filled(context->env, STR("\1"));
	*vault_env = env_filled(context->vault_env, STR("\1"));
	context->env = *env;
	context->vault_env = *vault_env;
}

/* The same document of @docs; what has none there is hidden whole. */
static const struct value *twin_of(const struct stack_docs *docs, size_t index,
				   const struct stack_doc *item)
{
	return index < docs->count &&
			       str_same(docs->items[index].source, item->source)
		       ? docs->items[index].doc->root
		       : NULL;
}

/* Who may not see secrets must not find them by trying which text of his own is
 * hidden, so what he brings into a text is not compared with any. */
static bool mark_foreign(struct job *job, struct layer_context context,
			 struct result *result)
{
	_cleanup_(env_unrefp) struct env *env = NULL, *vault_env = NULL;
	_cleanup_(stack_docs_deinit) struct stack_docs twin = {.count = 0};
	struct stack_docs *docs = &result->docs;

	if (!job->errand->masked || !has_foreign(docs))
		return true;
	fill_variables(&context, &env, &vault_env);
	if (!stack_docs_for(&job->stack, &context, &twin, &result->diag))
		return false;
	(void)learn_secrets(job, &twin);
	for (size_t i = 0; i < docs->count; i++)
		if (docs->items[i].read_again)
			secrets_mark_foreign(
				job->secrets, docs->items[i].doc->root,
				twin_of(&twin, i, &docs->items[i]));
	return true;
}

static void resolve(struct job *job, struct result *result)
{
	struct layer_context context = job->context;
	struct stack_docs *docs = &result->docs;
	enum projection projection = job->errand->projection;

	context.env = result->env;
	context.vault_env = result->vault_env;
	/* Documents that would be left out cannot be in the way either. */
	if (job->agent && projection_below(projection) > LAYER_ENV_GENERIC)
		(void)layers_set_variables(&job->stack, result->env);
	if (!stack_docs_for(&job->stack, &context, docs, &result->diag)) {
		reply_broken(&result->out, &result->diag, job->secrets);
		return;
	}
	if (!learn_secrets(job, docs)) {
		reply_quota_exceeded(&result->out, "document", job->document);
		return;
	}
	if (!mark_foreign(job, context, result)) {
		reply_broken(&result->out, &result->diag, job->secrets);
		return;
	}
	if (job->agent)
		agent_derive(docs, result->env);
	result->root =
		projection_merge(projection, docs, job->locks, &result->arena);
	if (!result->root)
		result->root = value_new(&result->arena, VALUE_OBJECT);
	if (job->errand->kind == ERRAND_STORAGE)
		answer_storage(job, result);
	else
		answer(job, result);
}

static void result_deinit(struct result *result)
{
	out_deinit(&result->out);
	diag_deinit(&result->diag);
	arena_free(&result->arena);
	stack_docs_deinit(&result->docs);
	env_unref(result->vault_env);
	env_unref(result->env);
}

static void work(struct job *job)
{
	_cleanup_(result_deinit) struct result result = {0};
	struct env *caller = job->errand->env;

	result.env = job->agent ? variables_agent_env(caller) : env_ref(caller);
	result.vault_env =
		env_for_vaults(result.env, job->vault_environment, job->system);
	resolve(job, &result);
	job->reply = out_cut(&result.out, (struct out_mark){0});
}

static void on_work(uv_work_t *request)
{
	struct job *job = request->data;

	work(job);
	stack_deinit(&job->stack);
}

/* --- in the loop -------------------------------------------------------------
 */

static void job_finish(struct job *job)
{
	struct errand *errand = job->errand;
	struct shared *reply = TAKE(job->reply);

	secrets_free(job->secrets);
	locks_unref(job->locks);
	mem_free(job->vault_environment);
	mem_free(job);
	errand_finish(errand, reply);
}

static void on_done(uv_work_t *request, int status)
{
	(void)status;
	job_finish(request->data);
}

void caller_begin(struct engine *engine, struct errand *errand)
{
	const struct workspace *workspace =
		engine_workspace(engine, errand->workspace);
	const struct settings *settings = engine->settings;
	struct job *job;

	if (!workspace) {
		errand_fail_not_ready(errand,
				      "the workspace is gone meanwhile");
		return;
	}
	job = mem_alloc(sizeof(*job));
	job->work.data = job;
	job->errand = errand;
	stack_copy(&job->stack, &workspace->stack,
		   projection_below(errand->projection));
	if (errand->kind == ERRAND_STORAGE) /* it tells places in documents */
		snapshot_settle(workspace->snapshot);
	job->context = layers_context(settings, NULL, NULL);
	if (settings->vault_environment)
		job->vault_environment =
			mem_strdup(settings->vault_environment);
	job->agent = settings->mode == MODE_AGENT;
	job->system = engine->places.system;
	job->limit = (size_t)settings->bytes_per_user;
	job->document = (size_t)settings->document;
	job->secrets = secrets_pin(engine->host.secrets);
	job->locks = locks_ref(engine->host.locks);
	(void)uv_queue_work(&engine->loop, &job->work, on_work, on_done);
}
