#include "local.h"

#include <libgen.h>
#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "places.h"
#include "settings.h"

static void add(struct local_files *files, char *path, enum read_format format)
{
	if (files->count == LOCAL_FILES_MAX) {
		log_warning("too-many-local-files", LOG_TEXT("ignored", path));
		mem_free(path);
		return;
	}
	files->paths[files->count] = path;
	files->formats[files->count++] = format;
}

/* Relative to the settings file, whose author named them. */
static void add_named(struct local_files *files,
		      const struct settings *settings,
		      const struct places *places)
{
	_cleanup_(mem_freep) char *list = mem_strdup(settings->files);
	_cleanup_(mem_freep) char *path =
		settings->path ? mem_strdup(settings->path) : NULL;
	const char *folder = path ? dirname(path) : NULL;
	char *rest = NULL;

	for (char *word = strtok_r(list, " \t", &rest); word;
	     word = strtok_r(NULL, " \t", &rest))
		add(files, places_expand(word, places->home, folder),
		    read_format_of_path(word));
}

/* Replaces the files of the home folder; always HOCON, relative to the working
 * folder, as in ClearML. */
static bool add_from_environment(struct local_files *files,
				 const struct places *places,
				 const struct env *env)
{
	static const char *const names[] = {"CLEARML_CONFIG_FILE",
					    "TRAINS_CONFIG_FILE", NULL};
	struct str value = env_first(env, names);
	_cleanup_(mem_freep) char *path = NULL;

	if (!value.len)
		return false;
	path = mem_strndup(value.ptr, value.len);
	add(files, places_expand(path, places->home, NULL), READ_HOCON);
	return true;
}

void local_files_init(struct local_files *files,
		      const struct settings *settings,
		      const struct places *places, const struct env *env)
{
	*files = (struct local_files){0};
	if (settings->files && *settings->files) {
		add_named(files, settings, places);
	} else if (add_from_environment(files, places, env)) {
		return;
	} else if (places->system) {
		add(files, mem_strdup("/etc/clearconf/clearml.conf"),
		    READ_HOCON);
	} else {
		add(files, mem_printf("%s/trains.conf", places->home),
		    READ_HOCON);
		add(files, mem_printf("%s/clearml.conf", places->home),
		    READ_HOCON);
	}
}

void local_files_deinit(struct local_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		mem_free(files->paths[i]);
	*files = (struct local_files){0};
}
