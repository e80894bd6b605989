#ifndef EXEC_IDLE_H
#define EXEC_IDLE_H

/*
 * Whether a command has nothing at work, decided from what is seen of it and
 * what the ClearML server says. Pure: exec_drain.c looks and does.
 *
 *	WATCHING --asleep for a while--> ASKING --no task--> HOLDING
 *	    ^                              |                    | stands still,
 *	    |                              |                    | and asleep
 *	    |                              |                    v
 *	    +-- at work, awake, a task, ---+-------------- ASKING_AGAIN
 *	        no answer: it is let go                         | no task
 *	                                                        v
 *	                                                       free
 *
 * Only a worker of queues is asked about and has to sleep: held still between
 * two looks at its queues it can neither have been handed a task that nobody
 * sees yet, nor be handed one. Any other command is held and looked at again.
 */

#include <stdbool.h>

enum idle_sight {
	SIGHT_WORK,   /* something is at work, or nobody knows */
	SIGHT_AWAKE,  /* nothing is, but it may be about to begin something */
	SIGHT_ASLEEP, /* nothing is */
};

enum idle_answer {
	ANSWER_NONE, /* was asked for, or not yet in */
	ANSWER_FREE, /* the server knows the worker, and of no task */
	ANSWER_NOT_FREE,
};

/* What is to be done. */
enum idle_action {
	IDLE_NOTHING,
	IDLE_ASK,
	IDLE_HOLD,
	IDLE_LET_GO,
	IDLE_IS_FREE, /* held still: end it */
};

struct exec_idle {
	enum {
		IDLE_WATCHING,
		IDLE_ASKING,
		IDLE_HOLDING,
		IDLE_ASKING_AGAIN
	} state;
	bool asks;             /* it is a worker of queues */
	long long quiet_since; /* no work was seen since; 0: it was */
	long long ask_at;      /* not before */
	long long give_up_at;  /* while held */
};

struct idle_look {
	enum idle_sight sight;
	enum idle_answer answer;
	bool stands; /* what is held stands still */
	long long now;
};

enum idle_action exec_idle_next(struct exec_idle *idle,
				const struct idle_look *look);

/* Begin anew; what is held is to be let go. */
void exec_idle_reset(struct exec_idle *idle);

bool exec_idle_is_held(const struct exec_idle *idle);

/* When to look again. */
long long exec_idle_moment(const struct exec_idle *idle, long long now);

#endif
