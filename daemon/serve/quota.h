#ifndef SERVE_QUOTA_H
#define SERVE_QUOTA_H

/*
 * Quotas: what one user may make the daemon hold.
 *
 * A charge is embedded in what it pays for and ends with it, so nothing is
 * counted that is not there. A user's account exists while charges do, and for
 * the second or minute in which calls are counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"

enum quota_kind {
	QUOTA_CONNECTIONS,
	QUOTA_WATCHERS,
	QUOTA_CALLS, /* of the service, under way at the same time */
	QUOTA_BYTES, /* of requests and answers that wait */
	QUOTA_CONSUMERS,
	QUOTA_KINDS
};

enum quota_rate {
	RATE_ENVIRONMENT, /* that bring one, a second */
	RATE_SERVER,      /* that the ClearML server is asked for, a minute */
	QUOTA_RATES
};

struct quota {
	struct list accounts;
	size_t limits[QUOTA_KINDS];      /* of one uid */
	unsigned int rates[QUOTA_RATES]; /* calls of one uid */
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

/* A charge of bytes, whatever it is now, becomes @amount; false, and it stays,
 * when that would exceed the limit. */
bool charge_set_bytes(struct charge *charge, struct quota *quota, uid_t uid,
		      size_t amount);

/* How many bytes @uid may still take. */
size_t quota_bytes_left(struct quota *quota, uid_t uid);

/* One more call at @now (milliseconds); false: one too many at this rate. */
bool quota_count_call(struct quota *quota, uid_t uid, enum quota_rate rate,
		      uint64_t now);

/* Would the next one with an environment be too many? */
bool quota_has_called_enough(struct quota *quota, uid_t uid, uint64_t now);

/* Who pays for @charge took @ns of the loop's turn number @turn; and how much
 * that was in all of it. */
void charge_spend(struct charge *charge, uint64_t turn, uint64_t ns);
uint64_t charge_spent(const struct charge *charge, uint64_t turn);

/* Is there more than one user? */
bool quota_has_others(const struct quota *quota);

/* Users take turns: when was the last of who pays for @charge? */
uint64_t charge_last_turn(const struct charge *charge);
void charge_set_turn(struct charge *charge, uint64_t turn);

/* Taking nothing back twice does no harm. */
void charge_release(struct charge *charge);

#endif
