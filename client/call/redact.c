#include "call/redact.h"

#include "base/mem.h"
#include "value/value.h"

#define SECRET_MIN 4

struct hidden {
	struct str *items;
	size_t count, cap;
};

static void add_hidden(struct hidden *hidden, struct str secret)
{
	if (secret.len < SECRET_MIN)
		return;
	if (hidden->count == hidden->cap) {
		hidden->cap = hidden->cap ? 2 * hidden->cap : 16;
		hidden->items = mem_grow(hidden->items,
					 hidden->cap * sizeof(*hidden->items));
	}
	hidden->items[hidden->count++] = secret;
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

/* The two trees have one shape but where a secret is. */
static void find_hidden(struct hidden *hidden, const struct value *real,
			const struct value *masked)
{
	struct member *m;

	if (has_text(real) && !value_equal(real, masked))
		add_hidden(hidden, value_text(real));
	if (value_is(real, VALUE_OBJECT))
		for (value_each (real, m))
			find_hidden(hidden, m->value,
				    value_get(masked, member_key(m)));
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
			buf_puts(out, "****");
		else
			buf_putc(out, text.ptr[0]);
		text = str_from_offset(text, len ? len : 1);
	}
	mem_free(hidden.items);
}
