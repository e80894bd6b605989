#include "text/status_metrics.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/answer.h"
#include "value/value.h"

#define LABELS_MAX 5

/* Ends with a NULL name; a value that is not there is an empty one. */
struct label {
	const char *name;
	struct str value;
};

#define LABELS(...) ((const struct label[LABELS_MAX]){__VA_ARGS__})

static void add_head(struct buf *out, const char *name, const char *type,
		     const char *help)
{
	buf_printf(out, "# HELP clearconf_%s %s\n# TYPE clearconf_%s %s\n",
		   name, help, name, type);
}

static void add_escaped(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\n') {
			buf_puts(out, "\\n");
			continue;
		}
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			buf_putc(out, '\\');
		buf_putc(out, text.ptr[i]);
	}
}

/* clearconf_NAME{a="b",c="d"}, before the number. */
static void add_name(struct buf *out, const char *name,
		     const struct label *labels)
{
	char before = '{';

	buf_printf(out, "clearconf_%s", name);
	for (; labels && labels->name; labels++) {
		buf_putc(out, before);
		buf_printf(out, "%s=\"", labels->name);
		add_escaped(out, labels->value);
		buf_putc(out, '"');
		before = ',';
	}
	buf_puts(out, before == ',' ? "} " : " ");
}

static void add_sample(struct buf *out, const char *name,
		       const struct label *labels, int64_t number)
{
	add_name(out, name, labels);
	buf_printf(out, "%lld\n", (long long)number);
}

/* A sample for each state that there is, 1 for the one that holds. The label
 * `state` comes last. */
static void add_states(struct buf *out, const char *name,
		       const struct label *labels, struct str state)
{
	static const char *const server[] = {"starting", "ready",   "degraded",
					     "offline",  "refused", NULL};
	static const char *const layer[] = {"ok", "missing", "stale", "broken",
					    NULL};
	const char *const *states =
		name[0] == 'l' ? layer : server; /* layer_state */
	struct label all[LABELS_MAX + 1] = {{0}};
	size_t count = 0;

	for (; labels && labels->name; labels++)
		all[count++] = *labels;
	for (; *states; states++) {
		all[count] = (struct label){"state", str_from(*states)};
		add_sample(out, name, all, str_is(state, *states));
	}
}

/* --- the daemon --- */

struct counter {
	const char *key; /* of Status.counters */
	const char *name, *label, *value;
	const char *help; /* NULL: as the one before */
};

static const struct counter counters[] = {
	{"reloads", "reloads", NULL, NULL, "Settings and layers read again."},
	{"fetches", "fetches", "result", "ok",
	 "Answers of servers to a question for vaults."},
	{"fetches_failed", "fetches", "result", "failed", NULL},
	{"requests", "requests", NULL, NULL,
	 "HTTP requests to servers, logins included."},
	{"requests_failed", "requests_unanswered", NULL, NULL,
	 "HTTP requests without an answer."},
	{"requests_bytes", "requests_received_bytes", NULL, NULL,
	 "Bodies of answers, decoded."},
	{"connections", "accepted_connections", NULL, NULL,
	 "Connections of clients so far."},
	{"calls", "calls", NULL, NULL, "Calls of clients."},
	{"refused", "refused", NULL, NULL,
	 "Calls and connections refused for rights, quotas or descriptors."},
	{"bytes_received", "socket_bytes", "direction", "received",
	 "Bytes from and to clients."},
	{"bytes_sent", "socket_bytes", "direction", "sent", NULL},
};

static void add_counter(struct buf *out, const struct counter *counter,
			int64_t number)
{
	char name[64];

	if (counter->help)
		add_head(out, counter->name, "counter", counter->help);
	(void)snprintf(name, sizeof(name), "%s_total", counter->name);
	add_sample(out, name,
		   counter->label
			   ? LABELS({counter->label, str_from(counter->value)})
			   : NULL,
		   number);
}

static void add_durations(struct buf *out, const struct value *told)
{
	int64_t ms = answer_int(told, "requests_ms", 0);

	add_head(out, "requests_seconds", "counter",
		 "Time that HTTP requests took, all together.");
	add_name(out, "requests_seconds_total", NULL);
	buf_printf(out, "%lld.%03d\n", (long long)(ms / 1000),
		   (int)(ms % 1000));
}

static void add_counters(struct buf *out, const struct value *told)
{
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		add_counter(out, &counters[i],
			    answer_int(told, counters[i].key, 0));
	add_durations(out, told);
}

static void add_gauge(struct buf *out, const char *name, const char *help,
		      int64_t number)
{
	add_head(out, name, "gauge", help);
	add_sample(out, name, NULL, number);
}

/* Write seconds, which are told in microseconds. */
static void add_seconds(struct buf *out, const char *name, const char *clock,
			int64_t us)
{
	add_name(out, name, LABELS({"clock", str_from(clock)}));
	buf_printf(out, "%lld.%06d\n", (long long)(us / 1000000),
		   (int)(us % 1000000));
}

/* What one client may at worst have waited for all others. */
static void add_turns(struct buf *out, const struct value *told)
{
	static const struct {
		const char *name, *wall, *cpu, *help;
	} spans[] = {
		{"longest_turn_seconds", "longest_turn_us",
		 "longest_turn_cpu_us",
		 "The longest turn of the loop since the start."},
		{"recent_turn_seconds", "recent_turn_us", "recent_turn_cpu_us",
		 "The longest turn of the loop in the last minutes."},
	};

	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		add_head(out, spans[i].name, "gauge", spans[i].help);
		add_seconds(out, spans[i].name, "wall",
			    answer_int(told, spans[i].wall, 0));
		add_seconds(out, spans[i].name, "cpu",
			    answer_int(told, spans[i].cpu, 0));
	}
}

static void add_daemon(struct buf *out, const struct value *status)
{
	add_head(out, "info", "gauge", "The daemon.");
	add_sample(out, "info",
		   LABELS({"version", answer_text(status, "version")},
			  {"instance", answer_text(status, "instance")},
			  {"mode", answer_text(status, "mode")}),
		   1);
	add_head(out, "state", "gauge", "The state of the active workspace.");
	add_states(out, "state", NULL, answer_text(status, "state"));
	add_gauge(out, "uptime_seconds", "How long the daemon runs.",
		  answer_int(status, "uptime", 0));
	add_gauge(out, "generation", "The generation that is served.",
		  answer_int(status, "generation", 0));
	add_gauge(out, "connections", "Connections of clients now.",
		  answer_int(status, "connections", 0));
	add_gauge(out, "watchers", "Watchers now.",
		  answer_int(status, "watchers", 0));
	add_counters(out, value_get(status, STR("counters")));
	add_turns(out, value_get(status, STR("counters")));
}

static void add_consumer(struct buf *out, const char *name,
			 const struct value *consumer, int64_t number)
{
	char pid[24], uid[24];

	(void)snprintf(pid, sizeof(pid), "%lld",
		       (long long)answer_int(consumer, "pid", 0));
	(void)snprintf(uid, sizeof(uid), "%lld",
		       (long long)answer_int(consumer, "uid", 0));
	add_sample(out, name,
		   LABELS({"pid", str_from(pid)}, {"uid", str_from(uid)},
			  {"command", answer_text(consumer, "command")}),
		   number);
}

/* @times: since when, not whether. */
static void add_pending(struct buf *out, const char *name,
			const struct value *consumers, bool times)
{
	for (uint32_t i = 0; i < consumers->list.count; i++) {
		const struct value *consumer = consumers->list.items[i];
		int64_t since = answer_int(consumer, "pending_since", 0);

		if (since || !times)
			add_consumer(out, name, consumer,
				     times ? since : since > 0);
	}
}

static void add_consumers(struct buf *out, const struct value *consumers)
{
	static const char since[] =
		"consumer_restart_pending_timestamp_seconds";

	if (!value_is(consumers, VALUE_LIST) || !consumers->list.count)
		return;
	add_head(out, "consumer_restart_pending", "gauge",
		 "1: what a program runs is to be restarted, and at work.");
	add_pending(out, "consumer_restart_pending", consumers, false);
	add_head(out, since, "gauge", "Since when it is.");
	add_pending(out, since, consumers, true);
}

static void add_report(struct buf *out, const struct value *report)
{
	add_gauge(out, "report_kept",
		  "Is what this host reports of itself in etcd?",
		  str_is(answer_text(report, "state"), "kept"));
	add_gauge(out, "report_clock_ahead_seconds",
		  "How far the clock is ahead of etcd's; 0: less than a "
		  "minute.",
		  answer_int(report, "clock", 0));
}

static void add_rollouts(struct buf *out, const struct value *rollouts)
{
	int64_t taken = 0, bad = 0;

	for (uint32_t i = 0;
	     value_is(rollouts, VALUE_LIST) && i < rollouts->list.count; i++) {
		const struct value *rollout = rollouts->list.items[i];

		taken += answer_bool(rollout, "taken");
		bad += answer_text(rollout, "bad").len != 0;
	}
	add_gauge(out, "rollouts_taken",
		  "Documents whose next text this host has.", taken);
	add_gauge(out, "rollouts_bad", "Of these, those that are bad here.",
		  bad);
}

static void add_site(struct buf *out, const struct value *site)
{
	const struct value *report = value_get(site, STR("report"));

	if (!value_is(site, VALUE_OBJECT))
		return;
	add_head(out, "site_state", "gauge", "The state of the site layer.");
	add_states(out, "site_state",
		   LABELS({"endpoint", answer_text(site, "endpoint")}),
		   answer_text(site, "state"));
	add_gauge(out, "site_revision", "The revision of the site layer.",
		  answer_int(site, "revision", 0));
	add_rollouts(out, value_get(site, STR("rollouts")));
	if (value_is(report, VALUE_OBJECT))
		add_report(out, report);
}

/* --- workspaces: a family at a time, as the format wants it --- */

struct family {
	const char *name, *help;
	void (*add)(struct buf *out, const struct family *family,
		    const struct value *workspace);
	const char *key; /* of what is told; NULL: not needed */
};

static void add_state(struct buf *out, const struct family *family,
		      const struct value *workspace)
{
	add_states(out, family->name,
		   LABELS({"workspace", answer_text(workspace, "name")}),
		   answer_text(workspace, "state"));
}

static void add_active(struct buf *out, const struct family *family,
		       const struct value *workspace)
{
	add_sample(out, family->name,
		   LABELS({"workspace", answer_text(workspace, "name")}),
		   answer_bool(workspace, "active"));
}

static void add_generation(struct buf *out, const struct family *family,
			   const struct value *workspace)
{
	add_sample(out, family->name,
		   LABELS({"workspace", answer_text(workspace, "name")}),
		   answer_int(workspace, "generation", 0));
}

/* Write a number of what is held, where something is; without a key, whether
 * it is. */
static void add_hold(struct buf *out, const struct family *family,
		     const struct value *workspace)
{
	const struct value *hold = value_get(workspace, STR("hold"));
	bool held = value_is(hold, VALUE_OBJECT);

	if (held || !family->key)
		add_sample(
			out, family->name,
			LABELS({"workspace", answer_text(workspace, "name")}),
			family->key ? answer_int(hold, family->key,
						 answer_bool(hold, family->key))
				    : held);
}

static void add_failing(struct buf *out, const struct family *family,
			const struct value *workspace)
{
	const struct value *server = value_get(workspace, STR("server"));
	const struct value *next = value_get(workspace, STR("new_login"));

	if (value_is(server, VALUE_OBJECT))
		add_sample(
			out, family->name,
			LABELS({"workspace", answer_text(workspace, "name")}),
			answer_text(server, "last_error").len > 0 ||
				answer_text(next, "last_error").len > 0);
}

/* A time that there may not be yet. */
static void add_time(struct buf *out, const struct family *family,
		     const struct value *workspace)
{
	const struct value *server = value_get(workspace, STR("server"));
	int64_t time = value_is(server, VALUE_OBJECT)
			       ? answer_int(server, family->key, 0)
			       : 0;

	if (time)
		add_sample(
			out, family->name,
			LABELS({"workspace", answer_text(workspace, "name")}),
			time);
}

static void add_history(struct buf *out, const struct family *family,
			const struct value *workspace)
{
	add_sample(out, family->name,
		   LABELS({"workspace", answer_text(workspace, "name")}),
		   answer_int(workspace, family->key, 0));
}

static void add_unwritten(struct buf *out, const struct family *family,
			  const struct value *workspace)
{
	add_sample(out, family->name,
		   LABELS({"workspace", answer_text(workspace, "name")}),
		   answer_text(workspace, "history_problem").len != 0);
}

static void add_key_end(struct buf *out, const struct family *family,
			const struct value *workspace)
{
	int64_t time = answer_int(workspace, family->key, 0);

	if (time)
		add_sample(
			out, family->name,
			LABELS({"workspace", answer_text(workspace, "name")}),
			time);
}

/* A workspace may have two layers of the same source: the rank, from 1 for the
 * weakest, tells them apart. */
static void add_layer(struct buf *out, const struct family *family,
		      const struct value *workspace, uint32_t index)
{
	const struct value *layer =
		value_get(workspace, STR("layers"))->list.items[index];
	int64_t age = answer_int(layer, "age", -1);
	char rank[16];

	(void)snprintf(rank, sizeof(rank), "%u", index + 1);
	const struct label *labels =
		LABELS({"workspace", answer_text(workspace, "name")},
		       {"layer", answer_text(layer, "layer")},
		       {"source", answer_text(layer, "source")},
		       {"rank", str_from(rank)});

	if (!family->key)
		add_states(out, family->name, labels,
			   answer_text(layer, "state"));
	else if (age >= 0)
		add_sample(out, family->name, labels, age);
}

static void add_layers(struct buf *out, const struct family *family,
		       const struct value *workspace)
{
	const struct value *list = value_get(workspace, STR("layers"));

	for (uint32_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count;
	     i++)
		add_layer(out, family, workspace, i);
}

static void add_behind(struct buf *out, const struct family *family,
		       const struct value *workspace)
{
	const struct value *behind =
		value_get(workspace, str_from(family->key));
	struct member *age;

	if (!value_is(behind, VALUE_OBJECT))
		return;
	for (value_each (behind, age)) {
		int64_t count = 0;

		(void)value_to_int64(age->value, &count);
		add_sample(out, family->name,
			   LABELS({"workspace", answer_text(workspace, "name")},
				  {"age", {age->key, age->key_len}}),
			   count);
	}
}

static void add_arriving(struct buf *out, const struct family *family,
			 const struct value *workspace)
{
	const struct value *list = value_get(workspace, STR("arriving"));

	for (uint32_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count;
	     i++) {
		const struct value *arrival = list->list.items[i];
		bool waits = answer_int(arrival, "until", 0) > 0;

		add_sample(out, family->name,
			   LABELS({"workspace", answer_text(workspace, "name")},
				  {"layer", answer_text(arrival, "layer")},
				  {"state", waits ? STR("waiting")
					    : answer_text(arrival, "bad").len
						    ? STR("bad")
						    : STR("skipped")}),
			   answer_int(arrival, "since", 0));
	}
}

static const struct family families[] = {
	{"workspace_state", "The state of a workspace.", add_state, NULL},
	{"workspace_active", "1: callers who name none get it.", add_active,
	 NULL},
	{"workspace_generation", "The generation of a workspace.",
	 add_generation, NULL},
	{"workspace_history_generations",
	 "Generations that are remembered, the current one among them.",
	 add_history, "history"},
	{"workspace_history_since_timestamp_seconds",
	 "When the oldest of them came.", add_history, "history_since"},
	{"workspace_history_unwritten",
	 "1: the disk does not have all of them.", add_unwritten, NULL},
	{"workspace_consumers_behind",
	 "Connections that hold an older generation, by how long there has "
	 "been a newer one.",
	 add_behind, "consumers_behind"},
	{"workspace_arriving_timestamp_seconds",
	 "When vaults were first seen that wait, were skipped, or are called "
	 "bad.",
	 add_arriving, NULL},
	{"workspace_held", "1: what is served is held.", add_hold, NULL},
	{"workspace_held_generation", "The generation that is held.", add_hold,
	 "generation"},
	{"workspace_held_since_timestamp_seconds", "When the hold began.",
	 add_hold, "since"},
	{"workspace_held_differs",
	 "1: something else would be served without the hold.", add_hold,
	 "differs"},
	{"workspace_held_revoked",
	 "Secrets that are served by the hold alone: others have revoked them.",
	 add_hold, "revoked"},
	{"workspace_failing", "1: the last question to its server failed.",
	 add_failing, NULL},
	{"workspace_last_success_timestamp_seconds",
	 "When vaults last came from the server.", add_time, "last_success"},
	{"workspace_next_poll_timestamp_seconds",
	 "When the server is asked next.", add_time, "next_poll"},
	{"workspace_token_expires_timestamp_seconds",
	 "When the session's token ends.", add_time, "token_expires_at"},
	{"workspace_key_proved_timestamp_seconds",
	 "When the server last took the key pair itself.", add_time,
	 "proved_at"},
	{"workspace_key_expires_timestamp_seconds", "When the key pair ends.",
	 add_key_end, "access_key_expires"},
	{"layer_state", "The state of a layer.", add_layers, NULL},
	{"layer_age_seconds", "How old what a layer serves is.", add_layers,
	 "age"},
};

static void add_family(struct buf *out, const struct family *family,
		       const struct value *workspaces, const char *name)
{
	add_head(out, family->name, "gauge", family->help);
	for (uint32_t i = 0; i < workspaces->list.count; i++) {
		const struct value *workspace = workspaces->list.items[i];

		if (!name || str_is(answer_text(workspace, "name"), name))
			family->add(out, family, workspace);
	}
}

void status_metrics_write(struct buf *out, const struct value *status,
			  const char *name)
{
	const struct value *workspaces = value_get(status, STR("workspaces"));

	add_daemon(out, status);
	add_consumers(out, value_get(status, STR("consumers")));
	add_site(out, value_get(status, STR("site")));
	if (value_is(workspaces, VALUE_LIST))
		for (size_t i = 0; i < ARRAY_SIZE(families); i++)
			add_family(out, &families[i], workspaces, name);
	buf_puts(out, "# EOF\n");
}
