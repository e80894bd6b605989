#include "read/agenda.h"

#include "base/mem.h"
#include "read/tree.h"

#define FIRST_CAP 64

static void reserve(struct agenda_list *list, size_t cap)
{
	if (cap <= list->cap)
		return;
	list->cap = cap;
	list->items = mem_grow(list->items, cap * sizeof(*list->items));
}

void agenda_list_add(struct agenda_list *list, struct subst *subst)
{
	if (list->count == list->cap)
		reserve(list, list->cap ? list->cap * 2 : FIRST_CAP);
	list->items[list->count++] = subst;
}

void agenda_init(struct agenda *agenda, size_t count)
{
	*agenda = (struct agenda){0};
	reserve(&agenda->turn, count);
	reserve(&agenda->next, count);
}

void agenda_deinit(struct agenda *agenda)
{
	mem_free(agenda->turn.items);
	mem_free(agenda->next.items);
}

void agenda_add(struct agenda *agenda, struct subst *subst)
{
	subst->listed++;
	agenda_list_add(&agenda->next, subst);
}

struct subst *agenda_next(struct agenda *agenda)
{
	return agenda->at < agenda->turn.count
		       ? agenda->turn.items[agenda->at++]
		       : NULL;
}

/* A substitution that is listed once is dropped at once: most are not looked at
 * again. */
void agenda_done(struct agenda *agenda, struct subst *subst)
{
	struct subst **given = agenda->turn.items + agenda->at - 1;

	if (!agenda->at || subst->listed > 1 || *given != subst) {
		subst->done++;
		return;
	}
	subst->listed = 0;
	*given = NULL;
}

/* Does it stay where it stands here? */
static bool stays(struct subst *subst)
{
	if (!subst->done)
		return true;
	subst->done--;
	subst->listed--;
	return false;
}

/* Is it looked at for the first time in this turn? */
static bool is_first(uint32_t *mark, uint32_t turn)
{
	bool first = *mark != turn;

	*mark = turn;
	return first;
}

/* The substitutions that differ between this turn and the last. */
struct change {
	uint32_t turn;    /* this one's number */
	size_t were, are; /* different ones of the last: then, and still */
	bool more;        /* there are others */
};

/* The substitutions that are left of the last turn. */
static void take_left(struct agenda_list *turn, struct change *change)
{
	size_t count = turn->count;
	struct subst *subst;

	turn->count = 0;
	for (size_t i = 0; i < count; i++) {
		subst = turn->items[i];
		change->were += !subst || is_first(&subst->was, change->turn);
		if (!subst || !stays(subst))
			continue;
		change->are += is_first(&subst->is, change->turn);
		agenda_list_add(turn, subst);
	}
}

static void take_next(struct agenda *agenda, struct change *change)
{
	struct agenda_list *next = &agenda->next;
	struct subst *subst;

	for (size_t i = 0; i < next->count; i++) {
		subst = next->items[i];
		if (!stays(subst))
			continue;
		if (subst->was != change->turn)
			change->more = true;
		else
			change->are += is_first(&subst->is, change->turn);
		agenda_list_add(&agenda->turn, subst);
	}
	next->count = 0;
}

bool agenda_begin(struct agenda *agenda)
{
	struct change change = {.turn = ++agenda->turns};

	take_left(&agenda->turn, &change);
	take_next(agenda, &change);
	agenda->at = 0;
	return agenda->turn.count && (change.more || change.are != change.were);
}
