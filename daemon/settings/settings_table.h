#ifndef DAEMON_SETTINGS_TABLE_H
#define DAEMON_SETTINGS_TABLE_H

/*
 * The table behind settings.h, for the two files that know it: settings.c
 * (keys, types, defaults) and settings_file.c (lines of clearconfd.conf).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fields.h"

enum settings_type {
	TEXT,
	URL, /* http or https */
	WORDS,
	NAMES,    /* words, each a grant of config/access.h */
	PATHS,    /* words, each a path of keys */
	PATTERNS, /* words, each a pattern of keys */
	CALLERS,  /* words; see config/callers.h */
	CHOICE,
	BOOL,
	DURATION,
	PERCENT,
	STAGE, /* struct stage_settings */
	SIZE,
	COUNT
};

/* In the order in which rows are written. */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct settings_key {
	const char *section, *name;
	enum settings_type type;
	struct field field;
	const char *standard; /* default; NULL: none */
	int64_t min, max;     /* of numbers */
	const char *const *choices;
	bool at_start; /* it is read then, and at no reload */
};

#define SETTINGS_KEYS_MAX 48

/* The keys of all sections, and those of a [workspace NAME]. */
struct settings_table {
	const struct settings_key *keys;
	size_t count;
};

extern const struct settings_table settings_table, settings_workspace_table;

/* The key @name of @section; NULL: there is none. */
const struct settings_key *settings_find_key(const struct settings_table *table,
					     const char *section,
					     const char *name);

/* Is its value a list of words, which may be spread over several lines? */
bool settings_is_list(const struct settings_key *key);

/* Set the key's field of the struct at @base. False when it does not take
 * @text. */
bool settings_set_key(void *base, const struct settings_key *key,
		      const char *text);
void settings_set_defaults(void *base, const struct settings_table *table);

/* For a message: what the key takes. The caller frees it. */
char *settings_expected(const struct settings_key *key);

#endif
