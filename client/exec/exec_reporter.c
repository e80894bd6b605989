#include "exec/exec_reporter.h"

#include "base/mem.h"
#include "call/clock.h"
#include "call/command.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/exit_status.h"
#include "value/json.h"
#include "value/value.h"

#define AGAIN_MS   2000
#define CONNECT_MS 1000
#define TEXT_MAX   200 /* bytes that the daemon takes */

void exec_reporter_init(struct exec_reporter *reporter,
			const struct client *client)
{
	*reporter = (struct exec_reporter){.client = client, .told = true};
}

void exec_reporter_deinit(struct exec_reporter *reporter)
{
	channel_deinit(&reporter->channel);
	buf_deinit(&reporter->report);
	buf_deinit(&reporter->worker);
}

/* The name of a process may be any bytes. */
static void add_plain(struct buf *out, const char *key, const char *text)
{
	_cleanup_(mem_freep) char *plain =
		text ? mem_printf("%.*s", TEXT_MAX, text) : NULL;

	for (char *at = plain; at && *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	json_add_optional_string(out, key, plain);
}

static void add_positive(struct buf *out, const char *key, long long number)
{
	json_add_optional_int(out, key, number > 0 ? number : -1);
}

void exec_reporter_tell(struct exec_reporter *reporter,
			const struct exec_report *report)
{
	struct buf text = BUF_INIT;

	buf_putc(&text, '{');
	json_add_string(&text, "how", report->how);
	add_plain(&text, "command", report->command);
	add_positive(&text, "generation", report->generation);
	add_positive(&text, "child", report->pid);
	if (report->pid || report->bad)
		add_positive(&text, "child_generation",
			     report->child_generation);
	add_positive(&text, "pending_since", report->pending_since);
	add_plain(&text, "waiting_for", report->waiting_for);
	json_add_optional_string(&text, "bad", report->bad);
	add_plain(&text, "bad_reason", report->bad_reason);
	json_add_optional_string(&text, "workspace",
				 reporter->client->workspace);
	buf_putc(&text, '}');
	if (!str_equal(buf_str(&text), buf_str(&reporter->report)))
		reporter->told = false;
	buf_deinit(&reporter->report);
	reporter->report = text;
}

/* --- what is said --------------------------------------------------------- */

static void hang_up(struct exec_reporter *reporter)
{
	channel_deinit(&reporter->channel);
	reporter->told = !reporter->report.len;
	reporter->again_at = 0;
	reporter->state = REPORTER_DOWN;
}

static void lose(struct exec_reporter *reporter)
{
	hang_up(reporter);
	if (reporter->worker.len)
		reporter->word = WORD_SILENCE;
	buf_deinit(&reporter->worker);
	reporter->again_at = clock_now() + AGAIN_MS;
}

/* An answer to an earlier question must not be taken for the one to this. */
void exec_reporter_ask(struct exec_reporter *reporter, const char *id)
{
	if (reporter->state == REPORTER_ASKING)
		hang_up(reporter);
	buf_deinit(&reporter->worker);
	buf_putc(&reporter->worker, '{');
	json_add_string(&reporter->worker, "id", id);
	json_add_optional_string(&reporter->worker, "workspace",
				 reporter->client->workspace);
	buf_putc(&reporter->worker, '}');
	reporter->word = WORD_NONE;
}

/* Connecting to a socket of this host takes no time, unless its queue is
 * full. */
static void dial(struct exec_reporter *reporter)
{
	struct client client = *reporter->client;

	client.timeout_ms = CONNECT_MS;
	if (channel_open(&reporter->channel, &client) == EXIT_DONE)
		reporter->state = REPORTER_QUIET;
	else
		lose(reporter);
}

bool exec_reporter_is_behind(const struct exec_reporter *reporter)
{
	return !reporter->told;
}

static bool has_something_to_say(const struct exec_reporter *reporter)
{
	return !reporter->told || reporter->worker.len;
}

/* What it runs comes before what it asks. */
static void say(struct exec_reporter *reporter)
{
	bool tells = !reporter->told;
	int status = tells ? channel_send(&reporter->channel, "ReportConsumer",
					  &reporter->report)
			   : channel_send(&reporter->channel, "GetWorkers",
					  &reporter->worker);

	reporter->state = tells ? REPORTER_SAYING : REPORTER_ASKING;
	if (tells)
		reporter->told = true;
	if (status != EXIT_DONE)
		lose(reporter);
}

/* --- what is heard -------------------------------------------------------- */

static enum exec_word read_word(const struct value *answer)
{
	const struct value *workers = value_get(answer, STR("workers"));

	if (!value_is(workers, VALUE_LIST) || !workers->list.count)
		return WORD_UNKNOWN;
	for (uint32_t i = 0; i < workers->list.count; i++)
		if (answer_text(workers->list.items[i], "task").len)
			return WORD_BUSY;
	return WORD_FREE;
}

/* An error to a report is the daemon's last word on it: it may be older, or
 * know enough of this user. */
static void hear(struct exec_reporter *reporter)
{
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int status;

	if (!channel_poll(&reporter->channel, &answer, &status))
		return;
	if (status != EXIT_DONE &&
	    reporter->channel.result != CLEARCONF_E_ERROR) {
		lose(reporter);
		return;
	}
	if (reporter->state == REPORTER_ASKING) {
		reporter->word = status == EXIT_DONE ? read_word(answer->root)
						     : WORD_SILENCE;
		buf_deinit(&reporter->worker);
	}
	reporter->state = REPORTER_QUIET;
}

void exec_reporter_step(struct exec_reporter *reporter)
{
	if (reporter->state != REPORTER_DOWN)
		hear(reporter);
	if (reporter->state == REPORTER_DOWN &&
	    has_something_to_say(reporter) &&
	    (!reporter->again_at || clock_is_past(reporter->again_at)))
		dial(reporter);
	if (reporter->state == REPORTER_QUIET && has_something_to_say(reporter))
		say(reporter);
}

/* An answer that is still to come is of no interest any more. */
void exec_reporter_tell_last(struct exec_reporter *reporter,
			     const struct exec_report *report)
{
	exec_reporter_tell(reporter, report);
	if (reporter->state == REPORTER_SAYING ||
	    reporter->state == REPORTER_ASKING)
		hang_up(reporter);
	if (reporter->state == REPORTER_DOWN)
		dial(reporter);
	if (reporter->state == REPORTER_QUIET && !reporter->told)
		say(reporter);
}

struct pollfd exec_reporter_poll(const struct exec_reporter *reporter)
{
	const struct clearconf *handle = reporter->channel.handle;

	if (reporter->state == REPORTER_DOWN)
		return (struct pollfd){.fd = -1};
	return (struct pollfd){clearconf_get_fd(handle),
			       (short)clearconf_get_events(handle), 0};
}

long long exec_reporter_moment(const struct exec_reporter *reporter)
{
	if (!has_something_to_say(reporter) || reporter->state > REPORTER_QUIET)
		return 0;
	return reporter->state == REPORTER_DOWN && reporter->again_at
		       ? reporter->again_at
		       : clock_now();
}
