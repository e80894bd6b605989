#include "engine/local.h"

#include <dirent.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "settings/places.h"
#include "settings/settings.h"

#define FILES_MAX  1000 /* of one layer kind; more is a mistake in a path */
#define WALK_DEPTH 16   /* folders within folders, and no link can loop */

static void add(struct local_files *files, char *path, enum read_format format,
		char *under)
{
	if (files->count == FILES_MAX) {
		if (!files->is_full)
			log_warning("too-many-local-files",
				    LOG_INT("limit", FILES_MAX),
				    LOG_TEXT("first_ignored", path));
		files->is_full = true;
		mem_free(path);
		mem_free(under);
		return;
	}
	files->items = mem_grow(files->items,
				(files->count + 1) * sizeof(files->items[0]));
	files->items[files->count++] = (struct local_file){path, format, under};
}

static void add_folder(struct local_files *files, const char *path)
{
	files->folders =
		mem_grow(files->folders,
			 (files->folder_count + 1) * sizeof(files->folders[0]));
	files->folders[files->folder_count++] = mem_strdup(path);
}

void local_files_deinit(struct local_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		mem_free(files->items[i].path);
		mem_free(files->items[i].under);
	}
	for (size_t i = 0; i < files->folder_count; i++)
		mem_free(files->folders[i]);
	mem_free(files->items);
	mem_free(files->folders);
	*files = (struct local_files){0};
}

/* What the settings name is relative to their file. */
static char *beside_settings(const struct local_rule *rule, const char *path)
{
	const char *file = rule->settings->path;
	_cleanup_(mem_freep) char *copy = file ? mem_strdup(file) : NULL;

	return places_expand(path, rule->places->home,
			     copy ? dirname(copy) : NULL);
}

/* A variable's value, ~ expanded, relative to the working folder; NULL when
 * none of @names is set. */
static char *path_in(const struct local_rule *rule, const char *const *names)
{
	struct str value = env_first(rule->env, names);
	_cleanup_(mem_freep) char *path = NULL;

	if (!value.len)
		return NULL;
	path = mem_strndup(value.ptr, value.len);
	return places_expand(path, rule->places->home, NULL);
}

static bool is_set(const char *text)
{
	return text && *text;
}

static void add_named(struct local_files *files, const struct local_rule *rule)
{
	_cleanup_(mem_freep) char *list = mem_strdup(rule->settings->files);
	char *rest = NULL;

	for (char *word = strtok_r(list, " \t", &rest); word;
	     word = strtok_r(NULL, " \t", &rest))
		add(files, beside_settings(rule, word),
		    read_format_of_path(word), NULL);
}

static char *in_home(const struct places *places, const char *name)
{
	bool is_root = !strcmp(places->home, "/");

	return mem_printf("%s/%s", is_root ? "" : places->home, name);
}

void local_find_files(struct local_files *files, const struct local_rule *rule)
{
	static const char *const names[] = {"CLEARML_CONFIG_FILE",
					    "TRAINS_CONFIG_FILE", NULL};
	const struct places *places = rule->places;
	char *instead;

	*files = (struct local_files){0};
	if (is_set(rule->settings->files)) {
		add_named(files, rule);
	} else if ((instead = path_in(rule, names))) {
		/* The file is read as HOCON whatever its suffix, as in ClearML.
		 */
		add(files, instead, READ_HOCON, NULL);
	} else if (places->system) {
		add(files, mem_strdup("/etc/clearconf/clearml.conf"),
		    READ_HOCON, NULL);
	} else if (places->home) {
		add(files, in_home(places, "trains.conf"), READ_HOCON, NULL);
		add(files, in_home(places, "clearml.conf"), READ_HOCON, NULL);
	}
}

/* Folders. */

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Leave out what editors and systems leave lying about. */
static int is_shown(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && entry->d_name[len - 1] != '~';
}

struct walk {
	struct local_files *files;
	const char *prefix; /* dotted key of the folder; "" at the top */
	unsigned int depth;
};

static char *under_of(const struct walk *walk, const char *stem, size_t len)
{
	return mem_printf("%s%s%.*s", walk->prefix, *walk->prefix ? "." : "",
			  (int)len, stem);
}

static void walk_defaults(const struct walk *walk, const char *folder);

static void walk_entry(const struct walk *walk, const char *folder,
		       const char *name)
{
	_cleanup_(mem_freep) char *path = mem_printf("%s/%s", folder, name);
	_cleanup_(mem_freep) char *below = NULL;
	size_t len = strlen(name);

	if (is_folder(path) && walk->depth < WALK_DEPTH) {
		below = under_of(walk, name, len);
		walk_defaults(
			&(struct walk){walk->files, below, walk->depth + 1},
			path);
	} else if (str_ends(str_from(name), STR(".conf"))) {
		add(walk->files, TAKE(path), READ_HOCON,
		    under_of(walk, name, len - strlen(".conf")));
	}
}

static void walk_defaults(const struct walk *walk, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_shown, alphasort);

	add_folder(walk->files, folder);
	for (int i = 0; i < count; i++) {
		walk_entry(walk, folder, entries[i]->d_name);
		mem_free(entries[i]);
	}
	if (count >= 0)
		mem_free(entries);
}

/* ClearML's name of the environment: a folder beside `default`. The SDK knows
 * three. */
static char *environment_name(const struct local_rule *rule)
{
	static const char *const names[] = {"CLEARML_ENV", "TRAINS_ENV", NULL};
	static const char *const known[] = {"default", "demo", "local"};
	struct str name = env_first(rule->env, names);

	if (!name.len)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_is(name, known[i]))
			return i ? mem_strdup(known[i]) : NULL;
	if (rule->settings->mode == MODE_AGENT &&
	    !memchr(name.ptr, '/', name.len))
		return mem_strndup(name.ptr, name.len);
	log_warning("variable-ignored", LOG_TEXT("variable", "CLEARML_ENV"),
		    LOG_TEXT("reason", "not default, demo or local"));
	return NULL;
}

static void walk_config_path(struct local_files *files,
			     const struct local_rule *rule, const char *folder)
{
	_cleanup_(mem_freep) char *name = environment_name(rule);
	_cleanup_(mem_freep) char *standard = mem_printf("%s/default", folder);
	_cleanup_(mem_freep) char *special = NULL;

	walk_defaults(&(struct walk){files, "", 0}, standard);
	if (!name)
		return;
	special = mem_printf("%s/%s", folder, name);
	walk_defaults(&(struct walk){files, "", 0}, special);
}

void local_find_defaults(struct local_files *files,
			 const struct local_rule *rule)
{
	static const char *const names[] = {"CLEARML_CONFIG_PATH",
					    "TRAINS_CONFIG_PATH", NULL};
	_cleanup_(mem_freep) char *folder = NULL;

	*files = (struct local_files){0};
	if (is_set(rule->settings->defaults)) {
		folder = beside_settings(rule, rule->settings->defaults);
		walk_defaults(&(struct walk){files, "", 0}, folder);
	} else if ((folder = path_in(rule, names))) {
		walk_config_path(files, rule, folder);
	}
}

static void add_site_file(struct local_files *files, const char *folder,
			  const char *name)
{
	_cleanup_(mem_freep) char *path = mem_printf("%s/%s", folder, name);

	if (!is_folder(path))
		add(files, TAKE(path), read_format_of_path(name), NULL);
}

void local_find_site(struct local_files *files, const struct local_rule *rule)
{
	_cleanup_(mem_freep) char *folder = NULL;
	struct dirent **entries;
	int count;

	*files = (struct local_files){0};
	if (!is_set(rule->settings->site))
		return;
	folder = beside_settings(rule, rule->settings->site);
	count = scandir(folder, &entries, is_shown, alphasort);
	add_folder(files, folder);
	for (int i = 0; i < count; i++) {
		add_site_file(files, folder, entries[i]->d_name);
		mem_free(entries[i]);
	}
	if (count >= 0)
		mem_free(entries);
}

/* A folder and the like are missing to a layer, too. */
static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

char *local_describe(const struct local_rule *rule)
{
	struct buf text = BUF_INIT;
	struct local_files files;

	local_find_files(&files, rule);
	for (size_t i = 0; i < files.count; i++)
		buf_printf(&text, "%s%s%s", i ? ", " : "", files.items[i].path,
			   is_file(files.items[i].path) ? "" : " (missing)");
	local_files_deinit(&files);
	return buf_take(&text);
}

char *local_explain_nothing(const struct local_rule *rule)
{
	_cleanup_(mem_freep) char *files = local_describe(rule);
	bool system = rule->places->system;

	return mem_printf(
		"nothing is configured: the %s instance reads %s; %s",
		system ? "system" : "user",
		*files ? files : "no file of a user without a home",
		system ? "--user reads ~/clearml.conf"
		       : "--system reads /etc/clearconf/clearml.conf");
}
