#include "base/arena.h"
#include "base/mem.h"
#include "config/storage_entry.h"
#include "value/value.h"

static const struct storage_field fields[] = {
	{"bucket", FIELD_REQUIRED, FIELD_AS_IS},
	{"subdir", FIELD_EMPTY, FIELD_STRIPPED},
	{"project", FIELD_NULL, FIELD_AS_IS},
	{"credentials_json", FIELD_NULL, FIELD_AS_IS},
	{"pool_connections", FIELD_NULL, FIELD_AS_IS},
	{"pool_maxsize", FIELD_NULL, FIELD_AS_IS},
	{0},
};

static struct value *field_of(const struct value *settings, const char *name)
{
	return value_get(settings, str_from(name));
}

static int read_bucket(struct storage_lookup *lookup,
		       const struct storage_candidate *candidate,
		       struct storage_authority *authority)
{
	const struct value *bucket = field_of(candidate->settings, "bucket");
	const char *wrong;

	if (bucket->type != VALUE_STRING)
		return storage_broken_entry(lookup, candidate, bucket,
					    "has a 'bucket' that is no string");
	wrong = storage_authority_read(authority, lookup->arena,
				       value_text(bucket));
	if (!wrong)
		return 0;
	return storage_broken_entry(lookup, candidate, bucket,
				    "makes ClearML fail for every URI: its "
				    "'bucket' cannot be the host of a URI (%s)",
				    wrong);
}

/* gs://BUCKET/SUBDIR. The URI is compared in small letters, the subdir is not
 * made such: one with a capital letter never matches. */
static int make_prefix(struct storage_lookup *lookup,
		       struct storage_candidate *candidate)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	struct str subdir = value_text(field_of(candidate->settings, "subdir"));
	struct storage_authority authority = {0};
	int r = read_bucket(lookup, candidate, &authority);

	if (r)
		return r;
	buf_puts(&out, "gs://");
	buf_add_str(&out, authority.text);
	if (subdir.len && subdir.ptr[0] != '/')
		buf_putc(&out, '/');
	storage_path_add(&out, lookup->arena, subdir);
	candidate->prefix = arena_str(lookup->arena, buf_str(&out));
	return 0;
}

static int make_prefixes(struct storage_lookup *lookup)
{
	struct storage *storage = lookup->storage;
	int r = 0;

	for (size_t i = 0; !r && i < storage->count; i++)
		r = make_prefix(lookup, &storage->candidates[i]);
	return r;
}

/* --- what no entry matches -------------------------------------------------
 */

static struct value *default_credentials(struct storage_lookup *lookup)
{
	struct value *value = field_of(lookup->section, "credentials_json");
	struct str variable =
		storage_variable(lookup, "GOOGLE_APPLICATION_CREDENTIALS");

	if (value_is_true(value))
		return value;
	if (variable.len)
		return storage_of_variable(lookup, variable);
	return storage_object(lookup);
}

/* Null only when the whole section is empty. */
static struct value *default_project(struct storage_lookup *lookup)
{
	struct value *value = field_of(lookup->section, "project");

	if (!lookup->section)
		return storage_null(lookup);
	if (!value)
		return storage_string(lookup, STR("default"));
	return value_is_true(value) ? value : storage_object(lookup);
}

static void add_pools(struct storage_lookup *lookup, struct value *settings)
{
	static const char *const names[] = {"pool_connections", "pool_maxsize"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct value *value = field_of(lookup->section, names[i]);

		if (value)
			storage_set(lookup, settings, names[i], value);
	}
}

static int fall_back(struct storage_lookup *lookup)
{
	_cleanup_(buf_deinit) struct buf subdir = BUF_INIT;
	struct value *settings = storage_new_settings(lookup, fields);
	struct storage_authority authority = {0};
	struct storage_uri uri = {0};
	const char *wrong;

	storage_uri_split(&uri, lookup->arena, lookup->question->uri);
	wrong = storage_authority_read(&authority, lookup->arena,
				       uri.authority);
	if (wrong)
		return storage_bad_uri(lookup, "%s", wrong);
	storage_path_add(&subdir, lookup->arena, uri.path);
	storage_set(lookup, settings, "bucket",
		    storage_of_uri(lookup, authority.text));
	storage_set(lookup, settings, "subdir",
		    storage_of_uri(lookup, storage_strip(buf_str(&subdir))));
	storage_set(lookup, settings, "project", default_project(lookup));
	storage_set(lookup, settings, "credentials_json",
		    default_credentials(lookup));
	add_pools(lookup, settings);
	lookup->storage->settings = settings;
	return 0;
}

int storage_google_lookup(struct storage_lookup *lookup)
{
	struct str uri =
		storage_uri_lower(lookup->arena, lookup->question->uri);
	int r = storage_read_entries(lookup, fields, 0);

	if (!r)
		r = make_prefixes(lookup);
	if (r)
		return r;
	storage_choose_by_prefix(lookup, uri);
	return lookup->storage->winner ? 0 : fall_back(lookup);
}
