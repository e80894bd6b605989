#include "text/status_text.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/answer.h"
#include "text/arriving_text.h"
#include "text/hold_text.h"
#include "text/key_text.h"
#include "text/output.h"
#include "text/own_text.h"
#include "text/place_text.h"
#include "text/time_text.h"
#include "value/value.h"

static void add_text(struct buf *out, const char *before, struct str text)
{
	if (!text.len)
		return;
	buf_puts(out, before);
	buf_add_str(out, text);
}

static enum output_colour colour_of(struct str state)
{
	static const struct {
		const char *state;
		enum output_colour colour;
	} colours[] = {
		{"ok", OUTPUT_GREEN},     {"ready", OUTPUT_GREEN},
		{"kept", OUTPUT_GREEN},   {"taken", OUTPUT_RED},
		{"failed", OUTPUT_RED},   {"starting", OUTPUT_YELLOW},
		{"stale", OUTPUT_YELLOW}, {"degraded", OUTPUT_YELLOW},
		{"offline", OUTPUT_RED},  {"refused", OUTPUT_RED},
		{"broken", OUTPUT_RED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (str_is(state, colours[i].state))
			return colours[i].colour;
	return OUTPUT_DIM;
}

/* Write @text, padded to @width. */
static void add_state(struct buf *out, struct str state, int width)
{
	buf_printf(out, "%s%-*.*s%s", output_colour(colour_of(state)), width,
		   STR_PRINT(state), output_colour(OUTPUT_PLAIN));
}

static void add_label(struct buf *out, const char *label)
{
	buf_printf(out, "  %-12s ", label);
}

static void add_server(struct buf *out, const struct value *server)
{
	add_label(out, "server");
	buf_add_str(out, answer_text(server, "api_server"));
	add_text(out, ", version ", answer_text(server, "server_version"));
	add_text(out, ", API ", answer_text(server, "api_version"));
	add_text(out, ", ", answer_text(server, "feature_set"));
	buf_putc(out, '\n');
}

static void add_polls(struct buf *out, const struct value *server, int64_t now)
{
	int64_t last = answer_int(server, "last_success", 0);
	int64_t next = answer_int(server, "next_poll", 0);

	add_label(out, "last answer");
	if (last) {
		time_text_add_span(out, now - last);
		buf_puts(out, " ago");
	} else {
		buf_puts(out, "none yet");
	}
	if (next) {
		buf_puts(out, ", next question in ");
		time_text_add_span(out, next - now);
	}
	buf_putc(out, '\n');
}

static void add_error(struct buf *out, const struct value *holder)
{
	struct str error = answer_text(holder, "last_error");

	if (!error.len)
		return;
	add_label(out, "last error");
	buf_puts(out, output_colour(OUTPUT_RED));
	place_text_add_home(out, error);
	buf_printf(out, "%s\n", output_colour(OUTPUT_PLAIN));
}

/* Enough of the key to tell which one it is. */
static void add_key(struct buf *out, const struct value *workspace)
{
	const struct value *origin =
		value_get(workspace, STR("access_key_origin"));
	struct str key = answer_text(workspace, "access_key");

	if (!key.len)
		return;
	key_text_add(out, key);
	if (!value_is(origin, VALUE_OBJECT))
		return;
	buf_puts(out, " from ");
	place_text_add(out, origin);
}

/* When the server last took the key itself, not a token made from it. */
static void add_proof(struct buf *out, const struct value *workspace,
		      int64_t now)
{
	const struct value *server = value_get(workspace, STR("server"));
	int64_t proved = answer_int(server, "proved_at", 0);

	if (!proved)
		return;
	buf_puts(out, ", proved ");
	time_text_add_span(out, now - proved);
	buf_puts(out, " ago");
}

static void add_expiry(struct buf *out, const struct value *workspace,
		       int64_t now)
{
	int64_t left = answer_int(workspace, "access_key_expires", 0) - now;

	if (!value_get(workspace, STR("access_key_expires")))
		return;
	buf_puts(out, ", ");
	if (answer_bool(workspace, "access_key_runs_out"))
		buf_puts(out, output_colour(OUTPUT_YELLOW));
	buf_puts(out, left > 0 ? "expires in " : "has expired");
	if (left > 0)
		time_text_add_span(out, left);
	buf_puts(out, output_colour(OUTPUT_PLAIN));
}

static void add_account(struct buf *out, const struct value *workspace,
			int64_t now)
{
	struct str user = answer_text(workspace, "user_name");
	struct str company = answer_text(workspace, "company_name");

	if (user.len || company.len) {
		add_label(out, "account");
		buf_add_str(out, user);
		add_text(out, user.len ? " at " : "", company);
		buf_putc(out, '\n');
	}
	if (answer_text(workspace, "access_key").len) {
		add_label(out, "key");
		add_key(out, workspace);
		add_proof(out, workspace, now);
		add_expiry(out, workspace, now);
		buf_putc(out, '\n');
	}
}

/* Write how far a rotation of the key pair is. */
static void add_rotation(struct buf *out, const struct value *rotation,
			 int64_t now)
{
	int64_t revoke_at = answer_int(rotation, "revoke_at", 0);
	struct str problem = answer_text(rotation, "problem");

	if (!value_is(rotation, VALUE_OBJECT))
		return;
	add_label(out, "rotation");
	buf_add_str(out, answer_text(rotation, "state"));
	if (revoke_at) {
		buf_puts(out, ", the old key is revoked in ");
		time_text_add_span(out, revoke_at - now);
	}
	if (problem.len)
		buf_printf(out, ": %s%.*s%s", output_colour(OUTPUT_RED),
			   STR_PRINT(problem), output_colour(OUTPUT_PLAIN));
	buf_putc(out, '\n');
}

/* Write the login that is not in force yet, below the one that is. */
static void add_candidate(struct buf *out, const struct value *login)
{
	if (!value_is(login, VALUE_OBJECT))
		return;
	add_label(out, "new login");
	add_key(out, login);
	if (answer_text(login, "access_key").len)
		buf_puts(out, ", ");
	buf_printf(out,
		   "at %.*s, not proved yet: the one above stays in "
		   "force\n",
		   STR_PRINT(answer_text(login, "api_server")));
	add_error(out, login);
}

/* "3:12: expected '}'" behind the source that it is about. */
static void add_problem(struct buf *out, const struct value *layer)
{
	int64_t line = answer_int(layer, "line", 0);
	struct str error = answer_text(layer, "error");

	if (!error.len)
		return;
	if (line)
		buf_printf(out, ":%lld:%lld", (long long)line,
			   (long long)answer_int(layer, "column", 1));
	buf_printf(out, ": %s%.*s%s", output_colour(OUTPUT_RED),
		   STR_PRINT(error), output_colour(OUTPUT_PLAIN));
}

static void add_layer(struct buf *out, const struct value *layer)
{
	struct str source = answer_text(layer, "source");
	struct str description = answer_text(layer, "description");

	buf_printf(out, "    %-11.*s ", STR_PRINT(answer_text(layer, "layer")));
	add_state(out, answer_text(layer, "state"), 8);
	add_text(out, " ", description);
	/* That of a document which a rollout has brought begins with it. */
	if (!description.len || !str_starts(description, source)) {
		buf_puts(out, description.len ? " (" : " ");
		place_text_add_home(out, source);
		buf_puts(out, description.len ? ")" : "");
	}
	add_problem(out, layer);
	buf_putc(out, '\n');
}

static void add_hold(struct buf *out, const struct value *hold, int64_t now)
{
	if (!value_is(hold, VALUE_OBJECT))
		return;
	add_label(out, "hold");
	hold_text_add(out, hold, now, "               ");
}

static void add_layers(struct buf *out, const struct value *layers)
{
	if (!value_is(layers, VALUE_LIST) || !layers->list.count)
		return;
	buf_puts(out, "  layers, weakest first\n");
	for (uint32_t i = 0; i < layers->list.count; i++)
		add_layer(out, layers->list.items[i]);
}

static void add_arriving(struct buf *out, const struct value *list)
{
	for (uint32_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count;
	     i++) {
		add_label(out, "waiting");
		arriving_text_add(out, list->list.items[i]);
		buf_puts(out, ": see clearconf change\n");
	}
}

static void add_history(struct buf *out, struct str problem)
{
	if (!problem.len)
		return;
	add_label(out, "history");
	buf_puts(out, "not all of it is on the disk");
	add_text(out, ": ", problem);
	buf_putc(out, '\n');
}

static void add_workspace(struct buf *out, const struct value *workspace,
			  int64_t now)
{
	const struct value *server = value_get(workspace, STR("server"));

	buf_printf(out, "\n%sworkspace %.*s%s%s: ", output_colour(OUTPUT_BOLD),
		   STR_PRINT(answer_text(workspace, "name")),
		   output_colour(OUTPUT_PLAIN),
		   answer_bool(workspace, "active") ? " (active)" : "");
	add_state(out, answer_text(workspace, "state"), 0);
	buf_printf(out, ", generation %lld\n",
		   (long long)answer_int(workspace, "generation", 0));
	add_hold(out, value_get(workspace, STR("hold")), now);
	if (value_is(server, VALUE_OBJECT)) {
		add_server(out, server);
		add_account(out, workspace, now);
		add_polls(out, server, now);
		add_error(out, server);
	} else {
		add_label(out, "server");
		buf_puts(out, "none asked");
		add_text(out, ": ", answer_text(workspace, "unasked"));
		buf_putc(out, '\n');
	}
	add_candidate(out, value_get(workspace, STR("new_login")));
	add_rotation(out, value_get(workspace, STR("rotation")), now);
	add_arriving(out, value_get(workspace, STR("arriving")));
	add_history(out, answer_text(workspace, "history_problem"));
	add_layers(out, value_get(workspace, STR("layers")));
}

static void add_head(struct buf *out, const struct value *status, int64_t now)
{
	buf_printf(out, "%sclearconfd %.*s%s: ", output_colour(OUTPUT_BOLD),
		   STR_PRINT(answer_text(status, "version")),
		   output_colour(OUTPUT_PLAIN));
	add_state(out, answer_text(status, "state"), 0);
	buf_puts(out, " for ");
	time_text_add_span(out, now - answer_int(status, "since", now));
	buf_printf(out, ", generation %lld\n",
		   (long long)answer_int(status, "generation", 0));
	add_label(out, "daemon");
	add_text(out, "", answer_text(status, "instance"));
	add_text(out, " instance, mode ", answer_text(status, "mode"));
	buf_printf(out, ", process %lld, up for ",
		   (long long)answer_int(status, "pid", 0));
	time_text_add_span(out, answer_int(status, "uptime", 0));
	buf_putc(out, '\n');
	add_label(out, "connections");
	buf_printf(out, "%lld, watchers %lld\n",
		   (long long)answer_int(status, "connections", 0),
		   (long long)answer_int(status, "watchers", 0));
}

static void add_rollout(struct buf *out, const struct value *rollout)
{
	int64_t share = answer_int(rollout, "share", 0);

	add_label(out, "rollout");
	buf_add_str(out, answer_text(rollout, "name"));
	add_text(out, ", ", answer_text(rollout, "id"));
	add_text(out, ", ", answer_text(rollout, "state"));
	buf_printf(out, " at %lld.%02lld %%", (long long)share / 100,
		   (long long)share % 100);
	if (answer_bool(rollout, "taken"))
		buf_puts(out, ", taken here");
	if (answer_text(rollout, "bad").len)
		buf_printf(out, ", %s%.*s%s", output_colour(OUTPUT_RED),
			   STR_PRINT(answer_text(rollout, "bad")),
			   output_colour(OUTPUT_PLAIN));
	add_text(out, ": ", answer_text(rollout, "reason"));
	add_text(out, ": ", answer_text(rollout, "error"));
	buf_putc(out, '\n');
}

static void add_rollouts(struct buf *out, const struct value *rollouts)
{
	for (uint32_t i = 0;
	     value_is(rollouts, VALUE_LIST) && i < rollouts->list.count; i++)
		add_rollout(out, rollouts->list.items[i]);
}

static void add_report(struct buf *out, const struct value *report)
{
	int64_t clock = answer_int(report, "clock", 0);

	if (!value_is(report, VALUE_OBJECT))
		return;
	add_label(out, "report");
	add_state(out, answer_text(report, "state"), 0);
	add_text(out, ", ", answer_text(report, "key"));
	add_text(out, ", and machine ", answer_text(report, "rival"));
	if (answer_text(report, "rival").len)
		buf_puts(out, " would report under this name");
	if (clock)
		buf_printf(out, ", the clock is %lld s %s etcd's",
			   llabs((long long)clock),
			   clock > 0 ? "ahead of" : "behind");
	buf_putc(out, '\n');
	add_error(out, report);
}

static void add_own(struct buf *out, const struct value *status)
{
	if (!own_workspace(status).len)
		return;
	add_label(out, "yours");
	own_text_add(out, status);
	buf_putc(out, '\n');
}

static void add_site(struct buf *out, const struct value *site)
{
	if (!value_is(site, VALUE_OBJECT))
		return;
	add_label(out, "site layer");
	add_state(out, answer_text(site, "state"), 0);
	add_text(out, ", ", answer_text(site, "endpoint"));
	if (answer_int(site, "revision", 0))
		buf_printf(out, ", revision %lld",
			   (long long)answer_int(site, "revision", 0));
	buf_putc(out, '\n');
	add_error(out, site);
	add_rollouts(out, value_get(site, STR("rollouts")));
	add_report(out, value_get(site, STR("report")));
}

/* "process 12 runs clearml-agent (13): restart pending for 5 min, waiting for
 * ..." */
static void add_consumer(struct buf *out, const struct value *consumer,
			 int64_t now)
{
	int64_t child = answer_int(consumer, "child", 0);
	int64_t since = answer_int(consumer, "pending_since", 0);

	add_label(out, "consumer");
	buf_printf(out, "process %lld",
		   (long long)answer_int(consumer, "pid", 0));
	if (str_is(answer_text(consumer, "how"), "dump"))
		buf_puts(out, " keeps a file");
	else
		add_text(out, " runs ", answer_text(consumer, "command"));
	if (child)
		buf_printf(out, " (%lld)", (long long)child);
	if (since) {
		buf_printf(out, ": %s%s%s for ", output_colour(OUTPUT_YELLOW),
			   child ? "restart pending" : "not current",
			   output_colour(OUTPUT_PLAIN));
		time_text_add_span(out, now - since);
		add_text(out, ", waiting for ",
			 answer_text(consumer, "waiting_for"));
	}
	buf_putc(out, '\n');
}

static void add_consumers(struct buf *out, const struct value *consumers,
			  int64_t now)
{
	if (!value_is(consumers, VALUE_LIST))
		return;
	for (uint32_t i = 0; i < consumers->list.count; i++)
		add_consumer(out, consumers->list.items[i], now);
}

void status_text_write(struct buf *out, const struct value *status,
		       const char *name, int64_t now)
{
	const struct value *list = value_get(status, STR("workspaces"));

	add_head(out, status, now);
	add_own(out, status);
	add_consumers(out, value_get(status, STR("consumers")), now);
	add_site(out, value_get(status, STR("site")));
	if (!value_is(list, VALUE_LIST))
		return;
	for (uint32_t i = 0; i < list->list.count; i++)
		if (!name ||
		    str_is(answer_text(list->list.items[i], "name"), name))
			add_workspace(out, list->list.items[i], now);
}
