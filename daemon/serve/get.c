#include "serve/get.h"

#include <string.h>

#include "base/mem.h"
#include "config/mask.h"
#include "config/resolver.h"
#include "config/snapshot.h"
#include "serve/consumer.h"
#include "serve/environment.h"
#include "serve/out.h"
#include "serve/peer.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

/* What a Get asks for besides the path. */
struct get {
	enum projection projection;
	bool masked;
};

void get_add_state(struct buf *fields, const struct view *view)
{
	json_add_int(fields, "generation",
		     (long long)view->snapshot->generation);
	json_add_string(fields, "state", view->state);
	json_add_optional_int(fields, "stale", view->stale);
}

static bool is_hidden_key(const struct secrets *mask, struct str key)
{
	_cleanup_(buf_deinit) struct buf shown = BUF_INIT;

	return mask_into(mask, key, &shown);
}

/* Not out of the masked form of the whole snapshot, which would be made for
 * what is asked about a part of it, and which other threads must not touch. */
const struct value *get_visible(struct snapshot *snapshot,
				const struct path *path,
				const struct secrets *mask, struct arena *arena)
{
	if (!mask)
		return path_find(snapshot->root, path);
	for (size_t i = 0; i < path->count; i++)
		if (is_hidden_key(mask, path->items[i]))
			return NULL;
	return mask_at(mask, arena, snapshot->root, path);
}

void get_write_visible(struct buf *out, const struct value *visible)
{
	if (visible)
		json_write(out, visible);
	else
		json_write_string(out, STR(SECRET_MASK));
}

static const char *vaults_lack(const struct request *request, bool *expected)
{
	const struct service *service = request->service;

	return service->vaults_lack(service->data, request->view.workspace,
				    expected);
}

static void add_lack(struct buf *fields, const struct request *request)
{
	_cleanup_(mem_freep) char *shown = NULL;
	const char *lack;
	bool expected;

	lack = vaults_lack(request, &expected);
	if (!lack || !expected)
		return;
	shown = mask_text(request->view.secrets, lack);
	json_add_string(fields, "without_vaults", shown);
}

static struct buf *write_head(struct request *request, bool masked)
{
	struct buf *fields = reply_open(request->out);

	get_add_state(fields, &request->view);
	add_lack(fields, request);
	json_add_bool(fields, "masked", masked);
	json_key(fields, "value");
	return fields;
}

static void make_head(struct request *request, struct rendition *rendition)
{
	struct buf *bytes = write_head(request, rendition->masked);

	rendition->head = arena_str(
		&rendition->arena,
		str_from_offset(buf_str(bytes), request->before.bytes));
	out_rewind(request->out, request->before);
}

/* What every reply about a rendition begins with, as long as its workspace is
 * well; else empty. */
static struct str ready_head(struct request *request,
			     struct rendition *rendition)
{
	const struct view *view = &request->view;

	if (view->stale >= 0 || strcmp(view->state, "ready") != 0)
		return (struct str){0};
	if (!rendition->head.len)
		make_head(request, rendition);
	return rendition->head;
}

static struct str make_reply(struct request *request,
			     struct rendition *rendition)
{
	struct str reply;

	reply_close(request->out, false);
	reply = rendition_make_reply(
		rendition, rendition->head,
		str_from_offset(buf_str(&request->out->bytes),
				request->before.bytes));
	out_rewind(request->out, request->before);
	return reply;
}

/* While a workspace is well its whole reply, envelope included, lies ready. */
static struct str finished(struct request *request, struct rendition *rendition)
{
	if (!ready_head(request, rendition).len)
		return (struct str){0};
	return rendition->reply.len ? rendition->reply
				    : make_reply(request, rendition);
}

static void reply_whole(struct request *request, struct rendition *rendition)
{
	if (finished(request, rendition).len) {
		out_add_reply(request->out, rendition);
		return;
	}
	write_head(request, rendition->masked);
	out_add_tree(request->out, rendition);
	reply_close(request->out, false);
}

static struct buf *open_part(struct request *request,
			     struct rendition *rendition)
{
	struct str head = ready_head(request, rendition);

	return head.len ? reply_reopen(request->out, head)
			: write_head(request, rendition->masked);
}

static void reply_part(struct request *request, struct rendition *rendition,
		       const struct value *visible)
{
	get_write_visible(open_part(request, rendition), visible);
	reply_close(request->out, false);
}

/* @found: what the snapshot has at @path. */
static void reply(struct request *request, const struct path *path,
		  const struct value *found, bool masked)
{
	const struct view *view = &request->view;
	struct rendition *shown = snapshot_rendition(
		view->snapshot, masked ? view->secrets : NULL);

	consumer_hold(request->consumer, HELD_BY_GET, view);
	if (!path->count)
		reply_whole(request, shown);
	else
		reply_part(request, shown,
			   masked ? path_find(shown->root, path) : found);
}

/* False when there is nothing that programs may be given, which the reply then
 * says. */
static bool project(struct request *request, enum projection projection)
{
	const struct service *service = request->service;
	struct view *view = &request->view;
	const struct diag *broken;

	view->snapshot = service->project(service->data, view->workspace,
					  projection, &broken);
	if (!view->snapshot)
		reply_broken(request->out, broken, view->secrets);
	return view->snapshot;
}

static void answer(struct request *request, const struct get *get)
{
	struct str text = call_string(request->call, "path");
	struct view *view = &request->view;
	const struct value *found;
	struct path_error error;
	struct path path;

	if (get->projection != PROJECTION_SERVED &&
	    !project(request, get->projection))
		return;
	if (!path_parse(&path, request->scratch, text, &error)) {
		reply_invalid_path(request->out, text, &error);
		return;
	}
	found = path_find(view->snapshot->root, &path);
	if (found)
		reply(request, &path, found, get->masked);
	else
		reply_error(request->out, REPLY_PATH_NOT_FOUND, text);
}

/* --- with an environment of the caller's --------------------------------- */

void get_add_left_out(struct buf *fields, const struct stack_docs *docs,
		      const struct secrets *secrets)
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
		shown = mask_text(secrets, why);
		json_write_string(fields, str_from(shown));
		comma = ",";
	}
	if (comma)
		buf_putc(fields, ']');
}

static void write_resolved_at(struct out *out, struct environment_call *call,
			      struct resolved *resolved,
			      const struct path *path)
{
	struct buf *fields = reply_open(out);

	buf_add_str(fields, buf_str(&call->fields));
	json_write(fields,
		   call->masked ? mask_at(resolved->secrets, &resolved->arena,
					  resolved->root, path)
				: path_find(resolved->root, path));
	get_add_left_out(fields, &resolved->docs, resolved->secrets);
	if (fields->len <= call->limit) {
		reply_close(out, false);
		return;
	}
	out_clear(out); /* escaping has made it too long */
	environment_refuse_size(out, call);
}

static void write_resolved(struct out *out, struct environment_call *call,
			   struct resolved *resolved)
{
	const struct value *value;
	size_t left = call->limit;
	struct path_error error;
	struct path path;

	if (!path_parse(&path, &resolved->arena, call->text, &error)) {
		reply_invalid_path(out, call->text, &error);
		return;
	}
	value = path_find(resolved->root, &path);
	if (!value)
		reply_error(out, REPLY_PATH_NOT_FOUND, call->text);
	else if (!json_fits(value, &left))
		environment_refuse_size(out, call);
	else
		write_resolved_at(out, call, resolved, &path);
}

static void answer_with_environment(struct request *request,
				    const struct get *get)
{
	struct environment_call call = {
		.text = call_string(request->call, "path"),
		.masked = get->masked,
		.projection = get->projection,
		.write = write_resolved,
	};

	get_add_state(&call.fields, &request->view);
	add_lack(&call.fields, request);
	json_add_bool(&call.fields, "masked", get->masked);
	json_key(&call.fields, "value");
	consumer_hold(request->consumer, HELD_BY_GET, &request->view);
	environment_answer(request, &call);
}

static void refuse_without_vaults(struct request *request, const char *lack)
{
	_cleanup_(mem_freep) char *shown =
		mask_text(request->view.secrets, lack);
	_cleanup_(mem_freep) char *reason =
		mem_printf("the vaults are not in: %s", shown);

	reply_error(request->out, REPLY_NOT_READY, str_from(reason));
}

/* Why the vaults are not in that the caller insists on; NULL: go on. */
static const char *missing_vaults(const struct request *request)
{
	bool expected;

	return call_bool(request->call, "require_vaults", false)
		       ? vaults_lack(request, &expected)
		       : NULL;
}

void get_answer(struct request *request)
{
	const struct call *call = request->call;
	bool allowed = request->rights & ACCESS_SECRETS;
	struct get get = {
		.masked = call_bool(call, "mask", !allowed),
	};

	(void)projection_from_name(call_string(call, "view"), &get.projection);
	if (!get.masked && !allowed)
		reply_error(request->out, REPLY_ACCESS_DENIED, STR("secrets"));
	else if (missing_vaults(request))
		refuse_without_vaults(request, missing_vaults(request));
	else if (call_get(call, "environment"))
		answer_with_environment(request, &get);
	else
		answer(request, &get);
}

void get_list_workspaces(struct request *request)
{
	const struct service *service = request->service;

	service->workspaces(service->data,
			    service->clearance(service->data, request->peer),
			    request->view.own, reply_open(request->out));
	reply_close(request->out, false);
}
