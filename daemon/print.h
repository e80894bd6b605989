#ifndef DAEMON_PRINT_H
#define DAEMON_PRINT_H

/*
 * clearconfd --print: resolve once, print, exit.
 */

struct options;

/* The exit status. */
int print_configuration(const struct options *options);

/* clearconfd --schema. The exit status. */
int print_schema(void);

#endif
