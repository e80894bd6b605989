#include "text/time_text.h"

#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/output.h"

void time_text_add(struct buf *out, int64_t seconds)
{
	time_t at = (time_t)seconds;
	char text[32] = "";
	struct tm local;

	if (localtime_r(&at, &local))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
	buf_printf(out, "%s%s%s", output_colour(OUTPUT_DIM), text,
		   output_colour(OUTPUT_PLAIN));
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
