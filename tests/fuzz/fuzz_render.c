/* Round trips: a tree that JSON can say is written in every format. What was
 * written without a warning is read to the same again, and each line of env is;
 * lines of env and of properties are one for each leaf, whatever that holds. */

#include <string.h>

#include "fuzz_text.h"
#include "read/variables.h"
#include "render/render.h"
#include "value/path.h"

static void check_reads_back(const struct value *tree, const char *name,
			     enum read_format format)
{
	_cleanup_(rendering_deinit) struct rendering rendering = RENDERING_INIT;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	struct read_options options = fuzz_options(format, NULL);
	int r;

	options.dialect = READ_STRICT;
	options.limits.bytes = (size_t)64 << 20;
	if (!render_format(name)->write(&rendering, tree) ||
	    rendering.warnings.len)
		return;
	r = read_text(&doc, "rendered", buf_str(&rendering.text), &options,
		      &diag);
	assert(r == 0 && value_equal(doc->root, tree));
}

/* --- formats of lines ----------------------------------------------------- */

static size_t count_lines(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '\n';
	return count;
}

static size_t count_leaves(const struct value *value, bool in_lists)
{
	struct member *member;
	size_t count = 0;

	if (value->type == VALUE_OBJECT && value->object.count) {
		for (value_each (value, member))
			count += count_leaves(member->value, in_lists);
		return count;
	}
	if (!in_lists || value->type != VALUE_LIST || !value->list.count)
		return 1;
	for (uint32_t i = 0; i < value->list.count; i++)
		count += count_leaves(value->list.items[i], true);
	return count;
}

static bool has_prefix(struct str line, const char *prefix)
{
	return str_starts(line, str_from(prefix));
}

/* The line is a variable, which is read to what it was written of. */
static void check_variable(struct str line, const struct value *tree)
{
	const char *equals = memchr(line.ptr, '=', line.len);
	struct env_variable variable;
	_cleanup_(env_unrefp) struct env *env = NULL;
	_cleanup_(variables_deinit) struct variables variables = {0};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	struct read_options options = fuzz_options(READ_VALUE, NULL);
	struct path_error error;
	struct path path;

	assert(equals);
	variable.name = (struct str){line.ptr, (size_t)(equals - line.ptr)};
	variable.value = str_from_offset(line, variable.name.len + 1);
	env = env_new(&variable, 1);
	variables_generic(&variables, env);
	assert(variables.count == 1);
	options.under = variables.items[0].under;
	assert(read_text(&doc, "variable", variables.items[0].text, &options,
			 &diag) == 0);
	assert(path_parse(&path, &variables.arena, options.under, &error));
	assert(value_equal(path_find(doc->root, &path),
			   path_find(tree, &path)));
}

/* A variable more than there are leaves would be one of somebody's making. */
static void check_env(const struct value *tree)
{
	_cleanup_(rendering_deinit) struct rendering rendering = RENDERING_INIT;
	struct str text;

	if (!render_format("env")->write(&rendering, tree))
		return;
	text = buf_str(&rendering.text);
	assert(count_lines(text) <= count_leaves(tree, false));
	while (text.len) {
		const char *end = memchr(text.ptr, '\n', text.len);

		assert(end && has_prefix(text, "CLEARML_AGENT__"));
		if (!rendering.warnings.len)
			check_variable((struct str){text.ptr,
						    (size_t)(end - text.ptr)},
				       tree);
		text = str_from_offset(text, (size_t)(end - text.ptr) + 1);
	}
}

static void check_properties(const struct value *tree)
{
	_cleanup_(rendering_deinit) struct rendering rendering = RENDERING_INIT;
	struct str text;

	if (!render_format("properties")->write(&rendering, tree))
		return;
	text = buf_str(&rendering.text);
	assert(count_lines(text) <= count_leaves(tree, true));
	for (size_t i = 0; i < text.len; i++)
		assert(text.ptr[i] == '\n' ||
		       (text.ptr[i] >= ' ' && text.ptr[i] < 0x7f));
}

static void test(struct str input)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	struct read_options options = fuzz_options(READ_JSON, NULL);

	if (read_text(&doc, "input", input, &options, &diag) != 0)
		return;
	check_reads_back(doc->root, "json", READ_JSON);
	check_reads_back(doc->root, "hocon", READ_HOCON);
	check_reads_back(doc->root, "yaml", READ_YAML);
	check_env(doc->root);
	check_properties(doc->root);
}

FUZZ_TARGET("render", test)
