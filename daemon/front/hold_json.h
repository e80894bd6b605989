#ifndef FRONT_HOLD_JSON_H
#define FRONT_HOLD_JSON_H

/*
 * The type Hold of io.clearconf: what a workspace holds, and what that costs.
 */

struct buf;
struct hold;
struct secrets;

/* Add it as `hold` to an object, if there is one. What it tells is masked. */
void hold_json_add(struct buf *json, const struct hold *hold,
		   const struct secrets *secrets);

#endif
