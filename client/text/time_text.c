#include "text/time_text.h"

#include <time.h>

#include "base/buf.h"
#include "base/iso_time.h"
#include "base/mem.h"
#include "base/printable.h"
#include "text/output.h"

static void add_local(struct buf *out, time_t at)
{
	char text[32] = "";
	struct tm local;

	if (localtime_r(&at, &local))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
	buf_puts(out, text);
}

void time_text_add(struct buf *out, int64_t seconds)
{
	buf_puts(out, output_colour(OUTPUT_DIM));
	add_local(out, (time_t)seconds);
	buf_puts(out, output_colour(OUTPUT_PLAIN));
}

void time_text_add_written(struct buf *out, struct str text)
{
	int64_t at;

	if (iso_time_read(text, &at))
		add_local(out, (time_t)at);
	else
		printable_add(out, text);
}

/* The largest unit that gives two or more. */
void time_text_add_span(struct buf *out, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	size_t i = 0;

	if (seconds < 0)
		seconds = 0;
	while (i + 1 < ARRAY_SIZE(units) && seconds < 2 * units[i].seconds)
		i++;
	buf_printf(out, "%lld %s", (long long)(seconds / units[i].seconds),
		   units[i].name);
}
