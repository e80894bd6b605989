#include "config/secrets.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "config/mask.h"
#include "config/secret_set.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

/* Characters of a secret. Shorter ones than the first are found as whole values
 * only: anywhere else they would mask half the configuration. */
#define KNOWN_FROM       8
#define KNOWN_WHOLE_FROM 4

#define HIDE_SECRETS "hide_secrets"

/* --- the set ---------------------------------------------------------------
 */

static struct secret_set *set_new(void)
{
	struct secret_set *set = mem_alloc(sizeof(*set));

	set->refs = 1;
	set->version = 1;
	return set;
}

static void texts_deinit(struct secret_texts *texts)
{
	secret_trie_deinit(&texts->anywhere);
	secret_trie_deinit(&texts->whole);
}

static void set_unref(struct secret_set *set)
{
	if (--set->refs)
		return;
	texts_deinit(&set->texts);
	secret_rules_deinit(&set->rules);
	mem_free(set);
}

/* The set of secrets, as a copy of its own where somebody else pins it. */
static struct secret_set *set_of(struct secrets *secrets)
{
	struct secret_set *shared = secrets->set, *own;

	if (shared->refs == 1)
		return shared;
	own = set_new();
	own->version = shared->version;
	secret_trie_copy(&own->texts.anywhere, &shared->texts.anywhere);
	secret_trie_copy(&own->texts.whole, &shared->texts.whole);
	secret_rules_copy(&own->rules, &shared->rules);
	set_unref(shared);
	secrets->set = own;
	return own;
}

static void set_patterns(struct secret_set *set, const char *patterns)
{
	patterns_deinit(&set->rules.settings);
	(void)patterns_add_words(&set->rules.settings,
				 patterns ? patterns : "");
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
	pinned->pinned = true;
	return pinned;
}

uint64_t secrets_version(const struct secrets *secrets)
{
	return secrets->set->version;
}

size_t secrets_count(const struct secrets *secrets)
{
	return secrets->set->texts.anywhere.count +
	       secrets->set->texts.whole.count;
}

void secrets_forget(struct secrets *secrets)
{
	struct secret_set *set = set_of(secrets);

	set->version++;
	texts_deinit(&set->texts);
	patterns_deinit(&set->rules.configuration);
	patterns_deinit(&set->rules.variables);
}

void secrets_free(struct secrets *secrets)
{
	if (!secrets)
		return;
	set_unref(secrets->set);
	texts_deinit(&secrets->more);
	mem_free(secrets);
}

/* --- known secrets ----------------------------------------------------------
 */

/* Is it no secret, though it stands under a secret key? */
static bool is_placeholder(struct str text)
{
	static const char *const words[] = {"true", "false", "none", "null"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_equal_nocase(text, str_from(words[i])))
			return true;
	return false;
}

static void tell_full(struct secret_set *set)
{
	if (!set->full)
		log_warning("secrets-not-known",
			    LOG_TEXT("reason",
				     "the configuration has too many: copies "
				     "of more of them are not masked"));
	set->full = true;
}

static struct secret_trie *texts_for(struct secret_texts *texts, size_t length)
{
	return length < KNOWN_FROM ? &texts->whole : &texts->anywhere;
}

static void add_to_pinned(struct secrets *secrets, struct secret_trie *more,
			  struct str text)
{
	if (secrets->told && !secret_trie_has(more, text))
		pack_text(secrets->told, text);
	(void)secret_trie_add(more, text);
}

static void add_text(struct secrets *secrets, struct str text, size_t length)
{
	struct secret_set *set;

	if (secrets->pinned) {
		add_to_pinned(secrets, texts_for(&secrets->more, length), text);
		return;
	}
	set = set_of(secrets);
	if (secret_trie_add(texts_for(&set->texts, length), text))
		set->version++;
	else
		tell_full(set);
}

/* Copies of what ends with a line break need not. */
static void know(struct secrets *secrets, struct str text)
{
	size_t length;

	text = str_trim(text);
	length = str_utf8_length(text);
	if (length >= KNOWN_WHOLE_FROM && !is_placeholder(text) &&
	    !secret_trie_has(texts_for(&secrets->set->texts, length), text))
		add_text(secrets, text, length);
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

static void learn(struct secrets *secrets, struct secret_context context,
		  const struct value *value)
{
	struct member *m;

	if (value->type == VALUE_OBJECT) {
		for (value_each (value, m))
			if (!is_list_of_patterns(member_key(m), m->value))
				learn(secrets,
				      secret_rules_enter(&secrets->set->rules,
							 context, member_key(m),
							 m->value),
				      m->value);
	} else if (value->type == VALUE_LIST) {
		for (uint32_t i = 0; i < value->list.count; i++)
			learn(secrets, context, value->list.items[i]);
	} else if (secret_rules_hides(context, value)) {
		know_scalar(secrets, value);
	}
}

void secrets_learn(struct secrets *secrets, const struct value *root)
{
	learn(secrets, (struct secret_context){0}, root);
}

void secrets_learn_told(struct secrets *pinned, const struct value *root,
			struct buf *told)
{
	pinned->told = told;
	secrets_learn(pinned, root);
	pinned->told = NULL;
}

bool secrets_learn_some(struct secrets *secrets, struct unpack *told,
			size_t count)
{
	for (; told->rest.len && count; count--)
		know(secrets, unpack_text(told));
	return told->rest.len != 0;
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

static void add_pattern(struct secrets *secrets, struct patterns *patterns,
			struct str text, enum hiding hiding)
{
	_cleanup_(mem_freep) char *bad = NULL;

	if (patterns_add(patterns, text, hiding)) {
		secrets->set->version++;
		return;
	}
	bad = mem_strndup(text.ptr, text.len);
	log_warning("mask-pattern-ignored", LOG_TEXT("pattern", bad),
		    LOG_TEXT("reason", patterns_why_not(patterns)));
}

/* One that holds a secret would be told by the log if it is a bad one. */
static void learn_pattern(struct secrets *secrets, const struct value *pattern,
			  enum hiding hiding)
{
	_cleanup_(buf_deinit) struct buf masked = BUF_INIT;
	struct str text;

	if (pattern->type != VALUE_STRING)
		return;
	text = value_text(pattern);
	if (is_built_in(text) ||
	    patterns_has(&secrets->set->rules.configuration, text, hiding) ||
	    mask_into(secrets, text, &masked))
		return;
	add_pattern(secrets, &set_of(secrets)->rules.configuration, text,
		    hiding);
}

/* Add a list of patterns, or one. */
static void learn_each(struct secrets *secrets, const struct value *some,
		       enum hiding hiding)
{
	if (some->type != VALUE_LIST)
		learn_pattern(secrets, some, hiding);
	else
		for (uint32_t i = 0; i < some->list.count; i++)
			learn_pattern(secrets, some->list.items[i], hiding);
}

static void learn_hidden_keys(struct secrets *secrets,
			      const struct value *rules)
{
	struct member *m;

	for (value_each (rules, m)) {
		struct str key = member_key(m);

		if (str_starts(key, STR(HIDE_SECRETS)))
			learn_each(secrets, m->value,
				   str_is(key, HIDE_SECRETS "_recursive")
					   ? HIDE_ALL
					   : HIDE_TEXT);
	}
}

/* A pattern that matches the name of a variable and nothing else. */
static void learn_variable(struct secrets *secrets, const struct value *name)
{
	_cleanup_(buf_deinit) struct buf pattern = BUF_INIT;

	if (name->type != VALUE_STRING)
		return;
	buf_putc(&pattern, '^');
	for (uint32_t i = 0; i < name->text.len; i++) {
		if (ispunct((unsigned char)name->text.ptr[i]))
			buf_putc(&pattern, '\\');
		buf_putc(&pattern, name->text.ptr[i]);
	}
	buf_putc(&pattern, '$');
	if (!patterns_has(&secrets->set->rules.variables, buf_str(&pattern),
			  HIDE_TEXT))
		add_pattern(secrets, &set_of(secrets)->rules.variables,
			    buf_str(&pattern), HIDE_TEXT);
}

static const struct value *section_of(const struct value *root,
				      const char *name)
{
	const struct value *agent = value_get(root, STR("agent"));

	return agent ? value_get(agent, str_from(name)) : NULL;
}

void secrets_learn_patterns(struct secrets *secrets, const struct value *root)
{
	const struct value *rules =
		section_of(root, "sanitize_config_printout");
	const struct value *docker =
		section_of(root, "hide_docker_command_env_vars");
	const struct value *names =
		docker ? value_get(docker, STR("extra_keys")) : NULL;

	if (value_is(rules, VALUE_OBJECT))
		learn_hidden_keys(secrets, rules);
	for (uint32_t i = 0;
	     value_is(names, VALUE_LIST) && i < names->list.count; i++)
		learn_variable(secrets, names->list.items[i]);
}

/* --- what is a secret no more -----------------------------------------------
 */

struct search {
	const struct secret_rules *rules;
	struct buf path; /* of where it is */
	const struct secrets_lost *lost;
};

static void find_lost(struct search *search, struct secret_context context,
		      const struct value *was, const struct value *is);

static void find_in_member(struct search *search, struct secret_context context,
			   const struct member *m, const struct value *is)
{
	struct str key = member_key(m);
	size_t len = search->path.len;

	path_add_key(&search->path, key);
	find_lost(search,
		  secret_rules_enter(search->rules, context, key, m->value),
		  m->value,
		  value_is(is, VALUE_OBJECT) ? value_get(is, key) : NULL);
	search->path.len = len;
}

static void find_in_list(struct search *search, struct secret_context context,
			 const struct value *was, const struct value *is)
{
	size_t len = search->path.len;

	for (uint32_t i = 0; i < was->list.count; i++) {
		buf_printf(&search->path, ".%u", i);
		find_lost(search, context, was->list.items[i],
			  value_is(is, VALUE_LIST) && i < is->list.count
				  ? is->list.items[i]
				  : NULL);
		search->path.len = len;
	}
}

/* What both share is the same. */
static void find_lost(struct search *search, struct secret_context context,
		      const struct value *was, const struct value *is)
{
	struct member *m;

	if (was == is)
		return;
	if (was->type == VALUE_OBJECT)
		for (value_each (was, m))
			find_in_member(search, context, m, is);
	else if (was->type == VALUE_LIST)
		find_in_list(search, context, was, is);
	else if (secret_rules_hides(context, was) &&
		 !(is && value_equal(was, is)))
		search->lost->take(search->lost->data, buf_str(&search->path));
}

void secrets_each_lost(const struct secrets *secrets, const struct value *was,
		       const struct value *is, const struct secrets_lost *lost)
{
	struct search search = {.rules = &secrets->set->rules, .lost = lost};

	find_lost(&search, (struct secret_context){0}, was, is);
	buf_deinit(&search.path);
}
