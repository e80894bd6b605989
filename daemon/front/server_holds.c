/* The methods of server_call.h that wait for the disk: Hold, Release. */

#include "engine/engine.h"
#include "front/hold_json.h"
#include "front/server_call.h"
#include "serve/peer.h"
#include "value/json.h"

#define REASON_MAX ((size_t)1024)

/* One line that says something. */
static bool is_reason(struct str text)
{
	bool says = false;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < ' ' || c == 0x7f)
			return false;
		says = says || c != ' ';
	}
	return says && text.len <= REASON_MAX;
}

/* Without a generation it is the one that is served, or that is held. */
static bool find_generation(const struct server_call *call,
			    struct hold_wish *wish)
{
	const struct workspace *workspace = call->workspace;
	const struct hold_record *held = workspace->hold.record;
	int64_t asked = call_int(call->asked, "generation", -1);

	wish->snapshot =
		asked >= 0 ? history_at(&workspace->history, (uint64_t)asked)
		: held     ? held->snapshot
			   : workspace->snapshot;
	if (!wish->snapshot)
		return false;
	if (asked >= 0)
		wish->generation = (uint64_t)asked;
	else
		wish->generation =
			held ? held->generation : wish->snapshot->generation;
	return true;
}

static void fail_generation(struct server_call *call)
{
	const struct history *history = &call->workspace->history;
	int64_t asked = call_int(call->asked, "generation", -1);

	pending_fail_generation(server_call_end(call), (uint64_t)asked,
				history_oldest(history)->generation);
}

static bool begin_hold(struct server_call *call)
{
	struct hold_wish wish = {
		.duration = call_int(call->asked, "duration", 0),
		.reason = call_string(call->asked, "reason").ptr,
		.uid = call->pending->peer->user.uid,
	};
	const char *why_not = hold_why_not(&call->workspace->hold);

	if (!is_reason(call_string(call->asked, "reason"))) {
		pending_fail_parameter(server_call_end(call), "reason");
		return false;
	}
	if (!find_generation(call, &wish)) {
		fail_generation(call);
		return false;
	}
	if (!why_not)
		why_not =
			workspace_why_not_again(call->workspace, wish.snapshot);
	if (why_not)
		pending_fail_not_ready(server_call_end(call), why_not);
	else
		workspace_hold(call->workspace, &wish);
	return !why_not;
}

static bool begin_release(struct server_call *call)
{
	struct hold *hold = &call->workspace->hold;
	bool on = hold_is_on(hold);
	const char *why_not = on ? hold_why_not(hold) : NULL;

	json_add_bool(&call->fields, "released", on);
	if (why_not)
		pending_fail_not_ready(server_call_end(call), why_not);
	else if (on)
		hold_release(hold);
	return !why_not;
}

static void fail_with_problem(struct server_call *call, const struct hold *hold)
{
	pending_fail_not_ready(server_call_end(call),
			       hold->problem ? hold->problem
					     : "it has ended meanwhile");
}

static void succeed(struct server_call *call, const struct workspace *workspace)
{
	json_add_int(&call->fields, "generation",
		     (long long)workspace->snapshot->generation);
	hold_json_add(&call->fields, &workspace->hold,
		      call->engine->host.secrets);
	server_call_succeed(call);
}

static void look_hold(struct server_call *call)
{
	const struct workspace *workspace = server_call_workspace(call);
	const struct hold *hold = workspace ? &workspace->hold : NULL;

	if (!hold || (hold->work && hold_is_on(hold)))
		return;
	if (hold->problem || !hold_is_on(hold))
		fail_with_problem(call, hold);
	else
		succeed(call, workspace);
}

static void look_release(struct server_call *call)
{
	const struct workspace *workspace = server_call_workspace(call);
	const struct hold *hold = workspace ? &workspace->hold : NULL;

	if (!hold || (hold->work && hold_is_on(hold)))
		return;
	if (hold_is_on(hold))
		fail_with_problem(call, hold);
	else
		succeed(call, workspace);
}

static void late(struct server_call *call)
{
	pending_fail_not_ready(server_call_end(call),
			       "the disk has not answered in time: 'clearconf "
			       "hold' says what became of it");
}

const struct server_method server_holds[] = {
	{"Hold", .begin = begin_hold, .look = look_hold, .late = late},
	{"Release", .begin = begin_release, .look = look_release, .late = late},
	{0},
};
