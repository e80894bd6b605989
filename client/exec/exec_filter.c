#include "exec/exec_filter.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "call/arguments.h"
#include "exec/exec_child.h"
#include "exec/exec_config.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

int exec_filter_check(const struct option_list *only)
{
	for (size_t i = 0; i < only->count; i++) {
		_cleanup_(arena_free) struct arena arena = ARENA_INIT;
		struct path_error error;
		struct path path;

		if (!path_parse(&path, &arena, str_from(only->items[i]),
				&error))
			return complain(EXEC_FAILED, "--only %s: %s",
					only->items[i], error.reason);
	}
	return EXIT_DONE;
}

static void write_at(const char *text, const struct value *tree,
		     struct buf *facts)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const struct value *value = NULL;
	struct path_error error;
	struct path path;

	if (path_parse(&path, &arena, str_from(text), &error))
		value = path_find(tree, &path);
	if (value)
		json_write(facts, value);
	buf_putc(facts, '\n');
}

void exec_filter_write(const struct option_list *only,
		       const struct exec_config *config, struct buf *facts)
{
	for (size_t i = 0; i < only->count; i++)
		write_at(only->items[i], exec_answers_whole(&config->now),
			 facts);
	if (!only->count)
		buf_add(facts, config->state.data, config->state.len);
}
