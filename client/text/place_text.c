#include "text/place_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"
#include "text/answer.h"
#include "text/terminal.h"

/* A whole path's beginning: not that of "/mnt/home/u/x". */
static bool is_home(struct str before, struct str text, struct str home)
{
	const char *last = before.len ? before.ptr + before.len - 1 : " ";

	return home.len > 1 && *last && strchr(" ('=:,", *last) &&
	       str_starts(text, home) &&
	       (text.len == home.len || text.ptr[home.len] == '/');
}

void place_text_add_home(struct buf *out, struct str text)
{
	const char *variable = terminal_is_there() ? getenv("HOME") : NULL;
	struct str home = str_from(variable);

	for (size_t i = 0; i < text.len; i++) {
		struct str rest = str_from_offset(text, i);

		if (is_home((struct str){text.ptr, i}, rest, home)) {
			buf_putc(out, '~');
			i += home.len - 1;
		} else {
			buf_putc(out, text.ptr[i]);
		}
	}
}

void place_text_add(struct buf *out, const struct value *origin)
{
	_cleanup_(buf_deinit) struct buf clean = BUF_INIT;
	struct str name = answer_text(origin, "description");
	int64_t line = answer_int(origin, "line", 0);

	if (!name.len)
		name = answer_text(origin, "source");
	printable_add(&clean, name);
	place_text_add_home(out, buf_str(&clean));
	if (line > 0)
		buf_printf(out, ":%lld:%lld", (long long)line,
			   (long long)answer_int(origin, "column", 1));
}
