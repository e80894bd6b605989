#ifndef COMPLAIN_H
#define COMPLAIN_H

/*
 * What people are told: one line on stderr, "clearconf: message", the message
 * saying what to do next where there is something to do.
 */

/* Returns @status: `return complain(EXIT_USAGE, ...);` */
int complain(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "clearconf: warning: ..." */
void complain_warning(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif
