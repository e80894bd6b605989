#ifndef TESTS_SUPPORT_MASKING_H
#define TESTS_SUPPORT_MASKING_H

/*
 * Trees that are masked by what they hold themselves: a text of JSON, and what
 * somebody without the right to secrets sees of it.
 */

#include <stdio.h>
#include <string.h>

#include "config/mask.h"
#include "config/secrets.h"
#include "docs.h"

struct masking {
	struct arena arena;
	struct doc *doc;
	struct secrets *secrets;
	struct value *masked;
};

static inline void masking_deinit(struct masking *masking)
{
	secrets_free(masking->secrets);
	doc_unref(masking->doc);
	arena_free(&masking->arena);
}

/* @json with its own secrets learned, masked. */
static inline void mask_with(struct masking *masking, const char *patterns,
			     const char *json)
{
	*masking = (struct masking){
		.doc = docs_read(json),
		.secrets = secrets_new(patterns),
	};
	secrets_learn(masking->secrets, masking->doc->root);
	masking->masked = mask_tree(masking->secrets, &masking->arena,
				    masking->doc->root);
}

/* As it is shown by what these secrets are by now. */
static inline void assert_masked_by(struct masking *masking,
				    const struct secrets *secrets,
				    const char *expected)
{
	docs_assert_json(
		mask_tree(secrets, &masking->arena, masking->doc->root),
		expected);
}

static inline void assert_masked_with(const char *patterns, const char *json,
				      const char *expected)
{
	_cleanup_(masking_deinit) struct masking masking;

	mask_with(&masking, patterns, json);
	docs_assert_json(masking.masked, expected);
	if (!strcmp(json, expected))
		assert_ptr_equal(masking.masked, masking.doc->root);
}

static inline void assert_masked(const char *json, const char *expected)
{
	assert_masked_with(NULL, json, expected);
}

static inline void assert_shown(const char *json)
{
	assert_masked(json, json);
}

/* The same of texts: each pair is what is written, and what is shown. */
static inline void assert_texts_masked(const char *const (*pairs)[2],
				       size_t count)
{
	char json[256], expected[256];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(json, sizeof(json), "{\"a\":[\"%s\"]}",
			       pairs[i][0]);
		(void)snprintf(expected, sizeof(expected), "{\"a\":[\"%s\"]}",
			       pairs[i][1]);
		assert_masked(json, expected);
	}
}

static inline void assert_texts_shown(const char *const *texts, size_t count)
{
	char json[256];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(json, sizeof(json), "{\"a\":\"%s\"}", texts[i]);
		assert_shown(json);
	}
}

#endif
