/* Whole stacks of layers. The input is cut at each 0xFF byte, which is in no
 * UTF-8: each part is one layer, its first byte says of which kind. A later
 * input replaces the stack's texts, so last good documents are exercised. */

#include <string.h>

#include "config/agent.h"
#include "config/snapshot.h"
#include "config/stack.h"
#include "fuzz_text.h"

#define LAYERS_MAX 8

struct part {
	enum layer_kind kind;
	enum read_format format;
	struct str text;
};

static size_t cut(struct str input, struct part *parts)
{
	static const struct {
		enum layer_kind kind;
		enum read_format format;
	} kinds[] = {
		{LAYER_SITE, READ_HOCON},        {LAYER_WORKSPACE, READ_JSON},
		{LAYER_ENV_GENERIC, READ_VALUE}, {LAYER_VAULT, READ_HOCON},
		{LAYER_VAULT, READ_YAML},        {LAYER_VAULT, READ_JSON},
		{LAYER_ENV_NAMED, READ_LITERAL}, {LAYER_MONITORING, READ_HOCON},
	};
	size_t count = 0, len, choice;
	const char *end;

	while (input.len && count < LAYERS_MAX) {
		end = memchr(input.ptr, 0xFF, input.len);
		len = end ? (size_t)(end - input.ptr) : input.len;
		choice = (unsigned char)input.ptr[0] % ARRAY_SIZE(kinds);
		if (len)
			parts[count++] =
				(struct part){kinds[choice].kind,
					      kinds[choice].format,
					      {input.ptr + 1, len - 1}};
		input = str_from_offset(input, len + 1);
	}
	return count;
}

static void set_kind(struct stack *stack, enum layer_kind kind,
		     const struct part *parts, size_t count)
{
	static const char *const names[LAYERS_MAX] = {"a", "b", "a", "d",
						      "e", "f", "g", "h"};
	struct layer *layers[LAYERS_MAX];
	size_t of_kind = 0, at = 0;

	for (size_t i = 0; i < count; i++)
		of_kind += parts[i].kind == kind;
	(void)stack_set_sources(stack, kind, names, of_kind, layers);
	for (size_t i = 0; i < count; i++) {
		if (parts[i].kind != kind)
			continue;
		if (kind == LAYER_ENV_GENERIC || kind == LAYER_ENV_NAMED)
			layer_set_under(layers[at], STR("agent.x"));
		layer_set_text(layers[at++], parts[i].format, parts[i].text);
	}
}

static void resolve(struct stack *stack, const struct layer_context *context,
		    struct secrets *secrets)
{
	struct stack_docs docs;
	struct snapshot *snapshot;

	(void)stack_read(stack, context);
	docs = stack_get_docs(stack, LAYER_KINDS);
	agent_derive(&docs, context->env);
	for (size_t i = 0; i < docs.count; i++)
		secrets_learn(secrets, docs.items[i].doc->root);
	snapshot = snapshot_new(&docs);
	(void)snapshot_rendition(snapshot, secrets);
	assert(snapshot_equal(snapshot, snapshot));
	snapshot_unref(snapshot);
}

static void test(struct str input)
{
	struct secrets *secrets = secrets_new("x[0-9]+ y(a|b)");
	_cleanup_(env_unrefp) struct env *env = fuzz_env();
	struct layer_context context = {
		.types = CONFORM_WARN,
		.limits = fuzz_options(READ_HOCON, env).limits,
		.env = env,
		.vault_env = env,
	};
	struct part parts[LAYERS_MAX];
	struct stack stack;

	stack_init(&stack);
	for (int round = 0; round < 2; round++) {
		size_t count = cut(input, parts);

		for (int kind = 0; kind < LAYER_KINDS; kind++)
			set_kind(&stack, (enum layer_kind)kind, parts, count);
		resolve(&stack, &context, secrets);
		input = str_from_offset(input, input.len / 2);
	}
	stack_deinit(&stack);
	secrets_free(secrets);
}

FUZZ_TARGET("stack", test)
