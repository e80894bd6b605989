#include "text/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/printable.h"
#include "render/render.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/terminal.h"
#include "value/json.h"

/* The bytes that stand for colours: no UTF-8 text has them. */
#define COLOUR_FIRST 0xf8

#define HOME_AND_CLEAR "\033[H\033[J"

static const char *const sequences[] = {
	[OUTPUT_PLAIN] = "\033[0m",  [OUTPUT_BOLD] = "\033[1m",
	[OUTPUT_DIM] = "\033[2m",    [OUTPUT_RED] = "\033[31m",
	[OUTPUT_GREEN] = "\033[32m", [OUTPUT_YELLOW] = "\033[33m",
};

/* The colour that @c stands for, or NULL. */
static const char *sequence_of(char c)
{
	size_t colour = (size_t)((unsigned char)c - COLOUR_FIRST);

	return (unsigned char)c >= COLOUR_FIRST &&
			       colour < ARRAY_SIZE(sequences)
		       ? sequences[colour]
		       : NULL;
}

/* Colours begin, and nothing else that a terminal obeys gets through. */
static void add_for_terminal(struct buf *out, struct str text)
{
	size_t len = 0;

	for (; text.len; text = str_from_offset(text, len)) {
		if (sequence_of(text.ptr[0])) {
			buf_puts(out, sequence_of(text.ptr[0]));
			len = 1;
			continue;
		}
		for (len = 0; len < text.len && !sequence_of(text.ptr[len]);)
			len++;
		printable_add_escaped(out, (struct str){text.ptr, len});
	}
}

static int write_all(struct str text)
{
	if (fwrite(text.ptr, 1, text.len, stdout) == text.len &&
	    fflush(stdout) == 0)
		return EXIT_DONE;
	return complain(EXIT_FAILED, "cannot write to standard output: %s",
			strerror(errno));
}

int output_write(struct str text)
{
	_cleanup_(buf_deinit) struct buf shown = BUF_INIT;

	if (!terminal_is_there())
		return write_all(text);
	add_for_terminal(&shown, text);
	return write_all(buf_str(&shown));
}

int output_show(struct str text)
{
	_cleanup_(buf_deinit) struct buf shown = BUF_INIT;

	if (!terminal_is_there())
		return write_all(text);
	add_for_terminal(&shown, text);
	return terminal_page(buf_str(&shown)) ? EXIT_DONE
					      : write_all(buf_str(&shown));
}

int output_redraw(struct str text)
{
	_cleanup_(buf_deinit) struct buf shown = BUF_INIT;
	size_t rows = terminal_size().rows, lines = 0, len = 0;

	while (len < text.len && (!rows || lines + 1 < rows))
		lines += text.ptr[len++] == '\n';
	buf_puts(&shown, HOME_AND_CLEAR);
	add_for_terminal(&shown, (struct str){text.ptr, len});
	return write_all(buf_str(&shown));
}

int output_end(int status)
{
	return status == EXIT_DONE ? write_all(STR("")) : status;
}

void output_add_json(struct buf *out, const struct value *value)
{
	json_write_pretty(out, value);
	buf_putc(out, '\n');
}

static void say_warnings(const char *lines)
{
	size_t len;

	for (; *lines; lines += len + 1) {
		len = strcspn(lines, "\n");
		complain_warning("%.*s", (int)len, lines);
	}
}

int output_render(struct rendering *rendering, const struct value *value,
		  const char *format)
{
	const struct render_format *renderer =
		format ? render_format(format) : render_format_for(value);

	if (!renderer->write(rendering, value))
		return complain(EXIT_USAGE, "%s; choose another --format (%s)",
				rendering->refusal, RENDER_FORMAT_NAMES);
	say_warnings(buf_str(&rendering->warnings).ptr);
	return EXIT_DONE;
}

const char *output_colour(enum output_colour colour)
{
	static const char marks[][2] = {"\xf8", "\xf9", "\xfa",
					"\xfb", "\xfc", "\xfd"};

	return terminal_has_colour(STDOUT_FILENO) ? marks[colour] : "";
}
