/* The formats json and raw, and which is taken when none is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "render/render.h"
#include "value/value.h"

static void assert_rendered(const char *format, const struct value *value,
			    const char *expected)
{
	struct rendering rendering = RENDERING_INIT;

	assert_true(render_format(format)->write(&rendering, value));
	assert_string_equal(buf_str(&rendering.text).ptr, expected);
	assert_int_equal(rendering.warnings.len, 0);
	rendering_deinit(&rendering);
}

static void a_scalar_is_bare(void **state)
{
	struct arena arena = ARENA_INIT;
	struct value *value = value_new(&arena, VALUE_NULL);

	(void)state;
	assert_rendered("raw", value, "\n");
	value_set_int(value, &arena, STR("123456789012345678901234567890"));
	assert_rendered("raw", value, "123456789012345678901234567890\n");
	assert_true(value_set_real(value, STR("1")));
	assert_rendered("raw", value, "1.0\n");
	assert_rendered("raw", value_new_string(&arena, STR("a \"b\"\n")),
			"a \"b\"\n\n");
	value = value_new(&arena, VALUE_BOOL);
	value->boolean = true;
	assert_rendered("raw", value, "true\n");
	arena_free(&arena);
}

static void what_is_no_scalar_has_no_raw_text(void **state)
{
	struct arena arena = ARENA_INIT;
	struct rendering rendering = RENDERING_INIT;

	(void)state;
	assert_false(render_format("raw")->write(
		&rendering, value_new(&arena, VALUE_OBJECT)));
	assert_non_null(rendering.refusal);
	assert_false(render_format("raw")->write(
		&rendering, value_new(&arena, VALUE_LIST)));
	rendering_deinit(&rendering);
	arena_free(&arena);
}

static void json_is_for_people(void **state)
{
	struct arena arena = ARENA_INIT;
	struct value *object = value_new(&arena, VALUE_OBJECT);

	(void)state;
	*value_object_slot(object, &arena, STR("a")) =
		value_new_string(&arena, STR("b"));
	assert_rendered("json", object, "{\n  \"a\": \"b\"\n}\n");
	arena_free(&arena);
}

static void the_value_chooses_the_format(void **state)
{
	struct arena arena = ARENA_INIT;

	(void)state;
	assert_string_equal(
		render_format_for(value_new(&arena, VALUE_OBJECT))->name,
		"json");
	assert_string_equal(
		render_format_for(value_new(&arena, VALUE_LIST))->name, "json");
	assert_string_equal(
		render_format_for(value_new(&arena, VALUE_NULL))->name, "raw");
	arena_free(&arena);
}

static void every_named_format_exists(void **state)
{
	char names[] = RENDER_FORMAT_NAMES;

	(void)state;
	for (char *name = strtok(names, ", "); name; name = strtok(NULL, ", "))
		assert_non_null(render_format(name));
	assert_null(render_format("pdf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scalar_is_bare),
		cmocka_unit_test(what_is_no_scalar_has_no_raw_text),
		cmocka_unit_test(json_is_for_people),
		cmocka_unit_test(the_value_chooses_the_format),
		cmocka_unit_test(every_named_format_exists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
