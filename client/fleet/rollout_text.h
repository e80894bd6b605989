#ifndef FLEET_ROLLOUT_TEXT_H
#define FLEET_ROLLOUT_TEXT_H

/*
 * Rollouts as they are shown.
 */

struct buf;
struct catalog_entry;
struct fleet;

/* "20-gpu.yaml: 10% (stage 2 of 3): 12 hosts, 11 taken, 1 behind; 53 s of the
 * stage are left" */
void rollout_text_add(struct buf *out, const struct fleet *fleet,
		      const struct catalog_entry *entry);

/* The same without what only time changes. */
void rollout_text_add_standing(struct buf *out, const struct fleet *fleet,
			       const struct catalog_entry *entry);
void rollout_text_add_json(struct buf *out, const struct fleet *fleet,
			   const struct catalog_entry *entry);

/* Of all that are under way. */
void rollout_text_add_all(struct buf *out, const struct fleet *fleet);
void rollout_text_add_all_json(struct buf *out, const struct fleet *fleet);

#endif
