#ifndef ENGINE_CHANGE_LOG_H
#define ENGINE_CHANGE_LOG_H

/*
 * Change log: one line of the daemon's log for each path that a new generation
 * changed, never a value: where it was written, and who has written that, as
 * far as the server says.
 *
 *	event=changed workspace=default generation=43 path=sdk.aws.s3.region
 *	kind=changed layer=vault source=5e6f... description=team line=3 ...
 *
 * What differs is found by libuv's thread pool, as trees may be large; what
 * comes meanwhile is one more difference, however many generations it was. Of
 * one generation the first CHANGE_LOG_LINES are told, of a minute
 * CHANGE_LOG_MINUTE; of the others how many they were.
 *
 *   IDLE --add--> WORKING --done--> IDLE, or WORKING for what has come since
 *    |               |
 *    +--- close -----+--> CLOSING, freed when that is done
 */

#include <uv.h>

#define CHANGE_LOG_LINES  20
#define CHANGE_LOG_MINUTE 120

struct change_log;
struct secrets;
struct snapshot;

/* @workspace is copied, @secrets borrowed. */
struct change_log *change_log_new(uv_loop_t *loop, const char *workspace,
				  const struct secrets *secrets);

/* @next took the place of @snapshot. */
void change_log_add(struct change_log *log, struct snapshot *snapshot,
		    struct snapshot *next);

/* Frees itself; until then the loop lives. NULL is allowed. */
void change_log_close(struct change_log *log);

#endif
