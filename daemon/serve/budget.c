#include "serve/budget.h"

#include <assert.h>
#include <uv.h>

#include "serve/quota.h"

void budget_init(struct budget *budget, const struct quota *quota)
{
	*budget = (struct budget){.quota = quota, .clock = uv_hrtime};
}

void budget_next_turn(struct budget *budget)
{
	budget->turn++;
	budget_pause(budget);
}

void budget_pause(struct budget *budget)
{
	budget->looked = 0;
}

void budget_begin(struct budget *budget)
{
	if (!budget->looked)
		budget->looked = budget->clock();
}

void budget_spend(struct budget *budget, struct charge *charge)
{
	uint64_t now = budget->clock();

	assert(budget->looked);
	budget_add(budget, charge, now - budget->looked);
	budget->looked = now;
}

void budget_add(const struct budget *budget, struct charge *charge, uint64_t ns)
{
	charge_spend(charge, budget->turn, ns);
}

bool budget_is_exhausted(const struct budget *budget,
			 const struct charge *charge)
{
	uint64_t spent = charge_spent(charge, budget->turn);

	return spent > BUDGET_SHARE_NS &&
	       (spent > BUDGET_ALONE_NS || quota_has_others(budget->quota));
}
