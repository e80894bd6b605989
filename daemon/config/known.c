#include "config/known.h"

#include <assert.h>

#include "base/mem.h"

#define FIRST_BUCKETS 64

struct known_secret {
	struct known_secret *next; /* of the bucket, longest first */
	struct str text;
};

static size_t bucket_of(const struct known *known, struct str text)
{
	struct str prefix = {text.ptr, KNOWN_PREFIX};

	return str_hash(prefix) & (known->bucket_count - 1);
}

/* Where @text is, or belongs. */
static struct known_secret **place_of(const struct known *known,
				      struct str text)
{
	struct known_secret **at = &known->buckets[bucket_of(known, text)];

	while (*at && ((*at)->text.len > text.len ||
		       ((*at)->text.len == text.len &&
			str_compare((*at)->text, text) < 0)))
		at = &(*at)->next;
	return at;
}

static void insert(struct known *known, struct known_secret *secret)
{
	struct known_secret **at = place_of(known, secret->text);

	secret->next = *at;
	*at = secret;
}

static void grow(struct known *known)
{
	struct known old = *known;
	struct known_secret *secret, *next;

	known->bucket_count =
		old.bucket_count ? old.bucket_count * 2 : FIRST_BUCKETS;
	known->buckets =
		mem_alloc(known->bucket_count * sizeof(struct known_secret *));
	for (size_t i = 0; i < old.bucket_count; i++) {
		for (secret = old.buckets[i]; secret; secret = next) {
			next = secret->next;
			insert(known, secret);
		}
	}
	mem_free(old.buckets);
}

bool known_has(const struct known *known, struct str secret)
{
	struct known_secret *found =
		known->bucket_count ? *place_of(known, secret) : NULL;

	return found && str_equal(found->text, secret);
}

void known_add(struct known *known, struct str secret)
{
	struct known_secret **at, *added;

	assert(secret.len >= KNOWN_PREFIX);
	if (known->count == known->bucket_count)
		grow(known);
	at = place_of(known, secret);
	if (*at && str_equal((*at)->text, secret))
		return;
	added = mem_alloc(sizeof(*added));
	added->text.ptr = mem_strndup(secret.ptr, secret.len);
	added->text.len = secret.len;
	added->next = *at;
	*at = added;
	known->count++;
}

size_t known_at(const struct known *known, struct str text)
{
	const struct known_secret *secret;

	if (!known->count || text.len < KNOWN_PREFIX)
		return 0;
	secret = known->buckets[bucket_of(known, text)];
	while (secret && !str_starts(text, secret->text))
		secret = secret->next;
	return secret ? secret->text.len : 0;
}

void known_copy(struct known *copy, const struct known *known)
{
	const struct known_secret *secret;

	*copy = (struct known){0};
	for (size_t i = 0; i < known->bucket_count; i++)
		for (secret = known->buckets[i]; secret; secret = secret->next)
			known_add(copy, secret->text);
}

void known_deinit(struct known *known)
{
	struct known_secret *secret, *next;

	for (size_t i = 0; i < known->bucket_count; i++) {
		for (secret = known->buckets[i]; secret; secret = next) {
			next = secret->next;
			mem_free((char *)secret->text.ptr);
			mem_free(secret);
		}
	}
	mem_free(known->buckets);
	*known = (struct known){0};
}
