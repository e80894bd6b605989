#include "text/arriving_text.h"

#include "base/buf.h"
#include "base/printable.h"
#include "text/answer.h"
#include "text/time_text.h"
#include "value/value.h"

void arriving_text_add(struct buf *out, const struct value *arrival)
{
	int64_t until = answer_int(arrival, "until", 0);
	struct str bad = answer_text(arrival, "bad");
	bool monitoring = str_is(answer_text(arrival, "layer"), "monitoring");

	buf_add_str(out, answer_text(arrival, "revision"));
	buf_printf(out, " of the %svaults, seen ",
		   monitoring ? "monitoring " : "");
	time_text_add(out, answer_int(arrival, "since", 0));
	if (until) {
		buf_puts(out, ", comes ");
		time_text_add(out, until);
	} else if (bad.len) {
		buf_puts(out, ", does not come: ");
		printable_add(out, bad);
	} else {
		buf_puts(out, ", skipped");
	}
}

static void add_vault(struct buf *out, const struct value *vault)
{
	struct str description = answer_text(vault, "description");
	struct str edited = answer_text(vault, "last_update");
	struct str kind = answer_text(vault, "kind");

	buf_printf(out, "    %-8.*s ", STR_PRINT(kind));
	printable_add(out,
		      description.len ? description : answer_text(vault, "id"));
	if (edited.len) {
		buf_puts(out, ", edited ");
		time_text_add_written(out, edited);
	}
	buf_putc(out, '\n');
}

void arriving_text_add_vaults(struct buf *out, const struct value *arrival)
{
	const struct value *vaults = value_get(arrival, STR("vaults"));

	if (!value_is(vaults, VALUE_LIST))
		return;
	for (uint32_t i = 0; i < vaults->list.count; i++)
		add_vault(out, vaults->list.items[i]);
	if (!vaults->list.count)
		buf_puts(out, "    another order\n");
}
