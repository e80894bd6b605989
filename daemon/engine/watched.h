#ifndef DAEMON_WATCHED_H
#define DAEMON_WATCHED_H

/*
 * Watched: which files and folders the configuration depends on at the moment,
 * so that fetch/watch can be told: local files, what they include, the file
 * that broke one of them, the folders whose entries are layers, the files of
 * secret keys.
 */

#include <stdbool.h>
#include <stddef.h>

struct local_rule;
struct settings;
struct stack;

#define WATCHED_MAX 4096

struct watched {
	char **paths; /* absolute */
	size_t count;
};

void watched_add_stack(struct watched *watched, const struct stack *stack);
void watched_add_secrets(struct watched *watched,
			 const struct settings *settings);
void watched_add_folders(struct watched *watched,
			 const struct local_rule *rule);
/* Does @watched name all that @other names? */
bool watched_covers(const struct watched *watched, const struct watched *other);

void watched_deinit(struct watched *watched);

#endif
