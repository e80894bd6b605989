#ifndef DAEMON_LOCAL_H
#define DAEMON_LOCAL_H

/*
 * Local files: which files of this host make up the layers `defaults`, `site`
 * and `file`, by ClearML's own rule unless the settings name them
 * (semantics.md, "Layers").
 *
 * Each list is made anew from settings, environment and folders; what a file
 * holds is not looked at here.
 */

#include <stddef.h>

#include "read/reader.h"

struct env;
struct places;
struct settings;

struct local_file {
	char *path; /* absolute */
	enum read_format format;
	char *under; /* dotted key that its contents go under; NULL: none */
};

struct local_files {
	struct local_file *items; /* weakest first */
	size_t count;
	char **folders; /* that were walked: a change in them counts */
	size_t folder_count;
	bool is_full; /* some were ignored, as the log says once */
};

/* What the lists depend on. */
struct local_rule {
	const struct settings *settings;
	const struct places *places;
	const struct env *env;
};

/* ~/trains.conf and ~/clearml.conf, or those named instead. */
void local_find_files(struct local_files *files, const struct local_rule *rule);

/* *.conf below the folder of defaults, file stem = first key. */
void local_find_defaults(struct local_files *files,
			 const struct local_rule *rule);

/* The files of the site's folder in the order of their names. */
void local_find_site(struct local_files *files, const struct local_rule *rule);

void local_files_deinit(struct local_files *files);

/* For people: the files of the layer `file`, and whether they are there; and
 * where to look when none of them says anything. The caller frees them. */
char *local_describe(const struct local_rule *rule);
char *local_explain_nothing(const struct local_rule *rule);

#endif
