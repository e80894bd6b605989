#include "settings.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/source.h"
#include "read/reader.h"

#define SETTINGS_BYTES ((size_t)1 << 20)

/* What inih takes: its line buffer with line end and NUL, its section buffer
 * with NUL. */
#define LINE_MAX_BYTES    197
#define SECTION_MAX_BYTES 49

#define WORKSPACE_PREFIX "workspace "

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define KIB    INT64_C(1024)
#define MIB    (1024 * KIB)

/* --- the table
 * ---------------------------------------------------------------- */

enum type { TEXT, WORDS, CHOICE, BOOL, DURATION, PERCENT, SIZE, COUNT };

struct key {
	const char *section, *name;
	enum type type;
	size_t offset;        /* of the field */
	const char *standard; /* default; NULL: none */
	int64_t min, max;     /* of numbers */
	const char *const *choices;
};

static const char *const modes[] = {"agent", "sdk", NULL};
static const char *const dialects[] = {"clearml", "strict", NULL};
static const char *const log_levels[] = {"error", "warning", "info", "debug",
					 NULL};

#define IN_SETTINGS(field)  offsetof(struct settings, field)
#define IN_WORKSPACE(field) offsetof(struct workspace_settings, field)

/* clang-format off */
static const struct key keys[] = {
	{"daemon", "socket", TEXT, IN_SETTINGS(socket)},
	{"daemon", "state_dir", TEXT, IN_SETTINGS(state_dir)},
	{"daemon", "mode", CHOICE, IN_SETTINGS(mode), "agent", 0, 0, modes},
	{"daemon", "log_level", CHOICE, IN_SETTINGS(log_level), "info", 0, 0, log_levels},
	{"local", "files", WORDS, IN_SETTINGS(files)},
	{"local", "defaults", TEXT, IN_SETTINGS(defaults)},
	{"local", "site", TEXT, IN_SETTINGS(site)},
	{"local", "vault_environment", WORDS, IN_SETTINGS(vault_environment)},
	{"resolve", "dialect", CHOICE, IN_SETTINGS(dialect), "clearml", 0, 0, dialects},
	{"poll", "interval", DURATION, IN_SETTINGS(interval), "60s", 100, 7 * DAY},
	{"poll", "jitter", PERCENT, IN_SETTINGS(jitter), "20%", 0, 100},
	{"poll", "timeout", DURATION, IN_SETTINGS(timeout), "10s", 100, HOUR},
	{"poll", "backoff_max", DURATION, IN_SETTINGS(backoff_max), "15m", 100, 7 * DAY},
	{"poll", "stale_limit", DURATION, IN_SETTINGS(stale_limit), "30d", 0, 3650 * DAY},
	{"poll", "revoked_grace", DURATION, IN_SETTINGS(revoked_grace), "10m", 0, 3650 * DAY},
	{"access", "read", WORDS, IN_SETTINGS(read)},
	{"access", "secrets", WORDS, IN_SETTINGS(secrets)},
	{"access", "admin", WORDS, IN_SETTINGS(admin)},
	{"mask", "add", WORDS, IN_SETTINGS(mask_add)},
	{"limits", "connections_per_user", COUNT, IN_SETTINGS(connections_per_user), "1024", 1, 1000000},
	{"limits", "watchers_per_user", COUNT, IN_SETTINGS(watchers_per_user), "1024", 1, 1000000},
	{"limits", "bytes_per_user", SIZE, IN_SETTINGS(bytes_per_user), "16M", 64 * KIB, 65536 * MIB},
	{"limits", "environment_calls", COUNT, IN_SETTINGS(environment_calls), "20", 1, 100000},
	{"limits", "message", SIZE, IN_SETTINGS(message), "1M", KIB, 1024 * MIB},
	{"limits", "document", SIZE, IN_SETTINGS(document), "16M", KIB, 1024 * MIB},
	{"limits", "response", SIZE, IN_SETTINGS(response), "64M", KIB, 1024 * MIB},
	{"limits", "depth", COUNT, IN_SETTINGS(depth), "128", 1, 1000},
	{"limits", "history", COUNT, IN_SETTINGS(history), "64", 1, 100000},
	{"site", "etcd", WORDS, IN_SETTINGS(etcd)},
};

static const struct key workspace_keys[] = {
	{"workspace", "api_server", TEXT, IN_WORKSPACE(api_server)},
	{"workspace", "web_server", TEXT, IN_WORKSPACE(web_server)},
	{"workspace", "files_server", TEXT, IN_WORKSPACE(files_server)},
	{"workspace", "access_key", TEXT, IN_WORKSPACE(access_key)},
	{"workspace", "secret_key_file", TEXT, IN_WORKSPACE(secret_key_file)},
	{"workspace", "verify_certificate", TEXT, IN_WORKSPACE(verify_certificate)},
	{"workspace", "active", BOOL, IN_WORKSPACE(active), "no"},
	{"workspace", "inject", BOOL, IN_WORKSPACE(inject), "yes"},
	{"workspace", "read", WORDS, IN_WORKSPACE(read)},
	{"workspace", "secrets", WORDS, IN_WORKSPACE(secrets)},
	{"workspace", "admin", WORDS, IN_WORKSPACE(admin)},
};
/* clang-format on */

static bool holds_text(const struct key *key)
{
	return key->type == TEXT || key->type == WORDS;
}

static const struct key *find_key(const struct key *table, size_t count,
				  const char *section, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(table[i].section, section) &&
		    !strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

/* --- values
 * ------------------------------------------------------------------- */

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit duration_units[] = {
	{"ms", 1      },
        {"s",  SECOND },
        {"m",  MINUTE },
        {"h",  HOUR   },
	{"d",  DAY    },
        {"w",  7 * DAY},
        {NULL, 0      },
};

static const struct unit size_units[] = {
	{"",   1         },
        {"K",  KIB       },
        {"M",  MIB       },
        {"G",  1024 * MIB},
        {NULL, 0         },
};

static const struct unit percent_units[] = {
	{"%",  1},
        {"",   1},
        {NULL, 0}
};
static const struct unit count_units[] = {
	{"",   1},
        {NULL, 0}
};

/* A whole number and one of @units; a bare 0 needs none. */
static bool parse_number(const char *text, const struct unit *units,
			 int64_t *number)
{
	char *end;
	int64_t digits;

	errno = 0;
	digits = strtoll(text, &end, 10);
	if (errno || end == text || digits < 0 || *text < '0' || *text > '9')
		return false;
	*number = 0;
	if (digits == 0 && !*end)
		return true;
	for (; units->name; units++)
		if (!strcmp(end, units->name))
			return !__builtin_mul_overflow(digits, units->factor,
						       number);
	return false;
}

static bool parse_choice(const char *text, const char *const *choices,
			 int64_t *number)
{
	for (int64_t i = 0; choices[i]; i++) {
		if (!strcmp(choices[i], text)) {
			*number = i;
			return true;
		}
	}
	return false;
}

static bool parse(const struct key *key, const char *text, int64_t *number)
{
	static const struct unit *const units[] = {
		[DURATION] = duration_units,
		[PERCENT] = percent_units,
		[SIZE] = size_units,
		[COUNT] = count_units,
	};

	if (key->type == CHOICE)
		return parse_choice(text, key->choices, number);
	return parse_number(text, units[key->type], number) &&
	       *number >= key->min && *number <= key->max;
}

/* A list may be spread over several lines of one key. */
static void set_text(const struct key *key, char **field, const char *text)
{
	char *old = *field;

	if (key->type == WORDS && old && *old)
		*field = mem_printf("%s %s", old, text);
	else
		*field = mem_strdup(text);
	mem_free(old);
}

static bool set_value(void *base, const struct key *key, const char *text)
{
	void *field = (char *)base + key->offset;

	if (holds_text(key)) {
		set_text(key, field, text);
		return true;
	}
	if (key->type == BOOL)
		return str_to_bool(str_from(text), field);
	return parse(key, text, field);
}

static const char *expected(const struct key *key)
{
	static const char *const texts[] = {
		[TEXT] = "a text",
		[WORDS] = "a list",
		[CHOICE] = "one of the words in clearconfd.conf(5)",
		[BOOL] = "yes or no",
		[DURATION] =
			"a whole number with ms, s, m, h, d or w, in range",
		[PERCENT] = "0% to 100%",
		[SIZE] = "a whole number of bytes, or with K, M or G, in range",
		[COUNT] = "a whole number in range",
	};

	return texts[key->type];
}

static void set_defaults(void *base, const struct key *table, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].standard)
			set_value(base, &table[i], table[i].standard);
}

struct settings *settings_new(void)
{
	struct settings *settings = mem_alloc(sizeof(*settings));

	set_defaults(settings, keys, ARRAY_SIZE(keys));
	return settings;
}

static void free_texts(void *base, const struct key *table, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (holds_text(&table[i]))
			mem_free(*(char **)(void *)((char *)base +
						    table[i].offset));
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	free_texts(settings, keys, ARRAY_SIZE(keys));
	for (size_t i = 0; i < settings->workspace_count; i++) {
		free_texts(&settings->workspaces[i], workspace_keys,
			   ARRAY_SIZE(workspace_keys));
		mem_free(settings->workspaces[i].name);
	}
	mem_free(settings->workspaces);
	mem_free(settings->path);
	mem_free(settings);
}

void settings_freep(struct settings **settings)
{
	settings_free(*settings);
	*settings = NULL;
}

bool settings_set(struct settings *settings, const char *section,
		  const char *key, const char *value)
{
	const struct key *found =
		find_key(keys, ARRAY_SIZE(keys), section, key);

	return found && set_value(settings, found, value);
}

/* --- the file
 * ----------------------------------------------------------------- */

struct load {
	struct settings *settings;
	struct source source;
	struct diag *diag;
	size_t line, next; /* offsets of the line being parsed and the next */
	bool set[ARRAY_SIZE(keys)]; /* once is enough for all but lists */
	struct workspace_settings *workspace; /* of the present section */
	bool workspace_set[ARRAY_SIZE(workspace_keys)];
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
	load->workspace = &settings->workspaces[settings->workspace_count++];
	*load->workspace = (struct workspace_settings){
		.name = mem_strndup(name.ptr, name.len),
	};
	set_defaults(load->workspace, workspace_keys,
		     ARRAY_SIZE(workspace_keys));
	memset(load->workspace_set, 0, sizeof(load->workspace_set));
	return true;
}

static bool begin_section(struct load *load, struct str line)
{
	const char *end = memchr(line.ptr, ']', line.len);
	struct str name = str_from_offset(line, 1);

	if (!end)
		return fail(load, "expected ']'", "");
	name.len = (size_t)(end - name.ptr);
	if (name.len > SECTION_MAX_BYTES)
		return fail(load, "a section's name has 49 bytes at most", "");
	load->workspace = NULL;
	if (str_starts(name, STR(WORKSPACE_PREFIX)))
		return begin_workspace(
			load, str_trim(str_from_offset(
				      name, sizeof(WORKSPACE_PREFIX) - 1)));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_is(name, keys[i].section))
			return true;
	return fail(load, "unknown section", "");
}

/* What inih would take for something else. */
static bool check_line(struct load *load, struct str line)
{
	if (line.len > LINE_MAX_BYTES)
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
	bool in_workspace = load->workspace != NULL;
	const struct key *table = in_workspace ? workspace_keys : keys;
	size_t count =
		in_workspace ? ARRAY_SIZE(workspace_keys) : ARRAY_SIZE(keys);
	const struct key *key = find_key(
		table, count, in_workspace ? "workspace" : section, name);
	bool *set = in_workspace ? load->workspace_set : load->set;

	if (!*section)
		return fail(load, "a setting before the first [section]", "");
	if (!key)
		return fail(load, "unknown key: ", name);
	if (set[key - table] && key->type != WORDS)
		return fail(load, "this key is set twice: ", name);
	if (!set[key - table] && holds_text(key))
		set_text(
			&(struct key){.type = TEXT},
			(char **)(void *)((char *)(in_workspace
							   ? (void *)load
								     ->workspace
							   : load->settings) +
					  key->offset),
			"");
	set[key - table] = true;
	if (!set_value(in_workspace ? (void *)load->workspace : load->settings,
		       key, value))
		return diag_at(load->diag, &load->source, load->line,
			       "%s: expected %s", name, expected(key));
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
