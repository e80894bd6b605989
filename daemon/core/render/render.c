#include "render/render.h"

#include <string.h>

#include "base/mem.h"
#include "value/value.h"

#define ROW(format) {#format, render_##format},

static const struct render_format formats[] = {RENDER_FORMATS(ROW, ROW)};

const struct render_format *render_format(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

const struct render_format *render_format_for(const struct value *value)
{
	bool nested = value->type == VALUE_OBJECT || value->type == VALUE_LIST;

	return render_format(nested ? "json" : "raw");
}

void render_warn(struct rendering *rendering, struct str path, const char *text)
{
	if (!path.len)
		path = STR("the root");
	buf_printf(&rendering->warnings, "%.*s: %s\n", STR_PRINT(path), text);
}

void rendering_deinit(struct rendering *rendering)
{
	buf_deinit(&rendering->text);
	buf_deinit(&rendering->warnings);
}
