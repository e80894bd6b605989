#include "text/place_text.h"

#include "base/buf.h"
#include "base/printable.h"
#include "text/answer.h"

void place_text_add(struct buf *out, const struct value *origin)
{
	struct str name = answer_text(origin, "description");
	int64_t line = answer_int(origin, "line", 0);

	if (!name.len)
		name = answer_text(origin, "source");
	printable_add(out, name);
	if (line > 0)
		buf_printf(out, ":%lld:%lld", (long long)line,
			   (long long)answer_int(origin, "column", 1));
}
