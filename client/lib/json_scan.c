#include "json_scan.h"

#include <string.h>

struct scanner {
	const char *at, *end;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_punctuation(char c)
{
	switch (c) {
	case '{':
	case '}':
	case '[':
	case ']':
	case ':':
	case ',':
	case '"': return true;
	default: return false;
	}
}

/* The next character that is no white space, not taken; 0 at the end, where no
 * JSON has a NUL. */
static char peek(struct scanner *scanner)
{
	while (scanner->at < scanner->end && is_space(*scanner->at))
		scanner->at++;
	if (scanner->at == scanner->end)
		return '\0';
	return *scanner->at;
}

static bool take(struct scanner *scanner, char c)
{
	if (peek(scanner) != c)
		return false;
	scanner->at++;
	return true;
}

static bool skip_string(struct scanner *scanner)
{
	if (!take(scanner, '"'))
		return false;
	while (scanner->at < scanner->end && *scanner->at != '"') {
		if (*scanner->at == '\\')
			scanner->at++;
		scanner->at++;
	}
	if (scanner->at >= scanner->end)
		return false;
	scanner->at++;
	return true;
}

/* true, false, null, a number. */
static bool skip_word(struct scanner *scanner)
{
	const char *start = scanner->at;

	while (scanner->at < scanner->end && !is_space(*scanner->at) &&
	       !is_punctuation(*scanner->at))
		scanner->at++;
	return scanner->at > start;
}

/* An object or a list, counting brackets; its strings may hold some. */
static bool skip_nested(struct scanner *scanner)
{
	size_t depth = 0;
	char c;

	do {
		c = peek(scanner);
		if (c == '"') {
			if (!skip_string(scanner))
				return false;
			continue;
		}
		if (!c)
			return false;
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		scanner->at++;
	} while (depth);
	return true;
}

static bool skip_value(struct scanner *scanner, struct json_slice *value)
{
	char c = peek(scanner);
	bool ok;

	value->ptr = scanner->at;
	if (c == '"')
		ok = skip_string(scanner);
	else if (c == '{' || c == '[')
		ok = skip_nested(scanner);
	else
		ok = skip_word(scanner);
	value->len = (size_t)(scanner->at - value->ptr);
	return ok;
}

static bool is_name(struct json_slice key, const char *name)
{
	return key.len == strlen(name) + 2 &&
	       !memcmp(key.ptr + 1, name, key.len - 2);
}

/* member := string ':' value */
static bool scan_member(struct scanner *scanner, struct json_member *members,
			size_t count)
{
	struct json_slice key, value;

	if (peek(scanner) != '"' || !skip_value(scanner, &key) ||
	    !take(scanner, ':') || !skip_value(scanner, &value))
		return false;
	for (size_t i = 0; i < count; i++)
		if (is_name(key, members[i].name))
			members[i].value = value;
	return true;
}

/* object := '{' (member (',' member)*)? '}' */
bool json_scan_object(struct json_slice text, struct json_member *members,
		      size_t count)
{
	struct scanner scanner = {text.ptr, text.ptr + text.len};

	for (size_t i = 0; i < count; i++)
		members[i].value = (struct json_slice){0};
	if (!take(&scanner, '{'))
		return false;
	if (!take(&scanner, '}')) {
		do {
			if (!scan_member(&scanner, members, count))
				return false;
		} while (take(&scanner, ','));
		if (!take(&scanner, '}'))
			return false;
	}
	(void)peek(&scanner);
	return scanner.at == scanner.end;
}
