#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "read/reading.h"

#include "../support/official.h"
#include "../support/outcome.h"
#include "../support/scratch.h"
#include "../support/skipping.h"

static int enter(void **state)
{
	(void)state;
	scratch_enter();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	scratch_leave();
	return 0;
}

static int read_here(struct outcome *result, const char *name)
{
	struct read_options options =
		outcome_options(read_format_of_path(name));

	outcome_deinit(result);
	options.may_include = true;
	return read_file(&result->doc, name, &options, &result->diag);
}

static void the_suffix_says_the_format(void **state)
{
	(void)state;
	assert_int_equal(read_format_of_path("/x/clearml.conf"), READ_HOCON);
	assert_int_equal(read_format_of_path("x"), READ_HOCON);
	assert_int_equal(read_format_of_path("x.json.bak"), READ_HOCON);
	assert_int_equal(read_format_of_path("a.json"), READ_JSON);
	assert_int_equal(read_format_of_path("a.yaml"), READ_YAML);
	assert_int_equal(read_format_of_path("a.yml"), READ_YAML);
}

static void formats_have_names(void **state)
{
	enum read_format format = READ_YAML;

	(void)state;
	assert_true(read_format_from_name(STR("hocon"), &format));
	assert_int_equal(format, READ_HOCON);
	assert_true(read_format_from_name(STR("json"), &format));
	assert_int_equal(format, READ_JSON);
	assert_false(read_format_from_name(STR("JSON"), &format));
	assert_false(read_format_from_name(STR(""), &format));
}

static void what_is_no_file_is_missing(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	scratch_folder("folder");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(read_here(&result, "nowhere"), READ_E_MISSING);
	assert_int_equal(read_here(&result, "nowhere/x"), READ_E_MISSING);
	assert_int_equal(read_here(&result, "folder"), READ_E_MISSING);
	assert_int_equal(read_here(&result, "fifo"), READ_E_MISSING);
	assert_false(diag_failed(&result.diag));
}

static void a_file_is_read_by_its_format(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	scratch_write("a.conf", "a = 010");
	scratch_write("a.json", "{\"a\": \"\\u0041\"}");
	scratch_write("a.yaml", "a: 010\n");
	assert_int_equal(read_here(&result, "a.conf"), 0);
	outcome_assert_json(&result, "{\"a\":10}");
	assert_int_equal(read_here(&result, "a.json"), 0);
	outcome_assert_json(&result, "{\"a\":\"A\"}");
	assert_int_equal(read_here(&result, "a.yaml"), 0);
	outcome_assert_json(&result, "{\"a\":8}");
}

static void an_empty_text_is_the_empty_object(void **state)
{
	struct read_options options = outcome_options(READ_HOCON);
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	for (int format = READ_HOCON; format <= READ_YAML; format++) {
		options.format = (enum read_format)format;
		result = outcome_of(&options, STR(" \r\n\t"));
		outcome_assert_json(&result, "{}");
		outcome_deinit(&result);
	}
}

static void bad_utf8_is_broken(void **state)
{
	struct read_options options = outcome_options(READ_HOCON);
	_cleanup_(outcome_deinit) struct outcome result =
		outcome_of(&options, STR("a = 1\nb = \"\xFF\"\n"));

	(void)state;
	outcome_assert_complaint(&result, "2:6: byte 0xff is not valid UTF-8");
}

static void bytes_are_limited(void **state)
{
	struct read_options options = outcome_options(READ_HOCON);
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	options.limits.bytes = 5;
	result = outcome_of(&options, STR("a = 1"));
	outcome_assert_json(&result, "{\"a\":1}");
	outcome_deinit(&result);
	result = outcome_of(&options, STR("a = 10"));
	outcome_assert_complaint(&result,
				 "0:0: is larger than the limit of 5 bytes");
}

static void included_files_are_named(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	scratch_folder("sub");
	scratch_write("sub/a.conf", "include \"b.conf\"\ninclude \"b.conf\"\n"
				    "include \"gone.conf\"\n");
	scratch_write("sub/b.conf", "x = 1\n");
	scratch_write("main.conf", "include \"sub/a.conf\"\ny = 2\n");
	assert_int_equal(read_here(&result, "main.conf"), 0);
	outcome_assert_json(&result, "{\"x\":1,\"y\":2}");
	assert_int_equal(result.doc->include_count, 3);
	assert_string_equal(result.doc->includes[0], "sub/a.conf");
	assert_string_equal(result.doc->includes[1], "sub/b.conf");
	assert_string_equal(result.doc->includes[2], "sub/gone.conf");
}

static void a_value_knows_its_included_file(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = {0};
	const struct value *value;

	(void)state;
	scratch_write("part.conf", "\nx = 1\n");
	scratch_write("main.conf", "include \"part.conf\"\n");
	assert_int_equal(read_here(&result, "main.conf"), 0);
	value = value_get(result.doc->root, STR("x"));
	assert_string_equal(result.doc->sources[value->source]->name,
			    "part.conf");
	assert_int_equal(doc_pos(result.doc, value).line, 2);
}

static void a_file_url_is_a_file(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = {0};
	char text[2 * PATH_MAX];

	(void)state;
	scratch_write("with space.conf", "x = 1\n");
	assert_true(snprintf(text, sizeof(text),
			     "include url(\"file://%s/with%%20space.conf\")\n",
			     scratch_root) < (int)sizeof(text));
	scratch_write("main.conf", text);
	assert_int_equal(read_here(&result, "main.conf"), 0);
	outcome_assert_json(&result, "{\"x\":1}");
}

static void an_include_of_bad_bytes_is_broken(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	scratch_write("part.conf", "a = \xFF\n");
	scratch_write("main.conf", "include \"part.conf\"\n");
	assert_int_equal(read_here(&result, "main.conf"), READ_E_BROKEN);
	assert_string_equal(result.diag.source, "part.conf");
	outcome_assert_complaint(&result, "1:5: byte 0xff is not valid UTF-8");
}

static void an_include_cycle_is_an_error(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	scratch_write("a.conf", "include \"b.conf\"\n");
	scratch_write("b.conf", "include \"a.conf\"\n");
	assert_int_equal(read_here(&result, "a.conf"), READ_E_BROKEN);
	outcome_assert_complaint(
		&result, "1:9: this file is being read: it includes itself");
}

/* By another name each time: the limit ends it. */
static void includes_are_limited(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	scratch_write("a.conf", "include \"./a.conf\"\n");
	assert_int_equal(read_here(&result, "a.conf"), READ_E_BROKEN);
	outcome_assert_complaint(&result, "1:9: more than 64 files");
}

static void a_vault_may_not_include(void **state)
{
	static const char *const texts[] = {
		"include \"a.conf\"\n",
		"a { INCLUDE required(file(\"a.conf\")) }\n",
		"include url(\"file:///a.conf\")\n",
		"include classpath(\"a.conf\")\n",
	};
	struct read_options options = outcome_options(READ_HOCON);
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	scratch_write("a.conf", "a = 1\n");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		result = outcome_of(&options, str_from(texts[i]));
		assert_null(result.doc);
		assert_string_equal(result.diag.text,
				    "include is not allowed in a vault");
		outcome_deinit(&result);
	}
}

static void what_is_read_goes_under_a_key(void **state)
{
	struct read_options options = outcome_options(READ_HOCON);
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	options.under = STR("a.b");
	result = outcome_of(&options, STR("x = 1\ny = ${x}"));
	outcome_assert_json(&result, "{\"a\":{\"b\":{\"x\":1,\"y\":1}}}");
	outcome_deinit(&result);
	options.format = READ_LITERAL;
	result = outcome_of(&options, STR("[1]"));
	outcome_assert_json(&result, "{\"a\":{\"b\":\"[1]\"}}");
}

static void the_key_that_is_read_under_may_go_before_the_document(void **state)
{
	struct read_options options = outcome_options(READ_LITERAL);
	_cleanup_(outcome_deinit) struct outcome result = {0};
	char *under = mem_strndup("a.b", 3);

	(void)state;
	options.under = str_from(under);
	result = outcome_of(&options, STR("x"));
	memset(under, '?', 3);
	mem_free(under);
	outcome_assert_json(&result, "{\"a\":{\"b\":\"x\"}}");
}

static void what_goes_under_no_key_or_too_many_is_broken(void **state)
{
	static const enum read_format some[] = {READ_HOCON, READ_VALUE,
						READ_LITERAL};
	_cleanup_(outcome_deinit) struct outcome result = {0};
	_cleanup_(buf_deinit) struct buf deep = BUF_INIT;
	struct read_options options;

	(void)state;
	for (size_t i = 0; i <= READING_PATH_MAX; i++)
		buf_puts(&deep, "a.");
	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		options = outcome_options(some[i]);
		options.under = STR("$.");
		outcome_deinit(&result);
		result = outcome_of(&options, STR("{}"));
		assert_null(result.doc);
		assert_string_equal(result.diag.text,
				    "its name stands for no key");
		options.under = buf_str(&deep);
		outcome_deinit(&result);
		result = outcome_of(&options, STR("{}"));
		assert_null(result.doc);
		assert_non_null(strstr(result.diag.text, "too many parts"));
	}
}

/* Every beginning of a text is read or refused, never worse. Large texts are
 * cut at some of their bytes. */
static void check_beginnings(struct str text)
{
	struct read_options options = outcome_options(READ_HOCON);
	size_t step = text.len / 500 + 1;
	struct outcome result;

	for (size_t len = 0; len < text.len; len += step) {
		result = outcome_of(&options, (struct str){text.ptr, len});
		outcome_deinit(&result);
	}
}

static void a_cut_text_is_read_or_refused(void **state)
{
	static const char text[] =
		"# c\r\n{ a.\"b c\".d = \"x\\ny\", e += [1, 2.5e3,, ${?f}"
		" ${g.h}x]\ti : \"\"\"t\"\"\"\" \\\n j true // c\n"
		"include required(file(\"x\"))\n\xC3\xA9 { k = {} [] null } "
		"\xC2\xA0 l = ${ m }\xE2\x80\x89 n }";

	(void)state;
	check_beginnings(STR(text));
}

static void official_files_cut_short_are_read_or_refused(void **state)
{
	static const char *const names[] = {
		"agent-docs-clearml", "agent-default-agent", "agent-k8s-glue",
		"sdk-docs-clearml",   "sdk-default-sdk",
	};
	_cleanup_(outcome_deinit) struct outcome result = {0};
	const char *root = *state;
	char folder[2 * PATH_MAX];

	if (!official_folder(root, folder, sizeof(folder)))
		skip_because("no files of ClearML's: CLEARCONF_SHARED names no "
			     "folder with them");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(mem_freep) char *path =
			mem_printf("%s/%s.conf", folder, names[i]);

		assert_int_equal(read_here(&result, path), 0);
		check_beginnings(result.doc->sources[0]->text);
	}
}

int main(void)
{
	static char root[PATH_MAX];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_suffix_says_the_format),
		cmocka_unit_test(formats_have_names),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_missing,
						enter, leave),
		cmocka_unit_test_setup_teardown(a_file_is_read_by_its_format,
						enter, leave),
		cmocka_unit_test(an_empty_text_is_the_empty_object),
		cmocka_unit_test(bad_utf8_is_broken),
		cmocka_unit_test(bytes_are_limited),
		cmocka_unit_test_setup_teardown(included_files_are_named, enter,
						leave),
		cmocka_unit_test_setup_teardown(a_value_knows_its_included_file,
						enter, leave),
		cmocka_unit_test_setup_teardown(a_file_url_is_a_file, enter,
						leave),
		cmocka_unit_test_setup_teardown(
			an_include_of_bad_bytes_is_broken, enter, leave),
		cmocka_unit_test_setup_teardown(an_include_cycle_is_an_error,
						enter, leave),
		cmocka_unit_test_setup_teardown(includes_are_limited, enter,
						leave),
		cmocka_unit_test_setup_teardown(a_vault_may_not_include, enter,
						leave),
		cmocka_unit_test(what_is_read_goes_under_a_key),
		cmocka_unit_test(
			the_key_that_is_read_under_may_go_before_the_document),
		cmocka_unit_test(what_goes_under_no_key_or_too_many_is_broken),
		cmocka_unit_test(a_cut_text_is_read_or_refused),
		cmocka_unit_test_prestate(
			official_files_cut_short_are_read_or_refused, root),
	};

	if (!getcwd(root, sizeof(root)))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
