#ifndef HELP_H
#define HELP_H

/*
 * Help: what --help and `help` print of a program's commands.
 */

struct command;
struct program;

/* NULL when there is none, which help_find complains of. */
const struct command *help_find(const struct program *program,
				const char *name);
const struct command *help_find_quietly(const struct program *program,
					const char *name);

/* Exit statuses. */
int help_print(const struct command *command);
int help_print_overview(const struct program *program);
int help_print_version(void);

#endif
