#ifndef DAEMON_CALLER_H
#define DAEMON_CALLER_H

/*
 * Caller: the configuration as it is for somebody with another environment.
 *
 * The caller's variables take the place of the daemon's in three things only:
 * the layers `env-generic` and `env-named`, and ${NAME} in files and vaults
 * (INTERFACE.md "environment"). Nothing of them is kept.
 */

struct diag;
struct env;
struct snapshot;
struct workspace;

/* A snapshot of the caller's, never published; NULL, with @diag set, when a
 * text is broken for it. */
struct snapshot *caller_resolve(struct workspace *workspace, struct env *caller,
				struct diag *diag);

#endif
