#include "exec/exec_feed.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "call/clock.h"
#include "call/command.h"
#include "call/status_follow.h"
#include "read/doc.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "value/json.h"

/* Far from the daemon's limit of questions with an environment, which is per
 * user: several of us may be awake. */
#define QUESTION_GAP_MS 250
#define LATER_MS        500
#define CONNECT_MS      1000

static struct get_question question_of(const struct exec_feed *feed,
				       const char *view)
{
	return (struct get_question){
		.workspace = feed->client->workspace,
		.environment = true,
		.secrets = GET_REAL,
		.view = view,
		.require_vaults = feed->require_vaults,
	};
}

struct get_question exec_feed_question(const struct exec_feed *feed)
{
	return question_of(feed, GET_VIEW_MERGED);
}

static const char *view_of_file(const struct exec_feed *feed)
{
	return feed->live ? GET_VIEW_LIVE : GET_VIEW_MERGED;
}

const struct value *exec_answers_whole(const struct exec_answers *answers)
{
	return answers->whole.doc ? answers->whole.value : answers->file.value;
}

void exec_answers_warn(const struct exec_answers *answers)
{
	get_answer_warn(answers->whole.doc ? &answers->whole : &answers->file);
}

void exec_answers_deinit(struct exec_answers *answers)
{
	get_answer_deinit(&answers->file);
	get_answer_deinit(&answers->whole);
}

void exec_feed_init(struct exec_feed *feed, const struct client *client,
		    bool live, bool require_vaults)
{
	*feed = (struct exec_feed){.client = client,
				   .live = live,
				   .require_vaults = require_vaults};
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

/* May a question that was refused be asked again? */
static bool is_worth_asking_again(const struct channel *channel)
{
	return channel_failed_with(channel, CHANNEL_OVER_QUOTA) ||
	       channel_failed_with(channel, CHANNEL_NOT_READY);
}

static int ask_until_started(const struct client *client,
			     struct channel *channel,
			     const struct get_question *question,
			     struct get_answer *answer)
{
	long long deadline = clock_now() + client->timeout_ms;
	int status;

	for (;;) {
		status = get_call(channel, question, answer);
		if (status != EXIT_DONE &&
		    !(is_worth_asking_again(channel) && clock_now() < deadline))
			return channel_complain(channel, status);
		if (status == EXIT_DONE && !get_answer_is_starting(answer))
			return status;
		if (status == EXIT_DONE) {
			get_answer_deinit(answer);
			status = await_vaults(client, clock_until(deadline));
			if (status != EXIT_DONE)
				return status;
		}
		clock_sleep(later_ms());
	}
}

static int ask_first(const struct exec_feed *feed, const char *view,
		     struct get_answer *answer)
{
	struct get_question question = question_of(feed, view);
	_cleanup_(channel_deinit) struct channel channel = {0};
	int status = channel_open(&channel, feed->client);

	if (status != EXIT_DONE)
		return channel_complain(&channel, status);
	return ask_until_started(feed->client, &channel, &question, answer);
}

int exec_feed_first(struct exec_feed *feed, struct exec_answers *answers)
{
	int status = ask_first(feed, view_of_file(feed), &answers->file);

	if (status == EXIT_DONE && feed->live)
		status = ask_first(feed, GET_VIEW_MERGED, &answers->whole);
	return status;
}

/* --- changes -------------------------------------------------------------- */

int exec_feed_start(struct exec_feed *feed)
{
	const struct client *client = feed->client;
	_cleanup_(buf_deinit) struct buf question = BUF_INIT;
	int status;

	buf_putc(&question, '{');
	json_add_optional_string(&question, "workspace", client->workspace);
	json_add_bool(&question, "documents", true);
	buf_putc(&question, '}');
	status = channel_follow(&feed->watching, client, &question);
	return channel_complain(&feed->watching, status);
}

void exec_feed_deinit(struct exec_feed *feed)
{
	channel_deinit(&feed->watching);
	channel_deinit(&feed->asking);
	exec_answers_deinit(&feed->got);
	feed->state = FEED_AWAY;
}

/* Why is said once; the watch goes on by itself. */
static void retreat(struct exec_feed *feed, int status)
{
	bool refused = feed->watching.result == CLEARCONF_E_ERROR;

	if (refused && !feed->refused)
		(void)channel_complain(&feed->watching, status);
	else if (!refused)
		complain_warning("the daemon is gone: the file stays as it is "
				 "until it comes back");
	feed->refused = refused;
	channel_deinit(&feed->asking);
	exec_answers_deinit(&feed->got);
	feed->state = FEED_AWAY;
}

/* The first answer to Watch after a restart makes up for what was missed. */
static void take_notices(struct exec_feed *feed)
{
	for (;;) {
		_cleanup_(doc_unrefp) struct doc *notice = NULL;
		int status;

		if (!channel_poll(&feed->watching, &notice, &status))
			return;
		if (status != EXIT_DONE) {
			retreat(feed, status);
			continue;
		}
		if (feed->state == FEED_AWAY)
			feed->state = FEED_IDLE;
		feed->refused = false;
		feed->changed = true;
	}
}

/* --- questions ------------------------------------------------------------ */

static void ask_later(struct exec_feed *feed)
{
	feed->changed = true;
	feed->ask_at = clock_now() + later_ms();
}

/* Connecting to a socket of this host takes no time, unless its queue is
 * full. */
static int send_question(struct exec_feed *feed, const char *view)
{
	struct get_question question = question_of(feed, view);
	struct client client = *feed->client;
	int status = EXIT_DONE;

	client.timeout_ms = CONNECT_MS;
	if (!feed->asking.handle || clearconf_get_fd(feed->asking.handle) < 0)
		status = channel_open(&feed->asking, &client);
	return status == EXIT_DONE ? get_call_send(&feed->asking, &question)
				   : status;
}

static void put_question(struct exec_feed *feed, const char *view)
{
	feed->state = FEED_ASKING;
	if (send_question(feed, view) == EXIT_DONE)
		return;
	feed->state = FEED_IDLE;
	exec_answers_deinit(&feed->got);
	ask_later(feed);
}

static void ask_again(struct exec_feed *feed)
{
	if (feed->state != FEED_IDLE || !feed->changed ||
	    (feed->ask_at && !clock_is_past(feed->ask_at)))
		return;
	feed->changed = false;
	feed->ask_at = clock_now() + QUESTION_GAP_MS;
	put_question(feed, view_of_file(feed));
}

/* An answer that is an error is said; the next change asks again. A connection
 * that is lost is the watch's to tell. */
static void take_refusal(struct exec_feed *feed, int status)
{
	if (feed->asking.result != CLEARCONF_E_ERROR ||
	    channel_failed_with(&feed->asking, CHANNEL_OVER_QUOTA))
		ask_later(feed);
	else
		(void)channel_complain(&feed->asking, status);
}

/* Was that the last question of this turn? */
static bool take_answer(struct exec_feed *feed, struct doc *doc)
{
	bool first = !feed->got.file.doc;
	struct get_answer *answer = first ? &feed->got.file : &feed->got.whole;

	get_answer_init(answer, doc);
	if (get_answer_is_starting(answer)) {
		ask_later(feed);
		return false;
	}
	if (!first || !feed->live)
		return true;
	put_question(feed, GET_VIEW_MERGED);
	return false;
}

static bool take_reply(struct exec_feed *feed)
{
	struct doc *doc = NULL;
	int status;

	if (feed->state != FEED_ASKING ||
	    !channel_poll(&feed->asking, &doc, &status))
		return false;
	feed->state = FEED_IDLE;
	if (status == EXIT_DONE && take_answer(feed, doc))
		return true;
	if (status != EXIT_DONE)
		take_refusal(feed, status);
	if (feed->state == FEED_IDLE)
		exec_answers_deinit(&feed->got);
	return false;
}

bool exec_feed_step(struct exec_feed *feed, struct exec_answers *answers)
{
	bool answered;

	take_notices(feed);
	answered = take_reply(feed);
	if (answered) {
		*answers = feed->got;
		feed->got = (struct exec_answers){0};
	}
	ask_again(feed);
	return answered;
}

void exec_feed_poll(const struct exec_feed *feed,
		    struct pollfd fds[EXEC_FEED_FDS])
{
	const struct clearconf *asking = feed->asking.handle;

	fds[0] = (struct pollfd){clearconf_watch_get_fd(feed->watching.watch),
				 POLLIN, 0};
	fds[1] = (struct pollfd){.fd = -1};
	if (feed->state == FEED_ASKING)
		fds[1] =
			(struct pollfd){clearconf_get_fd(asking),
					(short)clearconf_get_events(asking), 0};
}

long long exec_feed_moment(const struct exec_feed *feed)
{
	return feed->state == FEED_IDLE && feed->changed ? feed->ask_at : 0;
}
