#include "engine/watched.h"

#include <string.h>

#include "base/mem.h"
#include "config/stack.h"
#include "engine/local.h"
#include "engine/login.h"
#include "read/doc.h"
#include "settings/settings.h"

static void add_path(struct watched *watched, const char *path)
{
	if (watched->count == WATCHED_MAX || !path || path[0] != '/')
		return;
	watched->paths =
		mem_grow(watched->paths,
			 (watched->count + 1) * sizeof(watched->paths[0]));
	watched->paths[watched->count++] = mem_strdup(path);
}

static void add_layer(struct watched *watched, const struct layer *layer)
{
	add_path(watched, layer->source);
	for (size_t i = 0; layer->doc && i < layer->doc->include_count; i++)
		add_path(watched, layer->doc->includes[i]);
	if (layer->state == LAYER_BROKEN)
		add_path(watched, layer->problem.source);
}

void watched_add_stack(struct watched *watched, const struct stack *stack)
{
	struct layer *layer;

	for (stack_each(stack, layer))
		if (layer_is_of(layer, LAYER_OF_FILE))
			add_layer(watched, layer);
}

void watched_add_secrets(struct watched *watched,
			 const struct settings *settings)
{
	for (size_t i = 0; i < settings->workspace_count; i++) {
		_cleanup_(mem_freep) char *path =
			login_secret_path(settings, &settings->workspaces[i]);

		add_path(watched, path);
	}
}

static void add_folders(struct watched *watched, struct local_files *files)
{
	for (size_t i = 0; i < files->folder_count; i++)
		add_path(watched, files->folders[i]);
	local_files_deinit(files);
}

void watched_add_folders(struct watched *watched, const struct local_rule *rule)
{
	struct local_files files;

	local_find_defaults(&files, rule);
	add_folders(watched, &files);
	local_find_site(&files, rule);
	add_folders(watched, &files);
}

static bool names(const struct watched *watched, const char *path)
{
	for (size_t i = 0; i < watched->count; i++)
		if (!strcmp(watched->paths[i], path))
			return true;
	return false;
}

bool watched_covers(const struct watched *watched, const struct watched *other)
{
	for (size_t i = 0; i < other->count; i++)
		if (!names(watched, other->paths[i]))
			return false;
	return true;
}

void watched_deinit(struct watched *watched)
{
	for (size_t i = 0; i < watched->count; i++)
		mem_free(watched->paths[i]);
	mem_free(watched->paths);
	*watched = (struct watched){0};
}
