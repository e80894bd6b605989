#ifndef TRUST_H
#define TRUST_H

/*
 * Who may serve this process. A configuration can make a program run anything,
 * so it comes from root, from this process's own user, or from the system
 * instance, which has a user of its own.
 *
 * The kernel says who made the socket listen (SO_PEERCRED): the daemon, or the
 * service manager for it. The system instance is known by its place: what lies
 * in /run/clearconf was put there by root or by the user whom root gave that
 * folder to, as only root can write to /run; so that user may serve there. Such
 * a rule for any other folder would trust whoever has a home.
 */

struct clearconf;

/* 0, or -EPERM: somebody else serves on the connected @handle. */
int trust_check(struct clearconf *handle);

#endif
