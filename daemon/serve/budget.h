#ifndef SERVE_BUDGET_H
#define SERVE_BUDGET_H

/*
 * Budget: how long the loop answers one user before it looks whether somebody
 * else wants something.
 *
 * The loop's time is divided into turns. In each one a user may take a share,
 * which is larger while he is alone. Time is measured by one look at the clock
 * an answer: what has gone by since the look before is charged to who was
 * answered. What goes by while the loop sleeps, or does something else for all,
 * is charged to no user: the clock is paused.
 *
 *	budget_begin(budget);
 *	while (!budget_is_exhausted(budget, charge)) {
 *		... answer ...
 *		budget_spend(budget, charge);
 *	}
 */

#include <stdbool.h>
#include <stdint.h>

struct charge;
struct quota;

/* Of a turn: what one user may take while others are there, and what he may
 * while he is alone. */
#define BUDGET_SHARE_NS UINT64_C(500000)
#define BUDGET_ALONE_NS UINT64_C(3000000)

struct budget {
	const struct quota *quota; /* borrowed; says who is there */
	uint64_t turn;
	uint64_t looked;         /* at the clock, last; 0: it is paused */
	uint64_t (*clock)(void); /* nanoseconds */
};

void budget_init(struct budget *budget, const struct quota *quota);

/* Everybody has his share again; the clock is paused. */
void budget_next_turn(struct budget *budget);

void budget_pause(struct budget *budget);

/* Go on, or begin, to measure what is spent. */
void budget_begin(struct budget *budget);

/* What went by since the last look was for the user who pays for @charge. */
void budget_spend(struct budget *budget, struct charge *charge);

/* So were @ns more, which nobody measures. */
void budget_add(const struct budget *budget, struct charge *charge,
		uint64_t ns);

/* Has the user had all that he may have of this turn? */
bool budget_is_exhausted(const struct budget *budget,
			 const struct charge *charge);

#endif
