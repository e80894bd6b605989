#ifndef RENDER_H
#define RENDER_H

/*
 * Renderers: a value as text in some format. One file a format, one table.
 *
 * What a format cannot express exactly is a warning, a line each, that names
 * the path and never the value.
 */

#include <stdbool.h>

#include "base/buf.h"

struct value;

struct rendering {
	struct buf text;     /* ended by a line end */
	struct buf warnings; /* lines */
	const char *refusal; /* why the format cannot do this at all */
	const char *at;      /* path of the value; NULL: the root */
};

#define RENDERING_INIT ((struct rendering){0})

struct render_format {
	const char *name;
	/* False: refused, with the reason in rendering->refusal. */
	bool (*write)(struct rendering *rendering, const struct value *value);
};

/* Every format: its name, and the end of its renderer's. */
#define RENDER_FORMATS(FIRST, NEXT)                                            \
	FIRST(json)                                                            \
	NEXT(hocon) NEXT(yaml) NEXT(env) NEXT(properties) NEXT(raw)

#define RENDER_FIRST_NAME(format) #format
#define RENDER_NEXT_NAME(format)  ", " #format
#define RENDER_FORMAT_NAMES                                                    \
	RENDER_FORMATS(RENDER_FIRST_NAME, RENDER_NEXT_NAME) /* for people */

/* The format called @name; NULL: there is none. */
const struct render_format *render_format(const char *name);

/* The format to take when none is named: raw for scalars, json for objects and
 * lists. */
const struct render_format *render_format_for(const struct value *value);

void rendering_deinit(struct rendering *rendering);

/* --- for the renderers -----------------------------------------------------
 */

void render_warn(struct rendering *rendering, struct str path,
		 const char *text);

#define RENDER_DECLARE(format)                                                 \
	bool render_##format(struct rendering *rendering,                      \
			     const struct value *value);
RENDER_FORMATS(RENDER_DECLARE, RENDER_DECLARE)

/* @value, which is at @path, as HOCON on one line, without a line end. False:
 * there is a key in it that cannot be written. */
bool render_hocon_line(struct rendering *rendering, struct str path,
		       const struct value *value);

/* YAML without the comment that says whose it is. */
void render_yaml_bare(struct buf *out, const struct value *value);

#endif
