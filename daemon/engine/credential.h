#ifndef DAEMON_CREDENTIAL_H
#define DAEMON_CREDENTIAL_H

/*
 * Credentials as auth.get_credentials tells of them (server.md, "Workspaces and
 * credentials"): the user's own, and those of the companies that he has joined,
 * a list for each or one that stands for a list of one. Borrowed from the
 * answer.
 */

#include <stdint.h>

struct value;

/* @company: the id of a joined company; NULL: the user's own. */
typedef void (*credential_fn)(void *data, const struct value *credential,
			      const struct value *company);

/* Call @take with each of the user's own and each of the others, in order. What
 * has no access key is no credential. */
void credential_each_own(const struct value *answer, credential_fn take,
			 void *data);
void credential_each_other(const struct value *answer, credential_fn take,
			   void *data);

/* The first credential whose text @member is @text; NULL: none. */
const struct value *credential_find(const struct value *answer,
				    const char *member, const char *text);

/* The time in its @member, in seconds since 1970; -1: it has none. */
int64_t credential_time(const struct value *credential, const char *member);

#endif
