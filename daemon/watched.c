#include "watched.h"

#include "config/stack.h"
#include "read/doc.h"

static void add_path(struct watched *watched, const char *path)
{
	if (watched->count < WATCHED_MAX && path && path[0] == '/')
		watched->paths[watched->count++] = path;
}

static void add_layer(struct watched *watched, const struct layer *layer)
{
	add_path(watched, layer->source);
	for (size_t i = 0; layer->doc && i < layer->doc->include_count; i++)
		add_path(watched, layer->doc->includes[i]);
	if (layer->state == LAYER_BROKEN)
		add_path(watched, layer->problem.source);
}

void watched_add_stack(struct watched *watched, const struct stack *stack)
{
	struct layer *layer;

	for (stack_each(stack, layer))
		if (layer->kind == LAYER_FILE)
			add_layer(watched, layer);
}
