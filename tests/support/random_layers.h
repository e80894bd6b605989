#ifndef SUPPORT_RANDOM_LAYERS_H
#define SUPPORT_RANDOM_LAYERS_H

/*
 * Random stacks of every layer, with what the agent and the locks look at, and
 * what else may stand in its place.
 *
 * Include it after cmocka.h.
 */

#include <stdlib.h>

#include "explaining.h"

/* --- random stacks -------------------------------------------------------- */

static inline unsigned int below(unsigned int *seed, unsigned int limit)
{
	return (unsigned int)rand_r(seed) % limit;
}

static inline void add_value(struct buf *text, unsigned int *seed, int depth)
{
	static const char *const plain[] = {
		"1", "x", "null", "{}", "true", "[]", "[1, {a: 2, b: [x]}, y]",
	};
	unsigned int what = below(seed, 10);

	if (!depth || what < ARRAY_SIZE(plain)) {
		buf_puts(text, plain[what % ARRAY_SIZE(plain)]);
		return;
	}
	buf_puts(text, "{");
	for (const char *key = "abc"; *key; key++) {
		if (!below(seed, 3))
			continue;
		buf_printf(text, " %c:\n", *key);
		add_value(text, seed, depth - 1);
		buf_puts(text, ",");
	}
	buf_puts(text, "}");
}

static inline void add_line(struct buf *text, const char *key,
			    const char *value)
{
	buf_printf(text, "%s = %s\n", key, value);
}

/* What agent.c looks at, and what else may stand in its place. */
static inline void add_derivable(struct buf *text, unsigned int *seed)
{
	static const struct {
		const char *key, *values[4];
	} choices[] = {
		{"agent.worker_id", {"1", "two", "true", "null"}},
		{"agent.debug", {"on", "{ a: 1, b: 2 }", "{ b: 3 }", "1"}},
		{"agent.cuda_version", {"11", "11.0", "[12]", "{}"}},
		{"agent", {"none", "{}", "{ worker_name: n }", "[1]"}},
		{"agent.snug.whitelist.rules",
		 {"[{host: h1}]", "[{host: h1, n: 2}, {host: h2}]", "[]", "x"}},
		{"agent.snug.whitelist",
		 {"{ version: 3 }", "null", "none", "{ more: { a: 1 } }"}},
		{"agent.snug", {"{ other: 1 }", "2", "{}", "null"}},
		{"api.api_server", {"a", "null", "{ x: 1 }", "b"}},
		{"api.credentials",
		 {"{ access_key: k }", "{ secret_key: s }", "none", "{}"}},
		{"api.http",
		 {"{ retries: { a: 1 }, other: 2 }", "3", "{}", "null"}},
		{"api", {"none", "{}", "{ web_server: w }", "null"}},
		{"sdk.azure.storage.containers",
		 {"[{account_name: n}]", "[x, y]", "{ a: 1 }", "[]"}},
		{"sdk.azure", {"{ storage: 1 }", "{}", "{ more: 2 }", "7"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		if (!below(seed, 4))
			add_line(text, choices[i].key,
				 choices[i].values[below(seed, 4)]);
}

static inline void add_text(struct buf *text, unsigned int *seed)
{
	if (below(seed, 8))
		add_derivable(text, seed);
	for (const char *key = "opq"; *key; key++) {
		if (below(seed, 3))
			continue;
		buf_printf(text, "%c = ", *key);
		add_value(text, seed, 4);
		buf_puts(text, "\n");
	}
	if (!below(seed, 4))
		buf_puts(text, "s = 5, t = ${s}, u = x${s}\n");
}

struct layers {
	struct text items[LAYER_KINDS * 2 + 1];
	struct buf texts[LAYER_KINDS * 2];
	char names[LAYER_KINDS * 2][8];
	size_t count;
};

static inline bool is_variable(enum layer_kind kind)
{
	return kind == LAYER_ENV_GENERIC || kind == LAYER_ENV_NAMED;
}

static inline void add_layer(struct layers *layers, enum layer_kind kind,
			     unsigned int *seed)
{
	static const char *const under[] = {"agent", "agent.worker_id",
					    "sdk.azure.storage", "o.a", "p"};
	size_t at = layers->count++;
	struct buf *text = &layers->texts[at];

	(void)snprintf(layers->names[at], sizeof(layers->names[at]), "L%zu",
		       at);
	layers->items[at] =
		(struct text){.kind = kind, .source = layers->names[at]};
	if (is_variable(kind)) {
		layers->items[at].under = under[below(seed, ARRAY_SIZE(under))];
		add_value(text, seed, 3);
	} else {
		add_text(text, seed);
	}
	layers->items[at].text = text->len ? buf_str(text).ptr : "";
}

/* Up to two of each kind. The protected keys are nobody's layer: they are
 * derived. */
static inline void add_layers(struct layers *layers, unsigned int *seed)
{
	for (enum layer_kind kind = 0; kind < LAYER_KINDS; kind++)
		for (unsigned int n = below(seed, 3); n; n--)
			if (kind != LAYER_PROTECTED)
				add_layer(layers, kind, seed);
}

static inline void layers_deinit(struct layers *layers)
{
	for (size_t i = 0; i < layers->count; i++)
		buf_deinit(&layers->texts[i]);
}

static inline struct snapshot *random_snapshot(unsigned int *seed,
					       struct secrets *secrets)
{
	static const char *const environments[] = {
		"", "AZURE_STORAGE_KEY=k",
		"AZURE_STORAGE_ACCOUNT=n|AZURE_STORAGE_KEY=k"};
	_cleanup_(layers_deinit) struct layers layers = {0};

	add_layers(&layers, seed);
	if (!below(seed, 4))
		return sdk_snapshot(layers.items, secrets);
	return agent_snapshot(
		layers.items, secrets,
		environments[below(seed, ARRAY_SIZE(environments))]);
}

#endif
