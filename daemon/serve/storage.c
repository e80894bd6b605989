#include "serve/storage.h"

#include "base/arena.h"
#include "base/diag.h"
#include "base/mem.h"
#include "config/mask.h"
#include "config/origin.h"
#include "config/resolver.h"
#include "config/snapshot.h"
#include "config/storage.h"
#include "serve/environment.h"
#include "serve/origin_json.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "value/json.h"
#include "value/value.h"

/* What is asked, of what. */
struct storage_inquiry {
	const struct stack_docs *docs; /* the documents that @root was merged
					* from */
	const struct value *root;
	const struct env *env;
	bool env_is_callers;
	const struct secrets *secrets;
	struct arena *arena; /* for what is made on the way */
	struct str uri;
	bool masked;
};

/* One answer in the making. */
struct answer {
	const struct storage_inquiry *inquiry;
	struct out *out;
	struct arena *arena;
	struct storage storage;
	const char *provider;
	struct origins origins;
	struct origin_json json;
};

static void answer_deinit(struct answer *answer)
{
	origin_json_deinit(&answer->json);
	origins_deinit(&answer->origins);
}

/* ClearML hands extra_args on as they are, encryption keys among them, by names
 * that no pattern knows. */
static void hide_extra_args(struct answer *answer)
{
	struct value *settings = answer->storage.settings;
	const struct value *extra = value_get(settings, STR("extra_args"));

	if (extra && extra->type != VALUE_NULL)
		*value_object_slot(settings, answer->arena, STR("extra_args")) =
			value_new_string(answer->arena, STR(SECRET_MASK));
}

/* A value that is in no document was made from variables. */
static void add_origin(struct answer *answer, struct buf *fields,
		       const struct storage_candidate *candidate)
{
	struct origin origin = {
		.layer = layer_traits[LAYER_ENV_NAMED].name,
		.source = STORAGE_AZURE_ACCOUNT,
	};

	if (candidate->entry)
		origin = origins_find(&answer->origins, candidate->entry);
	origin_json_add(&answer->json, fields, &origin);
}

static void add_rejected(struct answer *answer, struct buf *fields,
			 const struct storage_candidate *candidate)
{
	buf_putc(fields, '{');
	if (candidate->index >= 0)
		json_add_int(fields, "index", candidate->index);
	add_origin(answer, fields, candidate);
	origin_json_add_text(&answer->json, fields, "reason",
			     candidate->reason);
	buf_putc(fields, '}');
}

static void add_all_rejected(struct answer *answer, struct buf *fields)
{
	const struct storage *storage = &answer->storage;
	bool first = true;

	json_key(fields, "rejected");
	buf_putc(fields, '[');
	for (size_t i = 0; i < storage->count; i++) {
		if (&storage->candidates[i] == storage->winner)
			continue;
		if (!first)
			buf_putc(fields, ',');
		first = false;
		add_rejected(answer, fields, &storage->candidates[i]);
	}
	buf_putc(fields, ']');
}

static void reply(struct answer *answer, const struct value *settings)
{
	struct buf *fields = reply_open(answer->out);

	json_key(fields, "storage");
	buf_putc(fields, '{');
	json_add_string(fields, "provider", answer->provider);
	json_key(fields, "settings");
	json_write(fields, settings);
	if (answer->storage.winner)
		add_origin(answer, fields, answer->storage.winner);
	add_all_rejected(answer, fields);
	buf_putc(fields, '}');
	reply_close(answer->out, false);
}

/* What is empty is no secret, and worth knowing: ClearML fails with it. */
static void show_empty(struct answer *answer, struct value *masked,
		       const struct value *settings)
{
	struct member *m;

	for (value_each (settings, m))
		if (value_is(m->value, VALUE_STRING) && !m->value->text.len)
			*value_object_slot(masked, answer->arena,
					   member_key(m)) = m->value;
}

/* Settings are called by their provider: masking knows the keys inside `s3`. */
static const struct value *mask(struct answer *answer)
{
	struct value *settings = answer->storage.settings;
	struct value *tree = value_new(answer->arena, VALUE_OBJECT), *masked;

	hide_extra_args(answer);
	*value_object_slot(tree, answer->arena, str_from(answer->provider)) =
		settings;
	tree = mask_tree(answer->inquiry->secrets, answer->arena, tree);
	masked = value_get(tree, str_from(answer->provider));
	show_empty(answer, masked, settings);
	return masked;
}

static void reply_found(struct answer *answer)
{
	reply(answer, answer->inquiry->masked ? mask(answer)
					      : answer->storage.settings);
}

static void reply_wrong(struct answer *answer)
{
	const struct storage *storage = &answer->storage;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct origin origin = {.source = ""};

	if (storage->wrong)
		origin = origins_find(&answer->origins, storage->wrong);
	if (origin.text)
		(void)diag_at(&diag, origin.text, storage->wrong->offset, "%s",
			      storage->problem);
	else
		(void)diag_set(&diag,
			       *origin.source ? origin.source
					      : "the configuration",
			       "%s", storage->problem);
	reply_broken(answer->out, &diag, answer->inquiry->secrets);
}

static void storage_write(struct out *out,
			  const struct storage_inquiry *inquiry)
{
	struct storage_question question = {
		.root = inquiry->root,
		.env = inquiry->env,
		.env_is_callers = inquiry->env_is_callers,
		.uri = inquiry->uri,
	};
	_cleanup_(answer_deinit) struct answer answer = {
		.inquiry = inquiry,
		.out = out,
		.arena = inquiry->arena,
		.json.secrets = inquiry->masked ? inquiry->secrets : NULL,
	};
	int r = storage_provider_of(question.uri, &question.provider)
			? storage_resolve(&answer.storage, answer.arena,
					  &question)
			: STORAGE_E_URI;

	origins_init(&answer.origins, inquiry->docs);
	answer.provider = storage_provider_name(question.provider);
	if (r == STORAGE_E_NO_MATCH)
		reply_error(out, REPLY_NO_STORAGE_MATCH, question.uri);
	else if (r == STORAGE_E_URI)
		reply_error(out, REPLY_INVALID_PARAMETER, STR("uri"));
	else if (r == STORAGE_E_BROKEN)
		reply_wrong(&answer);
	else
		reply_found(&answer);
}

static void write_resolved(struct out *out, struct environment_call *call,
			   struct resolved *resolved)
{
	const struct storage_inquiry inquiry = {
		.docs = &resolved->docs,
		.root = resolved->root,
		.env = resolved->env,
		.env_is_callers = true,
		.secrets = resolved->secrets,
		.arena = &resolved->arena,
		.uri = call->text,
		.masked = call->masked,
	};

	storage_write(out, &inquiry);
}

static void answer_with_environment(struct request *request, struct str uri,
				    bool masked)
{
	const struct environment_call call = {
		.text = uri,
		.masked = masked,
		.write = write_resolved,
	};

	environment_answer(request, &call);
}

void storage_answer(struct request *request)
{
	struct storage_inquiry inquiry = {
		.docs = &request->view.snapshot->docs,
		.root = request->view.snapshot->root,
		.env = request->view.env,
		.secrets = request->view.secrets,
		.arena = request->scratch,
		.uri = call_string(request->call, "uri"),
	};
	bool reveal;

	if (!request_may_reveal(request, &reveal))
		return;
	inquiry.masked = !reveal;
	if (call_get(request->call, "environment"))
		answer_with_environment(request, inquiry.uri, !reveal);
	else
		storage_write(request->out, &inquiry);
}
