#include "engine/watch_paths.h"

#include <string.h>

#include "base/mem.h"
#include "config/stack.h"
#include "engine/local.h"
#include "engine/login.h"
#include "read/doc.h"
#include "settings/settings.h"

static struct str path_at(const void *paths, size_t i)
{
	return str_from(((char *const *)paths)[i]);
}

/* True when the list has @path; *at: where it is, or belongs. */
static bool find_path(const struct watch_paths *list, const char *path,
		      size_t *at)
{
	*at = str_place(str_from(path), list->paths, list->count, path_at);
	return *at < list->count && !strcmp(list->paths[*at], path);
}

/* Workspaces share files. */
static void add_path(struct watch_paths *list, const char *path)
{
	size_t at;

	if (list->count == WATCH_PATHS_MAX || !path || path[0] != '/' ||
	    find_path(list, path, &at))
		return;
	list->paths = mem_grow(list->paths,
			       (list->count + 1) * sizeof(list->paths[0]));
	memmove(&list->paths[at + 1], &list->paths[at],
		(list->count - at) * sizeof(list->paths[0]));
	list->paths[at] = mem_strdup(path);
	list->count++;
}

static void add_layer(struct watch_paths *list, const struct layer *layer)
{
	add_path(list, layer->source);
	for (size_t i = 0; layer->doc && i < layer->doc->include_count; i++)
		add_path(list, layer->doc->includes[i]);
	if (layer->state == LAYER_BROKEN)
		add_path(list, layer->problem.source);
}

void watch_paths_add_stack(struct watch_paths *list, const struct stack *stack)
{
	struct layer *layer;

	for (stack_each(stack, layer))
		if (layer_is_of(layer, LAYER_OF_FILE))
			add_layer(list, layer);
}

void watch_paths_add_secrets(struct watch_paths *list,
			     const struct settings *settings)
{
	for (size_t i = 0; i < settings->workspace_count; i++) {
		_cleanup_(mem_freep) char *path =
			login_secret_path(settings, &settings->workspaces[i]);

		add_path(list, path);
	}
}

static void add_folders(struct watch_paths *list, struct local_files *files)
{
	for (size_t i = 0; i < files->folder_count; i++)
		add_path(list, files->folders[i]);
	local_files_deinit(files);
}

void watch_paths_add_folders(struct watch_paths *list,
			     const struct local_rule *rule)
{
	struct local_files files;

	local_find_defaults(&files, rule);
	add_folders(list, &files);
	local_find_site(&files, rule);
	add_folders(list, &files);
}

bool watch_paths_cover(const struct watch_paths *list,
		       const struct watch_paths *other)
{
	size_t at;

	for (size_t i = 0; i < other->count; i++)
		if (!find_path(list, other->paths[i], &at))
			return false;
	return true;
}

void watch_paths_deinit(struct watch_paths *list)
{
	for (size_t i = 0; i < list->count; i++)
		mem_free(list->paths[i]);
	mem_free(list->paths);
	*list = (struct watch_paths){0};
}
