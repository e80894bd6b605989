#include "serve/watcher.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/history.h"
#include "config/snapshot.h"
#include "serve/consumer.h"
#include "serve/filter.h"
#include "serve/holding.h"
#include "serve/notice_job.h"
#include "serve/offload.h"
#include "serve/out.h"
#include "serve/peer.h"
#include "serve/pending.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "value/json.h"

/* Trees that are compared at once, in bytes of both. */
#define COMPARED_AT_ONCE ((size_t)64 * 1024)

struct watcher {
	struct list link;
	struct watchers *watchers;
	void *owner;
	struct consumer *consumer; /* the connection's */
	struct charge charge;
	struct filter *filter;   /* NULL: everything */
	char *workspace;         /* that was asked for; NULL: the peer's */
	uint64_t told;           /* generation, or serial of the status */
	uint64_t told_number;    /* of that generation among its workspace's */
	uint64_t told_edition;   /* of its snapshot */
	const char *told_state;  /* static; NULL: not watched */
	uint64_t told_held;      /* see struct view */
	struct pending *pending; /* of the first notice; NULL: it has come */

	uint8_t kind; /* enum watcher_kind */
	bool masked : 1;
	/* Each was asked for. */
	bool more : 1, values : 1, since : 1, documents : 1;
	bool answered : 1;    /* one reply at least */
	bool prepared : 1;    /* `pending` leads to `told` */
	bool asked_early : 1; /* changes came before it */
	bool astray : 1;      /* of which workspace `told` is, is not known */
};

void watchers_init(struct watchers *watchers, const struct service *service)
{
	*watchers = (struct watchers){.service = service};
	for (int kind = 0; kind < WATCHER_KINDS; kind++)
		list_init(&watchers->clean[kind]);
	list_init(&watchers->dirty);
	list_init(&watchers->filters);
}

static void forget_status(struct watchers *watchers)
{
	watchers->status = shared_unref(watchers->status);
}

void watchers_deinit(struct watchers *watchers)
{
	notices_clear(&watchers->notices);
	forget_status(watchers);
}

void watchers_mark(struct watchers *watchers, enum watcher_kind kind)
{
	list_splice(&watchers->dirty, &watchers->clean[kind]);
	list_splice(&watchers->dirty, &watchers->clean[WATCHER_BOTH]);
	notices_clear(&watchers->notices);
	if (kind == WATCHER_STATUS) {
		watchers->status_serial++;
		forget_status(watchers);
	}
}

void *watchers_next(struct watchers *watchers)
{
	struct watcher *watcher;

	if (list_is_empty(&watchers->dirty)) {
		notices_clear(&watchers->notices);
		forget_status(watchers);
		return NULL;
	}
	watcher = CONTAINER_OF(watchers->dirty.next, struct watcher, link);
	list_remove(&watcher->link);
	return watcher->owner;
}

void *watchers_peek(const struct watchers *watchers)
{
	const struct list *next = watchers->dirty.next;

	if (next == &watchers->dirty)
		return NULL;
	__builtin_prefetch(next->next); /* the one after it, in its turn */
	return CONTAINER_OF(next, struct watcher, link)->owner;
}

void watcher_set_owner(struct watcher *watcher, void *owner)
{
	watcher->owner = owner;
}

static void move_to(struct watcher *watcher, struct list *list)
{
	list_remove(&watcher->link);
	list_add(list, &watcher->link);
}

void watcher_settle(struct watcher *watcher)
{
	struct watchers *watchers = watcher->watchers;
	bool again = watcher->asked_early && !watcher->pending;

	move_to(watcher,
		again ? &watchers->dirty : &watchers->clean[watcher->kind]);
	watcher->asked_early &= !again;
}

void watcher_wake(struct watcher *watcher)
{
	move_to(watcher, &watcher->watchers->dirty);
}

/* The watcher of @request, charged to its peer; NULL when the quota refuses,
 * which the reply then says. */
static struct watcher *watcher_new(struct request *request,
				   enum watcher_kind kind)
{
	struct watcher *watcher = mem_alloc(sizeof(*watcher));

	if (!request_charge(request, &watcher->charge, QUOTA_WATCHERS, 1)) {
		mem_free(watcher);
		return NULL;
	}
	list_init(&watcher->link);
	watcher->watchers = request->watchers;
	watcher->watchers->count++;
	watcher->consumer = request->consumer;
	watcher->kind = (uint8_t)kind;
	watcher->more = request->call->more;
	return watcher;
}

void watcher_free(struct watcher *watcher)
{
	if (!watcher)
		return;
	list_remove(&watcher->link);
	watcher->watchers->count--;
	pending_free(watcher->pending);
	charge_release(&watcher->charge);
	filter_unref(watcher->filter);
	mem_free(watcher->workspace);
	mem_free(watcher);
}

/* The workspace that `told` is of; NULL: it is not known. */
static const char *told_of(const struct watcher *watcher)
{
	return watcher->astray || !watcher->consumer->holding
		       ? NULL
		       : watcher->consumer->holding->workspace;
}

static bool is_told_of(const struct watcher *watcher, const struct view *view)
{
	const char *name = told_of(watcher);

	return name && !strcmp(name, view->workspace);
}

/* Remember that what @view holds is known. */
static void set_told(struct watcher *watcher, const struct view *view)
{
	consumer_hold(watcher->consumer, HELD_BY_WATCH, view);
	watcher->astray = false;
	watcher->told = view->snapshot->generation;
	watcher->told_number = view->history->added;
	watcher->told_edition = view->snapshot->edition;
	watcher->told_state = view->state;
	watcher->told_held = view->held;
}

static uint64_t count_newer(const struct history *history, uint64_t told)
{
	struct snapshot *snapshot;
	size_t newer = 0;

	while ((snapshot = history_get(history, newer)) &&
	       snapshot->generation > told)
		newer++;
	return newer;
}

/* Generations of @history after the one that was told and before the current:
 * those that this answer merges away. Of one told by an earlier daemon, or from
 * another history, as many as this one remembers. */
static uint64_t count_skipped(const struct watcher *watcher,
			      const struct history *history)
{
	uint64_t newer;

	if (watcher->answered && watcher->told_number < history->added)
		newer = history->added - watcher->told_number;
	else
		newer = count_newer(history, watcher->told);
	return newer ? newer - 1 : 0;
}

/* Where the watcher stands. After a switch of the active workspace that is in
 * the history of another one. */
static void find_base(const struct watcher *watcher, struct notice_step *step)
{
	const struct service *service = watcher->watchers->service;
	const char *name = told_of(watcher);
	struct view other;

	if (is_told_of(watcher, step->view)) {
		step->base = history_at(step->view->history, watcher->told);
		step->skipped = count_skipped(watcher, step->view->history);
	} else if (name && service->view(service->data, name, &other)) {
		step->base = history_at(other.history, watcher->told);
	}
}

/* Notices are shared among those who are told in the same round, which a
 * watcher that has no owner yet is not. */
static struct notices *notices_for(const struct watcher *watcher)
{
	return watcher->owner ? &watcher->watchers->notices : NULL;
}

/* Have only documents changed, or they as well? */
static bool has_another_edition(const struct watcher *watcher,
				const struct view *view)
{
	return watcher->documents &&
	       watcher->told_edition != view->snapshot->edition;
}

static bool wants_states(const struct watcher *watcher)
{
	return watcher->kind == WATCHER_BOTH;
}

static bool has_another_state(const struct watcher *watcher,
			      const struct view *view)
{
	return wants_states(watcher) && (watcher->told_state != view->state ||
					 watcher->told_held != view->held);
}

/* Is there something to tell that is no change of values? */
static bool has_news(const struct watcher *watcher, const struct view *view)
{
	return has_another_edition(watcher, view) ||
	       has_another_state(watcher, view);
}

/* A watcher of states is shown them as the status shows them. */
static void set_states(struct watcher *watcher, struct view *view)
{
	if (wants_states(watcher))
		view->state = view->shown;
}

static struct notice_step step_to(const struct watcher *watcher,
				  const struct view *view)
{
	bool first = !watcher->answered;
	struct notice_step step = {
		.view = view,
		.filter = watcher->filter,
		.masked = watcher->masked,
		.continues = watcher->more,
		.old_new = watcher->values,
		.states = wants_states(watcher),
		.even_empty =
			(watcher->more && first) || has_news(watcher, view),
	};

	find_base(watcher, &step);
	/* A watcher that knows a generation and asks for values wants the whole
	 * value, not the changes. */
	step.changes =
		step.base && !(first && watcher->values && watcher->since);
	step.value = !step.base || (first && watcher->values);
	return step;
}

static bool answer_config(struct watcher *watcher, const struct view *view,
			  struct out *out)
{
	struct notice_step step = step_to(watcher, view);

	set_told(watcher, view);
	return notice_answer(notices_for(watcher), &step, out);
}

static bool is_up_to_date(const struct watcher *watcher,
			  const struct view *view)
{
	return (watcher->answered || !watcher->more) &&
	       watcher->told == view->snapshot->generation &&
	       is_told_of(watcher, view) && !has_news(watcher, view);
}

/* Answer a watcher of the configuration. */
static bool answer_now(struct watcher *watcher, const struct view *view,
		       struct out *out)
{
	return !is_up_to_date(watcher, view) &&
	       answer_config(watcher, view, out);
}

/* --- the first notice, from another thread -------------------------------- */

static bool takes_long(const struct notice_step *step)
{
	const struct snapshot *now = step->view->snapshot;

	return step->base && step->base != now && step->changes &&
	       snapshot_size(step->base) + snapshot_size(now) >
		       COMPARED_AT_ONCE;
}

bool watcher_prepare(struct watcher *watcher, struct view *view,
		     struct notice_step *step)
{
	set_states(watcher, view);
	*step = step_to(watcher, view);
	watcher->prepared = takes_long(step);
	if (watcher->prepared)
		set_told(watcher, view);
	else
		*step = (struct notice_step){0};
	return watcher->prepared;
}

/* A watcher that is in no list has a connection that is writing, which will ask
 * it when it has written. */
static void on_first(struct pending *pending)
{
	struct watcher *watcher = pending->owner;
	struct watchers *watchers = watcher->watchers;

	if (list_is_empty(&watcher->link))
		return;
	watcher_wake(watcher);
	if (watchers->on_wake)
		watchers->on_wake(watchers);
}

/* A watcher that is asked before its first notice is there is asked once more
 * after it. */
static bool answer_first(struct watcher *watcher, const struct view *view,
			 struct out *out)
{
	struct pending *pending = watcher->pending;
	bool told;

	watcher->asked_early |= !pending_has_reply(pending);
	if (!pending_has_reply(pending))
		return false;
	told = watcher->prepared && pending->reply->len;
	if (told)
		out_add_shared(out, pending->reply);
	pending_free(TAKE(watcher->pending));
	return told || answer_now(watcher, view, out);
}

/* --- the status ---------------------------------------------------------- */

struct status_reply {
	const struct service *service;
	uint64_t clearance;
	const struct caller_rule *own;
	bool continues;
};

static void write_status(const struct status_reply *reply, struct out *out)
{
	const struct service *service = reply->service;
	struct buf *fields = reply_open(out);

	json_key(fields, "status");
	service->status(service->data, reply->clearance, reply->own, fields);
	reply_close(out, reply->continues);
}

/* One notice for all who may see the same, as most of them may. */
static void share_status(struct watchers *watchers,
			 const struct status_reply *reply, struct out *out)
{
	struct out_mark before = out_mark(out);

	if (!watchers->status || watchers->clearance != reply->clearance ||
	    watchers->own != reply->own) {
		write_status(reply, out);
		forget_status(watchers);
		watchers->status = out_cut(out, before);
		watchers->clearance = reply->clearance;
		watchers->own = reply->own;
	}
	out_add_shared(out, watchers->status);
}

static bool answer_status(struct watcher *watcher, const struct peer *peer,
			  const struct view *view, struct out *out)
{
	struct watchers *watchers = watcher->watchers;
	const struct service *service = watchers->service;
	struct status_reply reply = {
		.service = service, .own = view->own, .continues = true};

	if (watcher->answered && watcher->told == watchers->status_serial)
		return false;
	watcher->told = watchers->status_serial;
	reply.clearance = service->clearance(service->data, peer);
	if (watcher->owner)
		share_status(watchers, &reply, out);
	else
		write_status(&reply, out);
	return true;
}

static enum watcher_outcome deny(struct out *out, enum access_right right)
{
	reply_error(out, REPLY_ACCESS_DENIED,
		    str_from(access_right_name(right)));
	return WATCHER_HAS_ENDED;
}

/* False: the workspace that was asked for is gone. */
static bool find_view(const struct watcher *watcher, struct peer *peer,
		      struct view *view)
{
	const struct service *service = watcher->watchers->service;

	if (watcher->workspace)
		return service->view(service->data, watcher->workspace, view);
	service->own_view(service->data, peer, view);
	return true;
}

enum watcher_outcome watcher_answer(struct watcher *watcher, struct peer *peer,
				    struct out *out)
{
	unsigned int rights;
	struct view view;
	bool told;

	if (!find_view(watcher, peer, &view)) {
		reply_error(out, REPLY_UNKNOWN_WORKSPACE,
			    str_from(watcher->workspace));
		return WATCHER_HAS_ENDED;
	}
	rights = access_rights(view.access, &peer->user);
	if (!(rights & ACCESS_READ))
		return deny(out, ACCESS_READ);
	if (!watcher->masked && !(rights & ACCESS_SECRETS))
		return deny(out, ACCESS_SECRETS);
	set_states(watcher, &view);
	if (watcher->kind == WATCHER_STATUS)
		told = answer_status(watcher, peer, &view, out);
	else if (watcher->pending)
		told = answer_first(watcher, &view, out);
	else
		told = answer_now(watcher, &view, out);
	watcher->answered |= told;
	return told && !watcher->more ? WATCHER_HAS_ENDED : WATCHER_GOES_ON;
}

/* The first answer; the request keeps the watcher when more are to come. */
static void start(struct request *request, struct watcher *watcher)
{
	if (watcher_answer(watcher, request->peer, request->out) ==
	    WATCHER_GOES_ON)
		request->watcher = watcher;
	else
		watcher_free(watcher);
}

/* The same when the first answer is made by a job. */
static void start_by_job(struct request *request, struct watcher *watcher)
{
	struct job *job = notice_job_new(watcher);

	job->masked = watcher->masked;
	offload_add(request, job, 0);
	watcher->pending = TAKE(request->pending);
	if (watcher->pending) {
		pending_set_owner(watcher->pending, watcher, on_first);
		request->watcher = watcher;
	} else {
		watcher_free(watcher);
	}
}

/* NULL when the call is refused, which the reply then says. */
static struct watcher *watcher_from_call(struct request *request)
{
	json_t *paths = call_get(request->call, "paths");
	struct filter_error error;
	struct watcher *watcher;
	struct filter *filter;
	int r = filter_intern(&request->watchers->filters, paths, &filter,
			      &error);

	if (r == FILTER_E_INVALID)
		reply_invalid_path(request->out, error.path, &error.why);
	if (r == FILTER_E_TOO_MANY)
		reply_quota_exceeded(request->out, "paths", FILTER_PATHS_MAX);
	if (r)
		return NULL;
	watcher = watcher_new(request, call_bool(request->call, "states", false)
					       ? WATCHER_BOTH
					       : WATCHER_CONFIG);
	if (watcher)
		watcher->filter = filter;
	else
		filter_unref(filter);
	return watcher;
}

/* It was told generation @since, by this connection or an earlier one. When
 * that was before a switch, of which workspace is not remembered. */
static void set_since(struct watcher *watcher, const struct view *view,
		      uint64_t since)
{
	watcher->told = since;
	watcher->astray = since < view->active_since;
}

static void watch(struct request *request, struct watcher *watcher)
{
	const struct call *call = request->call;
	struct str workspace = call_string(call, "workspace");
	struct view view = request->view;
	struct notice_step step;

	if (workspace.ptr)
		watcher->workspace = mem_strdup(workspace.ptr);
	watcher->values = call_bool(call, "values", false);
	watcher->since = call_get(call, "since") != NULL;
	watcher->documents = call_bool(call, "documents", false);
	set_states(watcher, &view);
	set_told(watcher, &view);
	if (watcher->since)
		set_since(watcher, &view, (uint64_t)call_int(call, "since", 0));
	step = step_to(watcher, &view);
	if (takes_long(&step))
		start_by_job(request, watcher);
	else
		start(request, watcher);
}

void watcher_watch(struct request *request)
{
	struct watcher *watcher;
	bool reveal;

	if (!request_may_reveal(request, &reveal))
		return;
	watcher = watcher_from_call(request);
	if (!watcher)
		return;
	watcher->masked = !reveal;
	watch(request, watcher);
}

void watcher_get_status(struct request *request)
{
	const struct service *service = request->service;
	struct watcher *watcher;

	if (!request->call->more) {
		write_status(&(struct status_reply){service,
						    service->clearance(
							    service->data,
							    request->peer),
						    request->view.own, false},
			     request->out);
		return;
	}
	watcher = watcher_new(request, WATCHER_STATUS);
	if (!watcher)
		return;
	watcher->masked = true; /* revealing is decided by clearance */
	start(request, watcher);
}
