#include "text/log_text.h"

#include "base/buf.h"
#include "text/answer.h"
#include "text/time_text.h"
#include "text/watch_text.h"
#include "value/value.h"

/* "43 2026-11-24 08:01:02 vault" */
static void begin_line(struct buf *out, const struct value *generation)
{
	buf_printf(out, "%lld ",
		   (long long)answer_int(generation, "generation", 0));
	time_text_add(out, answer_int(generation, "time", 0));
	buf_printf(out, " %.*s", STR_PRINT(answer_text(generation, "cause")));
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
		buf_putc(out, ' ');
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
