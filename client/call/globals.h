#ifndef GLOBALS_H
#define GLOBALS_H

/*
 * The options that every command takes, before its name or after it.
 */

#include <stdbool.h>

#include "call/arguments.h"

struct globals {
	const char *socket, *workspace, *timeout;
	bool any_server, no_pager, help, version;
};

extern const struct option_spec global_options[];
extern const size_t global_option_count;

#endif
