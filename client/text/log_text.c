#include "text/log_text.h"

#include <time.h>

#include "base/buf.h"
#include "text/answer.h"
#include "text/output.h"
#include "text/watch_text.h"
#include "value/value.h"

static void add_time(struct buf *out, int64_t seconds)
{
	time_t at = (time_t)seconds;
	char text[32] = "";
	struct tm local;

	if (localtime_r(&at, &local))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
	buf_puts(out, text);
}

/* "43 2026-11-24 08:01:02 vault" */
static void begin_line(struct buf *out, const struct value *generation)
{
	buf_printf(out, "%lld %s",
		   (long long)answer_int(generation, "generation", 0),
		   output_colour(OUTPUT_DIM));
	add_time(out, answer_int(generation, "time", 0));
	buf_printf(out, "%s %.*s", output_colour(OUTPUT_PLAIN),
		   STR_PRINT(answer_text(generation, "cause")));
}

static void add_generation(struct buf *out, const struct value *generation)
{
	const struct value *changes = value_get(generation, STR("changes"));

	if (!value_is(changes, VALUE_LIST) || !changes->list.count) {
		begin_line(out, generation);
		buf_putc(out, '\n');
		return;
	}
	for (uint32_t i = 0; i < changes->list.count; i++) {
		begin_line(out, generation);
		watch_text_add_change(out, changes->list.items[i], false);
	}
}

void log_text_write(struct buf *out, const struct value *answer)
{
	const struct value *generations = value_get(answer, STR("generations"));

	if (!value_is(generations, VALUE_LIST))
		return;
	for (uint32_t i = 0; i < generations->list.count; i++)
		add_generation(out, generations->list.items[i]);
}
