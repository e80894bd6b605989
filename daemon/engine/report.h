#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

/*
 * Report: what this host tells of itself through etcd, as fleet.md has it, in
 * one key that is its own (fetch/etcd/etcd_keep).
 *
 * Whatever may have changed something calls report_look. A moment later the
 * report is made anew, and is handed on if it is another: what changes all the
 * time is not in it. The digests of trees are made by another thread, from
 * pinned snapshots; until they are there the report goes without.
 *
 *   RESTING --look--> SOON --timer--> [DIGESTING] --> written --> RESTING
 *
 * Nothing that is served waits for it, or is less when it fails.
 */

#include <stddef.h>

struct buf;
struct engine;
struct report;

/* NULL when the settings want none. The site's feed must outlive it: another
 * feed needs another report. Calls nothing back before it returns. */
struct report *report_new(struct engine *engine);
void report_close(struct report *report); /* NULL is allowed */

/* NULL is allowed below: there is no report. */

/* Something that it tells may have changed. */
void report_look(struct report *report);

/* Programs that have said what they do with the configuration; @behind: those
 * that still run on an older one. */
void report_set_consumers(struct report *report, size_t count, size_t behind);

/* The object Report of io.clearconf. */
void report_write_status(const struct report *report, struct buf *json);

#endif
