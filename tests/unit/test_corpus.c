#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <string.h>

#include "../support/outcome.h"
#include "base/buf.h"

/*
 * Texts in folders: tests/corpus/<format>/<case>/ holds input.*, and beside it
 * expected.json or error ("line:column: reason"), and warnings, a line each,
 * where there are any. A new case needs no code.
 */

static char *file_text(const char *folder, const char *name)
{
	_cleanup_(mem_freep) char *path = mem_printf("%s/%s", folder, name);
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	FILE *file = fopen(path, "re");
	size_t got;

	if (!file)
		return NULL;
	do {
		got = fread(buf_reserve(&text, 4096), 1, 4096, file);
		text.len += got;
	} while (got);
	assert_int_equal(fclose(file), 0);
	return buf_take(&text);
}

static char *complaints(const struct diag *diags, size_t count)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	char *line;

	for (size_t i = 0; i < count; i++) {
		line = outcome_complaint(&diags[i]);
		buf_printf(&text, "%s\n", line);
		mem_free(line);
	}
	return buf_take(&text);
}

static void check_text(const char *folder, const char *what, const char *got,
		       const char *expected)
{
	if (strcmp(got, expected ? expected : "") != 0)
		fail_msg("%s: %s: %s", folder, what, got);
}

static void check_value(const char *folder, const struct doc *doc)
{
	_cleanup_(mem_freep) char *json = file_text(folder, "expected.json");
	_cleanup_(mem_freep) char *warnings = file_text(folder, "warnings");
	_cleanup_(mem_freep) char *warned =
		complaints(doc->warnings.items, doc->warnings.count);
	_cleanup_(doc_unrefp) struct doc *expected = NULL;
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (!json) {
		fail_msg("%s is no error", folder);
		return;
	}
	expected = docs_read(json);
	json_write(&out, doc->root);
	if (!value_equal(doc->root, expected->root))
		fail_msg("%s is read as %s", folder, buf_str(&out).ptr);
	check_text(folder, "warnings", warned, warnings);
}

static void check_case(const char *folder, enum read_format format,
		       const char *input)
{
	_cleanup_(mem_freep) char *path = mem_printf("%s/%s", folder, input);
	_cleanup_(mem_freep) char *error = file_text(folder, "error");
	_cleanup_(mem_freep) char *complaint = NULL;
	_cleanup_(outcome_deinit) struct outcome result = {0};
	struct read_options options = outcome_options(format);

	options.may_include = true;
	if (read_file(&result.doc, path, &options, &result.diag) == 0) {
		check_value(folder, result.doc);
		return;
	}
	assert_true(diag_failed(&result.diag));
	complaint = complaints(&result.diag, 1);
	check_text(folder, "error", complaint, error);
}

/* The first thing that ClearML itself refuses, as the strict dialect says it;
 * NULL: nothing. */
static char *refusal(const char *warnings)
{
	static const char mark[] = "ClearML itself refuses this: ";
	const char *at = warnings ? strstr(warnings, mark) : NULL;
	const char *line = at;

	if (!at)
		return NULL;
	while (line > warnings && line[-1] != '\n')
		line--;
	return mem_printf("%.*sClearML refuses this: %.*s\n", (int)(at - line),
			  line, (int)strcspn(at + strlen(mark), "\n"),
			  at + strlen(mark));
}

/* The strict dialect refuses what is warned of so, and nothing else. */
static void check_strict(const char *folder, const char *input)
{
	_cleanup_(mem_freep) char *path = mem_printf("%s/%s", folder, input);
	_cleanup_(mem_freep) char *warnings = file_text(folder, "warnings");
	_cleanup_(mem_freep) char *error = file_text(folder, "error");
	_cleanup_(mem_freep) char *expected = refusal(warnings);
	_cleanup_(mem_freep) char *complaint = NULL;
	_cleanup_(outcome_deinit) struct outcome result = {0};
	struct read_options options = outcome_options(READ_HOCON);
	int r;

	options.may_include = true;
	options.dialect = READ_STRICT;
	r = read_file(&result.doc, path, &options, &result.diag);
	if (error) { /* whatever comes first */
		assert_int_equal(r, READ_E_BROKEN);
		return;
	}
	complaint = complaints(&result.diag, r != 0);
	check_text(folder, "in the strict dialect", complaint, expected);
}

static size_t check_folder(const char *corpus, enum read_format format,
			   const char *input)
{
	DIR *folder = opendir(corpus);
	struct dirent *entry;
	size_t cases = 0;
	char *path;

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		path = mem_printf("%s/%s", corpus, entry->d_name);
		check_case(path, format, input);
		if (format == READ_HOCON)
			check_strict(path, input);
		mem_free(path);
		cases++;
	}
	assert_int_equal(closedir(folder), 0);
	return cases;
}

static void hocon_means_what_the_cases_say(void **state)
{
	(void)state;
	assert_true(check_folder("tests/corpus/hocon", READ_HOCON,
				 "input.conf") >= 180);
}

static void json_means_what_the_cases_say(void **state)
{
	(void)state;
	assert_true(check_folder("tests/corpus/json", READ_JSON,
				 "input.json") >= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hocon_means_what_the_cases_say),
		cmocka_unit_test(json_means_what_the_cases_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
