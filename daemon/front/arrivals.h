#ifndef FRONT_ARRIVALS_H
#define FRONT_ARRIVALS_H

/*
 * The vaults that wait, or were skipped, as the interface tells of them: the
 * type Arrival of io.clearconf.
 */

#include <stdbool.h>

struct buf;
struct stack;
struct workspace;

/* Are there any, of this revision (NULL: any)? */
bool arrivals_exist(const struct workspace *workspace, const char *revision);

/* Add the member "arriving", their list. What is told is masked. */
void arrivals_write(const struct workspace *workspace, const char *revision,
		    struct buf *json);

/* Put the texts of them all in the place of the vaults of @stack, a copy. */
void arrivals_put(const struct workspace *workspace, struct stack *stack);

#endif
