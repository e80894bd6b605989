#ifndef EXEC_SIGNAL_H
#define EXEC_SIGNAL_H

/* Which signals `exec` takes part in, and what --on-change says of them. */

#include <signal.h>
#include <stdbool.h>

enum { EXEC_RESTART = 0, EXEC_NOTHING = -1, EXEC_IDLE = -2 };

/* "restart": EXEC_RESTART; "idle": EXEC_IDLE; "none": EXEC_NOTHING;
 * "signal:HUP", "signal:SIGHUP", "signal:1": the number. False when it is none
 * of them. */
bool exec_signal_parse(const char *on_change, int *action);

/* All that are caught; others do what they always do: what a fault in our own
 * code raises, and what stops and continues a job. */
void exec_signal_set(sigset_t *set);

/* Is the signal caught, and passed on to the command? */
bool exec_signal_is_forwarded(int number);

/* Does the signal ask for the end of the command and of `exec`? */
bool exec_signal_ends(int number);

#endif
