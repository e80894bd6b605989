#include "serve/pending.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "serve/methods.h"
#include "serve/out.h"
#include "serve/peer.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/service.h"

/* --- the reply ------------------------------------------------------------ */

void pending_reply(struct pending *pending, struct shared *reply)
{
	assert(!pending->reply);
	pending->reply = reply;
	pending->work = NULL;
	if (pending->on_reply)
		pending->on_reply(pending);
}

static void reply_with(struct pending *pending, struct out *out)
{
	struct shared *reply = out_cut(out, (struct out_mark){0});

	out_deinit(out);
	pending_reply(pending, reply);
}

void pending_succeed(struct pending *pending, struct str object)
{
	struct out out = {0};

	reply_object(&out, object);
	reply_with(pending, &out);
}

static void fail(struct pending *pending, enum reply_error error,
		 const char *name)
{
	struct out out = {0};

	reply_error(&out, error, str_from(name));
	reply_with(pending, &out);
}

void pending_fail_parameter(struct pending *pending, const char *name)
{
	fail(pending, REPLY_INVALID_PARAMETER, name);
}

void pending_fail_not_ready(struct pending *pending, const char *reason)
{
	fail(pending, REPLY_NOT_READY, reason);
}

void pending_fail_generation(struct pending *pending, uint64_t generation,
			     uint64_t oldest)
{
	struct out out = {0};

	reply_unknown_generation(&out, generation, oldest);
	reply_with(pending, &out);
}

void pending_fail_server(struct pending *pending,
			 const struct pending_fault *fault)
{
	struct out out = {0};

	reply_server_error(&out, fault);
	reply_with(pending, &out);
}

void pending_set_owner(struct pending *pending, void *owner,
		       void (*on_reply)(struct pending *pending))
{
	pending->owner = owner;
	pending->on_reply = on_reply;
}

/* Who may read the workspace may have changed since the call. */
static enum access_right missing_right(const struct pending *pending,
				       const struct peer *peer)
{
	const struct service *service = pending->service;
	unsigned int rights;
	struct view view;

	if (pending->of_all ||
	    !service->view(service->data, pending->workspace, &view))
		return 0;
	rights = access_rights(view.access, &peer->user);
	if (!pending->masked && !(rights & ACCESS_SECRETS))
		return ACCESS_SECRETS;
	return rights & (ACCESS_READ | ACCESS_ADMIN | ACCESS_SECRETS)
		       ? 0
		       : ACCESS_READ;
}

void pending_write(struct pending *pending, const struct peer *peer,
		   struct out *out)
{
	enum access_right missing = missing_right(pending, peer);

	if (pending->silent)
		return;
	if (missing)
		reply_error(out, REPLY_ACCESS_DENIED,
			    str_from(access_right_name(missing)));
	else
		out_add_shared(out, pending->reply);
}

void pending_free(struct pending *pending)
{
	if (!pending)
		return;
	if (pending->work)
		pending->cancel(pending);
	list_remove(&pending->link);
	charge_release(&pending->charge);
	shared_unref(pending->reply);
	call_deinit(&pending->call);
	mem_free(pending->workspace);
	mem_free(pending);
}

/* --- for methods ---------------------------------------------------------- */

struct pending *pending_new(struct request *request, enum quota_kind kind,
			    uint32_t amount)
{
	struct pending *pending = mem_alloc(sizeof(*pending));

	if (!request_charge(request, &pending->charge, kind, amount)) {
		mem_free(pending);
		return NULL;
	}
	pending->service = request->service;
	pending->workspace = mem_strdup(request->view.workspace);
	pending->masked = !(request->rights & ACCESS_SECRETS);
	pending->peer = request->peer;
	list_init(&pending->link);
	return pending;
}

void pending_wait(struct request *request, struct pending *pending)
{
	if (!pending_has_reply(pending)) {
		request->pending = pending;
		return;
	}
	pending_write(pending, request->peer, request->out);
	pending_free(pending);
}

static void call_service(struct request *request, bool of_all)
{
	const struct service *service = request->service;
	struct pending *pending = pending_new(request, QUOTA_CALLS, 1);

	if (!pending)
		return;
	pending->method = request->call->row->name;
	pending->call = call_ref(request->call);
	pending->of_all = of_all;
	service->begin(service->data, pending);
	pending_wait(request, pending);
}

void pending_call_service(struct request *request)
{
	call_service(request, false);
}

/* Each such call makes one request to the server, or three. A peer with the
 * right `admin` is not limited, for other methods let it make as many. */
void pending_ask_server(struct request *request)
{
	if ((request->rights & ACCESS_ADMIN) ||
	    request_count(request, RATE_SERVER,
			  "calls to the ClearML server in a minute"))
		call_service(request, false);
}

void pending_reload(struct request *request)
{
	call_service(request, true);
}

/* `name` is the workspace here; who may switch is decided by the rights of the
 * one that is active. */
void pending_use_workspace(struct request *request)
{
	const struct service *service = request->service;
	struct str name = call_string(request->call, "name");

	if (strlen(name.ptr) == name.len &&
	    service->view(service->data, name.ptr, &request->view))
		call_service(request, true);
	else
		reply_error(request->out, REPLY_UNKNOWN_WORKSPACE, name);
}
