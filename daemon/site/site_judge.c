/* What a site knows of its rollouts: whether they are bad, and the status. */

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/mask.h"
#include "config/stack.h"
#include "site/site.h"
#include "value/json.h"

/* For so long what programs complain of is a new rollout's fault. */
#define BLAME_MS INT64_C(600000)

/* --- bad ones --- */

static char *describe(const struct diag *problem)
{
	if (!problem->pos.line)
		return mem_strdup(problem->text);
	return mem_printf("%u:%u: %s", problem->pos.line, problem->pos.column,
			  problem->text);
}

/* What a program has said of it stays, unless the text is no text at all. */
static bool judge(struct site_rollout *rollout, const struct stack *stack)
{
	const struct layer *layer = stack_find(stack, LAYER_ETCD, rollout->key);
	enum rollout_bad bad =
		rollout->taken && layer ? rollout_bad_of(layer) : ROLLOUT_FINE;
	_cleanup_(mem_freep) char *reason =
		bad ? describe(&layer->problem) : NULL;

	if (!bad && rollout->bad > ROLLOUT_ILL_TYPED)
		return false;
	return rollout_set_bad(rollout, bad, reason);
}

bool site_judge_rollouts(struct site *site, const struct stack *stack,
			 uint64_t since)
{
	struct site_rollout *rollout;
	bool news = false;

	for (size_t i = 0; site && i < site->docs.rollouts.count; i++) {
		rollout = &site->docs.rollouts.items[i];
		if (rollout->taken && !rollout->generation)
			rollout->generation = since;
		news = judge(rollout, stack) || news;
	}
	return news;
}

/* Did it come so lately that what went wrong now may be its fault? */
static bool is_suspect(const struct site_rollout *rollout, uint64_t generation)
{
	return rollout->taken && !rollout->bad &&
	       clock_boot_ms() - rollout->taken_at < BLAME_MS &&
	       rollout->generation && rollout->generation <= generation;
}

bool site_blame_rollouts(struct site *site, bool left, uint64_t generation,
			 const char *reason)
{
	struct site_rollouts *rollouts = &site->docs.rollouts;
	bool news = false;

	for (size_t i = 0; i < rollouts->count; i++)
		if (is_suspect(&rollouts->items[i],
			       left ? generation : UINT64_MAX))
			news = rollout_set_bad(&rollouts->items[i],
					       left ? ROLLOUT_LEFT
						    : ROLLOUT_CHECK,
					       reason) ||
			       news;
	return news;
}

/* --- the status --- */

static void write_rollout(const struct site_docs *docs,
			  const struct site_rollout *rollout,
			  const struct secrets *secrets, struct buf *json)
{
	_cleanup_(mem_freep) char *reason =
		rollout->reason ? mask_text(secrets, rollout->reason) : NULL;

	buf_putc(json, '{');
	json_add_string(json, "name", rollout->key + strlen(docs->prefix));
	json_add_optional_string(json, "id", rollout->id);
	json_add_string(json, "state",
			rollout->stopped ? "stopped" : "running");
	json_add_int(json, "share", rollout->share);
	json_add_bool(json, "taken", rollout->taken);
	if (rollout->bad)
		json_add_string(json, "bad", rollout_bad_name(rollout->bad));
	json_add_optional_string(json, "reason", reason);
	json_add_optional_string(json, "error", rollout->problem);
	buf_putc(json, '}');
}

void site_write_rollouts(const struct site *site, const struct secrets *secrets,
			 struct buf *json)
{
	const struct site_rollouts *rollouts = &site->docs.rollouts;

	buf_putc(json, '[');
	for (size_t i = 0; i < rollouts->count; i++) {
		if (i)
			buf_putc(json, ',');
		write_rollout(&site->docs, &rollouts->items[i], secrets, json);
	}
	buf_putc(json, ']');
}
