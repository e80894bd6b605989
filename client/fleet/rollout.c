#include "fleet/rollout.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/share.h"
#include "fleet/object.h"
#include "read/doc.h"
#include "text/answer.h"
#include "value/json.h"
#include "value/value.h"

static const char *const states[] = {
	[ROLLOUT_RUNNING] = "running",
	[ROLLOUT_STOPPED] = "stopped",
};

#define SECONDS_MAX 315360000 /* ten years */

const char *rollout_state_name(enum rollout_state state)
{
	return states[state];
}

void rollout_deinit(struct rollout *rollout)
{
	arena_free(&rollout->arena);
	*rollout = (struct rollout){0};
}

static bool read_state(struct rollout *rollout, struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (!str_is(name, states[i]))
			continue;
		rollout->state = (enum rollout_state)i;
		return true;
	}
	return false;
}

static bool read_stages(struct plan *plan, const struct value *list)
{
	int64_t share;

	if (!value_is(list, VALUE_LIST))
		return false;
	for (uint32_t i = 0; i < list->list.count; i++)
		if (!value_to_int64(list->list.items[i], &share) ||
		    !plan_add_stage(plan, share))
			return false;
	return plan->stages > 0;
}

/* The stage is the one whose share it has. */
static bool read_stage(struct rollout *rollout, int64_t share)
{
	const struct plan *plan = &rollout->plan;

	while (rollout->stage < plan->stages &&
	       plan->shares[rollout->stage] != share)
		rollout->stage++;
	return rollout->stage < plan->stages;
}

static bool read_plan(struct rollout *rollout, const struct value *root)
{
	rollout->started = answer_int(root, "started", -1);
	rollout->stepped = answer_int(root, "stepped", -1);
	rollout->every = answer_int(root, "every", -1);
	rollout->of = answer_int(root, "of", -1);
	return rollout->started >= 0 && rollout->stepped >= 0 &&
	       rollout->every >= 0 && rollout->every <= SECONDS_MAX &&
	       rollout->of >= 0 &&
	       read_stages(&rollout->plan, value_get(root, STR("stages"))) &&
	       !plan_set_limits(&rollout->plan, rollout->limits) &&
	       read_stage(rollout, answer_int(root, "share", -1));
}

static bool read_all(struct rollout *rollout, const struct value *root)
{
	const struct {
		const char *name;
		struct str *text;
		bool needed;
	} texts[] = {
		{"text", &rollout->text, true},
		{"id", &rollout->id, true},
		{"stop_when", &rollout->limits, true},
		{"why", &rollout->why, false},
		{"by", &rollout->by, false},
		{"reason", &rollout->reason, false},
		{"put", &rollout->put, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct str text = answer_text(root, texts[i].name);

		if (!text.ptr && texts[i].needed)
			return false;
		*texts[i].text = arena_str(&rollout->arena, text);
	}
	return answer_int(root, "format", 0) == 1 &&
	       read_state(rollout, answer_text(root, "state")) &&
	       read_plan(rollout, root);
}

bool rollout_parse(struct rollout *rollout, struct str json)
{
	_cleanup_(doc_unrefp) struct doc *doc = object_read(json);

	*rollout = (struct rollout){0};
	if (doc && read_all(rollout, doc->root))
		return true;
	rollout_deinit(rollout);
	return false;
}

static void add_stages(struct buf *json, const struct plan *plan)
{
	json_key(json, "stages");
	for (size_t i = 0; i < plan->stages; i++)
		buf_printf(json, "%c%u", i ? ',' : '[', plan->shares[i]);
	buf_putc(json, ']');
}

void rollout_write(struct buf *json, const struct rollout *rollout)
{
	buf_putc(json, '{');
	json_add_int(json, "format", 1);
	json_add_str(json, "id", rollout->id);
	json_add_string(json, "state", states[rollout->state]);
	json_add_int(json, "share", rollout_share(rollout));
	json_add_str(json, "text", rollout->text);
	json_add_int(json, "of", rollout->of);
	add_stages(json, &rollout->plan);
	json_add_int(json, "every", rollout->every);
	json_add_str(json, "stop_when", rollout->limits);
	json_add_int(json, "stepped", rollout->stepped);
	json_add_int(json, "started", rollout->started);
	json_add_str(json, "by", rollout->by);
	json_add_str(json, "reason", rollout->reason);
	json_add_str(json, "why", rollout->why);
	json_add_str(json, "put", rollout->put);
	buf_putc(json, '}');
}

/* A beginning that is yet to come is somebody's clock: it is not waited for. */
int64_t rollout_left(const struct rollout *rollout, int64_t now)
{
	int64_t stepped = rollout->stepped < now ? rollout->stepped : now;
	int64_t left = stepped + rollout->every - now;

	return left > 0 ? left : 0;
}

enum rollout_verdict rollout_judge(const struct rollout *rollout,
				   const struct plan_tally *tally, int64_t now,
				   struct buf *why)
{
	bool over = !rollout_left(rollout, now);

	if (rollout->state == ROLLOUT_STOPPED)
		return ROLLOUT_REST;
	if (plan_is_exceeded(&rollout->plan, tally, over, why))
		return ROLLOUT_STOP;
	if (!over)
		return ROLLOUT_WAIT;
	if (rollout->stage + 1 < rollout->plan.stages)
		return ROLLOUT_NEXT;
	return rollout_share(rollout) == SHARE_WHOLE ? ROLLOUT_END
						     : ROLLOUT_REST;
}
