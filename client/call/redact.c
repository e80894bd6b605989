#include "call/redact.h"

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "value/json_string.h"
#include "value/value.h"
#include "wire.h"

#define SECRET_MIN 4

#define MASK STR(WIRE_MASK)

struct hidden {
	struct str *items;
	size_t count;
	struct arena arena; /* of texts that are in no tree */
};

static void add_hidden(struct hidden *hidden, struct str secret)
{
	if (secret.len < SECRET_MIN)
		return;
	hidden->items =
		mem_room(hidden->items, hidden->count, sizeof(*hidden->items));
	hidden->items[hidden->count++] = secret;
}

/* As a file of JSON has it, and most other formats. */
static struct str escaped(struct hidden *hidden, struct str secret)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	char *copy;

	json_write_string(&json, secret);
	copy = arena_alloc(&hidden->arena, json.len);
	memcpy(copy, json.data, json.len);
	return (struct str){copy + 1, json.len - 2}; /* without the quotes */
}

/* Of a secret of many lines, one may be all that is told. */
static void add_lines(struct hidden *hidden, struct str secret)
{
	while (secret.len) {
		const char *end = memchr(secret.ptr, '\n', secret.len);
		struct str line = {secret.ptr, end ? (size_t)(end - secret.ptr)
						   : secret.len};

		add_hidden(hidden, str_trim(line));
		secret = str_from_offset(secret, line.len + 1);
	}
}

static void add_secret(struct hidden *hidden, struct str secret)
{
	add_hidden(hidden, secret);
	add_hidden(hidden, escaped(hidden, secret));
	add_lines(hidden, secret);
}

/* Take what is before the first @part off @text; all, when there is none. */
static struct str take_until(struct str *text, struct str part)
{
	const char *at = memmem(text->ptr, text->len, part.ptr, part.len);
	struct str before = {text->ptr,
			     at ? (size_t)(at - text->ptr) : text->len};

	*text = str_from_offset(*text, before.len);
	return before;
}

/* A URL's user and password are hidden as one. */
static void add_part(struct hidden *hidden, struct str part)
{
	struct str rest = part;

	add_secret(hidden, part);
	add_secret(hidden, take_until(&rest, STR(":")));
	add_secret(hidden, str_from_offset(rest, 1));
}

/* What each of the masks of @masked stands for in @real, such as the password
 * of a URL: it reaches to the first of what is behind the mask, the last one as
 * far as it can. */
static void add_parts(struct hidden *hidden, struct str real, struct str masked)
{
	struct str behind;

	real = str_from_offset(real, take_until(&masked, MASK).len);
	while (masked.len) {
		masked = str_from_offset(masked, MASK.len);
		behind = take_until(&masked, MASK);
		if (!masked.len && str_ends(real, behind))
			real.len -= behind.len;
		add_part(hidden, masked.len ? take_until(&real, behind) : real);
		real = str_from_offset(real, behind.len);
	}
}

/* @masked is none when it was hidden with its key. */
static void add_differing(struct hidden *hidden, const struct value *real,
			  const struct value *masked)
{
	add_secret(hidden, value_text(real));
	if (masked && masked->type == VALUE_STRING)
		add_parts(hidden, value_text(real), value_text(masked));
}

static bool has_text(const struct value *value)
{
	return value_is(value, VALUE_STRING) || value_is(value, VALUE_INT);
}

static const struct value *element(const struct value *list, uint32_t i)
{
	return list && list->type == VALUE_LIST && i < list->list.count
		       ? list->list.items[i]
		       : NULL;
}

static void find_hidden(struct hidden *hidden, const struct value *real,
			const struct value *masked);

/* A key may be a secret, too: what stands below it then has no twin. */
static void find_below(struct hidden *hidden, const struct member *m,
		       const struct value *masked)
{
	const struct value *twin = value_get(masked, member_key(m));

	if (!twin)
		add_secret(hidden, member_key(m));
	find_hidden(hidden, m->value, twin);
}

/* The two trees have one shape but where a secret is. */
static void find_hidden(struct hidden *hidden, const struct value *real,
			const struct value *masked)
{
	struct member *m;

	if (has_text(real) && !value_equal(real, masked))
		add_differing(hidden, real, masked);
	if (value_is(real, VALUE_OBJECT))
		for (value_each (real, m))
			find_below(hidden, m, masked);
	for (uint32_t i = 0; value_is(real, VALUE_LIST) && i < real->list.count;
	     i++)
		find_hidden(hidden, real->list.items[i], element(masked, i));
}

/* The longest that @text begins with; 0: none. */
static size_t hidden_at(const struct hidden *hidden, struct str text)
{
	size_t longest = 0;

	for (size_t i = 0; i < hidden->count; i++)
		if (hidden->items[i].len > longest &&
		    str_starts(text, hidden->items[i]))
			longest = hidden->items[i].len;
	return longest;
}

void redact_add(struct buf *out, struct str text, const struct value *real,
		const struct value *masked)
{
	struct hidden hidden = {0};
	size_t len;

	find_hidden(&hidden, real, masked);
	while (text.len) {
		len = hidden_at(&hidden, text);
		if (len)
			buf_add_str(out, MASK);
		else
			buf_putc(out, text.ptr[0]);
		text = str_from_offset(text, len ? len : 1);
	}
	arena_free(&hidden.arena);
	mem_free(hidden.items);
}
