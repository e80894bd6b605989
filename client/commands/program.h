#ifndef PROGRAM_H
#define PROGRAM_H

/*
 * A program of commands: find the command, parse its options, run it. There are
 * two of them, which share everything but their lists: clearconf, which asks
 * the daemon and is started all the time, and clearconf-fleet, which asks etcd
 * and links what that takes. Who types knows the first alone: it hands over
 * what is the other's, as git does.
 */

struct command;

struct program {
	const struct command *const *commands; /* in the order of the list, and
						  a NULL */
};

/* What main returns. */
int program_main(const struct program *program, int argc, char **argv);

/* Become the program @name, which lies beside this one, with these arguments.
 * Returns when that fails: an exit status, complained about. */
int program_become(const char *name, char **argv);

#endif
