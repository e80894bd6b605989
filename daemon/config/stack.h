#ifndef CONFIG_STACK_H
#define CONFIG_STACK_H

/*
 * Stack: the layers of one workspace, weakest first.
 *
 * It owns its layers. A kind's layers are always set as a whole list: those
 * that the new list does not name are gone, those it names keep their last
 * good documents.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "base/str.h"
#include "config/layer.h"
#include "read/reader.h"

struct arena;
struct value;

struct stack {
	struct list layers; /* struct layer, weakest first */
};

void stack_init(struct stack *stack);
void stack_deinit(struct stack *stack);

/* The layers of @kind become one for each of @sources, in that order. A source
 * named twice is told apart by its ordinal. @layers (may be NULL) receives the
 * @count layers. True when the list has changed. */
bool stack_set_sources(struct stack *stack, enum layer_kind kind,
		       const char *const *sources, size_t count,
		       struct layer **layers);

struct layer *stack_first(const struct stack *stack, enum layer_kind kind);

/* The next of the same kind; NULL at the end. */
struct layer *stack_next(const struct stack *stack, const struct layer *layer);

#endif
