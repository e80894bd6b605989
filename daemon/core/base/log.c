#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"

static enum log_level threshold = LOG_LEVEL_INFO;

static const struct {
	const char *name;
	char priority; /* of syslog, as sd-daemon(3) has it: "<4>" */
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", '3'},
	[LOG_LEVEL_WARNING] = {"warning", '4'},
	[LOG_LEVEL_INFO] = {"info", '6'},
	[LOG_LEVEL_DEBUG] = {"debug", '7'},
};

void log_set_level(enum log_level level)
{
	threshold = level;
}

static bool is_plain(const char *text)
{
	for (struct str rest = str_from(text); rest.len;
	     rest = str_from_offset(rest, 1))
		if (str_set_has(" \"=\\", rest.ptr[0]) ||
		    printable_control_at(rest))
			return false;
	return *text != '\0';
}

/* The escapes of C, and \u for what a terminal would obey above ASCII. */
static void add_quoted(struct buf *line, struct str text)
{
	size_t control;

	for (; text.len; text = str_from_offset(text, control ? control : 1)) {
		char c = text.ptr[0];

		control = printable_control_at(text);
		if (c == '\n')
			buf_puts(line, "\\n");
		else if (control == 1)
			buf_printf(line, "\\x%02x", (unsigned char)c);
		else if (control)
			printable_add_escaped(line,
					      (struct str){text.ptr, control});
		else if (c == '"' || c == '\\')
			buf_printf(line, "\\%c", c);
		else
			buf_putc(line, c);
	}
}

static void add_text(struct buf *line, const char *text)
{
	if (is_plain(text)) {
		buf_puts(line, text);
		return;
	}
	buf_putc(line, '"');
	add_quoted(line, str_from(text));
	buf_putc(line, '"');
}

bool log_tells(enum log_level level)
{
	return level <= threshold;
}

/* systemd names the stream it listens to; a terminal may have inherited the
 * variable from a service. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[48];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
	return !strcmp(stream, ours);
}

/* One write(2) a line, so that lines of several processes do not mix. */
void log_write(enum log_level level, const struct log_field *fields)
{
	_cleanup_(buf_deinit) struct buf line = BUF_INIT;

	if (!log_tells(level))
		return;
	if (is_journal())
		buf_printf(&line, "<%c>", levels[level].priority);
	buf_printf(&line, "level=%s", levels[level].name);
	for (; fields->key; fields++) {
		buf_printf(&line, " %s=", fields->key);
		if (fields->text)
			add_text(&line, fields->text);
		else
			buf_printf(&line, "%lld", (long long)fields->number);
	}
	buf_putc(&line, '\n');
	if (write(STDERR_FILENO, line.data, line.len) < 0)
		return; /* nobody is left to be told */
}
