#ifndef SERVE_QUOTA_H
#define SERVE_QUOTA_H

/*
 * Quotas: what one user may make the daemon hold.
 *
 * A charge is embedded in what it pays for and ends with it, so nothing is
 * counted that is not there. A user's account exists while charges do.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"

enum quota_kind {
	QUOTA_CONNECTIONS,
	QUOTA_WATCHERS,
	QUOTA_ERRANDS, /* under way at the same time */
	QUOTA_KINDS
};

struct quota {
	struct list accounts;
	size_t limits[QUOTA_KINDS]; /* of one uid */
};

struct account;

struct charge {
	struct account *account; /* NULL: nothing is charged */
	enum quota_kind kind;
	uint32_t amount;
};

void quota_init(struct quota *quota);
void quota_deinit(struct quota *quota); /* all charges have ended */

/* As the settings call it. */
const char *quota_name(enum quota_kind kind);

/* False when it would exceed the limit; nothing is charged then. */
bool charge_take(struct charge *charge, struct quota *quota, uid_t uid,
		 enum quota_kind kind, uint32_t amount);

/* Taking nothing back twice does no harm. */
void charge_release(struct charge *charge);

#endif
