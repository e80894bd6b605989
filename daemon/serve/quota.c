#include "serve/quota.h"

#include <assert.h>

#include "base/mem.h"

struct account {
	struct list link; /* in quota->accounts */
	uid_t uid;
	unsigned int charges;
	size_t used[QUOTA_KINDS];
};

void quota_init(struct quota *quota)
{
	list_init(&quota->accounts);
}

void quota_deinit(struct quota *quota)
{
	assert(list_is_empty(&quota->accounts));
	(void)quota;
}

const char *quota_name(enum quota_kind kind)
{
	static const char *const names[] = {
		[QUOTA_CONNECTIONS] = "connections_per_user",
		[QUOTA_WATCHERS] = "watchers_per_user",
		[QUOTA_ERRANDS] = "calls to the ClearML server at a time",
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
	if (account->charges)
		return;
	list_remove(&account->link);
	mem_free(account);
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
