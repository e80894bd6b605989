#include "serve/consumer.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "config/access.h"
#include "config/mask.h"
#include "config/snapshot.h"
#include "serve/holding.h"
#include "serve/out.h"
#include "serve/peer.h"
#include "serve/quota.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/service.h"
#include "serve/watcher.h"
#include "value/json.h"

/* What a consumer told last. */
struct report {
	struct charge charge;
	char *how, *command, *waiting_for; /* NULL: not told */
	int64_t generation;                /* that its file has; 0: not told */
	uint32_t held_since;
	int64_t child, child_generation, pending_since; /* 0: none */
	unsigned int logged;                            /* of what is pending */
	struct proc proc; /* of the child, if it is one of the peer's */
};

/* --- what there is -------------------------------------------------------- */

static const char *const hows[] = {
	[HELD_BY_GET] = "get",
	[HELD_BY_WATCH] = "watch",
};

static void tell_of_report(const struct report *report,
			   struct consumer_row *row)
{
	row->how = report->how;
	row->generation = (uint64_t)report->generation;
	row->held_since = report->held_since;
	row->reports = true;
	row->named = report->command != NULL;
}

struct consumer_row consumer_row(const struct consumer *consumer)
{
	struct consumer_row row = {
		.uid = consumer->peer->user.uid,
		.pid = consumer->peer->pid,
		.how = hows[consumer->how],
		.workspace = consumer->holding->workspace,
		.generation = consumer->holding->generation,
		.since = consumer->peer->since,
		.held_since = consumer->held_since,
	};

	if (consumer->report)
		tell_of_report(consumer->report, &row);
	return row;
}

static void write_text(const struct secrets *secrets, struct buf *json,
		       const char *key, const char *text)
{
	_cleanup_(mem_freep) char *shown =
		text ? mask_text(secrets, text) : NULL;

	json_add_optional_string(json, key, shown);
}

static void write_positive(struct buf *json, const char *key, int64_t number)
{
	json_add_optional_int(json, key, number ? number : -1);
}

void consumer_row_write(const struct consumer_row *row,
			const struct secrets *secrets, struct buf *json)
{
	buf_putc(json, '{');
	write_positive(json, "pid", row->pid);
	json_add_int(json, "uid", row->uid);
	write_text(secrets, json, "how", row->how);
	json_add_string(json, "workspace", row->workspace);
	json_add_int(json, "since", clock_wall_of(row->since));
	if (!row->generation)
		return;
	json_add_int(json, "generation", (long long)row->generation);
	json_add_int(json, "held_since", row->held_since);
}

void consumer_write_report(const struct consumer *consumer,
			   const struct secrets *secrets, struct buf *json)
{
	const struct report *report = consumer->report;

	write_text(secrets, json, "command", report->command);
	write_positive(json, "child", report->child);
	write_positive(json, "child_generation", report->child_generation);
	write_positive(json, "pending_since", report->pending_since);
	write_text(secrets, json, "waiting_for", report->waiting_for);
}

void consumers_write(const struct consumers *consumers,
		     const struct consumer_reader *reader, struct buf *json)
{
	const char *comma = "";
	struct list *i;

	buf_putc(json, '[');
	for (list_each (&consumers->reporting, i)) {
		const struct consumer *consumer =
			CONTAINER_OF(i, struct consumer, link);
		struct consumer_row row;

		if (!reader->may_read(reader->data,
				      consumer->holding->workspace))
			continue;
		row = consumer_row(consumer);
		buf_puts(json, comma);
		consumer_row_write(&row, reader->secrets, json);
		consumer_write_report(consumer, reader->secrets, json);
		buf_putc(json, '}');
		comma = ",";
	}
	buf_putc(json, ']');
}

static bool is_behind(const struct consumer *consumer,
		      const struct service *service)
{
	const struct holding *holding = consumer->holding;
	struct view view;

	return holding->generation &&
	       service->view(service->data, holding->workspace, &view) &&
	       holding->generation < view.snapshot->generation;
}

struct consumer_count consumers_count(const struct consumers *consumers,
				      const struct service *service)
{
	struct consumer_count count = {0};
	struct list *i;

	for (list_each (&consumers->reporting, i)) {
		count.reports++;
		count.behind += is_behind(
			CONTAINER_OF(i, struct consumer, link), service);
	}
	return count;
}

/* --- the log -------------------------------------------------------------- */

static void log_pending(const struct consumer *consumer)
{
	const struct report *report = consumer->report;

	log_info("restart-pending", LOG_INT("pid", consumer->peer->pid),
		 LOG_INT("uid", consumer->peer->user.uid),
		 LOG_TEXT("command", report->command ? report->command : "?"),
		 LOG_TEXT("waiting_for", report->waiting_for
						 ? report->waiting_for
						 : "its turn"));
}

/* Why it waits is found out step by step: the turn, a look, a process. What
 * else it waits for later is for status. */
#define PENDING_LINES 3

static void log_change(const struct consumer *consumer, int64_t pending_before,
		       bool is_news)
{
	struct report *report = consumer->report;

	if (!report->pending_since)
		report->logged = 0;
	else if ((is_news || !pending_before) &&
		 report->logged++ < PENDING_LINES)
		log_pending(consumer);
	if (!report->pending_since && pending_before)
		log_info("restart-no-longer-pending",
			 LOG_INT("pid", consumer->peer->pid),
			 LOG_INT("seconds", time(NULL) - pending_before));
}

static bool child_lives(const struct report *report)
{
	struct proc now;

	return report->proc.pid && proc_read(report->proc.pid, &now) &&
	       now.started == report->proc.started && now.state != 'Z';
}

/* Nobody keeps its file current any more, or will restart it. */
static void log_end(const struct consumer *consumer)
{
	const struct report *report = consumer->report;

	if (child_lives(report))
		log_warning("consumer-gone-child-lives",
			    LOG_INT("pid", consumer->peer->pid),
			    LOG_INT("uid", consumer->peer->user.uid),
			    LOG_INT("child", report->proc.pid),
			    LOG_TEXT("name", report->proc.name));
}

/* Those that report have changed. */
static void tell_service(const struct consumers *consumers)
{
	const struct service *service = consumers->service;

	if (service && service->consumers)
		service->consumers(service->data);
}

/* --- its life ------------------------------------------------------------- */

void consumers_init(struct consumers *consumers)
{
	list_init(&consumers->reporting);
	list_init(&consumers->silent);
	list_init(&consumers->holdings);
	consumers->count = 0;
}

void consumer_init(struct consumer *consumer, struct consumers *consumers,
		   const struct peer *peer)
{
	*consumer = (struct consumer){
		.consumers = consumers,
		.peer = peer,
	};
	list_init(&consumer->link);
}

static void report_free(struct report *report)
{
	charge_release(&report->charge);
	mem_free(report->how);
	mem_free(report->command);
	mem_free(report->waiting_for);
	mem_free(report);
}

void consumer_deinit(struct consumer *consumer)
{
	if (consumer->holding)
		consumer->consumers->count--;
	list_remove(&consumer->link);
	consumer->holding = holding_release(consumer->holding);
	if (!consumer->report)
		return;
	log_end(consumer);
	report_free(TAKE(consumer->report));
	tell_service(consumer->consumers);
}

static uint32_t now(void)
{
	return (uint32_t)clock_wall_s();
}

static void take_holding(struct consumer *consumer, const char *workspace,
			 uint64_t generation)
{
	struct consumers *consumers = consumer->consumers;
	struct holding *before = consumer->holding;

	consumer->holding =
		holding_take(&consumers->holdings, workspace, generation);
	(void)holding_release(before);
	if (consumer->holding == before)
		return;
	consumer->held_since = now();
	if (before)
		return;
	consumers->count++;
	if (!consumer->report)
		list_add(&consumers->silent, &consumer->link);
}

/* Generations of two workspaces are never the same, but it may have told what
 * is not so. */
static bool holds(const struct consumer *consumer, const struct view *view)
{
	const struct holding *holding = consumer->holding;

	return holding && holding->generation == view->snapshot->generation &&
	       (!consumer->report ||
		!strcmp(holding->workspace, view->workspace));
}

void consumer_hold(struct consumer *consumer, enum consumer_how how,
		   const struct view *view)
{
	consumer->how = (uint8_t)how;
	if (!holds(consumer, view))
		take_holding(consumer, view->workspace,
			     view->snapshot->generation);
}

/* --- ReportConsumer ------------------------------------------------------- */

/* What it says of the newest configuration. */
static const char *const verdicts[] = {"check", "left"};

#define REASON_BYTES 256

/* Others read it: nothing long is kept. */
static const struct {
	const char *name;
	size_t offset, bytes_max;
} texts[] = {
	{"how", offsetof(struct report, how), 16},
	{"command", offsetof(struct report, command), 256},
	{"waiting_for", offsetof(struct report, waiting_for), 256},
};

/* None is one, too. */
static bool is_verdict(struct str text)
{
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (str_is(text, verdicts[i]))
			return true;
	return !text.ptr;
}

/* NULL, or the parameter that is wrong. */
static const char *what_is_wrong(const struct call *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (call_string(call, texts[i].name).len > texts[i].bytes_max)
			return texts[i].name;
	if (call_string(call, "bad_reason").len > REASON_BYTES)
		return "bad_reason";
	return is_verdict(call_string(call, "bad")) ? NULL : "bad";
}

static void replace_text(char **text, struct str by)
{
	mem_free(*text);
	*text = by.ptr ? mem_strndup(by.ptr, by.len) : NULL;
}

/* It is believed to be what it says only as far as the kernel says so too. */
static void look_at_child(struct report *report, pid_t parent)
{
	if (!report->child || !parent ||
	    !proc_read((pid_t)report->child, &report->proc) ||
	    report->proc.parent != parent)
		report->proc = (struct proc){0};
}

/* What it runs may know an older one than its file has. */
static uint64_t oldest_of(const struct report *report)
{
	int64_t child = report->child_generation;

	return (uint64_t)(child && child < report->generation
				  ? child
				  : report->generation);
}

static void take_generation(struct report *report, int64_t generation)
{
	if (report->generation != generation)
		report->held_since = now();
	report->generation = generation;
}

static void take(struct consumer *consumer, const struct request *request)
{
	const struct call *call = request->call;
	struct report *report = consumer->report;
	int64_t pending_before = report->pending_since;
	struct str reason = call_string(call, "waiting_for");
	bool is_news = !report->waiting_for || !reason.ptr ||
		       !str_is(reason, report->waiting_for);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		replace_text(
			(char **)(void *)((char *)report + texts[i].offset),
			call_string(call, texts[i].name));
	report->child = call_int(call, "child", 0);
	report->child_generation = call_int(call, "child_generation", 0);
	report->pending_since = call_int(call, "pending_since", 0);
	take_generation(report, call_int(call, "generation", 0));
	take_holding(consumer, request->view.workspace, oldest_of(report));
	look_at_child(report, consumer->peer->pid);
	log_change(consumer, pending_before, is_news);
}

/* A fleet may stop a rollout for it: it counts from who may have what it
 * speaks of. */
static void pass_on_verdict(const struct request *request)
{
	const struct service *service = request->consumer->consumers->service;
	struct str bad = call_string(request->call, "bad");
	struct str text = call_string(request->call, "bad_reason");
	_cleanup_(mem_freep) char *reason = mem_strndup(text.ptr, text.len);
	const struct service_verdict verdict = {
		.workspace = request->view.workspace,
		.left = str_is(bad, "left"),
		.generation =
			(uint64_t)request->consumer->report->child_generation,
		.reason = reason,
	};

	if (bad.ptr && service && service->complain &&
	    (request->rights & ACCESS_SECRETS))
		service->complain(service->data, &verdict);
}

/* False: the quota refuses it, which the reply then says. */
static bool may_report(struct request *request)
{
	struct consumer *consumer = request->consumer;
	struct charge charge = {0};

	if (consumer->report)
		return true;
	if (!request_charge(request, &charge, QUOTA_CONSUMERS, 1))
		return false;
	consumer->report = mem_alloc(sizeof(*consumer->report));
	consumer->report->charge = charge;
	list_remove(&consumer->link);
	list_add(&consumer->consumers->reporting, &consumer->link);
	return true;
}

void consumer_report(struct request *request)
{
	const char *wrong = what_is_wrong(request->call);

	if (wrong) {
		reply_error(request->out, REPLY_INVALID_PARAMETER,
			    str_from(wrong));
		return;
	}
	if (!may_report(request))
		return;
	take(request->consumer, request);
	tell_service(request->consumer->consumers);
	pass_on_verdict(request);
	watchers_mark(request->watchers, WATCHER_STATUS);
	reply_object(request->out, STR("{}"));
}
