#include "text/time_text.h"

#include <time.h>

#include "base/buf.h"
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
