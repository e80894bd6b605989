#include "exec/exec_check.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "call/channel.h"
#include "call/clock.h"
#include "call/get_call.h"
#include "call/redact.h"
#include "text/complain.h"
#include "text/ending_signals.h"
#include "text/exit_status.h"

#define LAST_BYTES 4096 /* of what it prints, in which the reason is */
#define LINE_BYTES 300
#define LOOK_MS    10

void exec_check_init(struct exec_check *check, const char *command,
		     int limit_ms)
{
	*check = (struct exec_check){
		.probe = {.command = command,
			  .option = "--check",
			  .limit_ms = limit_ms,
			  .output = -1},
		.folder = EXEC_FOLDER_INIT,
		.candidate = BUF_INIT,
	};
}

void exec_check_stop(struct exec_check *check)
{
	check->waits = false;
	if (check->probe.output < 0)
		return;
	exec_probe_stop(&check->probe);
	file_closep(&check->probe.output);
	check->probe.output = -1;
	(void)exec_folder_write(&check->folder, (struct str){"", 0});
	buf_deinit(&check->candidate);
}

void exec_check_deinit(struct exec_check *check)
{
	exec_check_stop(check);
	exec_folder_remove(&check->folder);
	buf_deinit(&check->candidate);
	mem_free(check->reason);
}

/* --- the reason ----------------------------------------------------------- */

/* The last line with something in it, of what the command has printed; nothing
 * when it is so long that its beginning is unknown: that may be half a secret.
 */
static struct str last_line(int output, char bytes[LAST_BYTES])
{
	struct stat st;
	off_t start = 0;
	ssize_t n = 0;
	struct str text;
	const char *line;

	if (fstat(output, &st) == 0 && st.st_size > LAST_BYTES)
		start = st.st_size - LAST_BYTES;
	n = pread(output, bytes, LAST_BYTES, start);
	text = str_trim((struct str){bytes, n > 0 ? (size_t)n : 0});
	line = text.len ? memrchr(text.ptr, '\n', text.len) : NULL;
	if (line)
		return str_from_offset(text, (size_t)(line + 1 - text.ptr));
	return start ? (struct str){"", 0} : text;
}

/* Without the masked twin of what it looked at nothing can be told apart. */
static void add_redacted(struct buf *reason, struct str line,
			 const struct exec_check_subject *subject)
{
	struct get_question question = *subject->question;
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(get_answer_deinit) struct get_answer masked = {0};
	_cleanup_(buf_deinit) struct buf shown = BUF_INIT;

	question.secrets = GET_MASKED;
	if (!line.len || channel_open(&channel, subject->client) != EXIT_DONE ||
	    get_call(&channel, &question, &masked) != EXIT_DONE)
		return;
	buf_puts(reason, ": ");
	redact_add(&shown, line, subject->real, masked.value);
	if (shown.len > LINE_BYTES) {
		shown.len = LINE_BYTES;
		shown.len = str_utf8_invalid(buf_str(&shown));
	}
	buf_add_str(reason, buf_str(&shown));
}

static char *why_not(const struct exec_check *check,
		     const struct exec_check_subject *subject)
{
	_cleanup_(buf_deinit) struct buf reason = BUF_INIT;
	char bytes[LAST_BYTES];
	int how = check->helper->how;

	buf_puts(&reason, "--check to accept the new configuration");
	if (check->helper->pid)
		buf_puts(&reason, " (no end in time)");
	else if (WIFSIGNALED(how))
		buf_printf(&reason, " (signal %d)", WTERMSIG(how));
	else
		buf_printf(&reason, " (status %d)", WEXITSTATUS(how));
	add_redacted(&reason, last_line(check->probe.output, bytes), subject);
	return buf_take(&reason);
}

/* --- the verdict ---------------------------------------------------------- */

static enum exec_verdict conclude(struct exec_check *check, char *reason)
{
	mem_free(check->reason);
	check->reason = reason;
	check->accepted = !reason;
	if (!reason)
		check->refused_since = 0;
	else if (!check->refused_since)
		check->refused_since = time(NULL);
	if (reason)
		complain_warning("nothing is changed: it takes %s", reason);
	return reason ? PROBE_NO : PROBE_YES;
}

static enum exec_verdict fail(struct exec_check *check, const char *what,
			      int error)
{
	return conclude(check, mem_printf("--check to be run: %s: %s", what,
					  strerror(error)));
}

bool exec_check_is_busy(const struct exec_check *check)
{
	return check->probe.pid || check->waits;
}

static enum exec_verdict launch(struct exec_check *check)
{
	int r = exec_folder_write(&check->folder, buf_str(&check->candidate));

	check->waits = false;
	if (r < 0)
		return fail(check, check->folder.file, -r);
	check->probe.argument = check->folder.file;
	check->probe.output = memfd_create("check", MFD_CLOEXEC);
	if (check->probe.output < 0 ||
	    !exec_probe_start(&check->probe, check->helper, 0))
		return fail(check, "a process", errno);
	return PROBE_RUNS;
}

enum exec_verdict exec_check_start(struct exec_check *check, struct str text)
{
	if (check->candidate.len && !exec_check_is_busy(check) &&
	    str_equal(text, buf_str(&check->candidate)))
		return check->accepted ? PROBE_YES : PROBE_NO;
	exec_check_stop(check);
	buf_deinit(&check->candidate);
	buf_add_str(&check->candidate, text);
	if (check->folder.dir < 0 &&
	    exec_folder_make(&check->folder) != EXIT_DONE)
		return fail(check, "its file", ENOENT);
	check->waits = check->helper->pid != 0;
	return check->waits ? PROBE_RUNS : launch(check);
}

enum exec_verdict exec_check_look(struct exec_check *check,
				  const struct exec_check_subject *subject)
{
	struct buf candidate = check->candidate;
	enum exec_verdict verdict;

	if (check->waits)
		return check->helper->pid ? PROBE_RUNS : launch(check);
	verdict = exec_probe_look(&check->probe, check->helper);
	if (verdict == PROBE_RUNS)
		return PROBE_RUNS;
	verdict = conclude(
		check, verdict == PROBE_YES ? NULL : why_not(check, subject));
	check->candidate = BUF_INIT;
	exec_check_stop(check);
	check->candidate = candidate;
	return verdict;
}

/* SIGCHLD may be blocked or not: it is looked, not waited, for. */
enum exec_verdict exec_check_run(struct exec_check *check, struct str text,
				 const struct exec_check_subject *subject)
{
	enum exec_verdict verdict = exec_check_start(check, text);
	struct exec_helper *helper = check->helper;
	sigset_t before;

	ending_signals_block(&before);
	while (verdict == PROBE_RUNS) {
		clock_sleep(LOOK_MS);
		/* A candidate, which holds secrets, must not be left. */
		if (ending_signals_pending()) {
			exec_check_stop(check);
			verdict = PROBE_NO;
			break;
		}
		if (helper->pid &&
		    waitpid(helper->pid, &helper->how, WNOHANG) == helper->pid)
			helper->pid = 0;
		verdict = exec_check_look(check, subject);
	}
	while (helper->pid && waitpid(helper->pid, &helper->how, 0) < 0 &&
	       errno == EINTR)
		;
	helper->pid = 0;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return verdict;
}
