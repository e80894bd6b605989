#include "serve/storage.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/mem.h"
#include "config/access.h"
#include "config/mask.h"
#include "config/place.h"
#include "config/resolver.h"
#include "config/snapshot.h"
#include "config/storage.h"
#include "serve/environment.h"
#include "serve/get.h"
#include "serve/out.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "value/json.h"
#include "value/value.h"

/* What is asked, of what. */
struct storage_inquiry {
	const struct stack_docs *docs; /* that @root was merged of */
	const struct value *root;
	const struct env *env;
	bool env_is_callers;
	const struct secrets *secrets;
	struct arena *arena; /* of what is made on the way */
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
};

static void set(struct answer *answer, struct value *object, const char *key,
		struct value *value)
{
	*value_object_slot(object, answer->arena, str_from(key)) = value;
}

static void set_text(struct answer *answer, struct value *object,
		     const char *key, const char *text)
{
	set(answer, object, key,
	    value_new_string(answer->arena,
			     arena_str(answer->arena, str_from(text))));
}

static void set_number(struct answer *answer, struct value *object,
		       const char *key, long number)
{
	struct value *value = value_new(answer->arena, VALUE_INT);
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%ld", number);
	value_set_int(value, answer->arena,
		      arena_str(answer->arena, str_from(digits)));
	set(answer, object, key, value);
}

/* --- origins ---------------------------------------------------------------
 */

static void set_place(struct answer *answer, struct value *origin,
		      const struct place *place)
{
	struct pos pos;

	if (!place->source)
		return;
	pos = source_pos(place->source, place->offset);
	set_text(answer, origin, "source", place->source->name);
	set_number(answer, origin, "line", pos.line);
	set_number(answer, origin, "column", pos.column);
}

/* Where an entry stands. The one that no text has is made of variables. */
static struct value *origin_of(struct answer *answer,
			       const struct storage_candidate *candidate)
{
	const struct stack_docs *docs = answer->inquiry->docs;
	struct value *origin = value_new(answer->arena, VALUE_OBJECT);
	struct place place = {.kind = LAYER_ENV_NAMED};

	if (candidate->entry)
		(void)place_find(&place, docs, candidate->entry);
	set_text(answer, origin, "layer", layer_traits[place.kind].name);
	set_text(answer, origin, "source", STORAGE_AZURE_ACCOUNT);
	set_place(answer, origin, &place);
	return origin;
}

/* --- the answer ------------------------------------------------------------
 */

static struct value *rejected_of(struct answer *answer,
				 const struct storage_candidate *candidate)
{
	struct value *rejected = value_new(answer->arena, VALUE_OBJECT);

	if (candidate->index >= 0)
		set_number(answer, rejected, "index", candidate->index);
	set(answer, rejected, "origin", origin_of(answer, candidate));
	set_text(answer, rejected, "reason", candidate->reason);
	return rejected;
}

static struct value *all_rejected(struct answer *answer)
{
	const struct storage *storage = &answer->storage;
	struct value *list = value_new(answer->arena, VALUE_LIST);

	for (size_t i = 0; i < storage->count; i++)
		if (&storage->candidates[i] != storage->winner)
			value_list_add(
				list, answer->arena,
				rejected_of(answer, &storage->candidates[i]));
	return list;
}

/* Settings are called by their provider: masking knows the keys inside `s3`. */
static struct value *make_tree(struct answer *answer)
{
	const struct storage *storage = &answer->storage;
	struct value *tree = value_new(answer->arena, VALUE_OBJECT);

	set(answer, tree, answer->provider, storage->settings);
	if (storage->winner)
		set(answer, tree, "origin", origin_of(answer, storage->winner));
	set(answer, tree, "rejected", all_rejected(answer));
	return tree;
}

/* ClearML hands extra_args on as they are, encryption keys among them, by names
 * that no pattern knows. */
static void hide_extra_args(struct answer *answer)
{
	struct value *settings = answer->storage.settings;
	const struct value *extra = value_get(settings, STR("extra_args"));

	if (extra && extra->type != VALUE_NULL)
		set_text(answer, settings, "extra_args", SECRET_MASK);
}

static void write_member(struct buf *fields, const struct value *tree,
			 const char *name, const char *key)
{
	const struct value *value = value_get(tree, str_from(name));

	if (!value)
		return;
	json_key(fields, key);
	json_write(fields, value);
}

static void reply(struct answer *answer, const struct value *tree)
{
	struct buf *fields = reply_open(answer->out);

	json_key(fields, "storage");
	buf_putc(fields, '{');
	json_add_string(fields, "provider", answer->provider);
	write_member(fields, tree, answer->provider, "settings");
	write_member(fields, tree, "origin", "origin");
	write_member(fields, tree, "rejected", "rejected");
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

static struct value *mask(struct answer *answer, struct value *tree)
{
	struct value *masked =
		mask_tree(answer->inquiry->secrets, answer->arena, tree);
	struct str provider = str_from(answer->provider);

	show_empty(answer, value_get(masked, provider),
		   value_get(tree, provider));
	return masked;
}

static void reply_found(struct answer *answer)
{
	bool masked = answer->inquiry->masked;
	struct value *tree;

	if (masked)
		hide_extra_args(answer);
	tree = make_tree(answer);
	reply(answer, masked ? mask(answer, tree) : tree);
}

static void reply_wrong(struct answer *answer)
{
	const struct storage *storage = &answer->storage;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct place place = {0};

	if (storage->wrong)
		(void)place_find(&place, answer->inquiry->docs, storage->wrong);
	if (place.source)
		(void)diag_at(&diag, place.source, place.offset, "%s",
			      storage->problem);
	else
		(void)diag_set(&diag, "the configuration", "%s",
			       storage->problem);
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
	struct answer answer = {
		.inquiry = inquiry,
		.out = out,
		.arena = inquiry->arena,
	};
	int r = storage_provider_of(question.uri, &question.provider)
			? storage_resolve(&answer.storage, answer.arena,
					  &question)
			: STORAGE_E_URI;

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
	bool reveal = call_bool(&request->call, "reveal", false);
	const struct storage_inquiry inquiry = {
		.docs = &request->view.snapshot->docs,
		.root = request->view.snapshot->root,
		.env = request->view.env,
		.secrets = request->view.secrets,
		.arena = request->scratch,
		.uri = call_string(&request->call, "uri"),
		.masked = !reveal,
	};

	if (reveal && !(request->rights & ACCESS_SECRETS))
		reply_error(request->out, REPLY_ACCESS_DENIED, STR("secrets"));
	else if (call_get(&request->call, "environment"))
		answer_with_environment(request, inquiry.uri, !reveal);
	else
		storage_write(request->out, &inquiry);
}
