#include "serve/origin_json.h"

#include "base/buf.h"
#include "base/mem.h"
#include "config/mask.h"
#include "value/json.h"

void origin_json_add_text(const struct origin_json *json, struct buf *fields,
			  const char *key, const char *text)
{
	_cleanup_(mem_freep) char *shown =
		json->secrets && text ? mask_text(json->secrets, text) : NULL;

	json_add_optional_string(fields, key, shown ? shown : text);
}

static bool has_same_texts(const struct origin *a, const struct origin *b)
{
	return a->layer == b->layer && a->source == b->source &&
	       a->description == b->description;
}

static void set_texts(struct origin_json *json, const struct origin *origin)
{
	json->texts.len = 0;
	json_add_string(&json->texts, "layer", origin->layer);
	origin_json_add_text(json, &json->texts, "source", origin->source);
	origin_json_add_text(json, &json->texts, "description",
			     origin->description);
	json->last = *origin;
}

void origin_json_add(struct origin_json *json, struct buf *fields,
		     const struct origin *origin)
{
	if (!json->texts.len || !has_same_texts(&json->last, origin))
		set_texts(json, origin);
	json_key(fields, "origin");
	buf_putc(fields, '{');
	buf_add(fields, json->texts.data, json->texts.len);
	json_add_pos(fields, &origin->pos);
	buf_putc(fields, '}');
}

void origin_json_deinit(struct origin_json *json)
{
	buf_deinit(&json->texts);
	*json = (struct origin_json){0};
}

void origin_json_add_path(const struct origin_json *json, struct buf *fields,
			  struct str path)
{
	_cleanup_(buf_deinit) struct buf shown = BUF_INIT;

	json_key(fields, "path");
	if (json->secrets) {
		mask_path_into(json->secrets, path, &shown);
		path = buf_str(&shown);
	}
	json_write_string(fields, path);
}
