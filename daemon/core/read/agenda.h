#ifndef READ_AGENDA_H
#define READ_AGENDA_H

/*
 * Agenda: the substitutions that are still to be done, in turns.
 *
 * One may stand in it several times, and is done as often; each time it comes
 * to something it goes once, from where it stands first. What is added during a
 * turn waits for the next. When a turn brings nothing new there is no other.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct subst;

/* A list of substitutions, in order. */
struct agenda_list {
	struct subst **items;
	size_t count, cap;
};

struct agenda {
	struct agenda_list turn; /* what this turn goes through; NULL: gone */
	struct agenda_list next; /* what came meanwhile */
	uint32_t turns;
	size_t at; /* in the turn, of the one after the last that was given */
};

void agenda_list_add(struct agenda_list *list, struct subst *subst);

/* @count: about how many there will be. */
void agenda_init(struct agenda *agenda, size_t count);
void agenda_deinit(struct agenda *agenda);
void agenda_add(struct agenda *agenda, struct subst *subst);

/* Begin a turn; false when nothing is left, or nothing else than before. */
bool agenda_begin(struct agenda *agenda);

/* The next of this turn; NULL: no more. */
struct subst *agenda_next(struct agenda *agenda);

/* @subst came to something. */
void agenda_done(struct agenda *agenda, struct subst *subst);

#endif
