#include "config/storage_entry.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/env.h"
#include "value/value.h"

static const char *format_text(struct arena *arena, const char *format,
			       va_list ap)
	__attribute__((format(printf, 2, 0)));

static const char *format_text(struct arena *arena, const char *format,
			       va_list ap)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	text = arena_alloc(arena, (size_t)len + 1);
	(void)vsnprintf(text, (size_t)len + 1, format, ap);
	return text;
}

const char *storage_text(struct storage_lookup *lookup, const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = format_text(lookup->arena, format, ap);
	va_end(ap);
	return text;
}

int storage_broken(struct storage_lookup *lookup, const struct value *wrong,
		   const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	lookup->storage->problem = format_text(lookup->arena, format, ap);
	lookup->storage->wrong = wrong;
	va_end(ap);
	return STORAGE_E_BROKEN;
}

int storage_broken_entry(struct storage_lookup *lookup,
			 const struct storage_candidate *candidate,
			 const struct value *wrong, const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = format_text(lookup->arena, format, ap);
	va_end(ap);
	return storage_broken(lookup, wrong, "entry %ld of %s.%s %s",
			      candidate->index, lookup->path, lookup->list,
			      text);
}

int storage_bad_uri(struct storage_lookup *lookup, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	lookup->storage->problem = format_text(lookup->arena, format, ap);
	va_end(ap);
	return STORAGE_E_URI;
}

/* --- values ----------------------------------------------------------------
 */

struct value *storage_string(struct storage_lookup *lookup, struct str text)
{
	return value_new_string(lookup->arena, arena_str(lookup->arena, text));
}

struct value *storage_of_uri(struct storage_lookup *lookup, struct str text)
{
	struct value *value = storage_string(lookup, text);

	value->flags |= VALUE_FOREIGN;
	return value;
}

struct value *storage_of_variable(struct storage_lookup *lookup,
				  struct str text)
{
	return lookup->question->env_is_callers ? storage_of_uri(lookup, text)
						: storage_string(lookup, text);
}

struct value *storage_bool(struct storage_lookup *lookup, bool boolean)
{
	struct value *value = value_new(lookup->arena, VALUE_BOOL);

	value->boolean = boolean;
	return value;
}

struct value *storage_null(struct storage_lookup *lookup)
{
	return value_new(lookup->arena, VALUE_NULL);
}

struct value *storage_object(struct storage_lookup *lookup)
{
	return value_new(lookup->arena, VALUE_OBJECT);
}

void storage_set(struct storage_lookup *lookup, struct value *object,
		 const char *key, struct value *value)
{
	*value_object_slot(object, lookup->arena, str_from(key)) = value;
}

struct str storage_variable(const struct storage_lookup *lookup,
			    const char *name)
{
	struct str text = {NULL, 0};

	(void)env_get(lookup->question->env, str_from(name), &text);
	return text;
}

struct str storage_strip(struct str text)
{
	while (text.len && (text.ptr[0] == '"' || text.ptr[0] == '\''))
		text = str_from_offset(text, 1);
	while (text.len && (text.ptr[text.len - 1] == '"' ||
			    text.ptr[text.len - 1] == '\''))
		text.len--;
	while (text.len && text.ptr[text.len - 1] == '/')
		text.len--;
	return text;
}

/* --- entries ---------------------------------------------------------------
 */

static struct value *default_of(struct storage_lookup *lookup,
				const struct storage_field *field)
{
	switch (field->otherwise) {
	case FIELD_EMPTY: return storage_string(lookup, STR(""));
	case FIELD_TRUE: return storage_bool(lookup, true);
	case FIELD_FALSE: return storage_bool(lookup, false);
	case FIELD_NULL:
	case FIELD_REQUIRED: break;
	}
	return storage_null(lookup);
}

struct value *storage_new_settings(struct storage_lookup *lookup,
				   const struct storage_field *fields)
{
	struct value *settings = storage_object(lookup);

	for (; fields->name; fields++)
		storage_set(lookup, settings, fields->name,
			    default_of(lookup, fields));
	return settings;
}

static struct value *in_form(struct storage_lookup *lookup,
			     const struct storage_field *field,
			     struct value *value)
{
	if (field->form == FIELD_AS_IS)
		return value;
	if (value_is(value, VALUE_NULL))
		return storage_string(lookup, STR(""));
	if (field->form == FIELD_STRIPPED)
		return storage_string(lookup, storage_strip(value_text(value)));
	return value;
}

/* "bucket, subdir, project" */
static const char *names_of(struct storage_lookup *lookup,
			    const struct storage_field *fields)
{
	const char *names = fields->name;

	while ((++fields)->name)
		names = storage_text(lookup, "%s, %s", names, fields->name);
	return names;
}

static bool is_field(const struct storage_field *fields, struct str name)
{
	while (fields->name && !str_is(name, fields->name))
		fields++;
	return fields->name;
}

static int check_names(struct storage_lookup *lookup,
		       const struct storage_candidate *candidate,
		       const struct storage_field *fields)
{
	struct member *member;

	for (value_each (candidate->entry, member))
		if (!is_field(fields, member_key(member)))
			return storage_broken_entry(
				lookup, candidate, member->value,
				"has a field '%.*s', at which ClearML fails; "
				"it knows %s",
				STR_PRINT(member_key(member)),
				names_of(lookup, fields));
	return 0;
}

static int read_field(struct storage_lookup *lookup,
		      const struct storage_candidate *candidate,
		      const struct storage_field *field)
{
	struct value *value =
		value_get(candidate->entry, str_from(field->name));

	if (!value && field->otherwise == FIELD_REQUIRED)
		return storage_broken_entry(lookup, candidate, candidate->entry,
					    "lacks the field '%s'",
					    field->name);
	if (!value)
		return 0;
	if (field->form == FIELD_STRIPPED && value->type != VALUE_STRING &&
	    value->type != VALUE_NULL)
		return storage_broken_entry(lookup, candidate, value,
					    "has a '%s' that is no string; put "
					    "it in quotes",
					    field->name);
	storage_set(lookup, candidate->settings, field->name,
		    in_form(lookup, field, value));
	return 0;
}

static int read_entry(struct storage_lookup *lookup,
		      struct storage_candidate *candidate,
		      const struct storage_field *fields)
{
	int r;

	if (!value_is(candidate->entry, VALUE_OBJECT))
		return storage_broken_entry(lookup, candidate, candidate->entry,
					    "is no object");
	candidate->settings = storage_new_settings(lookup, fields);
	r = check_names(lookup, candidate, fields);
	for (; !r && fields->name; fields++)
		r = read_field(lookup, candidate, fields);
	return r;
}

int storage_read_entries(struct storage_lookup *lookup,
			 const struct storage_field *fields, size_t more)
{
	const struct value *list =
		value_get(lookup->section, str_from(lookup->list));
	size_t count = value_is(list, VALUE_LIST) ? list->list.count : 0;
	struct storage *storage = lookup->storage;
	struct storage_candidate *candidate;
	int r = 0;

	if (list && list->type != VALUE_LIST)
		return storage_broken(lookup, list,
				      "%s.%s must be a list of objects",
				      lookup->path, lookup->list);
	storage->candidates =
		arena_alloc(lookup->arena, (count + more) * sizeof(*candidate));
	for (size_t i = 0; !r && i < count; i++) {
		candidate = &storage->candidates[storage->count++];
		candidate->index = (long)i;
		candidate->entry = list->list.items[i];
		r = read_entry(lookup, candidate, fields);
	}
	return r;
}

/* --- the choice by prefix --------------------------------------------------
 */

static bool is_lower(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z')
			return false;
	return true;
}

static const char *why_no_match(struct storage_lookup *lookup,
				const struct storage_candidate *candidate)
{
	if (!is_lower(candidate->prefix))
		return storage_text(lookup,
				    "never matches: ClearML compares %.*s with "
				    "the URI in small letters",
				    STR_PRINT(candidate->prefix));
	return storage_text(lookup, "the URI does not begin with %.*s",
			    STR_PRINT(candidate->prefix));
}

static const char *why_beaten(struct storage_lookup *lookup,
			      const struct storage_candidate *candidate)
{
	const struct storage_candidate *winner = lookup->storage->winner;

	if (str_equal(candidate->prefix, winner->prefix))
		return storage_text(lookup,
				    "entry %ld has the same prefix %.*s and "
				    "comes first",
				    winner->index, STR_PRINT(winner->prefix));
	return storage_text(lookup,
			    "matches by %.*s, but entry %ld by the longer %.*s",
			    STR_PRINT(candidate->prefix), winner->index,
			    STR_PRINT(winner->prefix));
}

/* Of two prefixes of one URI the greater in the order of code points is the
 * longer. */
static bool is_better(const struct storage_candidate *candidate,
		      const struct storage_candidate *winner)
{
	return !winner || str_compare(candidate->prefix, winner->prefix) > 0;
}

void storage_choose_by_prefix(struct storage_lookup *lookup, struct str uri)
{
	struct storage *storage = lookup->storage;
	struct storage_candidate *candidate = storage->candidates;
	struct storage_candidate *end = candidate + storage->count;

	for (; candidate < end; candidate++) {
		if (candidate->reason)
			continue;
		if (!str_starts(uri, candidate->prefix))
			candidate->reason = why_no_match(lookup, candidate);
		else if (is_better(candidate, storage->winner))
			storage->winner = candidate;
	}
	for (candidate = storage->candidates; candidate < end; candidate++)
		if (!candidate->reason && candidate != storage->winner)
			candidate->reason = why_beaten(lookup, candidate);
	if (storage->winner)
		storage->settings = storage->winner->settings;
}
