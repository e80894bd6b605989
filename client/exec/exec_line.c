#include "exec/exec_line.h"

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

void exec_line_init(struct exec_line *line, const struct client *client)
{
	*line = (struct exec_line){.client = client, .told = true};
}

void exec_line_deinit(struct exec_line *line)
{
	channel_deinit(&line->channel);
	buf_deinit(&line->report);
	buf_deinit(&line->worker);
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

void exec_line_tell(struct exec_line *line, const struct exec_report *report)
{
	struct buf text = BUF_INIT;

	buf_putc(&text, '{');
	json_add_string(&text, "how", report->how);
	add_plain(&text, "command", report->command);
	if (report->pid)
		json_add_int(&text, "child", report->pid);
	if (report->pending_since)
		json_add_int(&text, "pending_since", report->pending_since);
	add_plain(&text, "waiting_for", report->waiting_for);
	json_add_optional_string(&text, "workspace", line->client->workspace);
	buf_putc(&text, '}');
	if (!str_equal(buf_str(&text), buf_str(&line->report)))
		line->told = false;
	buf_deinit(&line->report);
	line->report = text;
}

/* --- what is said --------------------------------------------------------- */

static void hang_up(struct exec_line *line)
{
	channel_deinit(&line->channel);
	line->told = !line->report.len;
	line->again_at = 0;
	line->state = LINE_DOWN;
}

static void lose(struct exec_line *line)
{
	hang_up(line);
	if (line->worker.len)
		line->word = WORD_SILENCE;
	buf_deinit(&line->worker);
	line->again_at = clock_now() + AGAIN_MS;
}

/* An answer to an earlier question must not be taken for the one to this. */
void exec_line_ask(struct exec_line *line, const char *id)
{
	if (line->state == LINE_ASKING)
		hang_up(line);
	buf_deinit(&line->worker);
	buf_putc(&line->worker, '{');
	json_add_string(&line->worker, "id", id);
	json_add_optional_string(&line->worker, "workspace",
				 line->client->workspace);
	buf_putc(&line->worker, '}');
	line->word = WORD_NONE;
}

/* Connecting to a socket of this host takes no time, unless its queue is
 * full. */
static void dial(struct exec_line *line)
{
	struct client client = *line->client;

	client.timeout_ms = CONNECT_MS;
	if (channel_open(&line->channel, &client) == EXIT_DONE)
		line->state = LINE_QUIET;
	else
		lose(line);
}

static bool has_something_to_say(const struct exec_line *line)
{
	return !line->told || line->worker.len;
}

/* What it runs comes before what it asks. */
static void say(struct exec_line *line)
{
	bool tells = !line->told;
	int status = tells ? channel_send(&line->channel, "ReportConsumer",
					  &line->report)
			   : channel_send(&line->channel, "GetWorkers",
					  &line->worker);

	line->state = tells ? LINE_SAYING : LINE_ASKING;
	if (tells)
		line->told = true;
	if (status != EXIT_DONE)
		lose(line);
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
static void hear(struct exec_line *line)
{
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int status;

	if (!channel_poll(&line->channel, &answer, &status))
		return;
	if (status != EXIT_DONE && line->channel.result != CLEARCONF_E_ERROR) {
		lose(line);
		return;
	}
	if (line->state == LINE_ASKING) {
		line->word = status == EXIT_DONE ? read_word(answer->root)
						 : WORD_SILENCE;
		buf_deinit(&line->worker);
	}
	line->state = LINE_QUIET;
}

void exec_line_step(struct exec_line *line)
{
	if (line->state != LINE_DOWN)
		hear(line);
	if (line->state == LINE_DOWN && has_something_to_say(line) &&
	    (!line->again_at || clock_is_past(line->again_at)))
		dial(line);
	if (line->state == LINE_QUIET && has_something_to_say(line))
		say(line);
}

struct pollfd exec_line_poll(const struct exec_line *line)
{
	const struct clearconf *handle = line->channel.handle;

	if (line->state == LINE_DOWN)
		return (struct pollfd){.fd = -1};
	return (struct pollfd){clearconf_get_fd(handle),
			       (short)clearconf_get_events(handle), 0};
}

long long exec_line_moment(const struct exec_line *line)
{
	if (!has_something_to_say(line) || line->state > LINE_QUIET)
		return 0;
	return line->state == LINE_DOWN && line->again_at ? line->again_at
							  : clock_now();
}
