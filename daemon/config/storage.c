#include "config/storage.h"

#include "base/arena.h"
#include "config/storage_entry.h"
#include "value/value.h"

#define AZURE_HOST STR(".blob.core.windows.net")
#define KEYS_MAX   4

static const struct provider {
	const char *name;           /* and scheme, unless `scheme` is set */
	const char *keys[KEYS_MAX]; /* of the section */
	const char *path, *list;
	int (*lookup)(struct storage_lookup *lookup);
} providers[] = {
	[STORAGE_S3] = {"s3",
			{"sdk", "aws", "s3"},
			"sdk.aws.s3",
			"credentials",
			storage_s3_lookup},
	[STORAGE_GS] = {"gs",
			{"sdk", "google", "storage"},
			"sdk.google.storage",
			"credentials",
			storage_google_lookup},
	[STORAGE_AZURE] = {"azure",
			   {"sdk", "azure", "storage"},
			   "sdk.azure.storage",
			   "containers",
			   storage_azure_lookup},
};

#define PROVIDERS (sizeof(providers) / sizeof(providers[0]))

const char *storage_provider_name(enum storage_provider provider)
{
	return providers[provider].name;
}

/* https://ACCOUNT.blob.core.windows.net */
static bool is_azure(const struct storage_uri *uri, struct arena *arena)
{
	struct storage_authority authority;

	return str_is(uri->scheme, "https") &&
	       !storage_authority_read(&authority, arena, uri->authority) &&
	       authority.host.len > AZURE_HOST.len &&
	       str_ends(authority.host, AZURE_HOST);
}

/* BUCKET/PATH, s3:BUCKET/PATH: ClearML's S3 code takes the defaults for it, and
 * no entry. A path from the root is a file to everybody. */
static bool is_bare_s3(struct str text)
{
	const size_t s3 = STR("s3:").len;
	size_t len = 0;

	if (text.len > s3 &&
	    str_equal_nocase((struct str){text.ptr, s3}, STR("s3:")))
		return true;
	while (len < text.len && text.ptr[len] != ':' && text.ptr[len] != '/')
		len++;
	return len && len < text.len && text.ptr[len] == '/' &&
	       text.ptr[0] != '.' && text.ptr[0] != '~';
}

bool storage_provider_of(struct str text, enum storage_provider *provider)
{
	struct arena arena = ARENA_INIT;
	struct storage_uri uri;
	bool found;

	storage_uri_split(&uri, &arena, text);
	*provider = STORAGE_AZURE;
	found = is_azure(&uri, &arena);
	for (size_t i = 0; !found && i < PROVIDERS; i++) {
		found = str_is(uri.scheme, providers[i].name);
		*provider = (enum storage_provider)i;
	}
	if (!found && is_bare_s3(text)) {
		*provider = STORAGE_S3;
		found = true;
	}
	arena_free(&arena);
	return found;
}

/* The section at @lookup->path; NULL when it is absent, null or empty. */
static int find_section(struct storage_lookup *lookup,
			const struct provider *provider)
{
	const struct value *value = lookup->question->root;

	for (size_t i = 0; i < KEYS_MAX && provider->keys[i]; i++)
		value = value_get(value, str_from(provider->keys[i]));
	lookup->section = value;
	if (!value || value->type == VALUE_NULL ||
	    (value->type == VALUE_OBJECT && !value->object.count))
		lookup->section = NULL;
	else if (value->type != VALUE_OBJECT)
		return storage_broken(lookup, value, "%s must be an object",
				      lookup->path);
	return 0;
}

int storage_resolve(struct storage *storage, struct arena *arena,
		    const struct storage_question *question)
{
	const struct provider *provider = &providers[question->provider];
	struct storage_lookup lookup = {
		.arena = arena,
		.question = question,
		.path = provider->path,
		.list = provider->list,
		.storage = storage,
	};
	int r;

	*storage = (struct storage){0};
	r = find_section(&lookup, provider);
	return r ? r : provider->lookup(&lookup);
}
