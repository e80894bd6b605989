#include "read/yaml.h"

#include <string.h>

#include "base/mem.h"
#include "read/reading.h"
#include "read/yaml_events.h"
#include "read/yaml_scalar.h"

/* How much a part of the tree is, written out without aliases. */
struct size {
	size_t nodes, bytes;
};

/* What a node of the text became. */
struct node {
	struct value *value; /* NULL: a bare <<, only fit for a key */
	struct str text;     /* a scalar as written; {NULL, 0}: a list or map */
	size_t offset;
	size_t levels; /* of lists and maps in it, itself counted */
	struct size size;
};

struct anchor {
	struct node node;
	bool open; /* its node is still being read */
};

struct yaml {
	struct reading *reading;
	struct source *source;
	struct yaml_events events;
	struct value *anchors; /* by name: VALUE_READER_FIRST */
	struct size size;      /* of all so far */
	struct size aliased;   /* the part of it that aliases stand for */
};

static bool fail(struct yaml *yaml, size_t offset, const char *what)
{
	return diag_at(yaml->reading->diag, yaml->source, offset, "%s", what);
}

static bool next(struct yaml *yaml)
{
	return yaml_events_next(&yaml->events);
}

static enum yaml_event_type_e at_hand(const struct yaml *yaml)
{
	return yaml->events.event.type;
}

static void add_size(struct size *size, struct size more)
{
	size->nodes += more.nodes;
	size->bytes += more.bytes;
}

static struct size size_since(const struct yaml *yaml, struct size before)
{
	return (struct size){yaml->size.nodes - before.nodes,
			     yaml->size.bytes - before.bytes};
}

static bool read_node(struct yaml *yaml, struct node *node);

/* Read the node that stands where a value is expected. */
static bool read_value(struct yaml *yaml, struct node *value)
{
	if (!read_node(yaml, value))
		return false;
	return value->value || fail(yaml, value->offset,
				    "'<<' is the key of a map to merge, not "
				    "a value");
}

static struct str anchor_of(const yaml_event_t *event)
{
	const yaml_char_t *name = event->data.mapping_start.anchor;

	if (event->type == YAML_SCALAR_EVENT)
		name = event->data.scalar.anchor;
	else if (event->type == YAML_SEQUENCE_START_EVENT)
		name = event->data.sequence_start.anchor;
	return str_from((const char *)name);
}

static struct anchor *find_anchor(const struct yaml *yaml, struct str name)
{
	const struct value *found = value_get(yaml->anchors, name);

	return found ? found->reader : NULL;
}

/* The anchor of the node at hand; *anchor is NULL when it has none. */
static bool open_anchor(struct yaml *yaml, size_t offset,
			struct anchor **anchor)
{
	struct arena *arena = yaml->reading->arena;
	struct str name = anchor_of(&yaml->events.event);
	struct value *holder;

	*anchor = NULL;
	if (!name.ptr)
		return true;
	if (find_anchor(yaml, name))
		return fail(yaml, offset, "this anchor was given before");
	*anchor = arena_alloc(arena, sizeof(**anchor));
	(*anchor)->open = true;
	holder = value_new(arena, VALUE_READER_FIRST);
	holder->reader = *anchor;
	*value_object_slot(yaml->anchors, arena, arena_str(arena, name)) =
		holder;
	return true;
}

/* An alias costs nothing here, but whoever walks the tree or writes it out
 * meets all it stands for. */
static bool charge(struct yaml *yaml, size_t offset, const struct node *node)
{
	struct reading *reading = yaml->reading;
	const struct read_limits *limits = &reading->options->limits;

	add_size(&yaml->size, node->size);
	add_size(&yaml->aliased, node->size);
	if (reading->depth + node->levels > limits->depth)
		return diag_at(reading->diag, yaml->source, offset,
			       "nested deeper than the limit of %zu levels",
			       limits->depth);
	if (yaml->aliased.nodes > limits->nodes)
		return diag_at(reading->diag, yaml->source, offset,
			       "aliases make more than %zu values",
			       limits->nodes);
	if (yaml->aliased.bytes > limits->bytes)
		return diag_at(reading->diag, yaml->source, offset,
			       "aliases stand for more than %zu bytes",
			       limits->bytes);
	return true;
}

/* alias := '*' name */
static bool alias(struct yaml *yaml, struct node *node)
{
	const yaml_char_t *name = yaml->events.event.data.alias.anchor;
	const struct anchor *anchor =
		find_anchor(yaml, str_from((const char *)name));
	size_t offset = node->offset;

	if (!anchor)
		return fail(yaml, offset,
			    "no anchor of this name comes before");
	if (anchor->open)
		return fail(yaml, offset,
			    "an alias cannot stand within its own anchor");
	*node = anchor->node;
	node->offset = offset;
	return charge(yaml, offset, node);
}

/* '!' alone says no more than no tag. */
static bool is_tagged(const yaml_char_t *tag)
{
	return tag && !str_is(str_from((const char *)tag), "!");
}

static bool type_of_tag(const yaml_char_t *tag, enum yaml_scalar *type)
{
	static const struct {
		const char *tag;
		enum yaml_scalar type;
	} tags[] = {
		{YAML_STR_TAG, YAML_SCALAR_STR},
		{YAML_NULL_TAG, YAML_SCALAR_NULL},
		{YAML_BOOL_TAG, YAML_SCALAR_BOOL},
		{YAML_INT_TAG, YAML_SCALAR_INT},
		{YAML_FLOAT_TAG, YAML_SCALAR_FLOAT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		if (!str_is(str_from((const char *)tag), tags[i].tag))
			continue;
		*type = tags[i].type;
		return true;
	}
	return false;
}

/* What @node says as a scalar of @type. */
static bool typed(struct yaml *yaml, struct node *node, enum yaml_scalar type)
{
	struct reading *reading = yaml->reading;
	const char *reason;

	if (!reading_has_room(reading, yaml->source, node->offset))
		return false;
	node->value = reading_value(reading, VALUE_NULL, 0, node->offset);
	reason = yaml_scalar_set(node->value, reading->arena, type, node->text);
	if (reason)
		return fail(yaml, node->offset, reason);
	if (type == YAML_SCALAR_FLOAT && node->value->type == VALUE_STRING)
		reading_warn(reading, yaml->source, node->offset,
			     "too large for a number: its text is taken");
	return true;
}

/* scalar := plain | "..." | '...' | block */
static bool scalar(struct yaml *yaml, struct node *node)
{
	const yaml_char_t *tag = yaml->events.event.data.scalar.tag;
	struct str text = {(const char *)yaml->events.event.data.scalar.value,
			   yaml->events.event.data.scalar.length};
	bool plain = yaml->events.event.data.scalar.plain_implicit || tag;
	enum yaml_scalar type = YAML_SCALAR_STR;

	node->text = arena_str(yaml->reading->arena, text);
	add_size(&yaml->size, (struct size){1, text.len + 1});
	if (is_tagged(tag)) {
		if (!type_of_tag(tag, &type))
			return fail(yaml, node->offset,
				    "a scalar can have the tags !!str, !!int, "
				    "!!float, !!bool and !!null only");
	} else if (plain) {
		if (str_is(text, "<<"))
			return true;
		type = yaml_scalar_of_plain(text);
	}
	return typed(yaml, node, type);
}

static bool enter(struct yaml *yaml, struct node *node, enum value_type type)
{
	node->value = reading_value(yaml->reading, type, 0, node->offset);
	node->levels = 1;
	add_size(&yaml->size, (struct size){1, 1});
	return reading_enter(yaml->reading, yaml->source, node->offset) &&
	       reading_has_room(yaml->reading, yaml->source, node->offset);
}

static void hold_levels(struct node *node, size_t levels)
{
	if (node->levels < levels + 1)
		node->levels = levels + 1;
}

static bool items(struct yaml *yaml, struct node *list)
{
	struct node item;

	for (;;) {
		if (!next(yaml))
			return false;
		if (at_hand(yaml) == YAML_SEQUENCE_END_EVENT)
			return true;
		if (!read_value(yaml, &item))
			return false;
		value_list_add(list->value, yaml->reading->arena, item.value);
		hold_levels(list, item.levels);
	}
}

/* sequence := value* */
static bool sequence(struct yaml *yaml, struct node *node)
{
	const yaml_char_t *tag = yaml->events.event.data.sequence_start.tag;
	bool ok;

	if (is_tagged(tag) && strcmp((const char *)tag, YAML_SEQ_TAG) != 0)
		return fail(yaml, node->offset,
			    "a list can have the tag !!seq only");
	ok = enter(yaml, node, VALUE_LIST) && items(yaml, node);
	reading_leave(yaml->reading);
	return ok;
}

static void add_member(struct yaml *yaml, struct node *map,
		       const struct node *key, const struct node *content)
{
	struct value **slot =
		value_object_slot(map->value, yaml->reading->arena, key->text);

	if (*slot)
		reading_warn(yaml->reading, yaml->source, key->offset,
			     "this key was given before: the last holds");
	*slot = content->value;
	hold_levels(map, content->levels);
}

static bool is_mergeable(const struct value *value)
{
	if (value->type != VALUE_LIST)
		return value->type == VALUE_OBJECT;
	for (uint32_t i = 0; i < value->list.count; i++)
		if (value->list.items[i]->type != VALUE_OBJECT)
			return false;
	return true;
}

/* What '<<' brings into @map; of @merged, the later is the stronger. */
static bool add_merged(struct yaml *yaml, struct node *map,
		       struct value *merged, const struct node *content)
{
	const struct value *value = content->value;
	struct arena *arena = yaml->reading->arena;
	size_t unwrapped = value->type == VALUE_LIST ? 2 : 1;

	if (!is_mergeable(value))
		return fail(yaml, content->offset,
			    "'<<' merges a map or a list of maps only");
	if (content->levels > unwrapped)
		hold_levels(map, content->levels - unwrapped);
	if (value->type == VALUE_OBJECT) {
		value_list_add(merged, arena, content->value);
		return true;
	}
	for (uint32_t i = value->list.count; i-- > 0;)
		value_list_add(merged, arena, value->list.items[i]);
	return true;
}

/* pair := key value; the key is at hand. */
static bool pair(struct yaml *yaml, struct node *map, struct value *merged)
{
	struct node key, content;

	if (!read_node(yaml, &key))
		return false;
	if (!key.text.ptr)
		return fail(yaml, key.offset,
			    "a list or a map cannot be a key");
	if (!next(yaml) || !read_value(yaml, &content))
		return false;
	if (!key.value)
		return add_merged(yaml, map, merged, &content);
	add_member(yaml, map, &key, &content);
	return true;
}

/* A map's own keys are stronger than anything merged into it. */
static void take_merged(struct yaml *yaml, struct value *map,
			const struct value *merged)
{
	struct value **slot;
	struct member *m;

	for (uint32_t i = merged->list.count; i-- > 0;) {
		for (value_each (merged->list.items[i], m)) {
			slot = value_object_slot(map, yaml->reading->arena,
						 member_key(m));
			if (!*slot)
				*slot = m->value;
		}
	}
}

static bool pairs(struct yaml *yaml, struct node *map)
{
	struct value merged = {.type = VALUE_LIST};

	for (;;) {
		if (!next(yaml))
			return false;
		if (at_hand(yaml) == YAML_MAPPING_END_EVENT)
			break;
		if (!pair(yaml, map, &merged))
			return false;
	}
	take_merged(yaml, map->value, &merged);
	return true;
}

/* mapping := pair* */
static bool mapping(struct yaml *yaml, struct node *node)
{
	const yaml_char_t *tag = yaml->events.event.data.mapping_start.tag;
	bool ok;

	if (is_tagged(tag) && strcmp((const char *)tag, YAML_MAP_TAG) != 0)
		return fail(yaml, node->offset,
			    "a map can have the tag !!map only");
	ok = enter(yaml, node, VALUE_OBJECT) && pairs(yaml, node);
	reading_leave(yaml->reading);
	return ok;
}

/* node := alias | anchor? tag? (scalar | sequence | mapping); its first event
 * is at hand, and its last one after. */
static bool read_node(struct yaml *yaml, struct node *node)
{
	static bool (*const productions[])(struct yaml *, struct node *) = {
		[YAML_SCALAR_EVENT] = scalar,
		[YAML_SEQUENCE_START_EVENT] = sequence,
		[YAML_MAPPING_START_EVENT] = mapping,
	};
	struct size before = yaml->size;
	struct anchor *anchor;

	*node = (struct node){.offset = yaml_events_offset(&yaml->events)};
	if (at_hand(yaml) == YAML_ALIAS_EVENT)
		return alias(yaml, node);
	if (!open_anchor(yaml, node->offset, &anchor) ||
	    !productions[at_hand(yaml)](yaml, node))
		return false;
	node->size = size_since(yaml, before);
	if (anchor)
		*anchor = (struct anchor){*node, false};
	return true;
}

/* stream := value?; the start of the stream is at hand. */
static bool stream(struct yaml *yaml, struct node *root)
{
	if (!next(yaml))
		return false;
	if (at_hand(yaml) == YAML_STREAM_END_EVENT)
		return true;
	if (!next(yaml) || !read_value(yaml, root) || !next(yaml) ||
	    !next(yaml))
		return false;
	return at_hand(yaml) == YAML_STREAM_END_EVENT ||
	       fail(yaml, yaml_events_offset(&yaml->events),
		    "a second document begins here");
}

static bool is_nothing(const struct node *root)
{
	return !root->value || root->value->type == VALUE_NULL;
}

bool yaml_read(struct reading *reading)
{
	struct yaml yaml = {
		.reading = reading,
		.source = reading->doc->sources[0],
		.anchors = value_new(reading->arena, VALUE_OBJECT),
	};
	struct node root = {0};
	bool ok = yaml_events_init(&yaml.events, yaml.source, reading->diag) &&
		  stream(&yaml, &root);

	yaml_events_deinit(&yaml.events);
	if (!ok)
		return false;
	/* Nothing but comments and document marks, or `~`: an empty object. */
	if (is_nothing(&root))
		root.value = reading_value(reading, VALUE_OBJECT, 0, 0);
	reading->doc->root = root.value;
	return true;
}
