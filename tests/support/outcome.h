#ifndef SUPPORT_OUTCOME_H
#define SUPPORT_OUTCOME_H

/*
 * Texts read as documents, and what tests say about the outcome: the value as
 * JSON, or the complaint as "line:column: reason".
 *
 * Include it after cmocka.h. An outcome wants outcome_deinit.
 */

#include "base/mem.h"
#include "docs.h"
#include "read/reader.h"

/* One text, read: the document, or why there is none. */
struct outcome {
	struct doc *doc;
	struct diag diag;
};

static inline void outcome_deinit(struct outcome *result)
{
	result->doc = doc_unref(result->doc);
	diag_deinit(&result->diag);
}

static inline struct read_options outcome_options(enum read_format format)
{
	return (struct read_options){
		.format = format,
		.limits = READ_LIMITS_DEFAULT,
	};
}

static inline struct outcome outcome_of(const struct read_options *options,
					struct str text)
{
	struct outcome result = {0};

	if (read_text(&result.doc, "text", text, options, &result.diag) != 0)
		assert_true(diag_failed(&result.diag));
	else
		assert_false(diag_failed(&result.diag));
	return result;
}

/* "line:column: reason" */
static inline char *outcome_complaint(const struct diag *diag)
{
	return mem_printf("%u:%u: %s", diag->pos.line, diag->pos.column,
			  diag->text);
}

static inline void outcome_assert_json(const struct outcome *result,
				       const char *json)
{
	if (!result->doc)
		fail_msg("%s", result->diag.text);
	else
		docs_assert_json(result->doc->root, json);
}

static inline void outcome_assert_complaint(const struct outcome *result,
					    const char *expected)
{
	_cleanup_(mem_freep) char *text = NULL;

	assert_true(diag_failed(&result->diag));
	text = outcome_complaint(&result->diag);
	assert_string_equal(text, expected);
}

static inline void outcome_assert_warning(const struct outcome *result,
					  size_t number, const char *expected)
{
	_cleanup_(mem_freep) char *text = NULL;

	assert_non_null(result->doc);
	assert_true(number < result->doc->warnings.count);
	text = outcome_complaint(&result->doc->warnings.items[number]);
	assert_string_equal(text, expected);
}

#endif
