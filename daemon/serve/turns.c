#include "serve/turns.h"

#include <stddef.h>

#include "serve/errand.h"
#include "serve/service.h"
#include "serve/study.h"

void turns_init(struct turns *turns, uv_loop_t *loop)
{
	*turns = (struct turns){.loop = loop};
	list_init(&turns->waiting);
}

static uint64_t last_turn(const struct errand *errand)
{
	return charge_last_turn(&errand->charge);
}

/* The first of the user whose last turn is longest ago. */
static struct errand *next(const struct turns *turns)
{
	struct errand *errand, *best = NULL;
	struct list *i;

	for (list_each (&turns->waiting, i)) {
		errand = CONTAINER_OF(i, struct errand, link);
		if (!best || last_turn(errand) < last_turn(best))
			best = errand;
	}
	return best;
}

static void begin(struct turns *turns, struct errand *errand)
{
	list_remove(&errand->link);
	turns->at_work = errand;
	charge_set_turn(&errand->charge, ++turns->serial);
	if (errand->kind == ERRAND_STUDY)
		study_begin(errand);
	else
		errand->service->begin(errand->service->data, errand);
}

void turns_add(struct turns *turns, struct errand *errand)
{
	errand->turns = turns;
	list_add(&turns->waiting, &errand->link);
	if (turns->at_work || turns->due)
		return;
	turns->on_begin(turns);
	begin(turns, errand);
}

void turns_go_on(struct turns *turns)
{
	turns->at_work = NULL;
	turns->due = !list_is_empty(&turns->waiting);
	if (turns->due)
		turns->on_due(turns);
	else
		turns->on_end(turns);
}

void turns_begin_next(struct turns *turns)
{
	struct errand *errand = next(turns);

	if (!turns->due)
		return;
	turns->due = false;
	if (errand)
		begin(turns, errand);
	else
		turns->on_end(turns);
}
