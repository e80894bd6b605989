#ifndef CONFIG_STORAGE_ENTRY_H
#define CONFIG_STORAGE_ENTRY_H

/*
 * What the providers of storage.c have in common: entries read by a table of
 * their fields, values as Python sees them, the choice by prefix. Private to
 * storage*.c.
 */

#include <stdbool.h>

#include "config/storage.h"
#include "config/storage_uri.h"

struct storage_lookup {
	struct arena *arena;
	const struct storage_question *question;
	const struct value *section; /* an object; NULL: empty or absent */
	const char *path, *list; /* of the section, and its list of entries */
	struct storage *storage;
};

int storage_s3_lookup(struct storage_lookup *lookup);
int storage_google_lookup(struct storage_lookup *lookup);
int storage_azure_lookup(struct storage_lookup *lookup);

/* --- failures --------------------------------------------------------------
 */

/* Always STORAGE_E_BROKEN; @wrong: the value to blame. */
int storage_broken(struct storage_lookup *lookup, const struct value *wrong,
		   const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Like storage_broken, about a value of an entry. */
int storage_broken_entry(struct storage_lookup *lookup,
			 const struct storage_candidate *candidate,
			 const struct value *wrong, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Always STORAGE_E_URI. */
int storage_bad_uri(struct storage_lookup *lookup, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A text for people in the lookup's arena. */
const char *storage_text(struct storage_lookup *lookup, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --- values ----------------------------------------------------------------
 */

struct value *storage_string(struct storage_lookup *lookup, struct str text);

/* The same of a part of the URI, or of a variable: who says it knows it, so it
 * is hidden by its key only (the daemon's own variables as anything else). */
struct value *storage_of_uri(struct storage_lookup *lookup, struct str text);
struct value *storage_of_variable(struct storage_lookup *lookup,
				  struct str text);

struct value *storage_bool(struct storage_lookup *lookup, bool boolean);
struct value *storage_null(struct storage_lookup *lookup);
struct value *storage_object(struct storage_lookup *lookup);

void storage_set(struct storage_lookup *lookup, struct value *object,
		 const char *key, struct value *value);

/* The variable @name; {NULL, 0} when it is not set. */
struct str storage_variable(const struct storage_lookup *lookup,
			    const char *name);

/* --- entries ---------------------------------------------------------------
 */

/* What a field is when the entry has none. */
enum storage_default {
	FIELD_REQUIRED,
	FIELD_NULL,
	FIELD_EMPTY, /* "" */
	FIELD_TRUE,
	FIELD_FALSE
};

/* What is made of the value of a field. */
enum storage_form {
	FIELD_AS_IS,
	FIELD_TEXT,    /* null is "" */
	FIELD_STRIPPED /* a string without quotes around and '/' behind it */
};

struct storage_field {
	const char *name; /* NULL ends the table */
	enum storage_default otherwise;
	enum storage_form form;
};

/* The entries of the section's list become candidates; there is room for @more
 * others behind them. 0 or STORAGE_E_BROKEN. */
int storage_read_entries(struct storage_lookup *lookup,
			 const struct storage_field *fields, size_t more);

/* The settings of an entry that states nothing; null for what it must state. */
struct value *storage_new_settings(struct storage_lookup *lookup,
				   const struct storage_field *fields);

/* A string as ClearML strips bucket and subdir. */
struct str storage_strip(struct str text);

/* The candidate with the greatest prefix that @uri begins with wins, of equal
 * ones the first; the others are told why not. Those that have lost already
 * take no part. */
void storage_choose_by_prefix(struct storage_lookup *lookup, struct str uri);

#endif
