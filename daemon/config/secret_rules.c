#include "config/secret_rules.h"

#include <string.h>

#include "base/mem.h"
#include "read/reader.h"
#include "value/value.h"

#define INSIDE_S3 2u /* in secret_below(): there `key` is an access key */

enum where { ANYWHERE, WHOLE, AT_END };

struct key_rule {
	struct str part;
	enum where where;
	enum hiding hiding; /* HIDE_ALL: numbers and booleans as well */
};

/* In no key does the case of letters count. */
static const struct key_rule key_rules[] = {
	/* The agent hides these when it prints its configuration. */
	{STR("secret"), ANYWHERE, HIDE_ALL},
	{STR("pass"), ANYWHERE, HIDE_ALL},
	{STR("environment"), WHOLE, HIDE_ALL},
	{STR("token"), ANYWHERE, HIDE_TEXT},
	{STR("account_key"), ANYWHERE, HIDE_TEXT},
	{STR("contents"), ANYWHERE, HIDE_TEXT}, /* of a file that is written */
	/* One half of a pair, and half of what guessing needs. */
	{STR("access_key"), ANYWHERE, HIDE_TEXT},
	/* A Google service account with its private key. */
	{STR("credentials_json"), ANYWHERE, HIDE_TEXT},
	/* A signature that opens an Azure container to who has it. */
	{STR("sas"), WHOLE, HIDE_TEXT},
	{STR("_sas"), AT_END, HIDE_TEXT},
	/* What services call a token of theirs. */
	{STR("api_key"), ANYWHERE, HIDE_TEXT},
	{STR("apikey"), ANYWHERE, HIDE_TEXT},
	{STR("private_key"), ANYWHERE, HIDE_TEXT},
	/* The variable of Azure's account key. */
	{STR("storage_key"), ANYWHERE, HIDE_TEXT},
};

/* Inside `s3`, where keys have shorter names. */
static const struct key_rule s3_rules[] = {
	{STR("key"), WHOLE, HIDE_TEXT},
	/* Arguments of every request, such as a key to encrypt with. */
	{STR("extra_args"), WHOLE, HIDE_TEXT},
};

/* Names of a query's, a connection string's or a form's parameters. */
static const struct key_rule parameter_rules[] = {
	{STR("sig"), WHOLE, HIDE_TEXT}, /* of a shared access signature */
	{STR("signature"), AT_END, HIDE_TEXT},
	{STR("accountkey"), ANYWHERE, HIDE_TEXT}, /* of Azure */
	{STR("accesskey"), ANYWHERE, HIDE_TEXT},
	{STR("privatekey"), ANYWHERE, HIDE_TEXT},
	{STR("pwd"), AT_END, HIDE_TEXT},
	{STR("authorization"), WHOLE, HIDE_TEXT},
};

/* --- keys --------------------------------------------------------------------
 */

/* @part begins with a small letter. */
static bool contains_nocase(struct str text, struct str part)
{
	for (size_t i = 0; i + part.len <= text.len; i++)
		if ((text.ptr[i] | 0x20) == part.ptr[0] &&
		    str_equal_nocase((struct str){text.ptr + i, part.len},
				     part))
			return true;
	return false;
}

static bool rule_matches(const struct key_rule *rule, struct str key)
{
	struct str part = rule->part;

	if (rule->where == ANYWHERE)
		return contains_nocase(key, part);
	if (rule->where == AT_END && key.len > part.len)
		key = str_from_offset(key, key.len - part.len);
	return str_equal_nocase(key, part);
}

static enum hiding most_of(const struct key_rule *table, size_t count,
			   struct str key)
{
	for (size_t i = 0; i < count; i++)
		if (rule_matches(&table[i], key))
			return table[i].hiding;
	return HIDE_NOTHING;
}

/* A switch that the agent shows, too. */
static bool is_excepted(struct str key)
{
	return str_is(key, "enable_git_ask_pass");
}

/* What the name alone hides of the value. */
static enum hiding hiding_by_name(struct str key, bool inside_s3)
{
	enum hiding hiding =
		is_excepted(key)
			? HIDE_NOTHING
			: most_of(key_rules, ARRAY_SIZE(key_rules), key);

	return hiding != HIDE_NOTHING || !inside_s3
		       ? hiding
		       : most_of(s3_rules, ARRAY_SIZE(s3_rules), key);
}

/* These are words of sentences, too. */
static bool is_word(struct str name)
{
	return str_equal_nocase(name, STR("environment")) ||
	       str_equal_nocase(name, STR("contents"));
}

static bool names_secret(struct str name)
{
	return !is_word(name) &&
	       (secret_key(name) ||
		most_of(parameter_rules, ARRAY_SIZE(parameter_rules), name) !=
			HIDE_NOTHING);
}

bool secret_key(struct str key)
{
	return hiding_by_name(key, false) != HIDE_NOTHING;
}

unsigned int secret_below(unsigned int above, struct str key)
{
	enum hiding hiding = hiding_by_name(key, above & INSIDE_S3);

	if (hiding != HIDE_NOTHING)
		above |= READ_SECRET;
	return str_is(key, "s3") ? above | INSIDE_S3 : above;
}

/* A path to a credentials file is no secret, its content is. That is JSON, or
 * JSON in base64, which may hold a '/' too. */
static bool is_path(struct str key, const struct value *value)
{
	struct str text;

	if (!str_is(key, "credentials_json") || !value_is(value, VALUE_STRING))
		return false;
	text = str_trim(value_text(value));
	return text.len && !memchr(text.ptr, '{', text.len) &&
	       (str_set_has("/~.$", text.ptr[0]) ||
		str_ends(text, STR(".json")));
}

/* --- with the patterns of others -------------------------------------------
 */

static enum hiding hiding_by_pattern(const struct secret_rules *rules,
				     struct str key)
{
	enum hiding settings = patterns_match(&rules->settings, key);
	enum hiding configuration = patterns_match(&rules->configuration, key);

	return settings > configuration ? settings : configuration;
}

static enum hiding hiding_of(const struct secret_rules *rules,
			     const struct secret_context *context,
			     struct str key)
{
	enum hiding rule = hiding_by_name(key, context->s3);
	enum hiding pattern;

	if (rule == HIDE_ALL)
		return rule;
	pattern = hiding_by_pattern(rules, key);
	return pattern > rule ? pattern : rule;
}

struct secret_context secret_rules_enter(const struct secret_rules *rules,
					 struct secret_context context,
					 struct str key,
					 const struct value *value)
{
	enum hiding hiding = hiding_of(rules, &context, key);

	if (hiding > context.hiding && !is_path(key, value))
		context.hiding = hiding;
	context.s3 = context.s3 || str_is(key, "s3");
	return context;
}

bool secret_rules_hides(struct secret_context context,
			const struct value *scalar)
{
	if (scalar->type == VALUE_NULL)
		return false;
	return context.hiding == HIDE_ALL ||
	       (context.hiding == HIDE_TEXT && scalar->type == VALUE_STRING);
}

bool secret_rules_names(const struct secret_rules *rules, struct str name)
{
	return names_secret(name) ||
	       patterns_match(&rules->variables, name) != HIDE_NOTHING ||
	       hiding_by_pattern(rules, name) != HIDE_NOTHING;
}

void secret_rules_copy(struct secret_rules *copy,
		       const struct secret_rules *rules)
{
	patterns_copy(&copy->settings, &rules->settings);
	patterns_copy(&copy->configuration, &rules->configuration);
	patterns_copy(&copy->variables, &rules->variables);
}

void secret_rules_deinit(struct secret_rules *rules)
{
	patterns_deinit(&rules->settings);
	patterns_deinit(&rules->configuration);
	patterns_deinit(&rules->variables);
}
