#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/outcome.h"

/* Vaults that were meant as YAML (semantics.md, "Formats"). */

static struct outcome read_yaml(struct str text)
{
	struct read_options options = outcome_options(READ_YAML);

	return outcome_of(&options, text);
}

static const char misread[] = "sdk:\n  a: yaml\n  b:\n    c: 5\n";

static void yaml_that_hocon_refuses_is_read_as_yaml(void **state)
{
	struct read_options options = outcome_options(READ_HOCON);
	_cleanup_(outcome_deinit) struct outcome result =
		outcome_of(&options, STR("items:\n  - one\n  - yes\n"));

	(void)state;
	outcome_assert_json(&result, "{\"items\":[\"one\",true]}");
	assert_int_equal(result.doc->warnings.count, 1);
	outcome_assert_warning(
		&result, 0,
		"1:1: this is YAML, which ClearML itself would misread "
		"as HOCON");
}

static void yaml_that_hocon_would_misread_is_read_as_yaml(void **state)
{
	struct read_options options = outcome_options(READ_HOCON);
	_cleanup_(outcome_deinit) struct outcome result =
		outcome_of(&options, str_from(misread));

	(void)state;
	outcome_assert_json(&result,
			    "{\"sdk\":{\"a\":\"yaml\",\"b\":{\"c\":5}}}");
	assert_int_equal(result.doc->warnings.count, 1);
}

static void what_hocon_reads_well_stays_hocon(void **state)
{
	struct read_options options = outcome_options(READ_HOCON);
	_cleanup_(outcome_deinit) struct outcome result =
		outcome_of(&options, STR("ok: yes\nn: 1e3\n"));

	(void)state;
	outcome_assert_json(&result, "{\"ok\":\"yes\",\"n\":1000.0}");
	outcome_deinit(&result);
	result = outcome_of(&options, STR("{\"a\":\n \"b: c\", \"n\": 010}"));
	outcome_assert_json(&result, "{\"a\":\"b: c\",\"n\":10}");
}

static void neither_hocon_nor_yaml_has_hocons_complaint(void **state)
{
	struct read_options options = outcome_options(READ_HOCON);
	_cleanup_(outcome_deinit) struct outcome hocon =
		outcome_of(&options, STR("just some words\n"));
	_cleanup_(outcome_deinit) struct outcome yaml =
		read_yaml(STR("just some words\n"));

	(void)state;
	assert_true(diag_failed(&hocon.diag));
	assert_true(diag_failed(&yaml.diag));
	assert_false(diag_equal(&hocon.diag, &yaml.diag));
}

/* A value that is missing, or that a vault may not have, is no sign of YAML. */
static void a_failed_substitution_does_not_make_yaml(void **state)
{
	struct read_options options = outcome_options(READ_HOCON);
	_cleanup_(outcome_deinit) struct outcome result =
		outcome_of(&options, STR("a: ${nothing.of.this.name}\n"));

	(void)state;
	assert_true(diag_failed(&result.diag));
}

static void a_file_is_never_taken_for_yaml(void **state)
{
	struct read_options options = outcome_options(READ_HOCON);
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	options.may_include = true;
	result = outcome_of(&options, STR("items:\n  - one\n  - two\n"));
	assert_true(diag_failed(&result.diag));
	outcome_deinit(&result);
	result = outcome_of(&options, str_from(misread));
	outcome_assert_json(&result, "{\"sdk\":\"a: yaml\",\"b\":\"c: 5\"}");
}

/* What ClearML would drop, the strict dialect drops too. */
static void the_strict_dialect_refuses_what_hocon_refuses(void **state)
{
	struct read_options options = outcome_options(READ_HOCON);
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	options.dialect = READ_STRICT;
	result = outcome_of(&options, STR("items:\n  - one\n  - two\n"));
	assert_true(diag_failed(&result.diag));
	outcome_deinit(&result);
	result = outcome_of(&options, str_from(misread));
	outcome_assert_json(&result,
			    "{\"sdk\":{\"a\":\"yaml\",\"b\":{\"c\":5}}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_that_hocon_refuses_is_read_as_yaml),
		cmocka_unit_test(yaml_that_hocon_would_misread_is_read_as_yaml),
		cmocka_unit_test(what_hocon_reads_well_stays_hocon),
		cmocka_unit_test(neither_hocon_nor_yaml_has_hocons_complaint),
		cmocka_unit_test(a_failed_substitution_does_not_make_yaml),
		cmocka_unit_test(a_file_is_never_taken_for_yaml),
		cmocka_unit_test(the_strict_dialect_refuses_what_hocon_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
