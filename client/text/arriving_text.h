#ifndef ARRIVING_TEXT_H
#define ARRIVING_TEXT_H

/*
 * Vaults that wait, for people: what `clearconf change` and `clearconf status`
 * say of them.
 */

struct buf;
struct value;

/* "9f2c1d33ab01 of the vaults, since 2026-11-29 15:40:02, comes at ...",
 * without a line end. @arrival: of type Arrival. */
void arriving_text_add(struct buf *out, const struct value *arrival);

/* A line for each vault that differs. */
void arriving_text_add_vaults(struct buf *out, const struct value *arrival);

#endif
