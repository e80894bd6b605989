#include "config/pattern.h"

#include <string.h>

#include "base/mem.h"
#include "config/linear_pattern.h"

#define KEY_MAX 4096
#define MACHINES_MAX                                                           \
	16 /* each takes the same few steps for a byte of a key                \
	    */

struct pattern {
	char *text;
	bool bad; /* it hides nothing, and is not looked at again */
	enum hiding hiding;
};

/* Patterns that hide the same. */
struct pattern_machine {
	enum hiding hiding;
	struct linear_pattern linear;
};

static bool add_linear(struct patterns *patterns, const struct pattern *pattern)
{
	struct pattern_machine machine = {.hiding = pattern->hiding};
	struct str text = str_from(pattern->text);
	size_t count = patterns->machine_count;

	for (size_t i = 0; i < count; i++)
		if (patterns->machines[i].hiding == pattern->hiding &&
		    linear_pattern_add(&patterns->machines[i].linear, text))
			return true;
	if (count == MACHINES_MAX || !linear_pattern_add(&machine.linear, text))
		return false;
	patterns->machines =
		mem_grow(patterns->machines, (count + 1) * sizeof(machine));
	patterns->machines[patterns->machine_count++] = machine;
	return true;
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

const char *patterns_why_not(const struct patterns *patterns)
{
	return patterns->count >= PATTERNS_MAX ||
			       patterns->machine_count == MACHINES_MAX
		       ? "too many patterns"
		       : "not one of the expressions of clearconfd.conf(5)";
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
		return add_linear(patterns, same);
	}
	pattern.text = mem_strndup(text.ptr, text.len);
	pattern.bad = patterns->count == PATTERNS_MAX || !text.len ||
		      !add_linear(patterns, &pattern);
	append(patterns, pattern);
	return !pattern.bad;
}

bool patterns_add_words(struct patterns *patterns, const char *words)
{
	struct str rest = str_from(words), word;
	size_t count = 0;
	bool good = true;

	for (; count <= PATTERNS_MAX && str_next_word(&rest, &word); count++)
		if (!patterns_has(patterns, word, HIDE_TEXT) &&
		    !patterns_add(patterns, word, HIDE_TEXT))
			good = false;
	return good && count <= PATTERNS_MAX;
}

bool patterns_accept(const char *words)
{
	_cleanup_(patterns_deinit) struct patterns patterns = {0};

	return patterns_add_words(&patterns, words);
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
		append(copy, pattern);
	}
}

void patterns_deinit(struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		mem_free(patterns->items[i].text);
	mem_free(patterns->items);
	mem_free(patterns->machines);
	*patterns = (struct patterns){0};
}
