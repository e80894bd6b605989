#include "base/arena.h"
#include "config/storage_entry.h"
#include "value/value.h"

static const struct storage_field fields[] = {
	{"account_name", FIELD_REQUIRED, FIELD_AS_IS},
	{"account_key", FIELD_REQUIRED, FIELD_AS_IS},
	{"container_name", FIELD_NULL, FIELD_AS_IS},
	{0},
};

/* What a URI names. */
struct target {
	struct str account, container;
};

/* An entry without container, behind the configured ones. */
static void add_environment(struct storage_lookup *lookup)
{
	struct str account = storage_variable(lookup, STORAGE_AZURE_ACCOUNT);
	struct str key = storage_variable(lookup, STORAGE_AZURE_KEY);
	struct storage *storage = lookup->storage;
	struct storage_candidate *candidate;

	if (!account.len || !key.len)
		return;
	candidate = &storage->candidates[storage->count++];
	candidate->index = -1;
	candidate->settings = storage_new_settings(lookup, fields);
	storage_set(lookup, candidate->settings, "account_name",
		    storage_of_variable(lookup, account));
	storage_set(lookup, candidate->settings, "account_key",
		    storage_of_variable(lookup, key));
}

/* The account is the host up to its first dot, the container the first
 * segment of the path. */
static int read_target(struct storage_lookup *lookup, struct target *target)
{
	struct storage_authority authority;
	struct storage_uri uri;
	const char *wrong, *dot;
	size_t at = 1; /* behind the first '/' */

	storage_uri_split(&uri, lookup->arena, lookup->question->uri);
	wrong = storage_authority_read(&authority, lookup->arena,
				       uri.authority);
	if (wrong)
		return storage_bad_uri(lookup, "%s", wrong);
	if (!uri.path.len)
		return storage_bad_uri(lookup,
				       "the container is missing: "
				       "azure://ACCOUNT.blob.core.windows.net/"
				       "CONTAINER/PATH");
	target->account = authority.host;
	dot = authority.host.len
		      ? memchr(authority.host.ptr, '.', authority.host.len)
		      : NULL;
	if (dot)
		target->account.len = (size_t)(dot - authority.host.ptr);
	target->container = storage_path_next(lookup->arena, uri.path, &at);
	return 0;
}

static bool is_text(const struct value *value, struct str text)
{
	return value_is(value, VALUE_STRING) &&
	       str_equal(value_text(value), text);
}

static const char *why_not_account(const struct value *account,
				   const struct target *target)
{
	if (value_is(account, VALUE_STRING) &&
	    str_equal_nocase(value_text(account), target->account))
		return "never matches: ClearML compares account_name with the "
		       "URI's account in small letters";
	return "is not for the account of the URI";
}

/* NULL: the entry matches. */
static const char *why_not(const struct storage_candidate *candidate,
			   const struct target *target)
{
	const struct value *account =
		value_get(candidate->settings, STR("account_name"));
	const struct value *container =
		value_get(candidate->settings, STR("container_name"));

	if (!is_text(account, target->account))
		return why_not_account(account, target);
	if (value_is_true(container) && !is_text(container, target->container))
		return "is not for the container of the URI";
	return NULL;
}

static const char *why_second(struct storage_lookup *lookup)
{
	return storage_text(lookup,
			    "matches too, but entry %ld comes first: order "
			    "decides, not which fits better",
			    lookup->storage->winner->index);
}

static void choose(struct storage_lookup *lookup, const struct target *target)
{
	struct storage *storage = lookup->storage;

	for (size_t i = 0; i < storage->count; i++) {
		struct storage_candidate *candidate = &storage->candidates[i];

		candidate->reason = why_not(candidate, target);
		if (candidate->reason)
			continue;
		if (storage->winner)
			candidate->reason = why_second(lookup);
		else
			storage->winner = candidate;
	}
}

static void take_settings(struct storage_lookup *lookup,
			  const struct target *target)
{
	struct value *settings = lookup->storage->winner->settings;

	if (!value_is_true(value_get(settings, STR("container_name"))))
		storage_set(lookup, settings, "container_name",
			    storage_of_uri(lookup, target->container));
	lookup->storage->settings = settings;
}

int storage_azure_lookup(struct storage_lookup *lookup)
{
	struct target target = {0};
	int r = storage_read_entries(lookup, fields, 1);

	if (!r)
		r = read_target(lookup, &target);
	if (r)
		return r;
	add_environment(lookup);
	choose(lookup, &target);
	if (!lookup->storage->winner)
		return STORAGE_E_NO_MATCH;
	take_settings(lookup, &target);
	return 0;
}
