#include "config/secret_rules.h"

#include <string.h>

#include "base/mem.h"
#include "read/reader.h"
#include "value/value.h"

#define INSIDE_S3 2u /* in secret_below(): there `key` is an access key */

enum where { ANYWHERE, WHOLE, AT_END };

struct key_rule {
	const char *part;
	enum where where;
	enum hiding hiding; /* HIDE_ALL: numbers and booleans as well */
};

/* In no key does the case of letters count. */
static const struct key_rule rules[] = {
	/* The agent hides these when it prints its configuration. */
	{"secret", ANYWHERE, HIDE_ALL},
	{"pass", ANYWHERE, HIDE_ALL},
	{"environment", WHOLE, HIDE_ALL},
	{"token", ANYWHERE, HIDE_TEXT},
	{"account_key", ANYWHERE, HIDE_TEXT},
	{"contents", ANYWHERE, HIDE_TEXT}, /* of a file that is written */
	/* One half of a pair, and half of what guessing needs. */
	{"access_key", ANYWHERE, HIDE_TEXT},
	/* A Google service account with its private key. */
	{"credentials_json", ANYWHERE, HIDE_TEXT},
	/* A signature that opens an Azure container to who has it. */
	{"sas", WHOLE, HIDE_TEXT},
	{"_sas", AT_END, HIDE_TEXT},
	/* What services call a token of theirs. */
	{"api_key", ANYWHERE, HIDE_TEXT},
	{"apikey", ANYWHERE, HIDE_TEXT},
	{"private_key", ANYWHERE, HIDE_TEXT},
	/* The variable of Azure's account key. */
	{"storage_key", ANYWHERE, HIDE_TEXT},
};

/* Inside `s3`, where keys have shorter names. */
static const struct key_rule s3_rules[] = {
	{"key", WHOLE, HIDE_TEXT},
	/* Arguments of every request, such as a key to encrypt with. */
	{"extra_args", WHOLE, HIDE_TEXT},
};

/* Names of a query's, a connection string's or a form's parameters. */
static const struct key_rule parameter_rules[] = {
	{"sig", WHOLE, HIDE_TEXT}, /* of a shared access signature */
	{"signature", AT_END, HIDE_TEXT},
	{"accountkey", ANYWHERE, HIDE_TEXT}, /* of Azure */
	{"accesskey", ANYWHERE, HIDE_TEXT},
	{"privatekey", ANYWHERE, HIDE_TEXT},
	{"pwd", AT_END, HIDE_TEXT},
	{"authorization", WHOLE, HIDE_TEXT},
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
	struct str part = str_from(rule->part);

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

enum hiding secret_rules_hiding(struct str key)
{
	return is_excepted(key) ? HIDE_NOTHING
				: most_of(rules, ARRAY_SIZE(rules), key);
}

enum hiding secret_rules_hiding_s3(struct str key)
{
	enum hiding hiding = secret_rules_hiding(key);

	return hiding != HIDE_NOTHING
		       ? hiding
		       : most_of(s3_rules, ARRAY_SIZE(s3_rules), key);
}

/* These are words of sentences, too. */
static bool is_word(struct str name)
{
	return str_equal_nocase(name, STR("environment")) ||
	       str_equal_nocase(name, STR("contents"));
}

bool secret_rules_names(struct str name)
{
	return !is_word(name) &&
	       (secret_key(name) ||
		most_of(parameter_rules, ARRAY_SIZE(parameter_rules), name) !=
			HIDE_NOTHING);
}

bool secret_key(struct str key)
{
	return secret_rules_hiding(key) != HIDE_NOTHING;
}

unsigned int secret_below(unsigned int above, struct str key)
{
	enum hiding hiding = above & INSIDE_S3 ? secret_rules_hiding_s3(key)
					       : secret_rules_hiding(key);

	if (hiding != HIDE_NOTHING)
		above |= READ_SECRET;
	return str_is(key, "s3") ? above | INSIDE_S3 : above;
}

/* The content is JSON, or that in base64, which may hold a '/' too. */
bool secret_rules_is_path(struct str key, const struct value *value)
{
	struct str text;

	if (!str_is(key, "credentials_json") || !value_is(value, VALUE_STRING))
		return false;
	text = str_trim(value_text(value));
	return text.len && !memchr(text.ptr, '{', text.len) &&
	       (strchr("/~.$", text.ptr[0]) || str_ends(text, STR(".json")));
}
