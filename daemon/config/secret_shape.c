/*
 * Secrets inside a text, known by what stands before and around them: see
 * secret_shape_at() in secret_rules.h.
 */

#include <ctype.h>
#include <string.h>

#include "config/secret_rules.h"

#define URL_MAX       1024 /* bytes of user and password */
#define ODD_MAX       128  /* of those that are not encoded as they should be */
#define USER_NAME_MAX 15
#define NAME_BYTES    64 /* of a parameter's name */
#define TITLE_MAX     64 /* bytes of the first line of a key */
#define HEADER_MIN    8  /* bytes of a token worth hiding */

static bool is_any(char c, const char *of)
{
	return c && strchr(of, c);
}

/* Bytes of @text before the first of @enders. */
static size_t span_until(struct str text, const char *enders)
{
	size_t n = 0;

	while (n < text.len && !is_any(text.ptr[n], enders))
		n++;
	return n;
}

static bool ends_nocase(struct str text, struct str end)
{
	return text.len >= end.len &&
	       str_equal_nocase(str_from_offset(text, text.len - end.len), end);
}

/* --- user and password of a URL
 * -----------------------------------------------
 */

/* Bytes before the last '@'; 0 when there is none. */
static size_t before_last_at(struct str text)
{
	size_t at = text.len;

	while (at && text.ptr[at - 1] != '@')
		at--;
	return at ? at - 1 : 0;
}

/* Is it a user's name, such as git or jane.doe? A token has other letters, or
 * more. */
static bool is_user_name(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!islower((unsigned char)text.ptr[i]) &&
		    !is_any(text.ptr[i], ".-"))
			return false;
	return text.len <= USER_NAME_MAX;
}

/* Over HTTP a user without a password is a token, unless it is a name. */
static bool user_is_token(struct str scheme, struct str user)
{
	return (ends_nocase(scheme, STR("http://")) ||
		ends_nocase(scheme, STR("https://"))) &&
	       !is_user_name(user);
}

static bool is_port(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!isdigit((unsigned char)text.ptr[i]))
			return false;
	return true;
}

/* Without the URL that may follow in the same line. */
static struct str without_next_url(struct str text)
{
	const char *next = memmem(text.ptr, text.len, "://", strlen("://"));

	if (next)
		text.len = (size_t)(next - text.ptr);
	return text;
}

/* A password that was not encoded as it should be: @user ends with a colon, and
 * what follows goes on behind a '/', a blank or the like. */
static size_t odd_password(struct str rest, size_t authority, size_t colon)
{
	struct str begin = {rest.ptr + colon + 1, authority - colon - 1};
	struct str line = {rest.ptr, authority + ODD_MAX};
	size_t at;

	if (is_port(begin))
		return 0;
	if (line.len > rest.len)
		line.len = rest.len;
	line.len = span_until(line, "\n\"");
	line = without_next_url(line);
	at = before_last_at(line);
	return at > authority ? at : 0;
}

/* @rest is what follows a "://" that @scheme ends with. */
static size_t url_user(struct str scheme, struct str rest)
{
	struct str authority = rest, user;
	size_t at, colon;

	if (rest.len > URL_MAX)
		rest.len = URL_MAX;
	authority.len = span_until(rest, "/?# \"'\n");
	at = before_last_at(authority);
	user = (struct str){authority.ptr, at ? at : authority.len};
	colon = span_until(user, ":");
	if (at)
		return colon < at || user_is_token(scheme, user) ? at : 0;
	return colon < authority.len ? odd_password(rest, authority.len, colon)
				     : 0;
}

/* --- name=value
 * ---------------------------------------------------------------
 */

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || is_any(c, "_-.");
}

/* The name that @text ends with. */
static struct str name_before(struct str text)
{
	size_t n = 0;

	while (n < text.len && n <= NAME_BYTES &&
	       is_name(text.ptr[text.len - n - 1]))
		n++;
	return n > NAME_BYTES ? (struct str){NULL, 0}
			      : str_from_offset(text, text.len - n);
}

/* In quotes to their end; alone in its text, as an argument of docker's is, to
 * the end of that; else to what ends a parameter or a word. */
static size_t parameter_value(struct str rest, bool alone)
{
	if (str_starts(rest, STR("\"")))
		return 1 + span_until(str_from_offset(rest, 1), "\"");
	if (str_starts(rest, STR("'")))
		return 1 + span_until(str_from_offset(rest, 1), "'");
	return span_until(rest, alone ? "\n" : "&;, \t\n\"'");
}

static size_t parameter(struct str before, struct str rest,
			const struct secret_rules *rules)
{
	struct str name = name_before(before);

	if (!name.len || !secret_rules_names(rules, name))
		return 0;
	return parameter_value(rest, name.len == before.len);
}

/* --- headers and keys
 * -----------------------------------------------------------
 */

/* "Authorization: " hides its line, "Bearer " the word behind it. */
static size_t header(struct str before, struct str rest)
{
	size_t n;

	if (before.len < 2 || !is_any(before.ptr[before.len - 2], ":rR"))
		return 0;
	if (ends_nocase(before, STR("authorization: ")))
		return span_until(rest, "\"'\n");
	if (!ends_nocase(before, STR("bearer ")))
		return 0;
	n = span_until(rest, " \t\"',;\n");
	return n >= HEADER_MIN ? n : 0;
}

/* A private key as text: to the line that ends it, or all there is. */
static size_t private_key(struct str text)
{
	static const char end[] = "-----END ";
	struct str line = {text.ptr,
			   text.len < TITLE_MAX ? text.len : TITLE_MAX};
	const char *last;

	if (!str_starts(text, STR("-----BEGIN ")) ||
	    !memmem(line.ptr, line.len, "PRIVATE KEY", strlen("PRIVATE KEY")))
		return 0;
	last = memmem(text.ptr, text.len, end, strlen(end));
	if (!last)
		return text.len;
	text = str_from_offset(text, (size_t)(last - text.ptr));
	return (size_t)(last - line.ptr) + span_until(text, "\n");
}

size_t secret_shape_at(struct str text, size_t offset,
		       const struct secret_rules *rules)
{
	struct str before = {text.ptr, offset};
	struct str rest = str_from_offset(text, offset);
	if (str_ends(before, STR("://")))
		return url_user(before, rest);
	if (str_ends(before, STR("=")))
		return parameter((struct str){text.ptr, offset - 1}, rest,
				 rules);
	if (str_ends(before, STR(" ")))
		return header(before, rest);
	return private_key(rest);
}
