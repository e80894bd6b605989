/* Patterns of keys: the input's lines are patterns, and keys once there was an
 * empty line; before each pattern a byte that says what it hides. A pattern
 * hides what a plain word in it is the whole of, and a copy hides the same. */

#include <assert.h>
#include <ctype.h>

#include "config/pattern.h"
#include "fuzz_cost.h"

static struct str next_line(struct str *text)
{
	const char *end = memchr(text->ptr, '\n', text->len);
	struct str line = *text;

	if (end)
		line.len = (size_t)(end - text->ptr);
	*text = str_from_offset(*text, end ? line.len + 1 : line.len);
	return line;
}

static bool is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!isalnum((unsigned char)text.ptr[i]))
			return false;
	return text.len > 0;
}

static void add(struct patterns *patterns, struct str line)
{
	enum hiding hiding = line.ptr[0] & 2 ? HIDE_TEXT : HIDE_ALL;
	struct str text = str_from_offset(line, 1);

	if (patterns_add(patterns, text, hiding) && is_plain(text))
		assert(patterns_match(patterns, text) >= hiding);
}

static void test(struct str input)
{
	struct patterns patterns = {0}, copy;
	struct str line;

	while ((line = next_line(&input)).len)
		add(&patterns, line);
	patterns_copy(&copy, &patterns);
	while (input.len) {
		line = next_line(&input);
		assert(patterns_match(&patterns, line) ==
		       patterns_match(&copy, line));
	}
	patterns_deinit(&copy);
	patterns_deinit(&patterns);
}

FUZZ_TARGET("pattern", test)
