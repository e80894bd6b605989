#include "config/pattern.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define TEXT_MAX    256  /* characters of a pattern */
#define REPEATS_MAX 1000 /* what its {n,m} may come to, multiplied */

struct pattern {
	char *text;
	bool bad; /* it hides nothing, and is not complained about again */
	enum hiding hiding;
	/* Most are a word, perhaps with ^ before or $ behind: those need no
	 * machine. */
	struct str word; /* in text; NULL: the expression */
	bool first, last;
	regex_t regex;
};

static bool is_word(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!isalnum((unsigned char)text.ptr[i]) &&
		    text.ptr[i] != '_' && text.ptr[i] != '-')
			return false;
	return true;
}

static bool take_word(struct pattern *pattern)
{
	struct str text = str_from(pattern->text);

	pattern->first = str_starts(text, STR("^"));
	text = str_from_offset(text, pattern->first);
	pattern->last = str_ends(text, STR("$"));
	text.len -= pattern->last;
	if (is_word(text))
		pattern->word = text;
	return pattern->word.ptr != NULL;
}

/* The C library builds a copy for each repetition, and copies of copies where
 * they nest. */
static bool repeats_too_often(const char *text)
{
	unsigned long all = 1, most;

	while ((text = strchr(text, '{'))) {
		for (most = 1, text++; *text && *text != '}'; text++) {
			char *end;
			unsigned long number = strtoul(text, &end, 10);

			most = number > most ? number : most;
			text = end > text ? end - 1 : text;
		}
		if (most > REPEATS_MAX || (all *= most) > REPEATS_MAX)
			return true;
	}
	return false;
}

/* A reference to what has matched is no part of the extended expressions, but
 * the C library knows it, and it may take for ever. */
static bool refers_back(const char *text)
{
	for (; *text; text++) {
		if (*text != '\\' || !text[1])
			continue;
		text++;
		if (isdigit((unsigned char)*text))
			return true;
	}
	return false;
}

static bool compile(struct pattern *pattern)
{
	if (take_word(pattern))
		return true;
	return strlen(pattern->text) <= TEXT_MAX &&
	       !repeats_too_often(pattern->text) &&
	       !refers_back(pattern->text) &&
	       regcomp(&pattern->regex, pattern->text,
		       REG_EXTENDED | REG_NOSUB | REG_ICASE) == 0;
}

static void pattern_deinit(struct pattern *pattern)
{
	if (!pattern->word.ptr && !pattern->bad)
		regfree(&pattern->regex);
	mem_free(pattern->text);
}

static struct pattern *find(const struct patterns *patterns, struct str text)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (str_is(text, patterns->items[i].text))
			return &patterns->items[i];
	return NULL;
}

static void append(struct patterns *patterns, struct pattern pattern)
{
	size_t size = (patterns->count + 1) * sizeof(pattern);

	patterns->items = mem_grow(patterns->items, size);
	patterns->items[patterns->count++] = pattern;
}

bool patterns_has(const struct patterns *patterns, struct str text,
		  enum hiding hiding)
{
	const struct pattern *same = find(patterns, text);

	return same ? same->bad || same->hiding >= hiding
		    : patterns->count > PATTERNS_MAX;
}

bool patterns_add(struct patterns *patterns, struct str text,
		  enum hiding hiding)
{
	struct pattern pattern = {.hiding = hiding}, *same;

	if (patterns_has(patterns, text, hiding))
		return false;
	same = find(patterns, text);
	if (same) {
		same->hiding = hiding;
		return true;
	}
	pattern.text = mem_strndup(text.ptr, text.len);
	pattern.bad = patterns->count == PATTERNS_MAX || !text.len ||
		      !compile(&pattern);
	if (pattern.bad)
		log_warning("mask-pattern-ignored",
			    LOG_TEXT("pattern", pattern.text),
			    LOG_TEXT("reason", patterns->count == PATTERNS_MAX
						       ? "too many patterns"
						       : "no expression"));
	append(patterns, pattern);
	return !pattern.bad;
}

/* Does @word stand in @key, at its beginning or end if it has to? */
static bool has_word(struct str key, const struct pattern *pattern)
{
	struct str word = pattern->word;
	size_t last = key.len - word.len;

	if (word.len > key.len)
		return false;
	for (size_t i = pattern->last ? last : 0;
	     i <= (pattern->first ? 0 : last); i++)
		if (str_equal_nocase((struct str){key.ptr + i, word.len}, word))
			return true;
	return false;
}

static bool matches(const struct pattern *pattern, struct str key)
{
	_cleanup_(mem_freep) char *text = NULL;

	if (pattern->word.ptr)
		return has_word(key, pattern);
	text = mem_strndup(key.ptr, key.len);
	return regexec(&pattern->regex, text, 0, NULL, 0) == 0;
}

enum hiding patterns_match(const struct patterns *patterns, struct str key)
{
	enum hiding hiding = HIDE_NOTHING;

	for (size_t i = 0; i < patterns->count; i++)
		if (patterns->items[i].hiding > hiding &&
		    !patterns->items[i].bad &&
		    matches(&patterns->items[i], key))
			hiding = patterns->items[i].hiding;
	return hiding;
}

/* Bad ones are copied, too, so that they are remembered; each had its say. */
void patterns_copy(struct patterns *copy, const struct patterns *patterns)
{
	*copy = (struct patterns){0};
	for (size_t i = 0; i < patterns->count; i++) {
		struct pattern pattern = {
			.text = mem_strdup(patterns->items[i].text),
			.hiding = patterns->items[i].hiding,
			.bad = patterns->items[i].bad,
		};

		pattern.bad = pattern.bad || !compile(&pattern);
		append(copy, pattern);
	}
}

void patterns_deinit(struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		pattern_deinit(&patterns->items[i]);
	mem_free(patterns->items);
	*patterns = (struct patterns){0};
}
