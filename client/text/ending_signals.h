#ifndef ENDING_SIGNALS_H
#define ENDING_SIGNALS_H

/*
 * Signals that end a command: held back while it has something on a disk, or in
 * memory, that it must not leave behind. One that is ignored ends nothing.
 */

#include <signal.h>
#include <stdbool.h>

/* *@before: what was blocked, for sigprocmask(SIG_SETMASK). */
void ending_signals_block(sigset_t *before);

/* Has one come that is blocked? */
bool ending_signals_pending(void);

#endif
