#include "exec/exec_drain.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "call/clock.h"
#include "exec/exec_agent_process.h"
#include "exec/exec_child.h"
#include "exec/exec_descendants.h"
#include "exec/exec_reporter.h"

#define PROBE_AGAIN_MS 5000

static void set_reason(struct exec_drain *drain, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void set_reason(struct exec_drain *drain, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(drain->reason, sizeof(drain->reason), format,
			arguments);
	va_end(arguments);
}

/* --- what is seen --------------------------------------------------------- */

/* The eldest beside the command itself; NULL: none. */
static const struct proc *find_other(const struct exec_drain *drain,
				     const struct exec_descendants *descendants)
{
	for (size_t i = 0; i < descendants->count; i++)
		if (descendants->list[i].pid != drain->child->pid)
			return &descendants->list[i];
	return NULL;
}

static enum idle_sight look_at_worker(struct exec_drain *drain)
{
	if (exec_agent_process_is_asleep(drain->child->pid))
		return SIGHT_ASLEEP;
	set_reason(drain, "process %d to sleep between two looks at its queues",
		   (int)drain->child->pid);
	return SIGHT_AWAKE;
}

static enum idle_sight look_at(struct exec_drain *drain,
			       const struct exec_descendants *descendants)
{
	enum exec_agent_process_kind kind =
		exec_agent_process_kind_of(drain->child->pid);
	const struct proc *other = find_other(drain, descendants);

	drain->idle.asks = kind == WORKER_OF_QUEUES;
	if (kind == WORKER_NEVER_IDLE) {
		set_reason(drain, "the end of process %d, which is never idle",
			   (int)drain->child->pid);
		return SIGHT_WORK;
	}
	if (other) {
		set_reason(drain, "process %d (%s)", (int)other->pid,
			   other->name);
		return SIGHT_WORK;
	}
	if (kind == WORKER_OF_QUEUES)
		return look_at_worker(drain);
	if (!drain->is_worker)
		return SIGHT_ASLEEP;
	set_reason(drain, "process %d to be seen as the agent",
		   (int)drain->child->pid);
	return SIGHT_WORK;
}

static enum idle_sight see(struct exec_drain *drain)
{
	struct exec_descendants descendants;
	enum idle_sight sight = SIGHT_WORK;

	exec_child_look(drain->child, &descendants);
	if (drain->child->pid)
		sight = look_at(drain, &descendants);
	exec_descendants_deinit(&descendants);
	return sight;
}

/* --- what is heard -------------------------------------------------------- */

static bool has_asked(const struct exec_drain *drain)
{
	return drain->idle.state == IDLE_ASKING ||
	       drain->idle.state == IDLE_ASKING_AGAIN;
}

static enum idle_answer hear(struct exec_drain *drain)
{
	static const char *const reasons[] = {
		[WORD_BUSY] = "the end of the task that the server says it has",
		[WORD_UNKNOWN] = "the ClearML server to know the worker",
		[WORD_SILENCE] = "an answer of the ClearML server",
	};
	enum exec_word word = drain->reporter->word;

	if (!has_asked(drain) || word == WORD_NONE)
		return ANSWER_NONE;
	if (word == WORD_FREE)
		return ANSWER_FREE;
	set_reason(drain, "%s", reasons[word]);
	return ANSWER_NOT_FREE;
}

static void ask(struct exec_drain *drain)
{
	_cleanup_(mem_freep) char *id =
		exec_agent_process_id(drain->child->pid);

	if (id)
		exec_reporter_ask(drain->reporter, id);
	else
		drain->reporter->word = WORD_UNKNOWN;
}

/* --- what is done --------------------------------------------------------- */

static bool act(struct exec_drain *drain, enum idle_action action)
{
	switch (action) {
	case IDLE_NOTHING: break;
	case IDLE_ASK: ask(drain); break;
	case IDLE_HOLD:
		(void)exec_freeze_begin(&drain->freeze, drain->child->pid,
					&drain->child->helpers[PLACE_GUARD]);
		break;
	case IDLE_LET_GO: exec_freeze_end(&drain->freeze); break;
	case IDLE_IS_FREE: return true;
	}
	return false;
}

static bool look(struct exec_drain *drain)
{
	struct idle_look now = {.now = clock_now()};
	bool is_free;

	/* What is seen of it counts when it stood still before. */
	now.stands = exec_freeze_is_stopped(&drain->freeze);
	now.sight = see(drain);
	now.answer = hear(drain);
	is_free = act(drain, exec_idle_next(&drain->idle, &now));
	drain->look_at = exec_idle_moment(&drain->idle, now.now);
	return is_free;
}

/* --idle has the last word: it may know of children that are not at work. */
static bool test(struct exec_drain *drain)
{
	struct exec_helper *helper = &drain->child->helpers[PLACE_IDLE_TEST];

	drain->look_at = clock_now() + PROBE_AGAIN_MS;
	if (!drain->probe.pid) {
		if (exec_probe_start(&drain->probe, helper, drain->child->pid))
			drain->look_at = drain->probe.until;
		return false;
	}
	set_reason(drain, "the command of --idle to say so");
	return exec_probe_look(&drain->probe, helper) == PROBE_YES;
}

static bool has_news(const struct exec_drain *drain)
{
	if (drain->probe.pid)
		return !drain->child->helpers[PLACE_IDLE_TEST].pid;
	return has_asked(drain) && drain->reporter->word != WORD_NONE;
}

bool exec_drain_step(struct exec_drain *drain)
{
	if (drain->look_at && !clock_is_past(drain->look_at) &&
	    !has_news(drain))
		return false;
	return drain->probe.command ? test(drain) : look(drain);
}

void exec_drain_stop(struct exec_drain *drain)
{
	exec_freeze_end(&drain->freeze);
	exec_probe_stop(&drain->probe);
	exec_idle_reset(&drain->idle);
	drain->look_at = 0;
	drain->reason[0] = '\0';
}
