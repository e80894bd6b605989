/* The file half of settings.h: lines, sections, and what is wrong with them. */

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/source.h"
#include "settings.h"
#include "settings_table.h"

#define SETTINGS_BYTES ((size_t)1 << 20)

/* What inih takes: its line buffer with line end and NUL, its section buffer
 * with NUL. */
#define LINE_BYTES    197
#define SECTION_BYTES 49

#define WORKSPACE_PREFIX "workspace "

struct load {
	struct settings *settings;
	struct source source;
	struct diag *diag;
	size_t line, next; /* offsets of the line being parsed and the next */

	/* Where the present section's settings go. */
	const struct settings_table *table;
	void *base;
	bool set[SETTINGS_KEYS_MAX]; /* once is enough for all but lists */
	bool main_set[SETTINGS_KEYS_MAX];
};

static bool fail(struct load *load, const char *what, const char *name)
{
	return diag_at(load->diag, &load->source, load->line, "%s%s", what,
		       name);
}

static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
			    name.ptr[i]))
			return false;
	return name.len > 0;
}

static bool begin_workspace(struct load *load, struct str name)
{
	struct settings *settings = load->settings;
	struct workspace_settings *workspace;

	if (!is_name(name))
		return fail(load,
			    "a workspace's name is made of letters, digits, "
			    "'.', '_' and '-'",
			    "");
	for (size_t i = 0; i < settings->workspace_count; i++)
		if (str_is(name, settings->workspaces[i].name))
			return fail(load, "this workspace is declared twice: ",
				    settings->workspaces[i].name);
	settings->workspaces = mem_grow(
		settings->workspaces, (settings->workspace_count + 1) *
					      sizeof(settings->workspaces[0]));
	workspace = &settings->workspaces[settings->workspace_count++];
	*workspace = (struct workspace_settings){
		.name = mem_strndup(name.ptr, name.len),
	};
	settings_set_defaults(workspace, &settings_workspace_table);
	load->table = &settings_workspace_table;
	load->base = workspace;
	memset(load->set, 0, sizeof(load->set));
	return true;
}

static bool begin_section(struct load *load, struct str line)
{
	const char *end = memchr(line.ptr, ']', line.len);
	struct str name = str_from_offset(line, 1);

	if (!end)
		return fail(load, "expected ']'", "");
	name.len = (size_t)(end - name.ptr);
	if (name.len > SECTION_BYTES)
		return fail(load, "a section's name has 49 bytes at most", "");
	if (str_starts(name, STR(WORKSPACE_PREFIX)))
		return begin_workspace(
			load, str_trim(str_from_offset(
				      name, sizeof(WORKSPACE_PREFIX) - 1)));
	load->table = &settings_table;
	load->base = load->settings;
	for (size_t i = 0; i < settings_table.count; i++)
		if (str_is(name, settings_table.keys[i].section))
			return true;
	return fail(load, "unknown section", "");
}

/* What inih would take for something else. */
static bool check_line(struct load *load, struct str line)
{
	if (line.len > LINE_BYTES)
		return fail(load, "a line has 197 bytes at most", "");
	if (memchr(line.ptr, '\0', line.len))
		return fail(load, "a NUL character", "");
	if (!str_trim(line).len)
		return true;
	if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
		return fail(load,
			    "an indented line: settings begin at the first "
			    "column",
			    "");
	return line.ptr[0] != '[' || begin_section(load, line);
}

/* ini_reader: the next line, or NULL at the end and after an error. */
static char *next_line(char *buffer, int size, void *stream)
{
	struct load *load = stream;
	struct str text = load->source.text, line;
	const char *end;

	if (load->next >= text.len || diag_failed(load->diag))
		return NULL;
	load->line = load->next;
	line = str_from_offset(text, load->line);
	end = memchr(line.ptr, '\n', line.len);
	load->next = end ? (size_t)(end - text.ptr) + 1 : text.len;
	line.len = load->next - load->line - (end != NULL);
	if (!check_line(load, line) || line.len + 2 > (size_t)size)
		return NULL;
	memcpy(buffer, line.ptr, line.len);
	memcpy(buffer + line.len, "\n", 2);
	return buffer;
}

/* ini_handler: one setting; 1 when it was fine. */
static int on_setting(void *user, const char *section, const char *name,
		      const char *value)
{
	struct load *load = user;
	bool declared = load->table == &settings_workspace_table;
	bool *set = declared ? load->set : load->main_set;
	const struct settings_key *key;

	if (!load->table)
		return fail(load, "a setting before the first [section]", "");
	key = settings_find_key(load->table, declared ? "workspace" : section,
				name);
	if (!key)
		return fail(load, "unknown key: ", name);
	if (set[key - load->table->keys] && key->type != WORDS)
		return fail(load, "this key is set twice: ", name);
	set[key - load->table->keys] = true;
	if (!settings_set_key(load->base, key, value))
		return diag_at(load->diag, &load->source, load->line,
			       "%s: expected %s", name, settings_expected(key));
	return 1;
}

static bool check_workspaces(struct load *load)
{
	struct settings *settings = load->settings;
	size_t active = 0;

	for (size_t i = 0; i < settings->workspace_count; i++) {
		active += settings->workspaces[i].active;
		if (!settings->workspaces[i].api_server)
			return diag_set(load->diag, settings->path,
					"[workspace %s] has no api_server",
					settings->workspaces[i].name);
	}
	if (active > 1)
		return diag_set(load->diag, settings->path,
				"more than one workspace is `active`");
	return true;
}

static bool parse_file(struct load *load)
{
	int line = ini_parse_stream(next_line, load, on_setting, load);

	if (diag_failed(load->diag))
		return false;
	if (line)
		return diag_set(load->diag, load->settings->path,
				"line %d: expected `key = value`", line);
	return check_workspaces(load);
}

static bool load_into(struct settings *settings, const char *path,
		      struct diag *diag)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct load load = {.settings = settings, .diag = diag};
	int r;

	settings->path = realpath(path, NULL);
	if (!settings->path)
		return diag_set(diag, path, "cannot be read: %s",
				strerror(errno));
	r = source_from_file(&load.source, &arena, path, SETTINGS_BYTES, diag);
	if (r == SOURCE_E_MISSING)
		return diag_set(diag, path, "is not a file");
	return r == 0 && parse_file(&load);
}

struct settings *settings_load(const char *path, struct diag *diag)
{
	_cleanup_(settings_freep) struct settings *settings = settings_new();

	return load_into(settings, path, diag) ? TAKE(settings) : NULL;
}
