#include "exec/exec_idle.h"

#define QUIET_MS     2000  /* without work, before anybody is asked */
#define ASK_AGAIN_MS 5000  /* after a no */
#define HELD_MS      15000 /* at most */
#define LOOK_MS      500
#define LOOK_BUSY_MS 2000 /* while something is at work */
#define LOOK_HELD_MS 20

void exec_idle_reset(struct exec_idle *idle)
{
	idle->state = IDLE_WATCHING;
	idle->quiet_since = 0;
}

bool exec_idle_is_held(const struct exec_idle *idle)
{
	return idle->state == IDLE_HOLDING || idle->state == IDLE_ASKING_AGAIN;
}

static enum idle_action hold(struct exec_idle *idle, long long now)
{
	idle->state = IDLE_HOLDING;
	idle->give_up_at = now + HELD_MS;
	return IDLE_HOLD;
}

/* Begin anew, and ask nobody for a while. */
static enum idle_action retreat(struct exec_idle *idle, long long now)
{
	bool held = exec_idle_is_held(idle);

	exec_idle_reset(idle);
	idle->ask_at = now + ASK_AGAIN_MS;
	return held ? IDLE_LET_GO : IDLE_NOTHING;
}

static enum idle_action watch(struct exec_idle *idle,
			      const struct idle_look *look)
{
	if (look->sight == SIGHT_WORK) {
		idle->quiet_since = 0;
		return IDLE_NOTHING;
	}
	if (!idle->quiet_since)
		idle->quiet_since = look->now;
	if (look->sight != SIGHT_ASLEEP || look->now < idle->ask_at ||
	    look->now < idle->quiet_since + QUIET_MS)
		return IDLE_NOTHING;
	if (!idle->asks)
		return hold(idle, look->now);
	idle->state = IDLE_ASKING;
	return IDLE_ASK;
}

/* It goes on meanwhile, and may be awake when the answer comes: then the next
 * time that it sleeps will do. */
static enum idle_action ask(struct exec_idle *idle,
			    const struct idle_look *look)
{
	if (look->sight == SIGHT_WORK || look->answer == ANSWER_NOT_FREE)
		return retreat(idle, look->now);
	if (look->answer != ANSWER_FREE || look->sight != SIGHT_ASLEEP)
		return IDLE_NOTHING;
	return hold(idle, look->now);
}

static enum idle_action look_at_held(struct exec_idle *idle,
				     const struct idle_look *look)
{
	if (look->now >= idle->give_up_at ||
	    (look->stands && look->sight != SIGHT_ASLEEP))
		return retreat(idle, look->now);
	if (!look->stands)
		return IDLE_NOTHING;
	if (!idle->asks)
		return IDLE_IS_FREE;
	idle->state = IDLE_ASKING_AGAIN;
	return IDLE_ASK;
}

static enum idle_action ask_again(struct exec_idle *idle,
				  const struct idle_look *look)
{
	if (look->now >= idle->give_up_at || !look->stands ||
	    look->sight != SIGHT_ASLEEP || look->answer == ANSWER_NOT_FREE)
		return retreat(idle, look->now);
	return look->answer == ANSWER_FREE ? IDLE_IS_FREE : IDLE_NOTHING;
}

enum idle_action exec_idle_next(struct exec_idle *idle,
				const struct idle_look *look)
{
	static enum idle_action (*const states[])(struct exec_idle *,
						  const struct idle_look *) = {
		[IDLE_WATCHING] = watch,
		[IDLE_ASKING] = ask,
		[IDLE_HOLDING] = look_at_held,
		[IDLE_ASKING_AGAIN] = ask_again,
	};

	return states[idle->state](idle, look);
}

long long exec_idle_moment(const struct exec_idle *idle, long long now)
{
	if (idle->state == IDLE_HOLDING)
		return now + LOOK_HELD_MS;
	if (idle->state == IDLE_WATCHING && !idle->quiet_since)
		return now + LOOK_BUSY_MS;
	return now + LOOK_MS;
}
