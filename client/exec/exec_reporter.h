#ifndef EXEC_REPORTER_H
#define EXEC_REPORTER_H

/*
 * A connection to the daemon, by which `exec` (or `dump`) tells what it runs
 * and what that waits for (ReportConsumer), and asks whether a worker has a
 * task (GetWorkers). It comes back by itself, and never waits.
 *
 *	       connected         something to say
 *	DOWN -----------> QUIET ------------------> SAYING, ASKING
 *	 ^                 ^  |                       |
 *	 |                 +--|------- answer --------+
 *	 +------- lost -------+-----------------------+
 *
 * The daemon knows what was told for as long as the connection lives.
 */

#include <poll.h>
#include <stdbool.h>

#include "base/buf.h"
#include "call/channel.h"

struct client;

struct exec_report {
	const char *how;      /* the configuration is had: "exec" */
	const char *command;  /* its name alone: its words may hold secrets */
	long long generation; /* that the file has; 0: none */
	int pid;              /* 0: none runs */
	long long child_generation; /* that it knows of */
	long long pending_since; /* seconds since 1970; 0: no restart pending */
	const char *waiting_for; /* NULL: nothing */
	const char *bad;         /* "check", "left": see ReportConsumer; NULL */
	const char *bad_reason;
};

enum exec_word {
	WORD_NONE, /* nothing was asked, or there is no answer yet */
	WORD_FREE,
	WORD_BUSY,
	WORD_UNKNOWN, /* the server does not know the worker */
	WORD_SILENCE, /* nobody could be asked */
};

struct exec_reporter {
	const struct client *client;
	struct channel channel;
	enum {
		REPORTER_DOWN,
		REPORTER_QUIET,
		REPORTER_SAYING,
		REPORTER_ASKING
	} state;
	struct buf report; /* parameters, the latest; empty: none */
	bool told;         /* the daemon knows it, or does not want to */
	struct buf worker; /* that is to be asked about; empty: none */
	enum exec_word word;
	long long again_at; /* when DOWN; see clock.h */
};

void exec_reporter_init(struct exec_reporter *reporter,
			const struct client *client);
void exec_reporter_deinit(struct exec_reporter *reporter);

void exec_reporter_tell(struct exec_reporter *reporter,
			const struct exec_report *report);

/* The same, said at once: there is no more to come. */
void exec_reporter_tell_last(struct exec_reporter *reporter,
			     const struct exec_report *report);

/* Ask about the worker @id; reporter->word will be the answer. */
void exec_reporter_ask(struct exec_reporter *reporter, const char *id);

/* There is something that the daemon has not been told. */
bool exec_reporter_is_behind(const struct exec_reporter *reporter);

/* For poll(2), and until when; then step. */
struct pollfd exec_reporter_poll(const struct exec_reporter *reporter);
long long exec_reporter_moment(const struct exec_reporter *reporter);
void exec_reporter_step(struct exec_reporter *reporter);

#endif
