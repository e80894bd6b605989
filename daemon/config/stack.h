#ifndef CONFIG_STACK_H
#define CONFIG_STACK_H

/*
 * Stack: the layers of one workspace, weakest first.
 *
 * It owns its layers. The layers of a kind are always set as a whole list:
 * those that the new list does not name are gone, those it names keep their
 * last good documents. The stack is a document list at any time; merging it is
 * the snapshot's business.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/list.h"
#include "config/layer.h"

struct doc;
struct env;
struct value;

struct stack {
	struct list layers; /* struct layer by link, weakest first */
};

/* The documents of a stack, weakest first, each a reference of the owner's.
 * Their names lie in the list's arena: a snapshot outlives the layers. */
struct stack_doc {
	enum layer_kind kind;
	struct doc *doc;
	const char *source;      /* the layer's; NULL: derived from others */
	const char *description; /* the layer's; NULL: none */
	const char *under;       /* the layer's; NULL: none */
	enum read_format format; /* of its text */
	struct layer_edit edit;  /* the layer's */
	bool read_again; /* for another environment: it may hold secrets that
			  * nobody has learned */
	const char *left_out; /* why it cannot be read for another environment:
			       * it is empty there; NULL: it can */

	/* Of a derived document only: */
	const char *note;              /* why it holds, for people */
	bool clears;                   /* it only hides what is below */
	const struct value *made_from; /* NULL: none; stands for what is in no
					* other document */
};

struct stack_docs {
	struct stack_doc *items;
	size_t count;
	struct arena arena; /* of what derived documents share with none */
};

/* for (struct layer *l; stack_each(stack, l)) */
#define stack_each(stack, layer)                                               \
	(layer) = stack_next((stack), NULL);                                   \
	(layer);                                                               \
	(layer) = stack_next((stack), (layer))

void stack_init(struct stack *stack);
void stack_deinit(struct stack *stack);

/* The layers below @below with the same documents and texts, but for those that
 * are the environment: what another environment is to be added to. Another
 * thread may have it. */
void stack_copy(struct stack *copy, const struct stack *stack,
		enum layer_kind below);

/* The same of what a snapshot holds: the layers that its documents came from,
 * as they were. */
void stack_from_docs(struct stack *copy, const struct stack_docs *docs,
		     enum layer_kind below);

/* The first layer that is lost; NULL: none. */
const struct layer *stack_find_lost(const struct stack *stack);

/* The layer after @layer, NULL for the first; NULL after the last. */
struct layer *stack_next(const struct stack *stack, const struct layer *layer);

/* The first layer of @kind and @source; NULL: there is none. */
struct layer *stack_find(const struct stack *stack, enum layer_kind kind,
			 const char *source);

/* The layers of @kind become one for each of @sources, in that order; of one
 * source named twice the second keeps the second's document. @layers receives
 * them. True when layers came, went or changed places. */
bool stack_set_sources(struct stack *stack, enum layer_kind kind,
		       const char *const *sources, size_t count,
		       struct layer **layers);

/* The layers `env-generic` and `env-named` become those of @env. */
bool stack_set_variables(struct stack *stack, const struct env *env);

/* One more of @kind, the strongest of them. */
struct layer *stack_add(struct stack *stack, enum layer_kind kind,
			const char *source);

/* Read all texts again: files whatever they look like, and all of them as what
 * reading depends on may be another. */
void stack_touch(struct stack *stack);

/* @layer, which is in no stack, is the strongest of its kind. */
void stack_put(struct stack *stack, struct layer *layer);

/* Is there a text that has not been looked at? */
bool stack_has_unread(const struct stack *stack);

/* Read what is unread, and again what looked into layers that changed. True
 * when anything that status or the configuration shows has changed. */
bool stack_read(struct stack *stack, const struct layer_context *context);

/* All documents, or those of the layers below @below. */
struct stack_docs stack_get_docs(const struct stack *stack,
				 enum layer_kind below);

/* The documents as they are for another environment, whose variables are layers
 * of @stack. False, with @diag set, when a text is broken for it; a vault that
 * is one is left out, as ClearML does. */
bool stack_docs_for(const struct stack *stack,
		    const struct layer_context *context,
		    struct stack_docs *docs, struct diag *diag);
void stack_docs_deinit(struct stack_docs *docs);

/* After the last of its kind and those below; the reference is taken over.
 * The new item is valid until the next one. */
struct stack_doc *stack_docs_insert(struct stack_docs *docs,
				    enum layer_kind kind, struct doc *doc);

/* Like stack_docs_insert, but at index @at, which is between documents of its
 * kind. */
struct stack_doc *stack_docs_insert_at(struct stack_docs *docs, size_t at,
				       enum layer_kind kind, struct doc *doc);

/* Is one of them of the layer of this kind and source? */
bool stack_docs_has(const struct stack_docs *docs, enum layer_kind kind,
		    const char *source);

/* The merge of @docs, which shares their values; NULL when there is no
 * document. */
struct value *stack_docs_merge(const struct stack_docs *docs,
			       struct arena *arena);

#endif
