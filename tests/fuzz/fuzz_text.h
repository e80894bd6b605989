#ifndef TESTS_FUZZ_TEXT_H
#define TESTS_FUZZ_TEXT_H

/*
 * What every fuzz target of a reader does with one input: read it in both
 * dialects; what is accepted must be a sane tree that can be walked, written,
 * masked, and whose positions lie in the text.
 */

#include <assert.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/mem.h"
#include "config/mask.h"
#include "config/secret_rules.h"
#include "config/secrets.h"
#include "fuzz_cost.h"
#include "read/reader.h"
#include "value/json.h"
#include "value/value.h"

static inline struct env *fuzz_env(void)
{
	const struct env_variable variables[] = {
		{STR("HOME"), STR("/home/u")},
		{STR("SECRET"), STR("swordfish")},
		{STR("EMPTY"), STR("")},
	};

	return env_new(variables, ARRAY_SIZE(variables));
}

static inline void fuzz_check_positions(struct doc *doc,
					const struct value *value)
{
	struct pos pos = doc_pos(doc, value);
	struct member *m;

	assert(pos.line >= 1 && pos.column >= 1);
	if (value->type == VALUE_OBJECT)
		for (value_each (value, m))
			fuzz_check_positions(doc, m->value);
	if (value->type == VALUE_LIST)
		for (uint32_t i = 0; i < value->list.count; i++)
			fuzz_check_positions(doc, value->list.items[i]);
}

static inline void fuzz_check_tree(struct doc *doc)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	struct secrets *secrets = secrets_new(NULL);

	assert(doc->root->type == VALUE_OBJECT);
	assert(value_equal(doc->root, doc->root));
	json_write(&json, doc->root);
	assert(str_utf8_invalid(buf_str(&json)) == json.len);
	secrets_learn(secrets, doc->root);
	json_write(&json, mask_tree(secrets, &arena, doc->root));
	secrets_free(secrets);
	if (doc->source_count == 1 && json.len < 100000)
		fuzz_check_positions(doc, doc->root);
}

/* The limits keep one input within milliseconds. */
static inline struct read_options fuzz_options(enum read_format format,
					       const struct env *env)
{
	return (struct read_options){
		.format = format,
		.limits = {.bytes = 1 << 20,
			   .depth = 128,
			   .nodes = 20000,
			   .values = 1000000},
		.env = env,
		.secrecy = secret_below,
	};
}

static inline void fuzz_read(const struct read_options *options,
			     struct str input)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct doc *doc = NULL;

	if (read_text(&doc, "input", input, options, &diag) == 0)
		fuzz_check_tree(doc);
	else
		assert(diag_failed(&diag));
	doc_unref(doc);
}

static inline void fuzz_both_dialects(enum read_format format, struct str input)
{
	struct env *env = fuzz_env();
	struct read_options options = fuzz_options(format, env);

	fuzz_read(&options, input);
	options.dialect = READ_STRICT;
	fuzz_read(&options, input);
	env_unref(env);
}

#endif
