#include "complain.h"

#include <stdarg.h>
#include <stdio.h>

static void __attribute__((format(printf, 2, 0)))
say(const char *prefix, const char *format, va_list ap)
{
	(void)fprintf(stderr, "clearconf: %s", prefix);
	(void)vfprintf(stderr, format, ap);
	(void)fputc('\n', stderr);
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
