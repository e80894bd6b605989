#ifndef SUPPORT_EXPLAINING_H
#define SUPPORT_EXPLAINING_H

/*
 * Layers as texts, merged, and what explain has to say of them as lines:
 *
 *	agent.worker_id = "mine" protected f:1:21
 *	  not "theirs" vault v:1:21
 *	  note agent-owned key: ...
 *
 * Include it after cmocka.h.
 */

#include <stdio.h>
#include <string.h>

#include "config/agent.h"
#include "config/explain.h"
#include "config/secrets.h"
#include "config/snapshot.h"
#include "config/stack.h"
#include "docs.h"
#include "envs.h"

#define LAYERS_MAX 8

/* What the layers hold, weakest first; files are texts named like files. */
struct text {
	enum layer_kind kind;
	const char *source, *text;
	const char *under;       /* of a variable, or NULL */
	const char *description; /* of a vault, or NULL */
};

static inline size_t add_kind(struct stack *stack, const struct text *texts)
{
	const char *sources[LAYERS_MAX];
	struct layer *layers[LAYERS_MAX];
	size_t count = 0;

	while (texts[count].source && texts[count].kind == texts->kind) {
		sources[count] = texts[count].source;
		count++;
	}
	(void)stack_set_sources(stack, texts->kind, sources, count, layers);
	for (size_t i = 0; i < count; i++) {
		layer_set_text(layers[i],
			       texts[i].under ? READ_VALUE : READ_HOCON,
			       str_from(texts[i].text));
		layer_set_description(layers[i], texts[i].description);
		if (texts[i].under)
			layer_set_under(layers[i], str_from(texts[i].under));
	}
	return count;
}

/* The layers are gone when it is explained, as they may be from a history. */
static inline struct stack_docs docs_of(const struct text *texts)
{
	_cleanup_(env_unrefp) struct env *env = envs_of("NAME=from env");
	const struct layer_context context = {
		.limits = READ_LIMITS_DEFAULT, .env = env, .vault_env = env};
	struct stack_docs docs;
	struct stack stack;

	stack_init(&stack);
	for (size_t i = 0; texts[i].source;)
		i += add_kind(&stack, &texts[i]);
	(void)stack_read(&stack, &context);
	docs = stack_get_docs(&stack, LAYER_KINDS);
	stack_deinit(&stack);
	return docs;
}

/* Learns the secrets of all, losers included, as the daemon does. */
static inline struct snapshot *merge_docs(struct stack_docs *docs,
					  struct secrets *secrets)
{
	for (size_t i = 0; i < docs->count; i++)
		secrets_learn(secrets, docs->items[i].doc->root);
	return snapshot_new(docs);
}

static inline struct snapshot *sdk_snapshot(const struct text *texts,
					    struct secrets *secrets)
{
	struct stack_docs docs = docs_of(texts);

	return merge_docs(&docs, secrets);
}

static inline struct snapshot *agent_snapshot(const struct text *texts,
					      struct secrets *secrets,
					      const char *variables)
{
	_cleanup_(env_unrefp) struct env *env = envs_of(variables);
	struct stack_docs docs = docs_of(texts);

	agent_derive(&docs, env);
	return merge_docs(&docs, secrets);
}

/* --- as text -------------------------------------------------------------- */

static inline void write_offer(struct buf *out,
			       const struct explanation *explanation,
			       const struct offer *offer)
{
	struct origin origin =
		origins_find(&explanation->origins, offer->value);

	json_write(out, offer->shown);
	buf_printf(out, " %s %s", origin.layer, origin.source);
	if (origin.description)
		buf_printf(out, " '%s'", origin.description);
	if (origin.pos.line)
		buf_printf(out, ":%u:%u", (unsigned int)origin.pos.line,
			   (unsigned int)origin.pos.column);
	buf_putc(out, '\n');
}

static inline void write_leaf(struct buf *out,
			      const struct explanation *explanation,
			      const struct explained_leaf *leaf)
{
	_cleanup_(buf_deinit) struct buf note = BUF_INIT;
	struct origin origin =
		origins_find(&explanation->origins, leaf->offers[0].value);

	buf_printf(out, "%.*s = ", STR_PRINT(leaf->path));
	for (size_t i = 0; i < leaf->count; i++) {
		buf_puts(out, i ? "  not " : "");
		write_offer(out, explanation, &leaf->offers[i]);
	}
	explain_write_note(explanation, leaf, &origin, &note);
	if (note.len)
		buf_printf(out, "  note %.*s\n", STR_PRINT(buf_str(&note)));
}

static inline int explain_text(const struct snapshot *snapshot,
			       const char *where, const struct secrets *secrets,
			       struct buf *out)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(explanation_deinit) struct explanation explanation;
	struct path_error error;
	struct path path;
	int r;

	assert_true(path_parse(&path, &arena, str_from(where), &error));
	r = explain(&explanation, snapshot, &path, secrets);
	for (size_t i = 0; i < explanation.count; i++)
		write_leaf(out, &explanation, &explanation.leaves[i]);
	return r;
}

static inline void assert_explained(const struct snapshot *snapshot,
				    const char *where,
				    const struct secrets *secrets,
				    const char *expected)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	assert_int_equal(explain_text(snapshot, where, secrets, &out), 0);
	assert_string_equal(buf_str(&out).ptr, expected);
}

/* The snapshot is unrefed. */
static inline void check(struct snapshot *snapshot, const char *where,
			 const char *expected)
{
	assert_explained(snapshot, where, NULL, expected);
	snapshot_unref(snapshot);
}

static inline void check_sdk(const struct text *texts, const char *where,
			     const char *expected)
{
	struct secrets *secrets = secrets_new(NULL);

	check(sdk_snapshot(texts, secrets), where, expected);
	secrets_free(secrets);
}

static inline void check_agent(const struct text *texts, const char *variables,
			       const char *expected)
{
	struct secrets *secrets = secrets_new(NULL);

	check(agent_snapshot(texts, secrets, variables), "", expected);
	secrets_free(secrets);
}

#endif
