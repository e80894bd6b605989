#include "serve/quota.h"

#include <assert.h>

#include "base/mem.h"

struct account {
	struct list link; /* in quota->accounts */
	uid_t uid;
	unsigned int charges;
	size_t used[QUOTA_KINDS];
	uint64_t turn;             /* serial of the last one */
	uint64_t loop_turn, spent; /* nanoseconds in that */
	struct period {
		uint64_t since; /* milliseconds */
		unsigned int calls;
	} periods[QUOTA_RATES];
};

static const uint64_t period_ms[QUOTA_RATES] = {
	[RATE_ENVIRONMENT] = 1000,
	[RATE_SERVER] = 60000,
};

void quota_init(struct quota *quota)
{
	list_init(&quota->accounts);
}

static void account_free(struct account *account)
{
	list_remove(&account->link);
	mem_free(account);
}

void quota_deinit(struct quota *quota)
{
	struct account *account;

	while (!list_is_empty(&quota->accounts)) {
		account = CONTAINER_OF(quota->accounts.next, struct account,
				       link);
		assert(!account->charges);
		account_free(account);
	}
}

const char *quota_name(enum quota_kind kind)
{
	static const char *const names[] = {
		[QUOTA_CONNECTIONS] = "connections_per_user",
		[QUOTA_WATCHERS] = "watchers_per_user",
		[QUOTA_CALLS] = "calls to the ClearML server at a time",
		[QUOTA_BYTES] = "bytes_per_user",
		[QUOTA_CONSUMERS] = "consumers of a user",
	};

	return names[kind];
}

static struct account *account_of(struct quota *quota, uid_t uid)
{
	struct account *account;
	struct list *i;

	for (list_each (&quota->accounts, i)) {
		account = CONTAINER_OF(i, struct account, link);
		if (account->uid == uid)
			return account;
	}
	account = mem_alloc(sizeof(*account));
	account->uid = uid;
	list_add(&quota->accounts, &account->link);
	return account;
}

static void account_settle(struct account *account)
{
	for (size_t i = 0; i < QUOTA_RATES; i++)
		if (account->periods[i].calls)
			return;
	if (!account->charges)
		account_free(account);
}

bool charge_take(struct charge *charge, struct quota *quota, uid_t uid,
		 enum quota_kind kind, uint32_t amount)
{
	struct account *account = account_of(quota, uid);
	size_t used = account->used[kind];

	assert(!charge->account);
	if (used >= quota->limits[kind] ||
	    quota->limits[kind] - used < amount) {
		account_settle(account);
		return false;
	}
	account->used[kind] += amount;
	account->charges++;
	*charge = (struct charge){account, kind, amount};
	return true;
}

void charge_release(struct charge *charge)
{
	struct account *account = charge->account;

	if (!account)
		return;
	account->used[charge->kind] -= charge->amount;
	account->charges--;
	account_settle(account);
	*charge = (struct charge){0};
}

bool charge_set_bytes(struct charge *charge, struct quota *quota, uid_t uid,
		      size_t amount)
{
	size_t *used, others;

	if (!charge->account)
		return !amount || (amount <= UINT32_MAX &&
				   charge_take(charge, quota, uid, QUOTA_BYTES,
					       (uint32_t)amount));
	used = &charge->account->used[QUOTA_BYTES];
	others = *used - charge->amount;
	if (amount > charge->amount &&
	    (amount > UINT32_MAX ||
	     others + amount > quota->limits[QUOTA_BYTES]))
		return false;
	*used = others + amount;
	charge->amount = (uint32_t)amount;
	if (!amount)
		charge_release(charge);
	return true;
}

size_t quota_bytes_left(struct quota *quota, uid_t uid)
{
	struct account *account = account_of(quota, uid);
	size_t used = account->used[QUOTA_BYTES];
	size_t limit = quota->limits[QUOTA_BYTES];

	account_settle(account);
	return used < limit ? limit - used : 0;
}

static void forget_counts(struct quota *quota, uint64_t now)
{
	struct list *i = quota->accounts.next, *next;
	struct account *account;

	for (; i != &quota->accounts; i = next) {
		next = i->next;
		account = CONTAINER_OF(i, struct account, link);
		for (size_t j = 0; j < QUOTA_RATES; j++)
			if (now - account->periods[j].since >= period_ms[j])
				account->periods[j].calls = 0;
		account_settle(account);
	}
}

bool quota_count_call(struct quota *quota, uid_t uid, enum quota_rate rate,
		      uint64_t now)
{
	struct account *account;
	struct period *period;

	forget_counts(quota, now);
	account = account_of(quota, uid);
	period = &account->periods[rate];
	if (period->calls >= quota->rates[rate]) {
		account_settle(account);
		return false;
	}
	if (!period->calls)
		period->since = now;
	period->calls++;
	return true;
}

uint64_t charge_last_turn(const struct charge *charge)
{
	return charge->account->turn;
}

void charge_set_turn(struct charge *charge, uint64_t turn)
{
	charge->account->turn = turn;
}

bool quota_has_called_enough(struct quota *quota, uid_t uid, uint64_t now)
{
	struct account *account;
	bool enough;

	forget_counts(quota, now);
	account = account_of(quota, uid);
	enough = account->periods[RATE_ENVIRONMENT].calls >=
		 quota->rates[RATE_ENVIRONMENT];
	account_settle(account);
	return enough;
}

void charge_spend(struct charge *charge, uint64_t turn, uint64_t ns)
{
	struct account *account = charge->account;

	if (!account)
		return;
	if (account->loop_turn != turn)
		account->spent = 0;
	account->loop_turn = turn;
	account->spent += ns;
}

uint64_t charge_spent(const struct charge *charge, uint64_t turn)
{
	const struct account *account = charge->account;

	return account && account->loop_turn == turn ? account->spent : 0;
}

bool quota_has_others(const struct quota *quota)
{
	return quota->accounts.next != quota->accounts.prev;
}
