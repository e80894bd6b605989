#ifndef EXEC_DAEMON_H
#define EXEC_DAEMON_H

/*
 * What `exec` has to know of the daemon besides the configuration: its mode,
 * and which files are its defaults. Asked for once, at the start.
 */

#include <stdbool.h>

struct client;
struct doc;

struct exec_daemon {
	struct doc *doc; /* the answer of GetStatus */
	bool agent;      /* the daemon's mode: variables are configuration */
};

/* An exit status, complained about. */
int exec_daemon_ask(struct exec_daemon *daemon, const struct client *client);
void exec_daemon_deinit(struct exec_daemon *daemon);

/* Does the folder @path, as CLEARML_CONFIG_PATH would name it, hold a *.conf
 * that the daemon does not read as one of its defaults? What is no folder holds
 * none. */
bool exec_daemon_adds_defaults(const struct exec_daemon *daemon,
			       const char *path);

#endif
