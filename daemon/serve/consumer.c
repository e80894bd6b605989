#include "serve/consumer.h"

#include <stddef.h>
#include <time.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "config/mask.h"
#include "serve/out.h"
#include "serve/peer.h"
#include "serve/quota.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/watcher.h"
#include "value/json.h"

struct consumer {
	struct list link;
	struct charge charge;
	uid_t uid;
	pid_t pid; /* 0: of another namespace */
	int64_t since;

	char *how, *command, *workspace, *waiting_for; /* NULL: not told */
	int64_t child, pending_since;                  /* 0: none */
	unsigned int logged;                           /* of what is pending */
	struct proc proc; /* of the child, if it is one of pid's; else zero */
};

/* --- what there is -------------------------------------------------------- */

static void write_text(const struct consumer_reader *reader, struct buf *json,
		       const char *key, const char *text)
{
	_cleanup_(mem_freep) char *shown =
		text ? mask_text(reader->secrets, text) : NULL;

	json_add_optional_string(json, key, shown);
}

static void write_consumer(const struct consumer *consumer,
			   const struct consumer_reader *reader,
			   struct buf *json)
{
	buf_putc(json, '{');
	if (consumer->pid)
		json_add_int(json, "pid", consumer->pid);
	json_add_int(json, "uid", consumer->uid);
	write_text(reader, json, "how", consumer->how);
	write_text(reader, json, "command", consumer->command);
	json_add_string(json, "workspace", consumer->workspace);
	json_add_int(json, "since", consumer->since);
	if (consumer->child)
		json_add_int(json, "child", consumer->child);
	if (consumer->pending_since)
		json_add_int(json, "pending_since", consumer->pending_since);
	write_text(reader, json, "waiting_for", consumer->waiting_for);
	buf_putc(json, '}');
}

void consumers_write(const struct list *consumers,
		     const struct consumer_reader *reader, struct buf *json)
{
	const struct consumer *consumer;
	const char *comma = "";
	struct list *i;

	buf_putc(json, '[');
	for (list_each (consumers, i)) {
		consumer = CONTAINER_OF(i, struct consumer, link);
		if (!reader->may_read(reader->data, consumer->workspace))
			continue;
		buf_puts(json, comma);
		write_consumer(consumer, reader, json);
		comma = ",";
	}
	buf_putc(json, ']');
}

/* --- the log -------------------------------------------------------------- */

static void log_pending(const struct consumer *consumer)
{
	log_info("restart-pending", LOG_INT("pid", consumer->pid),
		 LOG_INT("uid", consumer->uid),
		 LOG_TEXT("command",
			  consumer->command ? consumer->command : "?"),
		 LOG_TEXT("waiting_for", consumer->waiting_for
						 ? consumer->waiting_for
						 : "its turn"));
}

/* Why it waits is found out step by step: the turn, a look, a process. What
 * else it waits for later is for status. */
#define PENDING_LINES 3

static void log_change(struct consumer *consumer, int64_t pending_before,
		       bool is_news)
{
	if (!consumer->pending_since)
		consumer->logged = 0;
	else if ((is_news || !pending_before) &&
		 consumer->logged++ < PENDING_LINES)
		log_pending(consumer);
	if (!consumer->pending_since && pending_before)
		log_info("restart-no-longer-pending",
			 LOG_INT("pid", consumer->pid),
			 LOG_INT("seconds", time(NULL) - pending_before));
}

static bool child_lives(const struct consumer *consumer)
{
	struct proc now;

	return consumer->proc.pid && proc_read(consumer->proc.pid, &now) &&
	       now.started == consumer->proc.started && now.state != 'Z';
}

/* Nobody keeps its file current any more, or will restart it. */
static void log_end(const struct consumer *consumer)
{
	if (child_lives(consumer))
		log_warning("consumer-gone-child-lives",
			    LOG_INT("pid", consumer->pid),
			    LOG_INT("uid", consumer->uid),
			    LOG_INT("child", consumer->proc.pid),
			    LOG_TEXT("name", consumer->proc.name));
}

/* --- its life ------------------------------------------------------------- */

static struct consumer *consumer_new(struct request *request)
{
	struct consumer *consumer = mem_alloc(sizeof(*consumer));
	const struct peer *peer = request->peer;

	if (!request_charge(request, &consumer->charge, QUOTA_CONSUMERS, 1)) {
		mem_free(consumer);
		return NULL;
	}
	consumer->uid = peer->user.uid;
	consumer->pid = peer->pid;
	consumer->since = time(NULL);
	list_add(request->consumers, &consumer->link);
	return consumer;
}

void consumer_free(struct consumer *consumer)
{
	if (!consumer)
		return;
	log_end(consumer);
	list_remove(&consumer->link);
	charge_release(&consumer->charge);
	mem_free(consumer->how);
	mem_free(consumer->command);
	mem_free(consumer->workspace);
	mem_free(consumer->waiting_for);
	mem_free(consumer);
}

/* --- ReportConsumer ------------------------------------------------------- */

/* Others read it: nothing long is kept. */
static const struct {
	const char *name;
	size_t offset, bytes_max;
} texts[] = {
	{"how", offsetof(struct consumer, how), 16},
	{"command", offsetof(struct consumer, command), 256},
	{"waiting_for", offsetof(struct consumer, waiting_for), 256},
};

/* NULL, or the parameter that is wrong. */
static const char *what_is_wrong(const struct call *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (call_string(call, texts[i].name).len > texts[i].bytes_max)
			return texts[i].name;
	if (call_int(call, "child", 0) < 0 ||
	    call_int(call, "child", 0) > INT32_MAX)
		return "child";
	return call_int(call, "pending_since", 0) < 0 ? "pending_since" : NULL;
}

static void replace_text(char **text, struct str by)
{
	mem_free(*text);
	*text = by.ptr ? mem_strndup(by.ptr, by.len) : NULL;
}

/* It is believed to be what it says only as far as the kernel says so too. */
static void look_at_child(struct consumer *consumer)
{
	if (!consumer->child || !consumer->pid ||
	    !proc_read((pid_t)consumer->child, &consumer->proc) ||
	    consumer->proc.parent != consumer->pid)
		consumer->proc = (struct proc){0};
}

static void take(struct consumer *consumer, const struct request *request)
{
	const struct call *call = &request->call;
	int64_t pending_before = consumer->pending_since;
	struct str reason = call_string(call, "waiting_for");
	bool is_news = !consumer->waiting_for || !reason.ptr ||
		       !str_is(reason, consumer->waiting_for);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		replace_text(
			(char **)(void *)((char *)consumer + texts[i].offset),
			call_string(call, texts[i].name));
	replace_text(&consumer->workspace, str_from(request->view.workspace));
	consumer->child = call_int(call, "child", 0);
	consumer->pending_since = call_int(call, "pending_since", 0);
	look_at_child(consumer);
	log_change(consumer, pending_before, is_news);
}

void consumer_report(struct request *request)
{
	const char *wrong = what_is_wrong(&request->call);

	if (wrong) {
		reply_error(request->out, REPLY_INVALID_PARAMETER,
			    str_from(wrong));
		return;
	}
	if (!request->consumer)
		request->consumer = consumer_new(request);
	if (!request->consumer)
		return;
	take(request->consumer, request);
	watchers_mark(request->watchers, WATCHER_STATUS);
	reply_object(request->out, STR("{}"));
}
