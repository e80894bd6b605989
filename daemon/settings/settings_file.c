/* The file half of settings.h: lines, sections, and what is wrong with them. */

#include <assert.h>
#include <ini.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/source.h"
#include "base/suggest.h"
#include "config/access.h"
#include "settings/places.h"
#include "settings/settings.h"
#include "settings/settings_site.h"
#include "settings/settings_table.h"

#define SETTINGS_BYTES ((size_t)1 << 20)

/* What inih takes: its line buffer with line end and NUL, its section buffer
 * with NUL. */
#define LINE_BYTES    197
#define SECTION_BYTES 49

/* Of a list on several lines, and how many workspaces: each looks at those
 * before it. */
#define LIST_BYTES     ((size_t)64 << 10)
#define WORKSPACES_MAX 1000

#define WORKSPACE_PREFIX "workspace "

struct load {
	struct settings *settings;
	struct source source;
	struct diag *diag;
	size_t line, next; /* offsets of the line being parsed and the next */
	size_t section;    /* offset of the last [workspace] */
	size_t site;       /* offset of the last setting of [site] */

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

static bool fail_at(struct load *load, const char *at, const char *what)
{
	return diag_at(load->diag, &load->source,
		       (size_t)(at - load->source.text.ptr), "%s", what);
}

/* @guess is freed. */
static bool fail_guess(struct load *load, const char *what, char *guess)
{
	_cleanup_(mem_freep) char *owned = guess;

	return fail(load, what, owned);
}

static char *guess_section(struct str name)
{
	struct suggest near = SUGGEST_FOR(name);

	for (size_t i = 0; i < settings_table.count; i++)
		suggest_offer(&near, settings_table.keys[i].section);
	return suggest_text(&near, "");
}

/* No such key in the section: is another one meant? */
static bool fail_key(struct load *load, const char *section, const char *name)
{
	_cleanup_(mem_freep) char *what = mem_printf("unknown key: %s", name);
	struct suggest near = SUGGEST_FOR(str_from(name));

	for (size_t i = 0; i < load->table->count; i++)
		if (!strcmp(load->table->keys[i].section, section))
			suggest_offer(&near, load->table->keys[i].name);
	return fail_guess(load, what, suggest_text(&near, ""));
}

static bool is_comment(struct str line)
{
	return line.len && (line.ptr[0] == ';' || line.ptr[0] == '#');
}

static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!str_set_has("abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
				 name.ptr[i]))
			return false;
	return name.len > 0;
}

static bool is_given(const char *text)
{
	return text && *text;
}

/* What can be said of a [workspace] when all its settings are known. */
static bool end_workspace(struct load *load)
{
	const struct settings *settings = load->settings;
	const struct workspace_settings *workspace = load->base;

	if (load->table != &settings_workspace_table)
		return true;
	if (!is_given(workspace->api_server))
		return diag_at(load->diag, &load->source, load->section,
			       "this workspace has no api_server");
	if (is_given(workspace->access_key) !=
	    is_given(workspace->secret_key_file))
		return diag_at(load->diag, &load->source, load->section,
			       "an access_key needs a secret_key_file, and the "
			       "other way round");
	if (workspace->credentials_file && is_given(workspace->access_key))
		return diag_at(load->diag, &load->source, load->section,
			       "a credentials_file holds both keys: leave out "
			       "access_key and secret_key_file");
	if (workspace->credentials_file && !*workspace->credentials_file)
		return diag_at(load->diag, &load->source, load->section,
			       "credentials_file names no file");
	for (size_t i = 0; i + 1 < settings->workspace_count; i++)
		if (workspace->active && settings->workspaces[i].active)
			return diag_at(load->diag, &load->source, load->section,
				       "two workspaces are `active`: this one "
				       "and %s",
				       settings->workspaces[i].name);
	return true;
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
	if (settings->workspace_count == WORKSPACES_MAX)
		return fail(load, "there are more than 1000 workspaces", "");
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
	load->section = load->line;
	memset(load->set, 0, sizeof(load->set));
	return true;
}

static bool begin_section(struct load *load, struct str line)
{
	const char *end = memchr(line.ptr, ']', line.len);
	struct str name = str_from_offset(line, 1), rest;

	if (!end)
		return fail(load, "expected ']'", "");
	name.len = (size_t)(end - name.ptr);
	rest = str_trim((struct str){end + 1, line.len - name.len - 2});
	if (rest.len && !is_comment(rest))
		return fail_at(load, rest.ptr, "nothing may follow the ']'");
	if (!end_workspace(load))
		return false;
	if (name.len > SECTION_BYTES)
		return fail(load, "a section's name has 49 bytes at most", "");
	if (str_starts(name, STR(WORKSPACE_PREFIX)))
		return begin_workspace(
			load, str_trim(str_from_offset(
				      name, sizeof(WORKSPACE_PREFIX) - 1)));
	if (str_equal(name, STR("workspace")))
		return fail(load, "unknown section",
			    " (is 'workspace NAME' meant?)");
	load->table = &settings_table;
	load->base = load->settings;
	for (size_t i = 0; i < settings_table.count; i++)
		if (str_is(name, settings_table.keys[i].section))
			return true;
	return fail_guess(load, "unknown section", guess_section(name));
}

/* Among them what inih takes for white space, and so for an indented line. */
static bool check_characters(struct load *load, struct str line)
{
	unsigned char c;

	for (size_t i = 0; i < line.len; i++) {
		c = (unsigned char)line.ptr[i];
		if ((c < ' ' && c != '\t') || c == 127)
			return fail_at(load, line.ptr + i,
				       "a control character");
	}
	return true;
}

/* Where key and value part: the first '=' or ':' before ` ;`, which begins a
 * comment. line.len: nowhere. */
static size_t find_separator(struct str line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.ptr[i] == '=' || line.ptr[i] == ':')
			return i;
		if (line.ptr[i] == ';' && i &&
		    str_set_has(" \t", line.ptr[i - 1]))
			break;
	}
	return line.len;
}

/* What inih would take for something else. */
static bool check_line(struct load *load, struct str line)
{
	if (line.len > LINE_BYTES)
		return fail(load, "a line has 197 bytes at most", "");
	if (!check_characters(load, line))
		return false;
	if (!str_trim(line).len || is_comment(str_trim(line)))
		return true;
	if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
		return fail(load,
			    "an indented line: settings begin at the first "
			    "column",
			    "");
	if (line.ptr[0] == '[')
		return begin_section(load, line);
	if (find_separator(line) == line.len)
		return fail(load, "expected `key = value`", "");
	return true;
}

/* LF or CRLF; the last line may have neither. */
static struct str without_end(struct str line)
{
	if (str_ends(line, STR("\n")))
		line.len--;
	if (str_ends(line, STR("\r")))
		line.len--;
	return line;
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
	end = memchr(text.ptr + load->line, '\n', text.len - load->line);
	load->next = end ? (size_t)(end - text.ptr) + 1 : text.len;
	line = (struct str){text.ptr + load->line, load->next - load->line};
	line = without_end(line);
	if (!check_line(load, line))
		return NULL;
	assert(line.len + 2 <= (size_t)size);
	memcpy(buffer, line.ptr, line.len);
	memcpy(buffer + line.len, "\n", 2);
	return buffer;
}

/* Where the value of the present line begins. */
static const char *find_value(const struct load *load)
{
	struct str line = {load->source.text.ptr + load->line,
			   load->next - load->line};

	line = without_end(line);
	line = str_from_offset(line, find_separator(line) + 1);
	while (line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
		line = str_from_offset(line, 1);
	return line.ptr;
}

static int refuse_value(struct load *load, const struct settings_key *key)
{
	_cleanup_(mem_freep) char *expected = settings_expected(key);
	size_t offset = (size_t)(find_value(load) - load->source.text.ptr);

	return diag_at(load->diag, &load->source, offset, "%s: expected %s",
		       key->name, expected);
}

static bool check_site(struct load *load, const struct settings_key *key)
{
	_cleanup_(mem_freep) char *problem =
		settings_site_problem(load->settings, key->name);

	load->site = load->line;
	return !problem || fail_at(load, find_value(load), problem);
}

/* Names that nobody has, in the list that is the present line's value. */
static void warn_of_names(struct load *load, const char *list)
{
	size_t at = (size_t)(find_value(load) - load->source.text.ptr), len;

	for (const char *word = list; *word; word += len ? len : 1) {
		_cleanup_(mem_freep) char *name = NULL;

		len = strcspn(word, " \t,");
		name = mem_strndup(word, len);
		if (len && !access_knows(name))
			(void)diag_at(diag_list_next(&load->settings->warnings),
				      &load->source, at + (size_t)(word - list),
				      "there is no %s: this grants nothing",
				      name);
	}
}

/* Where the present line gives the right `secrets`. */
static void note_secrets(struct load *load, bool declared)
{
	struct workspace_settings *workspace = load->base;

	if (declared)
		workspace->secrets_at = load->line;
	else
		load->settings->secrets_at = load->line;
}

static bool is_full(const struct load *load, const struct settings_key *key)
{
	const char *field = (const char *)load->base + key->field.offset, *list;

	if (!settings_is_list(key))
		return false;
	memcpy(&list, field, sizeof(list));
	return list && strlen(list) > LIST_BYTES;
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
	if (!key && declared && !strcmp(name, "secret_key"))
		return fail(load,
			    "a secret key does not stand in this file: write "
			    "it to a file of its own, mode 0600, and name that "
			    "by secret_key_file",
			    "");
	if (!key)
		return fail_key(load, declared ? "workspace" : section, name);
	if (set[key - load->table->keys] && !settings_is_list(key))
		return fail(load, "this key is set twice: ", name);
	if (is_full(load, key))
		return fail(load, "this list is longer than 64 KiB: ", name);
	set[key - load->table->keys] = true;
	if (!strcmp(name, "secrets"))
		note_secrets(load, declared);
	if (!settings_set_key(load->base, key, value))
		return refuse_value(load, key);
	if (key->type == NAMES)
		warn_of_names(load, value);
	return strcmp(section, "site") != 0 || check_site(load, key);
}

static bool check_whole_site(struct load *load)
{
	const char *problem = settings_site_gap(&load->settings->etcd);

	return !problem ||
	       diag_at(load->diag, &load->source, load->site, "%s", problem);
}

static void warn_of_report(struct load *load)
{
	const struct site_settings *site = &load->settings->etcd;

	if (site->report && !is_given(site->etcd))
		(void)diag_at(diag_list_next(&load->settings->warnings),
			      &load->source, load->site,
			      "`report` without `etcd` tells nobody anything");
}

static void warn_of_secrets_alone(struct load *load, const char *secrets,
				  const char *read, size_t at)
{
	if (is_given(secrets) && !is_given(read))
		(void)diag_at(diag_list_next(&load->settings->warnings),
			      &load->source, at,
			      "`secrets` without `read` gives tokens and "
			      "nothing else: name who is to see the "
			      "configuration in `read` too");
}

static void warn_of_rights(struct load *load)
{
	const struct settings *all = load->settings;

	warn_of_secrets_alone(load, all->secrets, all->read, all->secrets_at);
	for (size_t i = 0; i < all->workspace_count; i++) {
		const struct workspace_settings *own = &all->workspaces[i];

		warn_of_secrets_alone(load, own->secrets,
				      own->read ? own->read : all->read,
				      own->secrets_at);
	}
}

static bool parse_file(struct load *load)
{
	int line = ini_parse_stream(next_line, load, on_setting, load);

	assert(line == 0 || diag_failed(load->diag));
	return !diag_failed(load->diag) && end_workspace(load) &&
	       check_whole_site(load);
}

static bool load_into(struct settings *settings, const char *path,
		      struct diag *diag)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct load load = {.settings = settings, .diag = diag};
	int r;

	settings->path = places_expand(path, NULL, NULL);
	r = source_from_file(&load.source, &arena, path, SETTINGS_BYTES, diag);
	if (r == SOURCE_E_MISSING)
		return diag_set(diag, path, "is not there, or is no file");
	if (r < 0 || !parse_file(&load))
		return false;
	warn_of_rights(&load);
	warn_of_report(&load);
	return true;
}

struct settings *settings_load(const char *path, struct diag *diag)
{
	_cleanup_(settings_freep) struct settings *settings = settings_new();

	return load_into(settings, path, diag) ? TAKE(settings) : NULL;
}
