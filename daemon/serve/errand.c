#include "serve/errand.h"

#include <assert.h>

#include "base/env.h"
#include "base/mem.h"
#include "serve/out.h"
#include "serve/peer.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/study.h"
#include "serve/turns.h"
#include "wire.h"

#define GRACE_MAX_S (INT64_C(3650) * 24 * 3600)

/* --- the end ------------------------------------------------------------- */

void errand_finish(struct errand *errand, struct shared *reply)
{
	struct turns *turns = TAKE(errand->turns);

	assert(!errand->reply);
	errand->reply = reply;
	errand->job = NULL;
	if (errand->abandoned)
		errand_free(errand);
	else if (errand->on_finished)
		errand->on_finished(errand);
	if (turns)
		turns_go_on(turns);
}

static void finish(struct errand *errand, struct out *out)
{
	struct shared *reply = out_cut(out, (struct out_mark){0});

	out_deinit(out);
	errand_finish(errand, reply);
}

void errand_succeed(struct errand *errand, struct str object)
{
	struct out out = {0};

	reply_object(&out, object);
	finish(errand, &out);
}

void errand_fail_parameter(struct errand *errand, const char *name)
{
	struct out out = {0};

	reply_error(&out, REPLY_INVALID_PARAMETER, str_from(name));
	finish(errand, &out);
}

void errand_fail_not_ready(struct errand *errand, const char *reason)
{
	struct out out = {0};

	reply_error(&out, REPLY_NOT_READY, str_from(reason));
	finish(errand, &out);
}

void errand_fail_server(struct errand *errand, const struct errand_fault *fault)
{
	struct out out = {0};

	reply_server_error(&out, fault);
	finish(errand, &out);
}

void errand_set_owner(struct errand *errand, void *owner,
		      void (*on_finished)(struct errand *errand))
{
	errand->owner = owner;
	errand->on_finished = on_finished;
}

/* What it tells of a workspace may have become another's business. */
static enum access_right missing_right(const struct errand *errand,
				       const struct peer *peer)
{
	const struct service *service = errand->service;
	unsigned int rights;
	struct view view;

	if (errand->kind == ERRAND_RELOAD ||
	    errand->kind == ERRAND_USE_WORKSPACE ||
	    !service->view(service->data, errand->workspace, &view))
		return 0;
	rights = access_rights(view.access, &peer->user);
	if (!errand->masked && !(rights & ACCESS_SECRETS))
		return ACCESS_SECRETS;
	return rights & (ACCESS_READ | ACCESS_ADMIN | ACCESS_SECRETS)
		       ? 0
		       : ACCESS_READ;
}

void errand_answer(struct errand *errand, const struct peer *peer,
		   struct out *out)
{
	enum access_right missing = missing_right(errand, peer);

	if (errand->silent)
		return;
	if (missing)
		reply_error(out, REPLY_ACCESS_DENIED,
			    str_from(access_right_name(missing)));
	else
		out_add_shared(out, errand->reply);
}

/* The work cannot be stopped; it goes on for nobody. */
static bool abandon(struct errand *errand)
{
	if (!errand->turns || errand->turns->at_work != errand)
		return false;
	errand->abandoned = true;
	errand->owner = NULL;
	errand->on_finished = NULL;
	return true;
}

void errand_free(struct errand *errand)
{
	if (!errand || abandon(errand))
		return;
	if (errand->job)
		errand->service->call_off(errand->service->data, errand);
	list_remove(&errand->link);
	charge_release(&errand->charge);
	study_free(errand->study);
	shared_unref(errand->reply);
	mem_free(errand->workspace);
	mem_free(errand->text);
	mem_free(errand->label);
	env_unref(errand->env);
	buf_deinit(&errand->fields);
	mem_free(errand);
}

/* --- the beginning ------------------------------------------------------- */

/* What it costs its user. */
struct price {
	enum quota_kind kind;
	uint32_t amount;
};

/* NULL when the quota refuses it, which the reply then says. */
static struct errand *errand_for(struct request *request, enum errand_kind kind,
				 struct price price)
{
	struct errand *errand = mem_alloc(sizeof(*errand));

	if (!charge_take(&errand->charge, request->quota,
			 request->peer->user.uid, price.kind, price.amount)) {
		reply_quota_exceeded(request->out, quota_name(price.kind),
				     request->quota->limits[price.kind]);
		mem_free(errand);
		return NULL;
	}
	errand->kind = kind;
	errand->service = request->service;
	errand->workspace = mem_strdup(request->view.workspace);
	errand->masked = !(request->rights & ACCESS_SECRETS);
	errand->peer = request->peer;
	errand->lifetime = -1;
	list_init(&errand->link);
	return errand;
}

static struct errand *errand_new(struct request *request, enum errand_kind kind)
{
	return errand_for(request, kind, (struct price){QUOTA_ERRANDS, 1});
}

/* The request keeps the errand when its answer is to come. */
static void wait_for(struct request *request, struct errand *errand)
{
	if (!errand_is_finished(errand)) {
		request->errand = errand;
		return;
	}
	errand_answer(errand, request->peer, request->out);
	errand_free(errand);
}

static void begin(struct request *request, struct errand *errand)
{
	const struct service *service = request->service;

	service->begin(service->data, errand);
	wait_for(request, errand);
}

static void begin_plain(struct request *request, enum errand_kind kind)
{
	struct errand *errand = errand_new(request, kind);

	if (errand)
		begin(request, errand);
}

static char *copy_string(const struct request *request, const char *parameter)
{
	struct str text = call_string(&request->call, parameter);

	return text.ptr ? mem_strndup(text.ptr, text.len) : NULL;
}

/* About key pairs, each with those of the parameters that its method has. */
static void begin_about_keys(struct request *request, enum errand_kind kind)
{
	int64_t lifetime = call_int(&request->call, "lifetime", 1);
	int64_t grace = call_int(&request->call, "grace", 0);
	struct errand *errand;

	if (lifetime <= 0 || grace < 0 || grace > GRACE_MAX_S) {
		reply_error(request->out, REPLY_INVALID_PARAMETER,
			    lifetime <= 0 ? STR("lifetime") : STR("grace"));
		return;
	}
	errand = errand_new(request, kind);
	if (!errand)
		return;
	errand->text = copy_string(request, "access_key");
	errand->label = copy_string(request, "label");
	errand->lifetime = call_int(&request->call, "lifetime", -1);
	errand->grace = call_int(&request->call, "grace", -1);
	errand->force = call_bool(&request->call, "force", false);
	begin(request, errand);
}

void errand_for_caller(struct request *request, const struct env_call *call)
{
	struct str text = call->text;
	struct errand *errand =
		errand_for(request, call->kind,
			   (struct price){QUOTA_BYTES, (uint32_t)call->size});
	struct buf fields = call->fields;

	if (!errand) {
		env_unref(call->env);
		buf_deinit(&fields);
		return;
	}
	errand->env = call->env;
	errand->masked = call->masked;
	errand->projection = call->projection;
	errand->fields = fields;
	errand->text = mem_strndup(text.ptr ? text.ptr : "", text.len);
	turns_add(request->turns, errand);
	wait_for(request, errand);
}

void errand_study(struct request *request, struct study *study, size_t size,
		  bool masked)
{
	struct errand *errand =
		errand_for(request, ERRAND_STUDY,
			   (struct price){QUOTA_BYTES, (uint32_t)size});

	if (!errand) {
		study_free(study);
		return;
	}
	errand->study = study;
	errand->masked = masked;
	turns_add(request->turns, errand);
	wait_for(request, errand);
}

/* --- methods -------------------------------------------------------------- */

void errand_reload(struct request *request)
{
	begin_plain(request, ERRAND_RELOAD);
}

void errand_prove_credentials(struct request *request)
{
	begin_plain(request, ERRAND_PROVE);
}

void errand_get_profile(struct request *request)
{
	begin_plain(request, ERRAND_PROFILE);
}

void errand_get_workers(struct request *request)
{
	struct errand *errand = errand_new(request, ERRAND_WORKERS);

	if (!errand)
		return;
	errand->text = copy_string(request, "id");
	begin(request, errand);
}

void errand_list_credentials(struct request *request)
{
	begin_plain(request, ERRAND_LIST_CREDENTIALS);
}

void errand_create_credentials(struct request *request)
{
	begin_about_keys(request, ERRAND_CREATE_CREDENTIALS);
}

void errand_edit_credentials(struct request *request)
{
	begin_about_keys(request, ERRAND_EDIT_CREDENTIALS);
}

void errand_rotate_credentials(struct request *request)
{
	begin_about_keys(request, ERRAND_ROTATE_CREDENTIALS);
}

void errand_revoke_credentials(struct request *request)
{
	begin_about_keys(request, ERRAND_REVOKE_CREDENTIALS);
}

void errand_get_token(struct request *request)
{
	struct errand *errand;
	int64_t lifetime = call_int(&request->call, "lifetime", -1);

	if (call_get(&request->call, "lifetime") &&
	    (lifetime < WIRE_TOKEN_LIFE_MIN ||
	     lifetime > WIRE_TOKEN_LIFE_MAX)) {
		reply_error(request->out, REPLY_INVALID_PARAMETER,
			    STR("lifetime"));
		return;
	}
	errand = errand_new(request, ERRAND_TOKEN);
	if (!errand)
		return;
	errand->lifetime = lifetime;
	begin(request, errand);
}

/* `name` is the workspace here; who may switch is decided by the rights of the
 * one that is active. */
void errand_use_workspace(struct request *request)
{
	const struct service *service = request->service;
	struct str name = call_string(&request->call, "name");

	if (strlen(name.ptr) != name.len ||
	    !service->view(service->data, name.ptr, &request->view)) {
		reply_error(request->out, REPLY_UNKNOWN_WORKSPACE, name);
		return;
	}
	begin_plain(request, ERRAND_USE_WORKSPACE);
}
