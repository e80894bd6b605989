/* Paths: what is accepted is printed and parsed to the same again. */

#include "fuzz_text.h"
#include "value/path.h"

static void test(struct str input)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct path_error error = {0, NULL};
	struct path path, again;

	if (str_utf8_invalid(input) < input.len)
		return;
	if (!path_parse(&path, &arena, input, &error)) {
		assert(error.offset <= input.len && error.reason);
		return;
	}
	for (size_t i = 0; i < path.count; i++)
		path_add_key(&text, path.items[i]);
	assert(path_parse(&again, &arena, buf_str(&text), &error));
	assert(path_covers(&path, &again) && path_covers(&again, &path));
}

FUZZ_TARGET("path", test)
