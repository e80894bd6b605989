#ifndef DAEMON_LOCAL_H
#define DAEMON_LOCAL_H

/*
 * Local files: which files of this host make up the layer `file`, by ClearML's
 * own rule unless the settings name them (SEMANTICS B5.1, INTERFACE.md
 * "Layers").
 */

#include <stddef.h>

#include "read/reader.h"

struct env;
struct places;
struct settings;

#define LOCAL_FILES_MAX 64

struct local_files {
	char *paths[LOCAL_FILES_MAX]; /* absolute, weakest first */
	enum read_format formats[LOCAL_FILES_MAX];
	size_t count;
};

void local_files_init(struct local_files *files,
		      const struct settings *settings,
		      const struct places *places, const struct env *env);
void local_files_deinit(struct local_files *files);

#endif
