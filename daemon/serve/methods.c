#include "serve/methods.h"

#include <assert.h>

#include "base/arena.h"
#include "base/mem.h"
#include "serve/arriving.h"
#include "serve/consumer.h"
#include "serve/consumer_list.h"
#include "serve/diff_reply.h"
#include "serve/environment.h"
#include "serve/explain.h"
#include "serve/get.h"
#include "serve/history_reply.h"
#include "serve/introspect.h"
#include "serve/out.h"
#include "serve/peer.h"
#include "serve/pending.h"
#include "serve/quota.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/storage.h"
#include "serve/vault_check.h"
#include "serve/watcher.h"
#include "wire.h"

/* One method, one row. */
/* clang-format off */
#define TAKES(...)       ((const struct parameter[]){__VA_ARGS__, {0}})
#define REQUIRED(n, t)   {n, PARAMETER_##t, false, 0, 0}
#define OPTIONAL(n, t)   {n, PARAMETER_##t, true, 0, 0}
#define WITHIN(n, a, b)  {n, PARAMETER_INT, true, a, b}
#define PATH             OPTIONAL("path", STRING)
#define WORKSPACE        OPTIONAL("workspace", STRING)
#define REVEAL           OPTIONAL("reveal", BOOL)
#define LIFETIME         WITHIN("lifetime", 1, INT64_MAX)
#define GRACE            WITHIN("grace", 0, INT64_C(3650) * 24 * 3600)
#define TOKEN_LIFETIME   WITHIN("lifetime", WIRE_TOKEN_LIFE_MIN, WIRE_TOKEN_LIFE_MAX)

static const struct method service_methods[] = {
	{"GetInfo", NULL, introspect_get_info, 0},
	{"GetInterfaceDescription",
		TAKES(REQUIRED("interface", STRING)),
		introspect_get_description, 0},
	{0},
};

static const struct method clearconf_methods[] = {
	{"Get",
		TAKES(PATH, WORKSPACE, OPTIONAL("environment", VARIABLES),
		      OPTIONAL("mask", BOOL), OPTIONAL("view", VIEW),
		      OPTIONAL("require_vaults", BOOL)),
		get_answer, ACCESS_READ},
	{"Explain",
		TAKES(PATH, WORKSPACE, OPTIONAL("environment", VARIABLES),
		      REVEAL),
		explain_answer, ACCESS_READ},
	{"Watch",
		TAKES(OPTIONAL("paths", STRINGS), WORKSPACE,
		      WITHIN("since", 0, INT64_MAX), OPTIONAL("values", BOOL),
		      REVEAL, OPTIONAL("documents", BOOL),
		      OPTIONAL("states", BOOL)),
		watcher_watch, ACCESS_READ},
	{"GetStatus", NULL, watcher_get_status, ACCESS_READ},
	{"History",
		TAKES(OPTIONAL("limit", INT), WORKSPACE, REVEAL),
		history_reply_answer, ACCESS_READ},
	{"Diff",
		TAKES(WITHIN("old", 0, INT64_MAX), WITHIN("new", 0, INT64_MAX),
		      WORKSPACE, REVEAL),
		diff_reply_answer, ACCESS_READ},
	{"Hold",
		TAKES(REQUIRED("reason", STRING),
		      WITHIN("generation", 0, INT64_MAX),
		      WITHIN("duration", 1, INT64_C(3650) * 24 * 3600),
		      WORKSPACE),
		pending_call_service, ACCESS_ADMIN},
	{"Release", TAKES(WORKSPACE), pending_call_service, ACCESS_ADMIN},
	{"Reload", NULL, pending_reload, ACCESS_ADMIN, true},
	{"ListWorkspaces", NULL, get_list_workspaces, ACCESS_READ},
	{"UseWorkspace", TAKES(REQUIRED("name", STRING)), pending_use_workspace,
		ACCESS_ADMIN, true},
	{"ProveCredentials", TAKES(WORKSPACE), pending_call_service,
		ACCESS_READ},
	{"GetToken",
		TAKES(WORKSPACE, TOKEN_LIFETIME),
		pending_call_service, ACCESS_SECRETS},
	{"GetProfile", TAKES(WORKSPACE), pending_ask_server, ACCESS_READ},
	{"GetWorkers", TAKES(OPTIONAL("id", STRING), WORKSPACE), pending_ask_server,
		ACCESS_READ},
	{"CheckVault",
		TAKES(REQUIRED("text", STRING), OPTIONAL("format", STRING),
		      OPTIONAL("replaces", STRING), WORKSPACE, REVEAL),
		vault_check_answer, ACCESS_SECRETS},
	{"GetArrivals", TAKES(WORKSPACE, REVEAL), arriving_answer, ACCESS_READ},
	{"TakeArrivals",
		TAKES(OPTIONAL("revision", STRING), WORKSPACE),
		pending_call_service, ACCESS_ADMIN},
	{"SkipArrivals",
		TAKES(OPTIONAL("revision", STRING), WORKSPACE),
		pending_call_service, ACCESS_ADMIN},
	{"ReportConsumer",
		TAKES(REQUIRED("how", STRING), OPTIONAL("command", STRING),
		      WITHIN("generation", 0, INT64_MAX), WITHIN("child", 0, INT32_MAX),
		      WITHIN("child_generation", 0, INT64_MAX), WITHIN("pending_since", 0, INT64_MAX),
		      OPTIONAL("waiting_for", STRING), OPTIONAL("bad", STRING),
		      OPTIONAL("bad_reason", STRING), WORKSPACE),
		consumer_report, ACCESS_READ},
	{"ListConsumers", NULL, consumer_list_answer, 0},
	{"ListCredentials", TAKES(WORKSPACE), pending_ask_server,
		ACCESS_READ},
	{"CreateCredentials",
		TAKES(OPTIONAL("label", STRING), LIFETIME,
		      WORKSPACE),
		pending_call_service, ACCESS_ADMIN | ACCESS_SECRETS},
	{"EditCredentials",
		TAKES(REQUIRED("access_key", STRING), OPTIONAL("label", STRING),
		      WORKSPACE),
		pending_call_service, ACCESS_ADMIN},
	{"RotateCredentials",
		TAKES(GRACE, LIFETIME, WORKSPACE),
		pending_call_service, ACCESS_ADMIN | ACCESS_SECRETS},
	{"RevokeCredentials",
		TAKES(REQUIRED("access_key", STRING), OPTIONAL("force", BOOL),
		      WORKSPACE),
		pending_call_service, ACCESS_ADMIN},
	{"ResolveStorage",
		TAKES(REQUIRED("uri", STRING), WORKSPACE, REVEAL,
		      OPTIONAL("environment", VARIABLES)),
		storage_answer, ACCESS_READ},
	{0},
};

const struct interface methods_interfaces[] = {
	{"org.varlink.service", introspect_service_text, service_methods, true},
	{"io.clearconf", introspect_clearconf_text, clearconf_methods, false},
	{0},
};
/* clang-format on */

static const struct interface *find_interface(struct str name)
{
	const struct interface *interface = methods_interfaces;

	while (interface->name && !str_is(name, interface->name))
		interface++;
	return interface->name ? interface : NULL;
}

static const struct method *find_method(const struct interface *interface,
					struct str name)
{
	const struct method *method = interface->methods;

	while (method->name && !str_is(name, method->name))
		method++;
	return method->name ? method : NULL;
}

static bool refuse(struct request *request, enum reply_error error,
		   struct str name)
{
	reply_error(request->out, error, name);
	return false;
}

static bool refuse_parameter(struct request *request, const char *name)
{
	return refuse(request, REPLY_INVALID_PARAMETER, str_from(name));
}

/* The workspace that the call names, if it names one that exists, or else the
 * caller's; false when the named one does not exist. What concerns all is
 * decided by who may what in the active one. */
static bool find_view(struct request *request)
{
	const struct service *service = request->service;
	const struct method *method = request->call->row;
	struct str name = call_string(request->call, "workspace");
	bool active;

	/* No workspace has a name that holds a NUL. */
	if (name.ptr && strlen(name.ptr) == name.len &&
	    service->view(service->data, name.ptr, &request->view))
		return true;
	if (!method || !method->of_all) {
		service->own_view(service->data, request->peer, &request->view);
		return !name.ptr;
	}
	active = service->view(service->data, NULL, &request->view);
	assert(active);
	return !name.ptr;
}

static bool check_rights(struct request *request, unsigned int needed)
{
	unsigned int missing;

	request->rights =
		access_rights(request->view.access, &request->peer->user);
	missing = needed & ~request->rights;
	if (!missing)
		return true;
	return refuse(request, REPLY_ACCESS_DENIED,
		      str_from(access_right_name(missing & -missing)));
}

/* A peer that may not read must not learn what exists, so rights are checked
 * first. */
static bool check(struct request *request)
{
	const struct call *call = request->call;
	bool known = find_view(request);

	if (!check_rights(request, call->interface->open ? 0
				   : call->row           ? call->row->rights
							 : ACCESS_READ))
		return false;
	if (!call->row)
		return refuse(request, REPLY_METHOD_NOT_FOUND, call->method);
	if (call->wrong)
		return refuse_parameter(request, call->wrong);
	if (!known)
		return refuse(request, REPLY_UNKNOWN_WORKSPACE,
			      call_string(request->call, "workspace"));
	if (call->out_of_range)
		return refuse_parameter(request, call->out_of_range->name);
	return true;
}

/* The length of the interface's name, which the method's follows; 0: there is
 * none. */
static size_t prefix_len(struct str name)
{
	const char *dot = memrchr(name.ptr, '.', name.len);

	return dot ? (size_t)(dot - name.ptr) : 0;
}

/* Whose row it is, and whether the parameters are those of the row. */
static void look_up(struct call *call)
{
	size_t len = prefix_len(call->method);

	call->interface = find_interface((struct str){call->method.ptr, len});
	if (!call->interface)
		return;
	call->row = find_method(call->interface,
				str_from_offset(call->method, len + 1));
	if (call->row)
		call->wrong = call_check(call, call->row->parameters);
}

static void dispatch(struct request *request)
{
	struct str name = request->call->method;

	if (request->call->interface) {
		if (check(request))
			request->call->row->answer(request);
	} else if (!memchr(name.ptr, '.', name.len)) {
		refuse_parameter(request, "method");
	} else {
		refuse(request, REPLY_INTERFACE_NOT_FOUND,
		       (struct str){name.ptr, prefix_len(name)});
	}
}

static void answer(struct request *request)
{
	dispatch(request);
	if (!request->call->oneway)
		return;
	out_rewind(request->out, request->before);
	watcher_free(TAKE(request->watcher));
	if (request->pending)
		request->pending->silent = true;
}

static void refuse_too_much(struct request *request, const char *about)
{
	if (about)
		reply_quota_exceeded(request->out, about, ENVIRONMENT_LIMIT);
	else
		refuse_parameter(request, "message");
}

/* A long call will be refused for its environment: it need not be parsed. */
static bool is_one_too_many(const struct request *request, struct str message)
{
	static const char name[] = "\"environment\"";

	return message.len > CALL_LONG &&
	       quota_has_called_enough(request->quota, request->peer->user.uid,
				       request->now) &&
	       memmem(message.ptr, message.len, name, sizeof(name) - 1);
}

void methods_answer(struct request *request, struct str message)
{
	const char *wrong;

	request->before = out_mark(request->out);
	if (is_one_too_many(request, message)) {
		reply_quota_exceeded(request->out, "environment_calls",
				     request->quota->rates[RATE_ENVIRONMENT]);
		return;
	}

	if (call_is_too_much(message, &wrong)) {
		refuse_too_much(request, wrong);
		return;
	}
	request->call = &request->memo->call;
	wrong = call_memo_read(request->memo, message, look_up);
	if (wrong)
		refuse_parameter(request, wrong);
	else
		answer(request);
	call_memo_release(request->memo);
	arena_reset(request->scratch);
}
