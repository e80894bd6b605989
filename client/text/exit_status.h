#ifndef EXIT_STATUS_H
#define EXIT_STATUS_H

/* The exit statuses of clearconf(1), "EXIT STATUS"; every function of the
 * client that can fail in front of a person returns one. */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_PATH = 3,
	EXIT_NO_DAEMON = 4,
	EXIT_DENIED = 5,
	EXIT_SERVER = 6, /* the ClearML server refused or is away */
};

#endif
