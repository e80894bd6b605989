#ifndef DAEMON_CHECK_H
#define DAEMON_CHECK_H

/*
 * clearconfd --check: every problem of settings and local layers, or of the
 * files named, with the line and a caret: it is run by somebody who may read
 * them.
 */

struct options;

/* The exit status: 1 when anything is wrong; warnings alone are 0. */
int check_configuration(const struct options *options);

#endif
