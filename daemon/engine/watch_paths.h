#ifndef DAEMON_WATCH_PATHS_H
#define DAEMON_WATCH_PATHS_H

/*
 * Watch paths: which files and folders the configuration depends on at the
 * moment, so that fetch/watch can be told: local files, what they include, the
 * file that broke one of them, the folders whose entries are layers, the files
 * of secret keys.
 */

#include <stdbool.h>
#include <stddef.h>

struct local_rule;
struct settings;
struct stack;

#define WATCH_PATHS_MAX 4096

struct watch_paths {
	char **paths; /* absolute, in order, each once */
	size_t count;
};

void watch_paths_add_stack(struct watch_paths *list, const struct stack *stack);
void watch_paths_add_secrets(struct watch_paths *list,
			     const struct settings *settings);
void watch_paths_add_folders(struct watch_paths *list,
			     const struct local_rule *rule);
/* Does @list name all that @other names? */
bool watch_paths_cover(const struct watch_paths *list,
		       const struct watch_paths *other);

void watch_paths_deinit(struct watch_paths *list);

#endif
