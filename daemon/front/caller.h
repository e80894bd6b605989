#ifndef DAEMON_CALLER_H
#define DAEMON_CALLER_H

/*
 * Caller: the configuration as it is for somebody with another environment.
 *
 * The caller's variables take the place of the daemon's in three things only:
 * the layers `env-generic` and `env-named`, and ${NAME} in files and vaults
 * (INTERFACE.md "environment"). Nothing of them is kept.
 *
 * The texts may be made to cost much, so the work is done by another thread. It
 * is given all it needs: a copy of the stack, whose documents it shares, a
 * copy of the settings that matter, the secrets as they are.
 */

struct engine;
struct errand;

/* Do @errand, an ERRAND_GET or ERRAND_STORAGE; it is finished later, by the
 * loop. */
void caller_begin(struct engine *engine, struct errand *errand);

#endif
