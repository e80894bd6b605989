#ifndef HELP_H
#define HELP_H

/*
 * Help: the one table of commands, and what --help and `help` print of it.
 */

struct command;

/* Complained about when there is none: NULL. */
const struct command *help_find(const char *name);

/* An exit status. @command NULL: the list of commands. */
int help_print(const struct command *command);
int help_print_version(void);

#endif
