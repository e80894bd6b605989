#include "config/secret.h"

#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "config/known.h"
#include "config/pattern.h"
#include "read/reader.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

/* Characters; shorter strings would mask half the configuration. */
#define KNOWN_FROM 8

#define HIDE_SECRETS "hide_secrets"

/* What is known, shared by all who look at it: whoever wants to add to it while
 * somebody else looks makes one of its own. */
struct secret_set {
	atomic_uint refs;
	uint64_t version;
	struct patterns settings, configuration;
	struct known known;
};

struct secrets {
	struct secret_set *set;
};

/* Where a walk stands: what the key of a value and its ancestors' say. */
struct context {
	enum hiding hiding;
	bool s3; /* inside `s3`: `key` is an access key */
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
		{"token", 5},       {"account_key", 11},      {"contents", 8},
		{"access_key", 10}, {"credentials_json", 16},
	};

	if (is_hard_key(key) || str_equal_nocase(key, STR("sas")) ||
	    str_is(key, "environment"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (contains_nocase(key, parts[i]))
			return true;
	return false;
}

#define INSIDE_S3 2u /* there `key` is an access key */

unsigned int secret_below(unsigned int above, struct str key)
{
	if (secret_key(key) || (above & INSIDE_S3 && str_is(key, "key")))
		above |= READ_SECRET;
	return str_is(key, "s3") ? above | INSIDE_S3 : above;
}

/* --- the set ---------------------------------------------------------------
 */

static struct secret_set *set_new(void)
{
	struct secret_set *set = mem_alloc(sizeof(*set));

	set->refs = 1;
	set->version = 1;
	return set;
}

static void set_unref(struct secret_set *set)
{
	if (--set->refs)
		return;
	known_deinit(&set->known);
	patterns_deinit(&set->settings);
	patterns_deinit(&set->configuration);
	mem_free(set);
}

/* The set, to be changed. */
static struct secret_set *set_of(struct secrets *secrets)
{
	struct secret_set *shared = secrets->set, *own;

	if (shared->refs == 1)
		return shared;
	own = set_new();
	own->version = shared->version;
	known_copy(&own->known, &shared->known);
	patterns_copy(&own->settings, &shared->settings);
	patterns_copy(&own->configuration, &shared->configuration);
	set_unref(shared);
	secrets->set = own;
	return own;
}

static void set_patterns(struct secret_set *set, const char *patterns)
{
	_cleanup_(mem_freep) char *copy = mem_strdup(patterns ? patterns : "");
	char *rest = NULL;

	patterns_deinit(&set->settings);
	for (char *word = strtok_r(copy, " \t\n", &rest); word;
	     word = strtok_r(NULL, " \t\n", &rest))
		(void)patterns_add(&set->settings, str_from(word), HIDE_TEXT);
}

void secrets_set_patterns(struct secrets *secrets, const char *patterns)
{
	set_patterns(set_of(secrets), patterns);
	secrets->set->version++;
}

struct secrets *secrets_new(const char *patterns)
{
	struct secrets *secrets = mem_alloc(sizeof(*secrets));

	secrets->set = set_new();
	set_patterns(secrets->set, patterns);
	return secrets;
}

struct secrets *secrets_pin(const struct secrets *secrets)
{
	struct secrets *pinned = mem_alloc(sizeof(*pinned));

	pinned->set = secrets->set;
	pinned->set->refs++;
	return pinned;
}

uint64_t secrets_version(const struct secrets *secrets)
{
	return secrets->set->version;
}

size_t secrets_count(const struct secrets *secrets)
{
	return secrets->set->known.count;
}

void secrets_forget(struct secrets *secrets)
{
	struct secret_set *set = set_of(secrets);

	set->version++;
	known_deinit(&set->known);
	patterns_deinit(&set->configuration);
}

void secrets_free(struct secrets *secrets)
{
	if (!secrets)
		return;
	set_unref(secrets->set);
	mem_free(secrets);
}

/* --- by key ----------------------------------------------------------------
 */

static enum hiding hiding_by_pattern(const struct secrets *secrets,
				     struct str key)
{
	const struct secret_set *set = secrets->set;
	enum hiding settings = patterns_match(&set->settings, key);
	enum hiding configuration = patterns_match(&set->configuration, key);

	return settings > configuration ? settings : configuration;
}

static enum hiding hiding_of(const struct secrets *secrets,
			     const struct context *context, struct str key)
{
	enum hiding pattern;

	if (str_is(key, "environment") || is_hard_key(key))
		return HIDE_ALL;
	pattern = hiding_by_pattern(secrets, key);
	if (pattern == HIDE_NOTHING &&
	    ((context->s3 && str_is(key, "key")) || secret_key(key)))
		return HIDE_TEXT;
	return pattern;
}

/* A path to a credentials file is no secret, its content is: JSON, or that in
 * base64, which may hold a '/' too. */
static bool is_credentials_path(struct str key, const struct value *value)
{
	struct str text;

	if (!str_is(key, "credentials_json") || !value_is(value, VALUE_STRING))
		return false;
	text = str_trim(value_text(value));
	return text.len && !memchr(text.ptr, '{', text.len) &&
	       (strchr("/~.$", text.ptr[0]) || str_ends(text, STR(".json")));
}

/* What a secret key holds is secret, however deep. */
static struct context enter(const struct secrets *secrets,
			    struct context context, struct str key,
			    const struct value *value)
{
	enum hiding hiding = hiding_of(secrets, &context, key);

	if (hiding > context.hiding && !is_credentials_path(key, value))
		context.hiding = hiding;
	context.s3 = context.s3 || str_is(key, "s3");
	return context;
}

static bool is_hidden(struct context context, const struct value *scalar)
{
	if (scalar->type == VALUE_NULL)
		return false;
	return context.hiding == HIDE_ALL ||
	       (context.hiding == HIDE_TEXT && scalar->type == VALUE_STRING);
}

/* --- known secrets ----------------------------------------------------------
 */

static void know(struct secrets *secrets, struct str text)
{
	if (str_utf8_length(text) < KNOWN_FROM ||
	    known_has(&secrets->set->known, text))
		return;
	known_add(&set_of(secrets)->known, text);
	secrets->set->version++;
}

void secrets_learn_text(struct secrets *secrets, const char *text)
{
	if (text)
		know(secrets, str_from(text));
}

static void know_scalar(struct secrets *secrets, const struct value *scalar)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	if (scalar->type == VALUE_REAL)
		json_write_real(&text, scalar->real);
	else if (scalar->type != VALUE_BOOL)
		buf_add_str(&text, value_text(scalar));
	know(secrets, buf_str(&text));
}

/* The agent's lists of patterns stand under keys that are patterns' own, and
 * what is in them is in everybody's manual: "contents" is no secret. */
static bool is_list_of_patterns(struct str key, const struct value *value)
{
	return value->type == VALUE_LIST &&
	       (str_starts(key, STR(HIDE_SECRETS)) ||
		str_is(key, "dont_" HIDE_SECRETS));
}

static void learn(struct secrets *secrets, struct context context,
		  const struct value *value)
{
	struct member *m;

	if (value->type == VALUE_OBJECT) {
		for (value_each (value, m))
			if (!is_list_of_patterns(member_key(m), m->value))
				learn(secrets,
				      enter(secrets, context, member_key(m),
					    m->value),
				      m->value);
	} else if (value->type == VALUE_LIST) {
		for (uint32_t i = 0; i < value->list.count; i++)
			learn(secrets, context, value->list.items[i]);
	} else if (is_hidden(context, value)) {
		know_scalar(secrets, value);
	}
}

void secrets_learn(struct secrets *secrets, const struct value *root)
{
	learn(secrets, (struct context){0}, root);
}

/* --- masking ---------------------------------------------------------------
 */

static bool ends_authority(char c)
{
	return c == '/' || c == '?' || c == '#' || c == ' ' || c == '"' ||
	       c == '\'' || c == '\n';
}

/* Bytes of the `user:password` that @text begins with, before its last '@';
 * 0 when there is no such thing. @text is what follows a "://". */
static size_t url_password(struct str text)
{
	size_t colon = text.len, last_at = 0;

	for (size_t i = 0; i < text.len && !ends_authority(text.ptr[i]); i++) {
		if (text.ptr[i] == '@')
			last_at = i;
		else if (text.ptr[i] == ':' && colon == text.len)
			colon = i;
	}
	return colon < last_at ? last_at : 0;
}

/* How many bytes at @offset must not be shown. */
static size_t hidden_at(const struct secrets *secrets, struct str text,
			size_t offset)
{
	struct str before = {text.ptr, offset};
	struct str rest = str_from_offset(text, offset);
	size_t known = known_at(&secrets->set->known, rest), url = 0;

	if (str_ends(before, STR("://")))
		url = url_password(rest);
	return known > url ? known : url;
}

/* Also where two overlap. */
static bool mask_inside(const struct secrets *secrets, struct str text,
			struct buf *out)
{
	size_t masked = 0, end; /* masked: up to where it has been */

	for (size_t i = 0; i < text.len; i++) {
		end = i + hidden_at(secrets, text, i);
		if (end == i || end <= masked)
			continue;
		if (i > masked || !masked) {
			buf_add(out, text.ptr + masked, i - masked);
			buf_puts(out, SECRET_MASK);
		}
		masked = end;
	}
	if (masked)
		buf_add_str(out, str_from_offset(text, masked));
	return masked > 0;
}

char *secrets_mask_text(const struct secrets *secrets, const char *text)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (!mask_inside(secrets, str_from(text), &out))
		return mem_strdup(text);
	return buf_take(&out);
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
			  struct value *value);

static struct value *mask_object(const struct walk *walk,
				 struct context context, struct value *object)
{
	struct value *result = object;
	struct member *m;

	for (value_each (object, m)) {
		struct value *masked = mask(
			walk,
			enter(walk->secrets, context, member_key(m), m->value),
			m->value);

		if (masked == m->value)
			continue;
		if (result == object)
			result = value_copy(walk->arena, object);
		result->object.members[m - object->object.members].value =
			masked;
	}
	return result;
}

static struct value *mask_list(const struct walk *walk, struct context context,
			       struct value *list)
{
	struct value *result = list;

	for (uint32_t i = 0; i < list->list.count; i++) {
		struct value *item = list->list.items[i];
		struct value *masked = mask(walk, context, item);

		if (masked == item)
			continue;
		if (result == list)
			result = value_copy(walk->arena, list);
		result->list.items[i] = masked;
	}
	return result;
}

static struct value *mask(const struct walk *walk, struct context context,
			  struct value *value)
{
	if (value->type == VALUE_OBJECT)
		return mask_object(walk, context, value);
	if (value->type == VALUE_LIST)
		return mask_list(walk, context, value);
	if (is_hidden(context, value))
		return with_place(
			value_new_string(walk->arena, STR(SECRET_MASK)), value);
	if (value->type == VALUE_STRING && !(value->flags & VALUE_FOREIGN))
		return mask_string(walk->secrets, walk->arena, value);
	/* A vault may put a number that is a secret where none is expected. */
	if (value->type == VALUE_INT)
		return mask_string(walk->secrets, walk->arena, value);
	return value;
}

struct value *secrets_mask(const struct secrets *secrets, struct arena *arena,
			   struct value *root)
{
	struct walk walk = {secrets, arena};

	return mask(&walk, (struct context){0}, root);
}

struct value *secrets_mask_at(const struct secrets *secrets,
			      struct arena *arena, const struct value *root,
			      const struct path *path)
{
	struct walk walk = {secrets, arena};
	struct context context = {0};
	const struct value *above;

	for (size_t i = 0; root && i < path->count; i++) {
		above = root;
		root = path_find(above, &(struct path){&path->items[i], 1});
		if (root && above->type == VALUE_OBJECT)
			context = enter(secrets, context, path->items[i], root);
	}
	return root ? mask(&walk, context, (struct value *)root) : NULL;
}

/* --- patterns of the configuration ------------------------------------------
 */

/* What the agent has by default is hidden anyway. */
static bool is_built_in(struct str pattern)
{
	static const char *const words[] = {"secret",   "pass",
					    "token",    "account_key",
					    "contents", "^environment$"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_is(pattern, words[i]))
			return true;
	return false;
}

/* One that holds a secret would be told by the log if it is a bad one. */
static void learn_pattern(struct secrets *secrets, const struct value *pattern,
			  enum hiding hiding)
{
	_cleanup_(buf_deinit) struct buf masked = BUF_INIT;
	struct patterns *patterns = &secrets->set->configuration;
	struct str text;

	if (pattern->type != VALUE_STRING)
		return;
	text = value_text(pattern);
	if (is_built_in(text) || patterns_has(patterns, text, hiding) ||
	    mask_inside(secrets, text, &masked))
		return;
	if (patterns_add(&set_of(secrets)->configuration, text, hiding))
		secrets->set->version++;
}

void secrets_learn_patterns(struct secrets *secrets, const struct value *root)
{
	const struct value *agent = value_get(root, STR("agent"));
	const struct value *rules =
		agent ? value_get(agent, STR("sanitize_config_printout"))
		      : NULL;
	enum hiding hiding;
	struct member *m;

	if (!value_is(rules, VALUE_OBJECT))
		return;
	for (value_each (rules, m)) {
		if (!str_starts(member_key(m), STR(HIDE_SECRETS)))
			continue;
		hiding = str_is(member_key(m), HIDE_SECRETS "_recursive")
				 ? HIDE_ALL
				 : HIDE_TEXT;
		if (m->value->type != VALUE_LIST)
			learn_pattern(secrets, m->value, hiding);
		else
			for (uint32_t i = 0; i < m->value->list.count; i++)
				learn_pattern(secrets, m->value->list.items[i],
					      hiding);
	}
}
