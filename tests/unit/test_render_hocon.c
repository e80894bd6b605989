/* What HOCON renders must be read back as the same tree, or warned about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "read/reader.h"
#include "render/render.h"
#include "value/value.h"

static struct doc *read_as(enum read_format format, struct str text)
{
	struct diag diag = DIAG_INIT;
	struct doc *doc = NULL;
	struct read_options options = {.format = format,
				       .dialect = READ_STRICT,
				       .limits = READ_LIMITS_DEFAULT};

	if (read_text(&doc, "rendered", text, &options, &diag) != 0)
		fail_msg("%s in:\n%.*s", diag.text, STR_PRINT(text));
	return doc;
}

static struct rendering render(const struct value *value)
{
	struct rendering rendering = RENDERING_INIT;

	assert_true(render_format("hocon")->write(&rendering, value));
	return rendering;
}

/* The object that the JSON @text describes, rendered. */
static void assert_rendered(const char *text, const char *expected,
			    const char *warnings)
{
	struct doc *doc = read_as(READ_JSON, str_from(text));
	struct rendering rendering = render(doc->root);

	assert_string_equal(buf_str(&rendering.text).ptr, expected);
	assert_string_equal(buf_str(&rendering.warnings).ptr, warnings);
	rendering_deinit(&rendering);
	(void)doc_unref(doc);
}

#define HEAD "# written by clearconf\n"

static void an_object_is_fields_under_the_comment(void **state)
{
	(void)state;
	assert_rendered("{}", HEAD, "");
	assert_rendered("{\"a\":{\"b\":1,\"c\":[1.5,{\"d\":null}],\"e\":{}}}",
			HEAD "a {\n  b = 1\n  c = [\n    1.5,\n    {\n"
			     "      d = null\n    }\n  ]\n  e {}\n}\n",
			"");
}

static void strings_are_quoted_with_the_escapes_that_clearml_knows(void **state)
{
	(void)state;
	assert_rendered(
		"{\"a\":\"10s\",\"b\":\"${x}\",\"c\":\"\\t\\n\\r\\\"\\\\"
		"\\u0001\\b\",\"d\":\"\"}",
		HEAD "a = \"10s\"\nb = \"${x}\"\n"
		     "c = \"\\t\\n\\r\\\"\\\\\001\b\"\nd = \"\"\n",
		"");
}

static void keys_are_quoted_where_they_have_to_be(void **state)
{
	(void)state;
	assert_rendered("{\"a-b_1\":1,\"1a\":2,\"a.b\":3,\"include\":4,\"-\":5,"
			"\"\xc3\xa9\":6,\"a\\\\n\":7}",
			HEAD "a-b_1 = 1\n\"1a\" = 2\n\"a.b\" = 3\n"
			     "\"include\" = 4\n\"-\" = 5\n\"\xc3\xa9\" = 6\n"
			     "\"a\\n\" = 7\n",
			"");
}

static void a_key_that_cannot_be_written_is_left_out_with_a_warning(
	void **state)
{
	static const char *const keys[] = {"",    "\\\"",     "\\t",
					   "\\n", "a\\\\",    "\\\\\\\\\\\\",
					   "\\r", "a\\\\\\\""};
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct rendering rendering;
		struct doc *doc;

		(void)snprintf(text, sizeof(text), "{\"%s\":{\"x\":1},\"k\":2}",
			       keys[i]);
		doc = read_as(READ_JSON, str_from(text));
		rendering = render(doc->root);
		assert_string_equal(buf_str(&rendering.text).ptr,
				    HEAD "k = 2\n");
		assert_non_null(
			strstr(buf_str(&rendering.warnings).ptr, "left out"));
		rendering_deinit(&rendering);
		(void)doc_unref(doc);
	}
}

static void what_clearml_loses_is_warned_about(void **state)
{
	(void)state;
	assert_rendered("{\"a\":[\"\"]}", HEAD "a = [\n  \"\"\n]\n",
			"a.0: ClearML drops an empty string from a list\n");
	assert_rendered(
		"{\"a\":[null,[{\"b\":[null]},null]]}",
		HEAD "a = [\n  null,\n  [\n    {\n      b = [\n        null\n"
		     "      ]\n    },\n    null\n  ]\n]\n",
		"a.1.1: ClearML cannot read null in a list in a list\n");
}

static void deep_nesting_is_warned_about_once(void **state)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct rendering rendering;
	struct doc *doc;
	char *warnings;

	(void)state;
	for (int i = 0; i < 40; i++)
		buf_puts(&text, "{\"a\":");
	buf_puts(&text, "1");
	for (int i = 0; i < 40; i++)
		buf_puts(&text, "}");
	doc = read_as(READ_JSON, buf_str(&text));
	rendering = render(doc->root);
	warnings = (char *)buf_str(&rendering.warnings).ptr;
	assert_non_null(strstr(warnings, "nested so deep"));
	assert_ptr_equal(strchr(warnings, '\n') + 1,
			 warnings + rendering.warnings.len);
	rendering_deinit(&rendering);
	(void)doc_unref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_fields_under_the_comment),
		cmocka_unit_test(
			strings_are_quoted_with_the_escapes_that_clearml_knows),
		cmocka_unit_test(keys_are_quoted_where_they_have_to_be),
		cmocka_unit_test(
			a_key_that_cannot_be_written_is_left_out_with_a_warning),
		cmocka_unit_test(what_clearml_loses_is_warned_about),
		cmocka_unit_test(deep_nesting_is_warned_about_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
