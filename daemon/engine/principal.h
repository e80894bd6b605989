#ifndef DAEMON_PRINCIPAL_H
#define DAEMON_PRINCIPAL_H

/*
 * Principal: who a login is to the server: user and company (the workspace), by
 * id and name.
 *
 * The token says the ids and mostly the names. In a company that the user has
 * joined (claim `tenant`) it does not say that one's name: then the server is
 * asked, until it has answered; what it does not say then it never will.
 *
 *   IDLE --names are missing--> users.get_current_user
 *     ^                              | still missing
 *     +--- known, or no answer <-----+--> organization.get_user_companies
 */

#include "fetch/session.h"

struct principal_names {
	char *user_id, *user_name, *company_id, *company_name; /* or NULL */
};

void principal_names_deinit(struct principal_names *names);

struct principal {
	struct session *session; /* borrowed */
	struct session_call *call;
	struct principal_names names;
	bool asked; /* the server has answered about them */
};

void principal_init(struct principal *principal, struct session *session);
void principal_deinit(
	struct principal *principal); /* before the session's end */

/* The session has logged in, perhaps again: learn what its token says, ask for
 * what it does not. */
void principal_learn(struct principal *principal);

#endif
