/* Whatever arrives first, files, variables or vaults: the result is the same.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/agent.h"
#include "config/snapshot.h"
#include "config/stack.h"
#include "read/doc.h"

#define SEEDS 200

/* What each kind holds in the end. Vaults refer to what lies below them, also
 * to what may come later than they do; one is broken, one is empty. */
static const struct {
	enum layer_kind kind;
	const char *sources[3];
	const char *texts[3];
} kinds[] = {
	{LAYER_SITE, {"s"}, {"base = site, site.only = 1, agent.debug = on"}},
	{LAYER_WORKSPACE, {"w"}, {"{\"api\": {\"api_server\": \"x\"}}"}},
	{LAYER_VAULT,
	 {"v1", "v2", "v1"},
	 {"copy = ${base}, list = [1], agent.debug = off",
	  "over = ${copy}-${site.only}, list = [2, 3], o { a = 1 }",
	  "o { b = ${over} }, broken = ${nowhere}"}},
	{LAYER_MONITORING, {"m"}, {"copy = monitored"}},
};

static void set_kind(struct stack *stack, size_t number)
{
	struct layer *layers[3];
	size_t count = 0;

	while (count < 3 && kinds[number].sources[count])
		count++;
	(void)stack_set_sources(stack, kinds[number].kind,
				kinds[number].sources, count, layers);
	for (size_t i = 0; i < count; i++)
		layer_set_text(layers[i],
			       kinds[number].kind == LAYER_WORKSPACE
				       ? READ_JSON
				       : READ_HOCON,
			       str_from(kinds[number].texts[i]));
}

static char *json_of(const struct stack *stack)
{
	_cleanup_(env_unrefp) struct env *env = env_new(NULL, 0);
	struct stack_docs docs = stack_get_docs(stack, LAYER_KINDS);
	struct snapshot *snapshot;
	char *json;

	agent_derive(&docs, env);
	snapshot = snapshot_new(&docs);
	json = mem_strndup(rendition_json(snapshot->plain).ptr,
			   rendition_json(snapshot->plain).len);
	snapshot_unref(snapshot);
	return json;
}

/* @order: the numbers of the kinds; a read comes after some arrivals. */
static char *resolve(const size_t *order, unsigned int *seed)
{
	_cleanup_(env_unrefp) struct env *env = env_new(NULL, 0);
	const struct layer_context context = {
		.limits = READ_LIMITS_DEFAULT,
		.env = env,
		.vault_env = env,
	};
	struct stack stack;
	char *json;

	stack_init(&stack);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		set_kind(&stack, order[i]);
		if (rand_r(seed) % 2)
			(void)stack_read(&stack, &context);
	}
	(void)stack_read(&stack, &context);
	json = json_of(&stack);
	stack_deinit(&stack);
	return json;
}

static void shuffle(size_t *order, unsigned int *seed)
{
	for (size_t i = ARRAY_SIZE(kinds) - 1; i > 0; i--) {
		size_t other = (size_t)rand_r(seed) % (i + 1);
		size_t kept = order[i];

		order[i] = order[other];
		order[other] = kept;
	}
}

static void the_order_of_arrival_does_not_count(void **state)
{
	size_t order[ARRAY_SIZE(kinds)] = {0, 1, 2, 3};
	unsigned int seed = 1;
	_cleanup_(mem_freep) char *expected = resolve(order, &seed);

	(void)state;
	assert_non_null(strstr(expected, "\"over\":\"site-1\""));
	assert_non_null(strstr(expected, "\"copy\":\"monitored\""));
	assert_non_null(strstr(expected, "\"debug\":\"on\""));
	for (int i = 0; i < SEEDS; i++) {
		_cleanup_(mem_freep) char *json = NULL;

		shuffle(order, &seed);
		json = resolve(order, &seed);
		assert_string_equal(json, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_arrival_does_not_count),
	};

	log_set_level(
		LOG_LEVEL_ERROR); /* vaults break until all have arrived */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
