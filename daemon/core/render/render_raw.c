#include "render/render.h"
#include "value/json.h"
#include "value/value.h"

/* A scalar's bare text, for scripts; null is an empty line. */
bool render_raw(struct rendering *rendering, const struct value *value)
{
	struct buf *out = &rendering->text;

	if (value->type == VALUE_OBJECT || value->type == VALUE_LIST) {
		rendering->refusal = "raw is for a single value, and this is "
				     "an object or a list";
		return false;
	}
	if (value->type == VALUE_STRING)
		buf_add_str(out, value_text(value));
	else if (value->type != VALUE_NULL)
		json_write(out, value);
	buf_putc(out, '\n');
	return true;
}
