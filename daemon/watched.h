#ifndef DAEMON_WATCHED_H
#define DAEMON_WATCHED_H

/*
 * Watched: which files the configuration depends on at the moment, so that
 * fetch/watch can be told: local files, what they include, and the file that
 * broke one of them.
 */

#include <stddef.h>

struct stack;

#define WATCHED_MAX 1024

struct watched {
	const char *paths[WATCHED_MAX]; /* borrowed from the layers */
	size_t count;
};

void watched_add_stack(struct watched *watched, const struct stack *stack);

#endif
