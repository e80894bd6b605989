/* Random trees, rendered and read again by our own reader in strict dialect,
 * which refuses whatever ClearML would refuse or read otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "read/reader.h"
#include "render/render.h"
#include "value/value.h"

#define TREES 10000

/* --- trees ---------------------------------------------------------------- */

/* What is drawn: a seed, and whether everything is allowed, or only what the
 * format can say without a warning. */
static uint32_t seed;
static bool everything;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Pieces that mean something to some grammar. */
static const char *const pieces[] = {
	"a",        "b",
	"1",        "0",
	"-",        ".",
	" ",        "\t",
	"\n",       "\r",
	"\"",       "\\",
	"$",        "{",
	"}",        "[",
	"]",        ":",
	"=",        ",",
	"+",        "#",
	"`",        "^",
	"?",        "!",
	"@",        "*",
	"&",        "//",
	"${a}",     "\"\"\"",
	"10s",      "true",
	"null",     "include",
	"\xc3\xa9", "\xe2\x80\xa8",
	"\x01",     "\xef\xbb\xbf",
	"\x7f",     "'",
	"%",        "\f",
	"\v",       "\xc2\xa0",
};

static struct str random_text(struct arena *arena, bool key)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	bool careful = key && !everything;
	uint32_t count = draw(5) + careful;

	for (uint32_t i = 0; i < count; i++) {
		const char *piece = pieces[draw(ARRAY_SIZE(pieces))];

		if (!careful || !strpbrk(piece, "\"\\\t\n\r"))
			buf_puts(&text, piece);
	}
	if (careful && !text.len)
		buf_puts(&text, "k");
	return arena_str(arena, buf_str(&text));
}

static struct value *random_number(struct arena *arena)
{
	static const char *const literals[] = {
		"0",      "-7",    "123456789012345678901234567890",
		"1.0",    "-0.0",  "1e16",
		"2.5e-7", "1e300", "0.1",
		"5e-324"};
	const char *literal = literals[draw(ARRAY_SIZE(literals))];
	struct value *value = value_new(arena, VALUE_NULL);

	if (strpbrk(literal, ".e"))
		assert_true(value_set_real(value, str_from(literal)));
	else
		value_set_int(value, arena, str_from(literal));
	return value;
}

static struct value *random_scalar(struct arena *arena, bool in_list)
{
	struct value *value;
	struct str text;

	switch (draw(4)) {
	case 0: return random_number(arena);
	case 1:
		value = value_new(arena, VALUE_BOOL);
		value->boolean = draw(2);
		return value;
	case 2: return value_new(arena, in_list ? VALUE_LIST : VALUE_NULL);
	default:
		text = random_text(arena, false);
		if (in_list && !text.len && !everything)
			text = STR("not empty");
		return value_new_string(arena, text);
	}
}

static struct value *random_value(struct arena *arena, unsigned int depth,
				  bool in_list)
{
	uint32_t kind = depth ? draw(4) : 3, count = draw(5);
	struct value *value;

	if (kind == 0) {
		value = value_new(arena, VALUE_LIST);
		for (uint32_t i = 0; i < count; i++)
			value_list_add(value, arena,
				       random_value(arena, depth - 1, true));
		return value;
	}
	if (kind > 2)
		return random_scalar(arena, in_list);
	value = value_new(arena, VALUE_OBJECT);
	for (uint32_t i = 0; i < count; i++)
		*value_object_slot(value, arena, random_text(arena, true)) =
			random_value(arena, depth - 1, false);
	return value;
}

/* --- round trips ---------------------------------------------------------- */

static struct value *random_tree(struct arena *arena)
{
	struct value *tree = value_new(arena, VALUE_OBJECT);

	for (uint32_t i = 0; i < 4; i++)
		*value_object_slot(tree, arena, random_text(arena, true)) =
			random_value(arena, 4, false);
	return tree;
}

/* Equality that tells 1 from 1.0 and the order of keys does not matter to. */
static void assert_reads_back(const struct value *tree, const char *name,
			      enum read_format format)
{
	_cleanup_(rendering_deinit) struct rendering rendering = RENDERING_INIT;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	struct read_options options = {.format = format,
				       .dialect = READ_STRICT,
				       .limits = READ_LIMITS_DEFAULT};
	struct str text;

	assert_true(render_format(name)->write(&rendering, tree));
	assert_string_equal(buf_str(&rendering.warnings).ptr, "");
	text = buf_str(&rendering.text);
	if (read_text(&doc, "rendered", text, &options, &diag) != 0)
		fail_msg("%s in:\n%.*s", diag.text, STR_PRINT(text));
	else if (!value_equal(doc->root, tree))
		fail_msg("differs:\n%.*s", STR_PRINT(text));
}

static void round_trips(const char *name, enum read_format format, bool any)
{
	everything = any;
	for (uint32_t i = 0; i < TREES; i++) {
		_cleanup_(arena_free) struct arena arena = ARENA_INIT;

		seed = i;
		assert_reads_back(random_tree(&arena), name, format);
	}
}

static void hocon_reads_back_the_same(void **state)
{
	(void)state;
	round_trips("hocon", READ_HOCON, false);
}

static void yaml_reads_back_the_same(void **state)
{
	(void)state;
	round_trips("yaml", READ_YAML, true);
}

static void json_reads_back_the_same(void **state)
{
	(void)state;
	round_trips("json", READ_JSON, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hocon_reads_back_the_same),
		cmocka_unit_test(yaml_reads_back_the_same),
		cmocka_unit_test(json_reads_back_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
