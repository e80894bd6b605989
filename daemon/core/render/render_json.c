#include "render/render.h"
#include "value/json.h"

bool render_json(struct rendering *rendering, const struct value *value)
{
	json_write_pretty(&rendering->text, value);
	buf_putc(&rendering->text, '\n');
	return true;
}
