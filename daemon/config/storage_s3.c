#include "base/arena.h"
#include "base/mem.h"
#include "config/storage_entry.h"
#include "value/value.h"

static const struct storage_field fields[] = {
	{"bucket", FIELD_EMPTY, FIELD_STRIPPED},
	{"subdir", FIELD_EMPTY, FIELD_STRIPPED},
	{"host", FIELD_EMPTY, FIELD_TEXT},
	{"key", FIELD_EMPTY, FIELD_TEXT},
	{"secret", FIELD_EMPTY, FIELD_TEXT},
	{"token", FIELD_EMPTY, FIELD_TEXT},
	{"multipart", FIELD_TRUE, FIELD_AS_IS},
	{"acl", FIELD_EMPTY, FIELD_TEXT},
	{"secure", FIELD_TRUE, FIELD_AS_IS},
	{"region", FIELD_EMPTY, FIELD_TEXT},
	{"verify", FIELD_NULL, FIELD_AS_IS},
	{"use_credentials_chain", FIELD_FALSE, FIELD_AS_IS},
	{"extra_args", FIELD_NULL, FIELD_AS_IS},
	{"profile", FIELD_EMPTY, FIELD_AS_IS},
	{0},
};

/* Each by itself: a key of the configuration may meet a token of the
 * environment. */
static const struct {
	const char *key, *variable;
} defaults[] = {
	{"key", "AWS_ACCESS_KEY_ID"},   {"secret", "AWS_SECRET_ACCESS_KEY"},
	{"token", "AWS_SESSION_TOKEN"}, {"region", "AWS_DEFAULT_REGION"},
	{"profile", "AWS_PROFILE"},
};

static struct value *field_of(const struct value *settings, const char *name)
{
	return value_get(settings, str_from(name));
}

/* --- prefixes --------------------------------------------------------------
 */

static int read_authority(struct storage_lookup *lookup,
			  const struct storage_candidate *candidate,
			  const char *name, struct str text,
			  struct storage_authority *authority)
{
	const char *wrong =
		storage_authority_read(authority, lookup->arena, text);

	if (!wrong)
		return 0;
	return storage_broken_entry(lookup, candidate,
				    field_of(candidate->entry, name),
				    "makes ClearML fail for every URI: its "
				    "'%s' cannot be the host of a URI (%s)",
				    name, wrong);
}

/* s3://HOST, and /BUCKET if there is one. */
static int prefix_by_host(struct storage_lookup *lookup,
			  const struct storage_candidate *candidate,
			  struct str bucket, struct buf *out)
{
	const struct value *host = field_of(candidate->settings, "host");
	struct storage_authority authority;
	int r;

	if (host->type != VALUE_STRING)
		return storage_broken_entry(lookup, candidate, host,
					    "has a 'host' that is no string; "
					    "put it in quotes");
	r = read_authority(lookup, candidate, "host", value_text(host),
			   &authority);
	if (r)
		return r;
	buf_add_str(out, authority.text);
	if (bucket.len && bucket.ptr[0] != '/')
		buf_putc(out, '/');
	if (bucket.len)
		storage_path_add(out, lookup->arena, bucket);
	return 0;
}

/* s3://BUCKET, which may go on as a path. */
static int prefix_by_bucket(struct storage_lookup *lookup,
			    const struct storage_candidate *candidate,
			    struct str bucket, struct buf *out)
{
	struct storage_authority authority;
	size_t at = bucket.ptr[0] == '/' ? 1 : 0;
	bool absolute = at > 0;
	struct str first = storage_path_next(lookup->arena, bucket, &at);
	int r = read_authority(lookup, candidate, "bucket", first, &authority);

	if (r)
		return r;
	buf_add_str(out, authority.text);
	if (absolute || at <= bucket.len)
		buf_putc(out, '/');
	if (at <= bucket.len)
		storage_path_add(out, lookup->arena,
				 str_from_offset(bucket, at));
	return 0;
}

static int make_prefix(struct storage_lookup *lookup,
		       struct storage_candidate *candidate)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	struct str bucket = storage_uri_lower(
		lookup->arena,
		value_text(field_of(candidate->settings, "bucket")));
	int r;

	buf_puts(&out, "s3://");
	if (value_is_true(field_of(candidate->settings, "host")))
		r = prefix_by_host(lookup, candidate, bucket, &out);
	else if (bucket.len)
		r = prefix_by_bucket(lookup, candidate, bucket, &out);
	else
		r = storage_broken_entry(lookup, candidate, candidate->entry,
					 "makes ClearML fail for every URI: it "
					 "has neither 'host' nor 'bucket'");
	candidate->prefix = arena_str(lookup->arena, buf_str(&out));
	return r;
}

static bool is_usable(const struct value *settings)
{
	return (value_is_true(field_of(settings, "key")) &&
		value_is_true(field_of(settings, "secret"))) ||
	       value_is_true(field_of(settings, "use_credentials_chain"));
}

static int make_prefixes(struct storage_lookup *lookup)
{
	struct storage *storage = lookup->storage;
	int r = 0;

	for (size_t i = 0; !r && i < storage->count; i++) {
		if (is_usable(storage->candidates[i].settings))
			r = make_prefix(lookup, &storage->candidates[i]);
		else
			storage->candidates[i].reason =
				"ClearML drops it: it has neither key and "
				"secret nor use_credentials_chain";
	}
	return r;
}

/* --- what no entry matches -------------------------------------------------
 */

/* The defaults, as an entry. */
static int make_defaults(struct storage_lookup *lookup, struct value **settings)
{
	*settings = storage_new_settings(lookup, fields);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		const char *key = defaults[i].key;
		struct value *value = field_of(lookup->section, key);
		struct str text =
			storage_variable(lookup, defaults[i].variable);

		if (value_is_true(value) && value->type != VALUE_STRING)
			return storage_broken(lookup, value,
					      "%s.%s must be a string; put it "
					      "in quotes",
					      lookup->path, key);
		storage_set(
			lookup, *settings, key,
			value_is_true(value)
				? storage_string(lookup,
						 str_trim(value_text(value)))
				: storage_of_variable(lookup, str_trim(text)));
	}
	return 0;
}

/* These are taken as they are. `verify` is not among them: ClearML reads it at
 * the top and loses it. */
static void add_switches(struct storage_lookup *lookup, struct value *settings)
{
	static const char *const names[] = {"use_credentials_chain", "secure",
					    "extra_args"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct value *value = field_of(lookup->section, names[i]);

		if (value && (i > 0 || value_is_true(value)))
			storage_set(lookup, settings, names[i], value);
	}
}

static struct str first_segment(struct storage_lookup *lookup, struct str path)
{
	size_t at = path.len ? 1 : 0; /* behind the first '/' */

	return storage_path_next(lookup->arena, path, &at);
}

static int fall_back(struct storage_lookup *lookup, struct value *settings)
{
	struct storage_authority authority;
	struct storage_uri uri;
	struct str bucket, host = STR("");
	const char *wrong;

	storage_uri_split(&uri, lookup->arena, lookup->question->uri);
	wrong = storage_authority_read(&authority, lookup->arena,
				       uri.authority);
	if (wrong)
		return storage_bad_uri(lookup, "%s", wrong);
	bucket = authority.text;
	if (authority.has_port) {
		host = authority.text;
		bucket = first_segment(lookup, uri.path);
	}
	storage_set(lookup, settings, "bucket",
		    storage_of_uri(lookup, storage_strip(bucket)));
	storage_set(lookup, settings, "host", storage_of_uri(lookup, host));
	add_switches(lookup, settings);
	lookup->storage->settings = settings;
	return 0;
}

int storage_s3_lookup(struct storage_lookup *lookup)
{
	struct str uri =
		storage_uri_lower(lookup->arena, lookup->question->uri);
	struct value *settings;
	int r = storage_read_entries(lookup, fields, 0);

	if (!r)
		r = make_defaults(lookup, &settings);
	if (!r)
		r = make_prefixes(lookup);
	if (r)
		return r;
	storage_choose_by_prefix(lookup, uri);
	return lookup->storage->winner ? 0 : fall_back(lookup, settings);
}
