#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "exit_status.h"
#include "render.h"
#include "value/json.h"

int output_write(struct str text)
{
	if (fwrite(text.ptr, 1, text.len, stdout) == text.len &&
	    fflush(stdout) == 0)
		return EXIT_DONE;
	return complain(EXIT_FAILED, "cannot write to standard output: %s",
			strerror(errno));
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
	static const char *const sequences[] = {
		[OUTPUT_PLAIN] = "\033[0m",  [OUTPUT_BOLD] = "\033[1m",
		[OUTPUT_DIM] = "\033[2m",    [OUTPUT_RED] = "\033[31m",
		[OUTPUT_GREEN] = "\033[32m", [OUTPUT_YELLOW] = "\033[33m",
	};
	const char *no = getenv("NO_COLOR");

	return (no && *no) || !isatty(STDOUT_FILENO) ? "" : sequences[colour];
}
