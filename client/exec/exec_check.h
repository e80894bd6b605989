#ifndef EXEC_CHECK_H
#define EXEC_CHECK_H

/*
 * --check CMD: a command that decides whether a new configuration may take the
 * place of the one that is there. It finds the candidate in a private file in
 * memory, whose path is its $1. What it prints is kept: the last line is the
 * reason that people are told, without secrets.
 *
 *	        start               its end, or the time is over
 *	IDLE ---------> RUNNING ----------------------------------> yes, or no
 *	  ^                |                                            |
 *	  +--- stop -------+--------------------------------------------+
 *
 * A candidate that has been judged is not judged again until there was another.
 */

#include "base/buf.h"
#include "exec/exec_child.h"
#include "exec/exec_folder.h"
#include "exec/exec_probe.h"

struct client;
struct get_question;
struct value;

struct exec_check {
	struct exec_probe probe;    /* its command is NULL: none is asked for */
	struct exec_helper *helper; /* borrowed */
	struct exec_folder folder;  /* made for the first candidate */
	struct buf candidate;       /* that is judged, or was last */
	bool waits;    /* for the end of the process that judged another */
	bool accepted; /* it was */
	char *reason;  /* for people, when it was not; NULL */
	long long refused_since; /* seconds since 1970; 0: nothing is */
};

/* @command may be NULL and is borrowed, as is what the caller sets: helper and
 * test.mask. */
void exec_check_init(struct exec_check *check, const char *command,
		     int limit_ms);
void exec_check_deinit(struct exec_check *check);

/* PROBE_RUNS when the command was started; a verdict when there is one already,
 * or when nothing could be started, which is complained about and a no. */
enum exec_verdict exec_check_start(struct exec_check *check, struct str text);

/* Whose secrets must not be told. */
struct exec_check_subject {
	const struct client *client;
	const struct get_question *question; /* that brought @real */
	const struct value *real;
};

/* Of one that was started; a no is complained about. */
enum exec_verdict exec_check_look(struct exec_check *check,
				  const struct exec_check_subject *subject);

/* The same, waited for: for whoever has no loop. */
enum exec_verdict exec_check_run(struct exec_check *check, struct str text,
				 const struct exec_check_subject *subject);

bool exec_check_is_busy(const struct exec_check *check);

/* What runs is of no interest any more. */
void exec_check_stop(struct exec_check *check);

#endif
