#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

/*
 * Options: the command line of clearconfd(8), understood and checked.
 */

#include <stdbool.h>

#include "settings/places.h"

enum options_action { ACTION_SERVE, ACTION_CHECK, ACTION_PRINT, ACTION_SCHEMA };

struct options {
	enum options_action action;
	enum places_instance instance;
	bool offline, require_vaults;
	/* As given, borrowed from argv; NULL: not given. */
	const char *config, *socket, *state_dir, *workspace, *mode, *log_level,
		*format;
	char **files; /* of --check, NULL-terminated; NULL or empty: none */
};

/* True to go on; else *status is the exit status: what there was to say has
 * been said. */
bool options_parse(struct options *options, int argc, char **argv, int *status);

#endif
