#include "text/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"
#include "text/terminal.h"

#define PLAIN  "\033[0m"
#define RED    "\033[31m"
#define YELLOW "\033[33m"

/* One line, at one go, without what a terminal would obey. */
static void __attribute__((format(printf, 3, 0)))
say(const char *colour, const char *prefix, const char *format, va_list ap)
{
	bool coloured = terminal_has_colour(STDERR_FILENO);
	_cleanup_(buf_deinit) struct buf text = BUF_INIT, line = BUF_INIT;

	buf_vprintf(&text, format, ap);
	buf_printf(&line, "%sclearconf: %s%s", coloured ? colour : "", prefix,
		   coloured ? PLAIN : "");
	printable_add(&line, buf_str(&text));
	buf_putc(&line, '\n');
	(void)fputs(buf_str(&line).ptr, stderr);
}

int complain(int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(RED, "", format, ap);
	va_end(ap);
	return status;
}

void complain_warning(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(YELLOW, "warning: ", format, ap);
	va_end(ap);
}
