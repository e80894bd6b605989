#ifndef HELP_H
#define HELP_H

/*
 * Help: the one table of commands, and what --help and `help` print of it.
 */

#include <stddef.h>

struct command;

/* In the order of the list; NULL behind the last. */
const struct command *help_at(size_t index);

/* NULL when there is none, which help_find complains of. */
const struct command *help_find(const char *name);
const struct command *help_find_quietly(const char *name);

/* Print the help of @command; NULL: the list of commands. An exit status. */
int help_print(const struct command *command);
int help_print_version(void);

#endif
