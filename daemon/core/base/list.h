#ifndef BASE_LIST_H
#define BASE_LIST_H

/*
 * Intrusive list: members embed a `struct list`, heads are one too. A ring, so
 * that adding and removing have no special cases.
 */

#include <stdbool.h>

#include "base/mem.h"

struct list {
	struct list *prev, *next;
};

static inline void list_init(struct list *list)
{
	list->prev = list->next = list;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->next == list;
}

/* Add @member before @at: at the end of the list when @at is its head. */
static inline void list_add(struct list *at, struct list *member)
{
	member->prev = at->prev;
	member->next = at;
	at->prev->next = member;
	at->prev = member;
}

/* A removed member is a ring of its own, so removing twice does no harm. */
static inline void list_remove(struct list *member)
{
	member->prev->next = member->next;
	member->next->prev = member->prev;
	list_init(member);
}

/* Move all members of @from to the end of @to. */
static inline void list_splice(struct list *to, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

/* struct list *i; for (list_each(head, i)) */
#define list_each(head, i)                                                     \
	(i) = (head)->next;                                                    \
	(i) != (head);                                                         \
	(i) = (i)->next

#endif
