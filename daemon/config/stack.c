#include "config/stack.h"

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "config/merge.h"
#include "read/doc.h"
#include "read/variables.h"
#include "value/value.h"

void stack_init(struct stack *stack)
{
	list_init(&stack->layers);
}

void stack_copy(struct stack *copy, const struct stack *stack,
		enum layer_kind below)
{
	struct layer *layer;

	stack_init(copy);
	for (stack_each(stack, layer))
		if (layer->kind < below &&
		    !layer_is_of(layer, LAYER_OF_VARIABLE))
			list_add(&copy->layers, &layer_copy(layer)->link);
}

/* It is in order. Only HOCON looks into an environment or the layers below, so
 * that is what its text would be read as again. */
static struct layer *layer_of_item(const struct stack_doc *item)
{
	struct layer *layer = layer_new(item->kind, item->source);

	layer_set_description(layer, item->description);
	layer->under = item->under ? mem_strdup(item->under) : NULL;
	layer->doc = doc_ref(item->doc);
	layer->format = layer->doc_format = READ_HOCON;
	layer->state = LAYER_OK;
	layer->unread = false;
	return layer;
}

void stack_from_docs(struct stack *copy, const struct stack_docs *docs,
		     enum layer_kind below)
{
	stack_init(copy);
	for (size_t i = 0; i < docs->count; i++) {
		const struct stack_doc *item = &docs->items[i];

		if (item->source && item->kind < below &&
		    layer_traits[item->kind].provenance != LAYER_OF_VARIABLE)
			list_add(&copy->layers, &layer_of_item(item)->link);
	}
}

static struct layer *layer_of(struct list *link)
{
	return CONTAINER_OF(link, struct layer, link);
}

void stack_deinit(struct stack *stack)
{
	while (!list_is_empty(&stack->layers))
		layer_free(layer_of(stack->layers.next));
}

struct layer *stack_next(const struct stack *stack, const struct layer *layer)
{
	struct list *next = layer ? layer->link.next : stack->layers.next;

	return next == &stack->layers ? NULL : layer_of(next);
}

struct layer *stack_find(const struct stack *stack, enum layer_kind kind,
			 const char *source)
{
	struct layer *layer;

	for (stack_each(stack, layer))
		if (layer->kind == kind && !strcmp(layer->source, source))
			return layer;
	return NULL;
}

/* Take it out of the stack; the first of two namesakes goes to whoever asks
 * first, which keeps ordinals. */
static struct layer *take_layer(struct stack *stack, enum layer_kind kind,
				const char *source)
{
	struct layer *layer = stack_find(stack, kind, source);

	if (layer)
		list_remove(&layer->link);
	return layer;
}

static bool is_already(const struct stack *stack, enum layer_kind kind,
		       const char *const *sources, size_t count)
{
	struct layer *layer;
	size_t i = 0;

	for (stack_each(stack, layer)) {
		if (layer->kind != kind)
			continue;
		if (i == count || strcmp(layer->source, sources[i]) != 0)
			return false;
		i++;
	}
	return i == count;
}

static void drop_kind(struct stack *stack, enum layer_kind kind)
{
	struct list *at = stack->layers.next, *next;

	for (; at != &stack->layers; at = next) {
		next = at->next;
		if (layer_of(at)->kind == kind)
			layer_free(layer_of(at));
	}
}

/* Where layers of @kind end: before the first of a higher kind. */
static struct list *place_of(struct stack *stack, enum layer_kind kind)
{
	struct list *at;

	for (list_each (&stack->layers, at))
		if (layer_of(at)->kind > kind)
			break;
	return at;
}

static bool depends_on_lower(const struct layer *layer)
{
	return layer->state == LAYER_BROKEN ||
	       (layer->doc && layer->doc->used_lower);
}

/* What was looked up in a layer that is gone must be looked up again. */
static void touch_dependents(struct stack *stack)
{
	struct layer *layer;

	for (stack_each(stack, layer))
		if (depends_on_lower(layer))
			layer_touch(layer);
}

bool stack_set_sources(struct stack *stack, enum layer_kind kind,
		       const char *const *sources, size_t count,
		       struct layer **layers)
{
	bool changed = !is_already(stack, kind, sources, count);
	struct list *place;

	for (size_t i = 0; i < count; i++) {
		layers[i] = take_layer(stack, kind, sources[i]);
		if (!layers[i])
			layers[i] = layer_new(kind, sources[i]);
	}
	drop_kind(stack, kind);
	place = place_of(stack, kind);
	for (size_t i = 0; i < count; i++)
		list_add(place, &layers[i]->link);
	if (changed)
		touch_dependents(stack);
	return changed;
}

void stack_put(struct stack *stack, struct layer *layer)
{
	list_add(place_of(stack, layer->kind), &layer->link);
}

struct layer *stack_add(struct stack *stack, enum layer_kind kind,
			const char *source)
{
	struct layer *layer = layer_new(kind, source);

	stack_put(stack, layer);
	return layer;
}

static bool set_variables(struct stack *stack, enum layer_kind kind,
			  const struct variables *variables)
{
	size_t count = variables->count;
	_cleanup_(mem_freep) const char **names =
		mem_alloc(count * sizeof(*names));
	_cleanup_(mem_freep) struct layer **layers =
		mem_alloc(count * sizeof(*layers));
	bool changed;

	for (size_t i = 0; i < count; i++)
		names[i] = variables->items[i].name;
	changed = stack_set_sources(stack, kind, names, count, layers);
	for (size_t i = 0; i < count; i++) {
		layer_set_under(layers[i], variables->items[i].under);
		layer_set_text(layers[i], variables->items[i].format,
			       variables->items[i].text);
	}
	return changed;
}

bool stack_set_variables(struct stack *stack, const struct env *env)
{
	struct variables variables;
	bool generic, named;

	variables_generic(&variables, env);
	generic = set_variables(stack, LAYER_ENV_GENERIC, &variables);
	variables_deinit(&variables);
	variables_named(&variables, env);
	named = set_variables(stack, LAYER_ENV_NAMED, &variables);
	variables_deinit(&variables);
	return generic || named;
}

struct stack_doc *stack_docs_insert_at(struct stack_docs *docs, size_t at,
				       enum layer_kind kind, struct doc *doc)
{
	docs->items = mem_grow(docs->items,
			       (docs->count + 1) * sizeof(docs->items[0]));
	memmove(&docs->items[at + 1], &docs->items[at],
		(docs->count - at) * sizeof(docs->items[0]));
	docs->items[at] = (struct stack_doc){.kind = kind, .doc = doc};
	docs->count++;
	return &docs->items[at];
}

struct stack_doc *stack_docs_insert(struct stack_docs *docs,
				    enum layer_kind kind, struct doc *doc)
{
	size_t at = docs->count;

	while (at && docs->items[at - 1].kind > kind)
		at--;
	return stack_docs_insert_at(docs, at, kind, doc);
}

bool stack_docs_has(const struct stack_docs *docs, enum layer_kind kind,
		    const char *source)
{
	for (size_t i = 0; i < docs->count; i++)
		if (docs->items[i].kind == kind &&
		    str_same(docs->items[i].source, source))
			return true;
	return false;
}

static const char *copy_of(struct stack_docs *docs, const char *text)
{
	return text ? arena_strdup(&docs->arena, text) : NULL;
}

/* Like stack_docs_insert, with what @layer says of its document. */
static struct stack_doc *add_doc(struct stack_docs *docs,
				 const struct layer *layer, struct doc *doc)
{
	struct stack_doc *item = stack_docs_insert(docs, layer->kind, doc);

	item->source = arena_strdup(&docs->arena, layer->source);
	item->description = copy_of(docs, layer->description);
	item->under = copy_of(docs, layer->under);
	item->format = layer->doc_format;
	item->edit = (struct layer_edit){
		.scope = copy_of(docs, layer->edit.scope),
		.owner = copy_of(docs, layer->edit.owner),
		.last_update = copy_of(docs, layer->edit.last_update),
		.revision = layer->edit.revision,
	};
	return item;
}

struct stack_docs stack_get_docs(const struct stack *stack,
				 enum layer_kind below)
{
	struct stack_docs docs = {0};
	struct layer *layer;

	for (stack_each(stack, layer))
		if (layer->doc && layer->kind < below)
			(void)add_doc(&docs, layer, doc_ref(layer->doc));
	return docs;
}

void stack_docs_deinit(struct stack_docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		doc_unref(docs->items[i].doc);
	mem_free(docs->items);
	arena_free(&docs->arena);
	*docs = (struct stack_docs){0};
}

struct value *stack_docs_merge(const struct stack_docs *docs,
			       struct arena *arena)
{
	struct value *merged = NULL;

	for (size_t i = 0; i < docs->count; i++)
		merged = merge(arena, merged, docs->items[i].doc->root);
	return merged;
}

void stack_touch(struct stack *stack)
{
	struct layer *layer;

	for (stack_each(stack, layer))
		if (!layer_is_of(layer, LAYER_OF_VARIABLE))
			layer_touch(layer);
}

bool stack_has_unread(const struct stack *stack)
{
	struct layer *layer;

	for (stack_each(stack, layer))
		if (layer->unread)
			return true;
	return false;
}

/* Most polls bring nothing new: then there is nothing to merge for either. */
bool stack_read(struct stack *stack, const struct layer_context *context)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct value *lower = NULL;
	bool changed = false;
	struct layer *layer;

	if (!stack_has_unread(stack))
		return false;
	for (stack_each(stack, layer)) {
		if (layer->unread || (changed && depends_on_lower(layer)))
			changed = layer_read(layer, context, lower) || changed;
		if (layer->doc && layer_traits[layer->kind].lookup)
			lower = merge(&arena, lower, layer->doc->root);
	}
	return changed;
}

const struct layer *stack_find_lost(const struct stack *stack)
{
	struct layer *layer;

	for (stack_each(stack, layer))
		if (layer_is_lost(layer))
			return layer;
	return NULL;
}

/* What a caller says is known to him: it is hidden by its key only. */
static void mark_foreign(struct value *value)
{
	struct member *m;

	value->flags |= VALUE_FOREIGN;
	if (value->type == VALUE_OBJECT)
		for (value_each (value, m))
			mark_foreign(m->value);
	if (value->type == VALUE_LIST)
		for (uint32_t i = 0; i < value->list.count; i++)
			mark_foreign(value->list.items[i]);
}

/* @doc, taken over, is what @layer is for another environment. */
static void add_for(struct stack_docs *docs, const struct layer *layer,
		    struct doc *doc)
{
	struct stack_doc *item = add_doc(docs, layer, doc);

	if (layer_is_of(layer, LAYER_OF_VARIABLE))
		mark_foreign(doc->root);
	else
		item->read_again = doc != layer->doc;
}

/* Put an empty document in the vault's place, which says why. */
static void leave_out(struct stack_docs *docs, const struct layer *layer,
		      const struct diag *diag)
{
	struct doc *doc = doc_new();
	struct stack_doc *item = add_doc(docs, layer, doc);
	const char *name =
		layer->description ? layer->description : layer->source;
	_cleanup_(mem_freep) char *why = mem_printf(
		"the vault \"%s\" cannot be read in this environment and is "
		"left out: line %u, column %u: %s",
		name, diag->pos.line, diag->pos.column, diag->text);

	doc->root = value_new(&doc->arena, VALUE_OBJECT);
	item->left_out = arena_strdup(&docs->arena, why);
}

/* Why @layer, a vault without a document for another environment, lacks one;
 * NULL: it is no such vault, or has nothing in it. */
static const struct diag *lack_of_vault(const struct layer *layer,
					const struct doc *doc,
					const struct diag *diag)
{
	if (!layer_is_of(layer, LAYER_OF_VAULT))
		return NULL;
	if (diag_failed(diag))
		return diag;
	return !doc && layer->state == LAYER_BROKEN ? &layer->problem : NULL;
}

/* Variables of a caller's look into one another, as they may not show him under
 * keys of his own what others wrote. */
bool stack_docs_for(const struct stack *stack,
		    const struct layer_context *context,
		    struct stack_docs *docs, struct diag *diag)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct value *lower = NULL, *variables = NULL;
	const struct diag *lack;
	struct layer *layer;
	struct doc *doc;
	bool own;

	for (stack_each(stack, layer)) {
		own = layer_is_of(layer, LAYER_OF_VARIABLE);
		doc = layer_doc_for(layer, context, own ? variables : lower,
				    diag);
		lack = lack_of_vault(layer, doc, diag);
		if (diag_failed(diag) && !lack)
			return false;
		if (lack)
			leave_out(docs, layer, lack);
		diag_deinit(diag);
		if (!doc)
			continue;
		add_for(docs, layer, doc);
		if (own)
			variables = merge(&arena, variables, doc->root);
		if (layer_traits[layer->kind].lookup)
			lower = merge(&arena, lower, doc->root);
	}
	return true;
}
