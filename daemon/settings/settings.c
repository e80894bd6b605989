#include "settings/settings.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/share.h"
#include "base/str.h"
#include "config/callers.h"
#include "config/pattern.h"
#include "settings/settings_table.h"
#include "value/path.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define KIB    INT64_C(1024)
#define MIB    (1024 * KIB)

static const char *const modes[] = {"agent", "sdk", NULL};
static const char *const roots[] = {"host", "none", NULL};
static const char *const dialects[] = {"clearml", "strict", NULL};
static const char *const type_policies[] = {"off", "warn", "refuse", NULL};
static const char *const log_levels[] = {"error", "warning", "info", "debug",
					 NULL};

#define IN_SETTINGS(member)  FIELD(struct settings, member)
#define IN_WORKSPACE(member) FIELD(struct workspace_settings, member)

/* clang-format off */
static const struct settings_key keys[] = {
	{"daemon", "socket", TEXT, IN_SETTINGS(socket), .at_start = true},
	{"daemon", "state_dir", TEXT, IN_SETTINGS(state_dir), .at_start = true},
	{"daemon", "mode", CHOICE, IN_SETTINGS(mode), "agent", 0, 0, modes, .at_start = true},
	{"daemon", "log_level", CHOICE, IN_SETTINGS(log_level), "info", 0, 0, log_levels},
	{"local", "files", WORDS, IN_SETTINGS(files)},
	{"local", "defaults", TEXT, IN_SETTINGS(defaults)},
	{"local", "site", TEXT, IN_SETTINGS(site)},
	{"local", "vault_environment", WORDS, IN_SETTINGS(vault_environment)},
	{"resolve", "dialect", CHOICE, IN_SETTINGS(dialect), "clearml", 0, 0, dialects},
	{"resolve", "types", CHOICE, IN_SETTINGS(types), "warn", 0, 0, type_policies},
	{"change", "stage", STAGE, IN_SETTINGS(stage), "off", 100, 30 * DAY},
	{"poll", "interval", DURATION, IN_SETTINGS(interval), "60s", 100, 7 * DAY},
	{"poll", "jitter", PERCENT, IN_SETTINGS(jitter), "20%", 0, 100},
	{"poll", "timeout", DURATION, IN_SETTINGS(timeout), "10s", 100, HOUR},
	{"poll", "backoff_max", DURATION, IN_SETTINGS(backoff_max), "15m", 100, 7 * DAY},
	{"poll", "prove", DURATION, IN_SETTINGS(prove), "15m", 0, 7 * DAY},
	{"poll", "stale_limit", DURATION, IN_SETTINGS(stale_limit), "30d", 0, 3650 * DAY},
	{"poll", "revoked_grace", DURATION, IN_SETTINGS(revoked_grace), "10m", 0, 3650 * DAY},
	{"access", "read", NAMES, IN_SETTINGS(read)},
	{"access", "secrets", NAMES, IN_SETTINGS(secrets)},
	{"access", "admin", NAMES, IN_SETTINGS(admin)},
	{"access", "root", CHOICE, IN_SETTINGS(root), "host", 0, 0, roots},
	{"mask", "add", PATTERNS, IN_SETTINGS(mask_add)},
	{"lock", "keys", PATHS, IN_SETTINGS(lock_keys)},
	{"limits", "connections_per_user", COUNT, IN_SETTINGS(limits.connections_per_user), "1024", 1, 1000000},
	{"limits", "watchers_per_user", COUNT, IN_SETTINGS(limits.watchers_per_user), "1024", 1, 1000000},
	{"limits", "bytes_per_user", SIZE, IN_SETTINGS(limits.bytes_per_user), "16M", 64 * KIB, 65536 * MIB},
	{"limits", "environment_calls", COUNT, IN_SETTINGS(limits.environment_calls), "20", 1, 100000},
	{"limits", "message", SIZE, IN_SETTINGS(limits.message), "1M", KIB, 1024 * MIB},
	{"limits", "document", SIZE, IN_SETTINGS(limits.document), "16M", KIB, 1024 * MIB},
	{"limits", "response", SIZE, IN_SETTINGS(limits.response), "64M", KIB, 1024 * MIB},
	{"limits", "depth", COUNT, IN_SETTINGS(limits.depth), "128", 1, 1000},
	{"limits", "history", COUNT, IN_SETTINGS(limits.history), "64", 1, 100000, .at_start = true},
	{"limits", "history_bytes", SIZE, IN_SETTINGS(limits.history_bytes), "32M", 0, 65536 * MIB, .at_start = true},
	{"site", "etcd", WORDS, IN_SETTINGS(etcd.etcd)},
	{"site", "prefix", TEXT, IN_SETTINGS(etcd.prefix), "/clearconf/site/"},
	{"site", "ca", TEXT, IN_SETTINGS(etcd.ca)},
	{"site", "cert", TEXT, IN_SETTINGS(etcd.cert)},
	{"site", "key", TEXT, IN_SETTINGS(etcd.key)},
	{"site", "user", TEXT, IN_SETTINGS(etcd.user)},
	{"site", "password_file", TEXT, IN_SETTINGS(etcd.password_file)},
	{"site", "groups", WORDS, IN_SETTINGS(etcd.groups)},
	{"site", "probe", DURATION, IN_SETTINGS(etcd.probe), "400ms", 100, HOUR},
	{"site", "report", BOOL, IN_SETTINGS(etcd.report), "no"},
	{"site", "report_key", TEXT, IN_SETTINGS(etcd.report_key)},
	{"site", "report_lease", DURATION, IN_SETTINGS(etcd.report_lease), "2m", 5 * SECOND, DAY},
};

static const struct settings_key workspace_keys[] = {
	{"workspace", "api_server", URL, IN_WORKSPACE(api_server)},
	{"workspace", "web_server", URL, IN_WORKSPACE(web_server)},
	{"workspace", "files_server", TEXT, IN_WORKSPACE(files_server)},
	{"workspace", "access_key", TEXT, IN_WORKSPACE(access_key)},
	{"workspace", "secret_key_file", TEXT, IN_WORKSPACE(secret_key_file)},
	{"workspace", "credentials_file", TEXT, IN_WORKSPACE(credentials_file)},
	{"workspace", "verify_certificate", TEXT, IN_WORKSPACE(verify_certificate)},
	{"workspace", "active", BOOL, IN_WORKSPACE(active), "no"},
	{"workspace", "inject", BOOL, IN_WORKSPACE(inject), "yes"},
	{"workspace", "for", CALLERS, IN_WORKSPACE(callers)},
	{"workspace", "read", NAMES, IN_WORKSPACE(read)},
	{"workspace", "secrets", NAMES, IN_WORKSPACE(secrets)},
	{"workspace", "admin", NAMES, IN_WORKSPACE(admin)},
};
/* clang-format on */

const struct settings_table settings_table = {keys, ARRAY_SIZE(keys)};
const struct settings_table settings_workspace_table = {
	workspace_keys, ARRAY_SIZE(workspace_keys)};

static_assert(ARRAY_SIZE(keys) <= SETTINGS_KEYS_MAX, "too many settings");

bool settings_is_list(const struct settings_key *key)
{
	return key->type == WORDS || key->type == NAMES || key->type == PATHS ||
	       key->type == PATTERNS || key->type == CALLERS;
}

const struct settings_key *settings_find_key(const struct settings_table *table,
					     const char *section,
					     const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (!strcmp(table->keys[i].section, section) &&
		    !strcmp(table->keys[i].name, name))
			return &table->keys[i];
	return NULL;
}

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit duration_units[] = {
	{"ms", 1},  {"s", SECOND},  {"m", MINUTE}, {"h", HOUR},
	{"d", DAY}, {"w", 7 * DAY}, {NULL, 0},
};

static const struct unit size_units[] = {
	{"", 1}, {"K", KIB}, {"M", MIB}, {"G", 1024 * MIB}, {NULL, 0},
};

static const struct unit percent_units[] = {{"%", 1}, {"", 1}, {NULL, 0}};
static const struct unit count_units[] = {{"", 1}, {NULL, 0}};

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
	for (; units && units->name; units++)
		if (!strcmp(end, units->name))
			return !__builtin_mul_overflow(digits, units->factor,
						       number);
	return false;
}

/* A part of a whole as `10 %`. */
static bool parse_share(struct str text, int64_t *share)
{
	return str_ends(text, STR("%")) &&
	       share_read(str_trim((struct str){text.ptr, text.len - 1}),
			  share);
}

/* `10 % for 10m`, or off. */
static bool parse_stage(const struct settings_key *key, const char *text,
			struct stage_settings *stage)
{
	const char *word = strstr(text, " for ");
	_cleanup_(mem_freep) char *wait = NULL;
	struct str after;

	*stage = (struct stage_settings){.share = SHARE_WHOLE};
	if (!word)
		return !strcmp(text, "off");
	after = str_trim(str_from(word + strlen(" for ")));
	wait = mem_strndup(after.ptr, after.len);
	return parse_share(str_trim((struct str){text, (size_t)(word - text)}),
			   &stage->share) &&
	       parse_number(wait, duration_units, &stage->wait) &&
	       stage->wait >= key->min && stage->wait <= key->max;
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

static const struct unit *const units_of[] = {
	[DURATION] = duration_units, [PERCENT] = percent_units,
	[STAGE] = duration_units,    [SIZE] = size_units,
	[COUNT] = count_units,
};

static bool parse(const struct settings_key *key, const char *text,
		  int64_t *number)
{
	if (key->type == CHOICE)
		return parse_choice(text, key->choices, number);
	return parse_number(text, units_of[key->type], number) &&
	       *number >= key->min && *number <= key->max;
}

/* A list may be spread over several lines of one key. */
static void set_text(const struct settings_key *key, char **field,
		     const char *text)
{
	char *old = *field;

	if (settings_is_list(key) && old && *old)
		*field = mem_printf("%s %s", old, text);
	else
		*field = mem_strdup(text);
	mem_free(old);
}

static bool are_paths(const char *text)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct str rest = str_from(text), word;
	struct path_error error;
	struct path path;

	while (str_next_word(&rest, &word))
		if (!path_parse(&path, &arena, word, &error))
			return false;
	return true;
}

bool settings_set_key(void *base, const struct settings_key *key,
		      const char *text)
{
	void *field = (char *)base + key->field.offset;

	if (key->type == PATHS && !are_paths(text))
		return false;
	if (key->type == URL && *text && !str_after_http(str_from(text)).len)
		return false;
	if (key->type == CALLERS && !callers_accept(text))
		return false;
	if (key->field.is_text) {
		set_text(key, field, text);
		return key->type != PATTERNS ||
		       patterns_accept(*(char **)field);
	}
	if (key->type == STAGE)
		return parse_stage(key, text, field);
	if (key->type == BOOL)
		return str_to_bool(str_from(text), field);
	return parse(key, text, field);
}

static char *expected_choice(const char *const *choices)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; choices[i]; i++)
		buf_printf(&text, "%s%s", i ? " or " : "", choices[i]);
	return buf_take(&text);
}

/* @number as a setting has it, in the largest unit that leaves it whole. */
static char *number_text(int64_t number, const struct unit *units)
{
	const struct unit *best = units;

	for (; units->name && number; units++)
		if (number % units->factor == 0)
			best = units;
	return mem_printf("%lld%s", (long long)(number / best->factor),
			  number ? best->name : "");
}

static char *expected_number(const struct settings_key *key, const char *what)
{
	const struct unit *units = units_of[key->type];
	_cleanup_(mem_freep) char *min = number_text(key->min, units);
	_cleanup_(mem_freep) char *max = number_text(key->max, units);

	return mem_printf("%s%s%s to %s", what,
			  key->type == STAGE ? ", of 0.01 % to 100 % and "
					     : ", in range: ",
			  min, max);
}

char *settings_expected(const struct settings_key *key)
{
	static const char *const texts[] = {
		[TEXT] = "a text",
		[URL] = "a URL with its scheme, such as http://localhost:8008",
		[WORDS] = "a list",
		[NAMES] = "users, and groups as group:NAME",
		[PATHS] = "paths of keys, such as sdk.aws.s3.region",
		[PATTERNS] =
			"64 patterns of keys at most, as in clearconfd.conf(5)",
		[CALLERS] = "user:NAME, group:NAME, unit:NAME or cgroup:/PATH",
		[BOOL] = "yes or no",
		[DURATION] = "a whole number with ms, s, m, h, d or w",
		[PERCENT] = "0% to 100%",
		[STAGE] = "off, or a share and a time such as 10 % for 10m",
		[SIZE] = "a whole number of bytes, or with K, M or G",
		[COUNT] = "a whole number",
	};

	if (key->type == CHOICE)
		return expected_choice(key->choices);
	if (key->type != PERCENT && units_of[key->type])
		return expected_number(key, texts[key->type]);
	return mem_strdup(texts[key->type]);
}

void settings_set_defaults(void *base, const struct settings_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->keys[i].standard)
			settings_set_key(base, &table->keys[i],
					 table->keys[i].standard);
}

struct settings *settings_new(void)
{
	struct settings *settings = mem_alloc(sizeof(*settings));

	settings_set_defaults(settings, &settings_table);
	return settings;
}

static void free_texts(void *base, const struct settings_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		field_free(&table->keys[i].field, base);
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	free_texts(settings, &settings_table);
	for (size_t i = 0; i < settings->workspace_count; i++) {
		free_texts(&settings->workspaces[i], &settings_workspace_table);
		mem_free(settings->workspaces[i].name);
	}
	mem_free(settings->workspaces);
	diag_list_deinit(&settings->warnings);
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
	const struct settings_key *found =
		settings_find_key(&settings_table, section, key);

	return found && settings_set_key(settings, found, value);
}

char *settings_refusal(const char *section, const char *key, const char *value)
{
	_cleanup_(settings_freep) struct settings *scratch = settings_new();
	_cleanup_(mem_freep) char *expected = NULL;

	if (settings_set(scratch, section, key, value))
		return NULL;
	expected = settings_expected(
		settings_find_key(&settings_table, section, key));
	return mem_printf("expected %s", expected);
}

bool settings_need_restart(const struct settings *old,
			   const struct settings *new)
{
	for (size_t i = 0; i < settings_table.count; i++)
		if (keys[i].at_start && !field_equal(&keys[i].field, old, new))
			return true;
	return false;
}
