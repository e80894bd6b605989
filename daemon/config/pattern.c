#include "config/pattern.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/linear_pattern.h"

#define TEXT_MAX    256 /* characters of an expression */
#define REPEATS_MAX 64  /* what its {n,m} may come to, multiplied */
#define NESTING_MAX 4   /* groups in groups */
#define KEY_MAX     4096

/* Most are linear; what only the C library can match is compiled by it, where
 * the pattern is to be trusted. */
struct pattern {
	char *text;
	bool bad; /* it hides nothing, and is not complained about again */
	bool is_regex;
	enum hiding hiding;
	regex_t regex;
};

/* Linear patterns that hide the same. */
struct pattern_machine {
	enum hiding hiding;
	struct linear_pattern linear;
};

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

/* It doubles what is repeated, and doubles again what is repeated in that. */
static bool nests_too_deep(const char *text)
{
	int depth = 0;

	for (; *text && depth <= NESTING_MAX; text++) {
		if (*text == '\\' && text[1])
			text++;
		else if (*text == '(')
			depth++;
		else if (*text == ')')
			depth--;
	}
	return depth > NESTING_MAX;
}

static bool compile_regex(struct pattern *pattern)
{
	const char *text = pattern->text;

	pattern->is_regex = strlen(text) <= TEXT_MAX &&
			    !repeats_too_often(text) && !refers_back(text) &&
			    !nests_too_deep(text) &&
			    regcomp(&pattern->regex, text,
				    REG_EXTENDED | REG_NOSUB | REG_ICASE) == 0;
	return pattern->is_regex;
}

static bool add_linear(struct patterns *patterns, const struct pattern *pattern)
{
	struct pattern_machine machine = {.hiding = pattern->hiding};
	struct str text = str_from(pattern->text);
	size_t count = patterns->machine_count;

	for (size_t i = 0; i < count; i++)
		if (patterns->machines[i].hiding == pattern->hiding &&
		    linear_pattern_add(&patterns->machines[i].linear, text))
			return true;
	if (!linear_pattern_add(&machine.linear, text))
		return false;
	patterns->machines =
		mem_grow(patterns->machines, (count + 1) * sizeof(machine));
	patterns->machines[patterns->machine_count++] = machine;
	return true;
}

static bool compile(struct patterns *patterns, struct pattern *pattern,
		    enum pattern_author author)
{
	return add_linear(patterns, pattern) ||
	       (author == PATTERN_OF_SETTINGS && compile_regex(pattern));
}

static void pattern_deinit(struct pattern *pattern)
{
	if (pattern->is_regex)
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

static const char *reason_of(const struct patterns *patterns,
			     enum pattern_author author)
{
	if (patterns->count == PATTERNS_MAX)
		return "too many patterns";
	return author == PATTERN_OF_SETTINGS
		       ? "no expression, or one that costs too much"
		       : "only letters, classes, * + ? and the anchors ^ and $ "
			 "are allowed, and no groups";
}

bool patterns_add(struct patterns *patterns, struct str text,
		  enum hiding hiding, enum pattern_author author)
{
	struct pattern pattern = {.hiding = hiding}, *same;

	if (patterns_has(patterns, text, hiding))
		return false;
	same = find(patterns, text);
	if (same) {
		same->hiding = hiding;
		return same->is_regex || add_linear(patterns, same);
	}
	pattern.text = mem_strndup(text.ptr, text.len);
	pattern.bad = patterns->count == PATTERNS_MAX || !text.len ||
		      !compile(patterns, &pattern, author);
	if (pattern.bad)
		log_warning("mask-pattern-ignored",
			    LOG_TEXT("pattern", pattern.text),
			    LOG_TEXT("reason", reason_of(patterns, author)));
	append(patterns, pattern);
	return !pattern.bad;
}

static bool regex_matches(const struct pattern *pattern, struct str key)
{
	_cleanup_(mem_freep) char *text = mem_strndup(key.ptr, key.len);

	return regexec(&pattern->regex, text, 0, NULL, 0) == 0;
}

/* Nobody looks for a longer key, and none is worth the time. */
static bool is_too_long(const struct patterns *patterns, struct str key)
{
	return patterns->count && key.len > KEY_MAX;
}

enum hiding patterns_match(const struct patterns *patterns, struct str key)
{
	enum hiding hiding = HIDE_NOTHING;

	if (is_too_long(patterns, key))
		return HIDE_ALL;
	for (size_t i = 0; i < patterns->machine_count; i++)
		if (patterns->machines[i].hiding > hiding &&
		    linear_pattern_match(&patterns->machines[i].linear, key))
			hiding = patterns->machines[i].hiding;
	for (size_t i = 0; i < patterns->count; i++)
		if (patterns->items[i].is_regex &&
		    patterns->items[i].hiding > hiding &&
		    regex_matches(&patterns->items[i], key))
			hiding = patterns->items[i].hiding;
	return hiding;
}

/* Bad ones are copied, too, so that they are remembered; each had its say. */
void patterns_copy(struct patterns *copy, const struct patterns *patterns)
{
	size_t size = patterns->machine_count * sizeof(*copy->machines);

	*copy = (struct patterns){.machine_count = patterns->machine_count};
	if (size)
		copy->machines =
			memcpy(mem_alloc(size), patterns->machines, size);
	for (size_t i = 0; i < patterns->count; i++) {
		struct pattern pattern = patterns->items[i];

		pattern.text = mem_strdup(pattern.text);
		if (pattern.is_regex)
			(void)compile_regex(&pattern);
		append(copy, pattern);
	}
}

void patterns_deinit(struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		pattern_deinit(&patterns->items[i]);
	mem_free(patterns->items);
	mem_free(patterns->machines);
	*patterns = (struct patterns){0};
}
