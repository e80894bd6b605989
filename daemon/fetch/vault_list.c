#include "fetch/vault_list.h"

#include "base/buf.h"
#include "base/fields.h"
#include "base/mem.h"
#include "value/json.h"
#include "value/value.h"

/* --- answer -> list --- */

/* Text with a NUL at its end; numbers as they are written. NULL: null, absent,
 * or something that is no text. */
static const char *text_of(struct vault_list *list, const struct value *value)
{
	if (!value_is(value, VALUE_STRING) && !value_is(value, VALUE_INT))
		return NULL;
	return arena_str(&list->arena, value_text(value)).ptr;
}

static const char *text_or_empty(struct vault_list *list,
				 const struct value *value)
{
	const char *text = text_of(list, value);

	return text ? text : "";
}

/* The text as it lies in the answer. Data that is no text is handed on as
 * JSON, so that its reader can say what is wrong with it. */
static struct str data_of(struct vault_list *list, const struct value *value)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	if (!value || value_is(value, VALUE_NULL))
		return (struct str){0};
	if (value_is(value, VALUE_STRING))
		return value_text(value);
	json_write(&json, value);
	return arena_str(&list->arena, buf_str(&json));
}

/* The name of its group, or the user who has it. */
static const char *owner_of(struct vault_list *list, const struct value *item)
{
	const char *group = text_of(list, value_get(item, STR("group_name")));

	return group ? group : text_of(list, value_get(item, STR("user")));
}

static void list_add_vault(struct vault_list *list, const struct value *item)
{
	if (!value_is(item, VALUE_OBJECT))
		return;
	list->vaults[list->count++] = (struct vault){
		.id = text_or_empty(list, value_get(item, STR("id"))),
		.description = text_or_empty(
			list, value_get(item, STR("description"))),
		.format = text_of(list, value_get(item, STR("format"))),
		.type = text_of(list, value_get(item, STR("type"))),
		.scope = text_of(list, value_get(item, STR("scope"))),
		.owner = owner_of(list, item),
		.last_update =
			text_of(list, value_get(item, STR("last_update"))),
		.data = data_of(list, value_get(item, STR("data"))),
	};
}

void vault_list_read(struct vault_list *list, const struct value *vaults)
{
	list->vaults = arena_alloc(&list->arena,
				   vaults->list.count * sizeof(*list->vaults));
	for (size_t i = 0; i < vaults->list.count; i++)
		list_add_vault(list, vaults->list.items[i]);
}

/* --- copies --- */

static const char *copy_of(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

struct vault vault_copy(struct arena *arena, const struct vault *vault)
{
	return (struct vault){
		.id = arena_strdup(arena, vault->id),
		.description = arena_strdup(arena, vault->description),
		.format = copy_of(arena, vault->format),
		.type = copy_of(arena, vault->type),
		.scope = copy_of(arena, vault->scope),
		.owner = copy_of(arena, vault->owner),
		.last_update = copy_of(arena, vault->last_update),
		.data = vault->data.ptr ? arena_str(arena, vault->data)
					: vault->data,
	};
}

void vault_list_copy(struct vault_list *list, const struct vault_list *from)
{
	list->vaults =
		arena_alloc(&list->arena, from->count * sizeof(*list->vaults));
	for (size_t i = 0; i < from->count; i++)
		list->vaults[i] = vault_copy(&list->arena, &from->vaults[i]);
	list->count = from->count;
}

void vault_list_deinit(struct vault_list *list)
{
	arena_free(&list->arena);
	*list = (struct vault_list){0};
}

/* --- types --- */

enum vault_feed vault_feed_of(const struct vault *vault)
{
	static const char *const types[] = {
		[VAULT_CONFIG] = "config",
		[VAULT_MONITORING] = "monitoring",
	};
	enum vault_feed feed = 0;

	while (feed < VAULT_FEEDS && !str_same(vault->type, types[feed]))
		feed++;
	return feed;
}

const struct vault *vault_list_next(const struct vault_list *list,
				    enum vault_feed feed, size_t *at)
{
	while (*at < list->count) {
		const struct vault *vault = &list->vaults[(*at)++];

		if (vault_feed_of(vault) == feed)
			return vault;
	}
	return NULL;
}

bool vault_list_is_of_feeds(const struct vault_list *list)
{
	size_t at = 0;

	return !vault_list_next(list, VAULT_FEEDS, &at);
}

static bool data_equal(struct str a, struct str b)
{
	return a.ptr && b.ptr ? str_equal(a, b) : a.ptr == b.ptr;
}

static bool vault_equal(const struct vault *a, const struct vault *b)
{
	static const struct field items[] = {
		FIELD(struct vault, id),
		FIELD(struct vault, description),
		FIELD(struct vault, format),
		FIELD(struct vault, type),
		FIELD(struct vault, scope),
		FIELD(struct vault, owner),
		FIELD(struct vault, last_update),
	};

	return fields_equal(&(struct fields){items, ARRAY_SIZE(items)}, a, b) &&
	       data_equal(a->data, b->data);
}

bool vault_list_equal(const struct vault_list *a, const struct vault_list *b,
		      enum vault_feed feed)
{
	const struct vault *one, *other;
	size_t i = 0, k = 0;

	do {
		one = vault_list_next(a, feed, &i);
		other = vault_list_next(b, feed, &k);
	} while (one && other && vault_equal(one, other));
	return !one && !other;
}
