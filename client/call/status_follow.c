#include "call/status_follow.h"

#include "base/mem.h"
#include "call/channel.h"
#include "call/clock.h"
#include "call/command.h"
#include "call/progress.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/exit_status.h"
#include "text/own_text.h"
#include "value/value.h"

#define RETRY_MS 100

struct follow {
	struct channel *channel;
	const struct client *client;
	const struct status_wish *wish;
	long long deadline; /* negative: never */
	struct doc *last;
};

static int time_left(const struct follow *follow)
{
	long long left;

	if (follow->deadline < 0)
		return -1;
	left = follow->deadline - clock_now();
	return left < 0 ? 0 : (int)left;
}

/* @name empty: the active one. */
static bool is_workspace(const struct value *workspace, struct str name)
{
	if (!name.len)
		return answer_bool(workspace, "active");
	return str_equal(answer_text(workspace, "name"), name);
}

struct str status_workspace_state(const struct value *status, const char *named)
{
	const struct value *list = value_get(status, STR("workspaces"));
	struct str name = named ? str_from(named) : own_workspace(status);

	if (value_is(list, VALUE_LIST))
		for (uint32_t i = 0; i < list->list.count; i++)
			if (is_workspace(list->list.items[i], name))
				return answer_text(list->list.items[i],
						   "state");
	return (struct str){NULL, 0};
}

static bool is_enough(const struct follow *follow)
{
	const struct value *status =
		value_get(follow->last->root, STR("status"));
	struct str state = answer_text(status, "state");

	if (!follow->wish->overall || own_workspace(status).len)
		state = status_workspace_state(status,
					       follow->client->workspace);
	return follow->wish->is_enough(state);
}

/* One connection, until enough or until it fails. */
static int follow_once(struct follow *follow)
{
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	struct channel *channel = follow->channel;
	int status = channel_open(channel, follow->client);

	buf_puts(&parameters, "{}");
	if (status == EXIT_DONE)
		status = channel_send(channel, "GetStatus", &parameters);
	while (status == EXIT_DONE) {
		if (follow->last)
			follow->last = doc_unref(follow->last);
		status = channel_next(channel, time_left(follow), &follow->last,
				      NULL);
		if (status == EXIT_DONE && is_enough(follow))
			break;
	}
	return status;
}

int status_follow(struct channel *channel, const struct client *client,
		  const struct status_wish *wish, struct doc **answer)
{
	struct follow follow = {channel, client, wish, -1, NULL};
	struct progress progress;
	int status;

	if (wish->timeout_ms >= 0)
		follow.deadline = clock_now() + wish->timeout_ms;
	progress_begin(&progress);
	for (;;) {
		status = follow_once(&follow);
		if (status != EXIT_NO_DAEMON || !wish->patient ||
		    time_left(&follow) == 0)
			break;
		clock_sleep(RETRY_MS);
	}
	progress_end(&progress);
	if (answer)
		*answer = TAKE(follow.last);
	if (follow.last)
		(void)doc_unref(follow.last);
	return status;
}
