#include "text/hold_text.h"

#include "base/buf.h"
#include "text/answer.h"
#include "text/output.h"
#include "text/time_text.h"
#include "value/value.h"

static void add_list(struct buf *out, const struct value *list)
{
	if (!value_is(list, VALUE_LIST))
		return;
	for (uint32_t i = 0; i < list->list.count; i++)
		buf_printf(out, "%s%.*s", i ? ", " : "",
			   STR_PRINT(value_text(list->list.items[i])));
}

/* What somebody took back is what costs most. */
static void add_revoked(struct buf *out, const struct value *hold,
			const char *indent)
{
	const struct value *paths = value_get(hold, STR("revoked_secrets"));
	const struct value *vaults = value_get(hold, STR("revoked_vaults"));
	int64_t count = answer_int(hold, "revoked", 0);

	if (count) {
		buf_printf(out, "%s%s%lld secret%s served that %s revoked:%s ",
			   indent, output_colour(OUTPUT_RED), (long long)count,
			   count == 1 ? " is" : "s are",
			   count == 1 ? "is" : "are",
			   output_colour(OUTPUT_PLAIN));
		add_list(out, paths);
		buf_puts(out, value_is(paths, VALUE_LIST) &&
					      count > paths->list.count
				      ? " ...\n"
				      : "\n");
	}
	if (value_is(vaults, VALUE_LIST)) {
		buf_printf(out, "%s%svaults are served that are gone:%s ",
			   indent, output_colour(OUTPUT_RED),
			   output_colour(OUTPUT_PLAIN));
		add_list(out, vaults);
		buf_putc(out, '\n');
	}
}

static void add_time(struct buf *out, const struct value *hold, int64_t now)
{
	int64_t until = answer_int(hold, "until", 0);

	time_text_add_span(out, now - answer_int(hold, "since", now));
	if (until) {
		buf_puts(out, ", for another ");
		time_text_add_span(out, until - now);
	} else {
		buf_puts(out, ", until it is released");
	}
}

void hold_text_add(struct buf *out, const struct value *hold, int64_t now,
		   const char *indent)
{
	buf_printf(out, "%sgeneration %lld is held%s for ",
		   output_colour(OUTPUT_YELLOW),
		   (long long)answer_int(hold, "generation", 0),
		   output_colour(OUTPUT_PLAIN));
	add_time(out, hold, now);
	buf_printf(out, ", by uid %lld: %.*s\n",
		   (long long)answer_int(hold, "uid", 0),
		   STR_PRINT(answer_text(hold, "reason")));
	if (answer_bool(hold, "differs"))
		buf_printf(out,
			   "%sother values wait for its end: 'clearconf diff' "
			   "shows them\n",
			   indent);
	add_revoked(out, hold, indent);
}
