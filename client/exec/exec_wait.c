#include "exec/exec_wait.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "call/clock.h"
#include "exec/exec_agent_process.h"
#include "exec/exec_child.h"
#include "exec/exec_descendants.h"
#include "exec/exec_line.h"

#define TEST_AGAIN_MS 5000

static void set_reason(struct exec_wait *wait, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void set_reason(struct exec_wait *wait, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(wait->reason, sizeof(wait->reason), format, arguments);
	va_end(arguments);
}

/* --- what is seen --------------------------------------------------------- */

/* The eldest beside the command itself; NULL: none. */
static const struct proc *find_other(const struct exec_wait *wait,
				     const struct exec_descendants *descendants)
{
	for (size_t i = 0; i < descendants->count; i++)
		if (descendants->list[i].pid != wait->child->pid)
			return &descendants->list[i];
	return NULL;
}

static enum idle_sight look_at_worker(struct exec_wait *wait)
{
	if (exec_agent_process_is_asleep(wait->child->pid))
		return SIGHT_ASLEEP;
	set_reason(wait, "process %d to sleep between two looks at its queues",
		   (int)wait->child->pid);
	return SIGHT_AWAKE;
}

static enum idle_sight look_at(struct exec_wait *wait,
			       const struct exec_descendants *descendants)
{
	enum exec_agent_process_kind kind =
		exec_agent_process_kind_of(wait->child->pid);
	const struct proc *other = find_other(wait, descendants);

	wait->idle.asks = kind == WORKER_OF_QUEUES;
	if (kind == WORKER_NEVER_IDLE) {
		set_reason(wait, "the end of process %d, which is never idle",
			   (int)wait->child->pid);
		return SIGHT_WORK;
	}
	if (other) {
		set_reason(wait, "process %d (%s)", (int)other->pid,
			   other->name);
		return SIGHT_WORK;
	}
	if (kind == WORKER_OF_QUEUES)
		return look_at_worker(wait);
	if (!wait->is_worker)
		return SIGHT_ASLEEP;
	set_reason(wait, "process %d to be seen as the agent",
		   (int)wait->child->pid);
	return SIGHT_WORK;
}

static enum idle_sight see(struct exec_wait *wait)
{
	struct exec_descendants descendants;
	enum idle_sight sight = SIGHT_WORK;

	exec_child_look(wait->child, &descendants);
	if (wait->child->pid)
		sight = look_at(wait, &descendants);
	exec_descendants_deinit(&descendants);
	return sight;
}

/* --- what is heard -------------------------------------------------------- */

static bool has_asked(const struct exec_wait *wait)
{
	return wait->idle.state == IDLE_ASKING ||
	       wait->idle.state == IDLE_ASKING_AGAIN;
}

static enum idle_answer hear(struct exec_wait *wait)
{
	static const char *const reasons[] = {
		[WORD_BUSY] = "the end of the task that the server says it has",
		[WORD_UNKNOWN] = "the ClearML server to know the worker",
		[WORD_SILENCE] = "an answer of the ClearML server",
	};
	enum exec_word word = wait->line->word;

	if (!has_asked(wait) || word == WORD_NONE)
		return ANSWER_NONE;
	if (word == WORD_FREE)
		return ANSWER_FREE;
	set_reason(wait, "%s", reasons[word]);
	return ANSWER_NOT_FREE;
}

static void ask(struct exec_wait *wait)
{
	_cleanup_(mem_freep) char *id = exec_agent_process_id(wait->child->pid);

	if (id)
		exec_line_ask(wait->line, id);
	else
		wait->line->word = WORD_UNKNOWN;
}

/* --- what is done --------------------------------------------------------- */

static bool act(struct exec_wait *wait, enum idle_action action)
{
	switch (action) {
	case IDLE_NOTHING: break;
	case IDLE_ASK: ask(wait); break;
	case IDLE_HOLD:
		(void)exec_freeze_begin(&wait->freeze, wait->child->pid,
					&wait->child->helpers[PLACE_GUARD]);
		break;
	case IDLE_LET_GO: exec_freeze_end(&wait->freeze); break;
	case IDLE_IS_FREE: return true;
	}
	return false;
}

static bool look(struct exec_wait *wait)
{
	struct idle_look now = {.now = clock_now()};
	bool is_free;

	/* What is seen of it counts when it stood still before. */
	now.stands = exec_freeze_is_stopped(&wait->freeze);
	now.sight = see(wait);
	now.answer = hear(wait);
	is_free = act(wait, exec_idle_next(&wait->idle, &now));
	wait->look_at = exec_idle_moment(&wait->idle, now.now);
	return is_free;
}

/* --idle has the last word: it may know of children that are not at work. */
static bool test(struct exec_wait *wait)
{
	struct exec_helper *helper = &wait->child->helpers[PLACE_IDLE_TEST];

	wait->look_at = clock_now() + TEST_AGAIN_MS;
	if (!wait->probe.pid) {
		if (exec_probe_start(&wait->probe, helper, wait->child->pid))
			wait->look_at = wait->probe.until;
		return false;
	}
	set_reason(wait, "the command of --idle to say so");
	return exec_probe_look(&wait->probe, helper) == TEST_YES;
}

static bool has_news(const struct exec_wait *wait)
{
	if (wait->probe.pid)
		return !wait->child->helpers[PLACE_IDLE_TEST].pid;
	return has_asked(wait) && wait->line->word != WORD_NONE;
}

bool exec_wait_step(struct exec_wait *wait)
{
	if (wait->look_at && !clock_is_past(wait->look_at) && !has_news(wait))
		return false;
	return wait->probe.command ? test(wait) : look(wait);
}

void exec_wait_stop(struct exec_wait *wait)
{
	exec_freeze_end(&wait->freeze);
	exec_probe_stop(&wait->probe);
	exec_idle_reset(&wait->idle);
	wait->look_at = 0;
	wait->reason[0] = '\0';
}

long long exec_wait_moment(const struct exec_wait *wait)
{
	return wait->look_at;
}
