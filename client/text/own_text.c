#include "text/own_text.h"

#include <string.h>

#include "base/buf.h"
#include "base/printable.h"
#include "text/answer.h"
#include "value/value.h"

struct str own_workspace(const struct value *answer)
{
	return answer_text(value_get(answer, STR("own")), "workspace");
}

void own_text_add(struct buf *out, const struct value *answer)
{
	struct str by = answer_text(value_get(answer, STR("own")), "by");
	const char *colon = by.len ? memchr(by.ptr, ':', by.len) : NULL;
	size_t kind = colon ? (size_t)(colon - by.ptr) : 0;

	if (!kind)
		return;
	buf_puts(out, "workspace ");
	printable_add(out, own_workspace(answer));
	buf_printf(out, ": %.*s ", (int)kind, by.ptr);
	printable_add(out, str_from_offset(by, kind + 1));
}
