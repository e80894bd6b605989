#include "exec_feed.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "clock.h"
#include "command.h"
#include "complain.h"
#include "exit_status.h"
#include "patience.h"
#include "read/doc.h"
#include "status_follow.h"
#include "value/json.h"

/* Far from the daemon's limit of questions with an environment, which is per
 * user: several of us may be awake. */
#define QUESTION_GAP_MS 250
#define LATER_MS        500
#define FIRST_PAUSE_MS  100
#define MAX_PAUSE_MS    5000
#define CONNECT_MS      1000

static struct question question_of(const struct client *client)
{
	return (struct question){
		.workspace = client->workspace,
		.environment = true,
		.secrets = ASK_REAL,
	};
}

/* --- the first answer ----------------------------------------------------- */

/* Those who were turned away together must not come again together. */
static int later_ms(void)
{
	return LATER_MS + (int)(getpid() % 16) * 20;
}

static bool is_past_starting(struct str state)
{
	return !str_is(state, "starting");
}

/* An exit status, complained about. */
static int await_vaults(const struct client *client, int timeout_ms)
{
	struct status_wish wish = {.is_enough = is_past_starting,
				   .timeout_ms = timeout_ms};
	_cleanup_(channel_deinit) struct channel channel = {0};
	int status = status_follow(&channel, client, &wish, NULL);

	if (channel.result == -ETIMEDOUT)
		return complain(EXIT_SERVER,
				"the vaults are not in yet (state starting): "
				"wait longer with --timeout, or see "
				"'clearconf status'");
	return status == EXIT_DONE ? status
				   : channel_complain(&channel, status);
}

static int ask_until_started(const struct client *client,
			     struct channel *channel, struct answer *answer)
{
	struct question question = question_of(client);
	long long deadline = clock_now() + client->timeout_ms;
	int status;

	for (;;) {
		status = ask(channel, &question, answer);
		if (status != EXIT_DONE &&
		    !(channel_failed_with(channel, CHANNEL_OVER_QUOTA) &&
		      clock_now() < deadline))
			return channel_complain(channel, status);
		if (status == EXIT_DONE && !answer_is_starting(answer))
			return status;
		if (status == EXIT_DONE) {
			answer_deinit(answer);
			status = await_vaults(client, clock_until(deadline));
			if (status != EXIT_DONE)
				return status;
		}
		patience_sleep(later_ms());
	}
}

int exec_feed_first(const struct client *client, struct answer *answer)
{
	_cleanup_(channel_deinit) struct channel channel = {0};
	int status = channel_open(&channel, client);

	if (status != EXIT_DONE)
		return channel_complain(&channel, status);
	return ask_until_started(client, &channel, answer);
}

/* --- the connections ------------------------------------------------------ */

static void close_both(struct exec_feed *feed)
{
	channel_deinit(&feed->watching);
	channel_deinit(&feed->asking);
	feed->state = FEED_AWAY;
}

/* @channel failed: everything from the start, after a pause. Why is said
 * once. */
static void retreat(struct exec_feed *feed, struct channel *channel, int status)
{
	bool refused = channel->result == CLEARCONF_E_ERROR;

	if (!feed->pause_ms && refused)
		(void)channel_complain(channel, status);
	else if (!feed->pause_ms)
		complain_warning("the daemon is gone: the file stays as it is "
				 "until it comes back");
	close_both(feed);
	feed->pause_ms = feed->pause_ms ? feed->pause_ms * 2 : FIRST_PAUSE_MS;
	if (feed->pause_ms > MAX_PAUSE_MS)
		feed->pause_ms = MAX_PAUSE_MS;
	feed->retry_at = clock_now() + feed->pause_ms;
}

static int send_watch(struct exec_feed *feed)
{
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;

	buf_putc(&parameters, '{');
	json_add_optional_string(&parameters, "workspace",
				 feed->client->workspace);
	buf_putc(&parameters, '}');
	return channel_send(&feed->watching, "Watch", &parameters);
}

/* Connecting to a socket of this host takes no time, unless its queue is
 * full. The first answer to Watch makes up for what was missed meanwhile. */
static void connect_both(struct exec_feed *feed)
{
	struct client client = *feed->client;
	int status;

	client.timeout_ms = CONNECT_MS;
	status = channel_open(&feed->watching, &client);
	if (status == EXIT_DONE)
		status = send_watch(feed);
	if (status != EXIT_DONE) {
		retreat(feed, &feed->watching, status);
		return;
	}
	status = channel_open(&feed->asking, &client);
	if (status != EXIT_DONE) {
		retreat(feed, &feed->asking, status);
		return;
	}
	feed->state = FEED_IDLE;
}

void exec_feed_start(struct exec_feed *feed, const struct client *client)
{
	*feed = (struct exec_feed){.client = client};
	connect_both(feed);
}

void exec_feed_deinit(struct exec_feed *feed)
{
	close_both(feed);
}

/* --- going on ------------------------------------------------------------- */

static void take_notices(struct exec_feed *feed)
{
	int status;

	while (feed->state != FEED_AWAY) {
		_cleanup_(doc_unrefp) struct doc *notice = NULL;

		if (!channel_poll(&feed->watching, &notice, &status))
			return;
		if (status != EXIT_DONE) {
			retreat(feed, &feed->watching, status);
			return;
		}
		feed->pause_ms = 0;
		feed->changed = true;
	}
}

static void ask_again(struct exec_feed *feed)
{
	struct question question = question_of(feed->client);
	int status;

	if (feed->state != FEED_IDLE || !feed->changed ||
	    (feed->ask_at && !clock_is_past(feed->ask_at)))
		return;
	feed->changed = false;
	feed->ask_at = clock_now() + QUESTION_GAP_MS;
	status = ask_send(&feed->asking, &question);
	if (status == EXIT_DONE)
		feed->state = FEED_ASKING;
	else
		retreat(feed, &feed->asking, status);
}

static void ask_later(struct exec_feed *feed)
{
	feed->changed = true;
	feed->ask_at = clock_now() + later_ms();
}

/* An answer that is an error is said; the next change asks again. */
static void take_refusal(struct exec_feed *feed, int status)
{
	if (feed->asking.result != CLEARCONF_E_ERROR)
		retreat(feed, &feed->asking, status);
	else if (channel_failed_with(&feed->asking, CHANNEL_OVER_QUOTA))
		ask_later(feed);
	else
		(void)channel_complain(&feed->asking, status);
}

static bool take_answer(struct exec_feed *feed, struct answer *answer)
{
	struct doc *doc = NULL;
	int status;

	if (feed->state != FEED_ASKING ||
	    !channel_poll(&feed->asking, &doc, &status))
		return false;
	feed->state = FEED_IDLE;
	if (status != EXIT_DONE) {
		take_refusal(feed, status);
		return false;
	}
	answer_init(answer, doc);
	if (!answer_is_starting(answer))
		return true;
	answer_deinit(answer);
	ask_later(feed);
	return false;
}

bool exec_feed_step(struct exec_feed *feed, struct answer *answer)
{
	bool answered;

	if (feed->state == FEED_AWAY && clock_is_past(feed->retry_at))
		connect_both(feed);
	if (feed->state == FEED_AWAY)
		return false;
	take_notices(feed);
	answered = take_answer(feed, answer);
	ask_again(feed);
	return answered;
}

void exec_feed_poll(const struct exec_feed *feed,
		    struct pollfd fds[EXEC_FEED_FDS])
{
	const struct channel *channels[EXEC_FEED_FDS] = {&feed->watching,
							 &feed->asking};
	bool busy[EXEC_FEED_FDS] = {feed->state != FEED_AWAY,
				    feed->state == FEED_ASKING};

	for (int i = 0; i < EXEC_FEED_FDS; i++) {
		fds[i] = (struct pollfd){.fd = -1};
		if (!busy[i])
			continue;
		fds[i].fd = clearconf_get_fd(channels[i]->handle);
		fds[i].events =
			(short)clearconf_get_events(channels[i]->handle);
	}
}

long long exec_feed_moment(const struct exec_feed *feed)
{
	if (feed->state == FEED_AWAY)
		return feed->retry_at;
	return feed->state == FEED_IDLE && feed->changed ? feed->ask_at : 0;
}
