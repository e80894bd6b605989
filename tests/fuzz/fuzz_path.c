/* Paths: what is accepted is printed and parsed to the same again. */

#include "fuzz_text.h"
#include "value/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct str input = {(const char *)data, size};
	struct path_error error = {0, NULL};
	struct path path, again;

	if (str_utf8_invalid(input) < size)
		return 0;
	if (!path_parse(&path, &arena, input, &error)) {
		assert(error.offset <= size && error.reason);
		return 0;
	}
	for (size_t i = 0; i < path.count; i++)
		path_add_key(&text, path.items[i]);
	assert(path_parse(&again, &arena, buf_str(&text), &error));
	assert(path_covers(&path, &again) && path_covers(&again, &path));
	return 0;
}
