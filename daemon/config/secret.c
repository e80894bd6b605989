#include "config/secret.h"

#include <regex.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "value/value.h"

#define KNOWN_FROM 8 /* shorter strings would mask half the configuration */

struct secrets {
	regex_t *patterns;
	size_t pattern_count;
	struct str *known; /* longest first, each once */
	size_t known_count, known_cap;
};

/* Where a walk stands: what its ancestors say about the values below. */
struct context {
	bool all;  /* inside `environment`: everything is secret */
	bool s3;   /* inside `s3`: `key` is an access key */
	bool hard; /* the key is of the kind that hides numbers too */
};

static bool contains_nocase(struct str text, struct str part)
{
	for (size_t i = 0; i + part.len <= text.len; i++)
		if (str_equal_nocase((struct str){text.ptr + i, part.len},
				     part))
			return true;
	return false;
}

/* `pass` and `secret` hide numbers and booleans as well as text. */
static bool is_hard_key(struct str key)
{
	return !str_is(key, "enable_git_ask_pass") &&
	       (contains_nocase(key, STR("secret")) ||
		contains_nocase(key, STR("pass")));
}

bool secret_key(struct str key)
{
	static const struct str parts[] = {
		{"token",            5 },
                {"account_key",      11},
                {"contents",         8 },
		{"access_key",       10},
                {"credentials_json", 16},
	};

	if (is_hard_key(key) || str_equal_nocase(key, STR("sas")))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (contains_nocase(key, parts[i]))
			return true;
	return false;
}

static void add_pattern(struct secrets *secrets, const char *pattern)
{
	regex_t regex;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB | REG_ICASE)) {
		log_warning("mask-pattern-ignored",
			    LOG_TEXT("pattern", pattern));
		return;
	}
	secrets->patterns = mem_grow(secrets->patterns,
				     (secrets->pattern_count + 1) *
					     sizeof(secrets->patterns[0]));
	secrets->patterns[secrets->pattern_count++] = regex;
}

struct secrets *secrets_new(const char *patterns)
{
	struct secrets *secrets = mem_alloc(sizeof(*secrets));
	_cleanup_(mem_freep) char *copy = mem_strdup(patterns ? patterns : "");
	char *rest = NULL;

	for (char *word = strtok_r(copy, " \t\n", &rest); word;
	     word = strtok_r(NULL, " \t\n", &rest))
		add_pattern(secrets, word);
	return secrets;
}

void secrets_forget(struct secrets *secrets)
{
	for (size_t i = 0; i < secrets->known_count; i++)
		mem_free((char *)secrets->known[i].ptr);
	secrets->known_count = 0;
}

void secrets_free(struct secrets *secrets)
{
	if (!secrets)
		return;
	secrets_forget(secrets);
	for (size_t i = 0; i < secrets->pattern_count; i++)
		regfree(&secrets->patterns[i]);
	mem_free(secrets->patterns);
	mem_free(secrets->known);
	mem_free(secrets);
}

static bool matches_pattern(const struct secrets *secrets, struct str key)
{
	_cleanup_(mem_freep) char *text = NULL;

	if (!secrets->pattern_count)
		return false;
	text = mem_strndup(key.ptr, key.len);
	for (size_t i = 0; i < secrets->pattern_count; i++)
		if (!regexec(&secrets->patterns[i], text, 0, NULL, 0))
			return true;
	return false;
}

static struct context enter(struct context context, struct str key)
{
	context.all = context.all || str_is(key, "environment");
	context.s3 = context.s3 || str_is(key, "s3");
	context.hard = is_hard_key(key);
	return context;
}

/* A path to a credentials file is no secret, its content is. */
static bool is_credentials_path(struct str key, const struct value *value)
{
	return str_is(key, "credentials_json") &&
	       value_is(value, VALUE_STRING) &&
	       !memchr(value->text.ptr, '{', value->text.len);
}

static bool is_secret(const struct secrets *secrets, struct context context,
		      struct str key, const struct value *value)
{
	if (value->type == VALUE_NULL || is_credentials_path(key, value))
		return context.all && value->type != VALUE_NULL;
	if (context.all)
		return true;
	if (context.s3 && str_is(key, "key"))
		return true;
	if (secret_key(key) || matches_pattern(secrets, key))
		return value->type == VALUE_STRING || context.hard;
	return false;
}

/* Known secrets. */

static void know(struct secrets *secrets, struct str text)
{
	size_t at = 0, cap = secrets->known_cap;

	while (at < secrets->known_count && secrets->known[at].len > text.len)
		at++;
	for (size_t i = at;
	     i < secrets->known_count && secrets->known[i].len == text.len; i++)
		if (str_equal(secrets->known[i], text))
			return;
	if (secrets->known_count == cap) {
		secrets->known_cap = cap ? cap * 2 : 16;
		secrets->known =
			mem_grow(secrets->known,
				 secrets->known_cap * sizeof(struct str));
	}
	memmove(&secrets->known[at + 1], &secrets->known[at],
		(secrets->known_count - at) * sizeof(struct str));
	secrets->known[at] =
		(struct str){mem_strndup(text.ptr, text.len), text.len};
	secrets->known_count++;
}

static void learn(struct secrets *secrets, struct context context,
		  struct str key, const struct value *value)
{
	struct member *m;

	if (value->type == VALUE_OBJECT) {
		for (value_each (value, m))
			learn(secrets, enter(context, member_key(m)),
			      member_key(m), m->value);
	} else if (value->type == VALUE_LIST) {
		for (uint32_t i = 0; i < value->list.count; i++)
			learn(secrets, context, key, value->list.items[i]);
	} else if (value->type == VALUE_STRING &&
		   value->text.len >= KNOWN_FROM &&
		   is_secret(secrets, context, key, value)) {
		know(secrets, value_text(value));
	}
}

void secrets_learn(struct secrets *secrets, const struct value *root)
{
	learn(secrets, (struct context){0}, STR(""), root);
}

/* Masking. */

/* Bytes of the known secret that begins at text.ptr, 0 if none does. */
static size_t known_at(const struct secrets *secrets, struct str text)
{
	for (size_t i = 0; i < secrets->known_count; i++)
		if (text.ptr[0] == secrets->known[i].ptr[0] &&
		    str_starts(text, secrets->known[i]))
			return secrets->known[i].len;
	return 0;
}

static bool ends_authority(char c)
{
	return c == '/' || c == '?' || c == '#' || c == ' ' || c == '"' ||
	       c == '\'' || c == '\n';
}

/* In `://user:password@` at the start of @text, the bytes of `user:password`;
 * 0 when there is no such thing. */
static size_t url_password(struct str text)
{
	size_t at = 3, last_at = 0;
	bool colon = false;

	if (!str_starts(text, STR("://")))
		return 0;
	for (; at < text.len && !ends_authority(text.ptr[at]); at++) {
		if (text.ptr[at] == '@')
			last_at = at;
		colon = colon || (text.ptr[at] == ':' && !last_at);
	}
	return colon && last_at ? last_at - 3 : 0;
}

/* @text with every known secret and URL password replaced; false when it holds
 * none. */
static bool mask_inside(const struct secrets *secrets, struct str text,
			struct buf *out)
{
	size_t skip;
	bool found = false;

	while (text.len) {
		skip = known_at(secrets, text);
		if (!skip && (skip = url_password(text))) {
			buf_puts(out, "://");
			text = str_from_offset(text, 3);
		}
		if (skip)
			buf_puts(out, SECRET_MASK);
		else
			buf_putc(out, text.ptr[0]);
		found = found || skip;
		text = str_from_offset(text, skip ? skip : 1);
	}
	return found;
}

static struct value *with_place(struct value *copy, const struct value *value)
{
	copy->source = value->source;
	copy->offset = value->offset;
	return copy;
}

static struct value *mask_string(const struct secrets *secrets,
				 struct arena *arena, struct value *value)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (!mask_inside(secrets, value_text(value), &out))
		return value;
	return with_place(
		value_new_string(arena, arena_str(arena, buf_str(&out))),
		value);
}

struct walk {
	const struct secrets *secrets;
	struct arena *arena;
};

static struct value *mask(const struct walk *walk, struct context context,
			  struct str key, struct value *value);

static struct value *mask_object(const struct walk *walk,
				 struct context context, struct value *object)
{
	struct value *copy = value_new(walk->arena, VALUE_OBJECT);
	struct member *m;
	bool differs = false;

	for (value_each (object, m)) {
		struct value *masked = mask(walk, enter(context, member_key(m)),
					    member_key(m), m->value);

		differs = differs || masked != m->value;
		*value_object_slot(copy, walk->arena, member_key(m)) = masked;
	}
	return differs ? with_place(copy, object) : object;
}

static struct value *mask_list(const struct walk *walk, struct context context,
			       struct str key, struct value *list)
{
	struct value *copy = value_new(walk->arena, VALUE_LIST);
	bool differs = false;

	for (uint32_t i = 0; i < list->list.count; i++) {
		struct value *item = list->list.items[i];
		struct value *masked = mask(walk, context, key, item);

		differs = differs || masked != item;
		value_list_add(copy, walk->arena, masked);
	}
	return differs ? with_place(copy, list) : list;
}

static struct value *mask(const struct walk *walk, struct context context,
			  struct str key, struct value *value)
{
	if (value->type == VALUE_OBJECT)
		return mask_object(walk, context, value);
	if (value->type == VALUE_LIST)
		return mask_list(walk, context, key, value);
	if (is_secret(walk->secrets, context, key, value))
		return with_place(
			value_new_string(walk->arena, STR(SECRET_MASK)), value);
	if (value->type == VALUE_STRING)
		return mask_string(walk->secrets, walk->arena, value);
	return value;
}

struct value *secrets_mask(const struct secrets *secrets, struct arena *arena,
			   struct value *root)
{
	struct walk walk = {secrets, arena};

	return mask(&walk, (struct context){0}, STR(""), root);
}
