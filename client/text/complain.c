#include "text/complain.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"

/* One line, at one go, without what a terminal would obey. */
static void __attribute__((format(printf, 2, 0)))
say(const char *prefix, const char *format, va_list ap)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT, line = BUF_INIT;

	buf_vprintf(&text, format, ap);
	buf_printf(&line, "clearconf: %s", prefix);
	printable_add(&line, buf_str(&text));
	buf_putc(&line, '\n');
	(void)fputs(buf_str(&line).ptr, stderr);
}

int complain(int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say("", format, ap);
	va_end(ap);
	return status;
}

void complain_warning(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say("warning: ", format, ap);
	va_end(ap);
}
