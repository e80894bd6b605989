#include "place_text.h"

#include "base/buf.h"
#include "channel.h"

/* Bytes of the control character that @text begins with; 0: it does not. */
static size_t control_at(struct str text)
{
	unsigned char c = (unsigned char)text.ptr[0];
	unsigned char next = text.len > 1 ? (unsigned char)text.ptr[1] : 0;

	if (c < 0x20 || c == 0x7f)
		return 1;
	return c == 0xc2 && next >= 0x80 && next < 0xa0 ? 2 : 0;
}

void place_text_add_clean(struct buf *out, struct str text)
{
	size_t control;

	for (; text.len; text = str_from_offset(text, control ? control : 1)) {
		control = control_at(text);
		buf_add(out, control ? "?" : text.ptr, 1);
	}
}

void place_text_add(struct buf *out, const struct value *origin)
{
	struct str name = answer_text(origin, "description");
	int64_t line = answer_int(origin, "line", 0);

	if (!name.len)
		name = answer_text(origin, "source");
	place_text_add_clean(out, name);
	if (line > 0)
		buf_printf(out, ":%lld:%lld", (long long)line,
			   (long long)answer_int(origin, "column", 1));
}
