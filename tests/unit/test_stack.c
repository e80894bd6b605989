#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../support/docs.h"
#include "base/env.h"
#include "config/stack.h"

#define LAYERS_MAX 8

struct fixture {
	struct stack stack;
	struct layer *layers[LAYERS_MAX]; /* of the last set_sources */
	struct layer_context context;
};

static int set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	stack_init(&f->stack);
	f->context.limits = READ_LIMITS_DEFAULT;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	stack_deinit(&f->stack);
	mem_free(f);
	return 0;
}

/* @names: sources separated by blanks. */
static bool set_sources(struct fixture *f, enum layer_kind kind,
			const char *names)
{
	_cleanup_(mem_freep) char *copy = mem_strdup(names);
	const char *sources[LAYERS_MAX];
	size_t count = 0;
	char *rest = NULL;

	for (char *name = strtok_r(copy, " ", &rest); name;
	     name = strtok_r(NULL, " ", &rest))
		sources[count++] = name;
	return stack_set_sources(&f->stack, kind, sources, count, f->layers);
}

static void set_text(struct fixture *f, size_t index, const char *text)
{
	layer_set_text(f->layers[index], READ_HOCON, str_from(text));
}

/* One layer of @kind with @text; the only one of it. */
static struct layer *set_one(struct fixture *f, enum layer_kind kind,
			     const char *text)
{
	set_sources(f, kind, "one");
	set_text(f, 0, text);
	return f->layers[0];
}

static bool read_all(struct fixture *f)
{
	return stack_read(&f->stack, &f->context);
}

static void assert_order(struct fixture *f, const char *expected)
{
	_cleanup_(buf_deinit) struct buf order = BUF_INIT;
	struct layer *layer;

	for (stack_each(&f->stack, layer))
		buf_printf(&order, "%s%s:%s", order.len ? " " : "",
			   layer_traits[layer->kind].name, layer->source);
	assert_string_equal(buf_str(&order).ptr, expected);
}

static void assert_merged(struct fixture *f, enum layer_kind below,
			  const char *json)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(stack_docs_deinit) struct stack_docs docs =
		stack_get_docs(&f->stack, below);

	docs_assert_json(stack_docs_merge(&docs, &arena), json);
}

static void assert_all(struct fixture *f, const char *json)
{
	assert_merged(f, LAYER_KINDS, json);
}

static void layers_stand_in_the_order_of_their_kinds(void **state)
{
	struct fixture *f = *state;

	assert_order(f, "");
	for (int kind = LAYER_KINDS - 1; kind >= 0; kind -= 2)
		assert_true(set_sources(f, (enum layer_kind)kind, "x"));
	for (int kind = LAYER_KINDS % 2; kind < LAYER_KINDS; kind += 2)
		assert_true(set_sources(f, (enum layer_kind)kind, "x"));
	assert_order(
		f,
		"defaults:x site:x site:x file:x workspace:x "
		"env-generic:x vault:x protected:x env-named:x monitoring:x");
}

static void layers_of_a_kind_keep_the_order_they_were_given_in(void **state)
{
	struct fixture *f = *state;

	set_sources(f, LAYER_MONITORING, "m");
	set_sources(f, LAYER_FILE, "f");
	assert_true(set_sources(f, LAYER_VAULT, "c a b"));
	assert_order(f, "file:f vault:c vault:a vault:b monitoring:m");
	assert_false(set_sources(f, LAYER_VAULT, "c a b"));
	assert_true(set_sources(f, LAYER_VAULT, "a b c"));
	assert_order(f, "file:f vault:a vault:b vault:c monitoring:m");
	assert_string_equal(f->layers[0]->source, "a");
	assert_string_equal(f->layers[2]->source, "c");
}

static void what_is_not_named_again_is_gone(void **state)
{
	struct fixture *f = *state;

	set_sources(f, LAYER_VAULT, "a b c");
	assert_true(set_sources(f, LAYER_VAULT, "a c"));
	assert_order(f, "vault:a vault:c");
	assert_true(set_sources(f, LAYER_VAULT, ""));
	assert_order(f, "");
	assert_false(set_sources(f, LAYER_VAULT, ""));
}

static void what_is_named_again_keeps_its_document(void **state)
{
	struct fixture *f = *state;
	struct layer *a, *b;

	set_sources(f, LAYER_VAULT, "a b");
	a = f->layers[0];
	b = f->layers[1];
	set_text(f, 0, "k = 1");
	set_text(f, 1, "k = 2");
	assert_true(read_all(f));
	assert_all(f, "{\"k\":2}");
	assert_true(set_sources(f, LAYER_VAULT, "b new a"));
	assert_ptr_equal(f->layers[0], b);
	assert_ptr_equal(f->layers[2], a);
	assert_all(f, "{\"k\":1}");
}

static void namesakes_are_told_apart_by_their_ordinal(void **state)
{
	struct fixture *f = *state;
	struct layer *first, *second;

	assert_true(set_sources(f, LAYER_VAULT, "a a"));
	first = f->layers[0];
	second = f->layers[1];
	assert_ptr_not_equal(first, second);
	assert_false(set_sources(f, LAYER_VAULT, "a a"));
	assert_ptr_equal(f->layers[0], first);
	assert_ptr_equal(f->layers[1], second);
	assert_true(set_sources(f, LAYER_VAULT, "b a c a a"));
	assert_ptr_equal(f->layers[1], first);
	assert_ptr_equal(f->layers[3], second);
	assert_true(set_sources(f, LAYER_VAULT, "a"));
	assert_ptr_equal(f->layers[0], first);
}

static void one_source_of_two_kinds_is_two_layers(void **state)
{
	struct fixture *f = *state;
	struct layer *file;

	set_sources(f, LAYER_FILE, "x");
	file = f->layers[0];
	set_sources(f, LAYER_VAULT, "x");
	assert_ptr_not_equal(f->layers[0], file);
	set_sources(f, LAYER_VAULT, "");
	assert_order(f, "file:x");
}

static void the_later_layer_wins(void **state)
{
	struct fixture *f = *state;

	set_one(f, LAYER_VAULT, "a = vault, b = vault, o { v = 1 }");
	set_one(f, LAYER_FILE, "a = file, c = file, o { f = 1 }");
	set_one(f, LAYER_MONITORING, "b = monitoring");
	assert_true(read_all(f));
	assert_false(read_all(f));
	assert_all(f, "{\"a\":\"vault\",\"c\":\"file\",\"o\":{\"f\":1,\"v\":1},"
		      "\"b\":\"monitoring\"}");
	assert_merged(f, LAYER_VAULT,
		      "{\"a\":\"file\",\"c\":\"file\",\"o\":{\"f\":1}}");
	assert_merged(f, LAYER_MONITORING,
		      "{\"a\":\"vault\",\"c\":\"file\",\"o\":{\"f\":1,\"v\":1},"
		      "\"b\":\"vault\"}");
}

static void nothing_merges_to_nothing(void **state)
{
	struct fixture *f = *state;
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(stack_docs_deinit) struct stack_docs docs =
		stack_get_docs(&f->stack, LAYER_KINDS);

	assert_false(read_all(f));
	assert_int_equal(docs.count, 0);
	assert_null(stack_docs_merge(&docs, &arena));
}

static void a_removed_key_is_gone(void **state)
{
	struct fixture *f = *state;
	struct layer *file = set_one(f, LAYER_FILE, "a = 1, b = 2");

	read_all(f);
	layer_set_text(file, READ_HOCON, STR("a = 1"));
	assert_true(read_all(f));
	assert_all(f, "{\"a\":1}");
}

static void a_broken_layer_keeps_its_last_good_document(void **state)
{
	struct fixture *f = *state;
	struct layer *vault = set_one(f, LAYER_VAULT, "a = 1");

	read_all(f);
	layer_set_text(vault, READ_HOCON, STR("a = {"));
	assert_true(read_all(f));
	assert_int_equal(vault->state, LAYER_BROKEN);
	assert_all(f, "{\"a\":1}");
	layer_touch(vault);
	assert_false(read_all(f));
}

static void what_was_looked_up_below_follows_its_change(void **state)
{
	struct fixture *f = *state;
	struct layer *file, *vault;

	file = set_one(f, LAYER_FILE, "host = one");
	vault = set_one(f, LAYER_VAULT, "url = ${host}/x");
	assert_true(read_all(f));
	assert_all(f, "{\"host\":\"one\",\"url\":\"one/x\"}");
	layer_set_text(file, READ_HOCON, STR("host = two"));
	assert_true(read_all(f));
	assert_all(f, "{\"host\":\"two\",\"url\":\"two/x\"}");
	layer_set_text(vault, READ_HOCON, STR("url = ${host}/y"));
	assert_true(read_all(f));
	assert_all(f, "{\"host\":\"two\",\"url\":\"two/y\"}");
}

static void a_lookup_goes_through_all_lower_layers(void **state)
{
	struct fixture *f = *state;
	struct layer *site;

	site = set_one(f, LAYER_SITE, "a = 1");
	set_one(f, LAYER_FILE, "b = ${a}1");
	set_sources(f, LAYER_VAULT, "v w");
	set_text(f, 0, "c = ${b}2");
	set_text(f, 1, "d = ${c}3");
	assert_true(read_all(f));
	assert_all(f, "{\"a\":1,\"b\":\"11\",\"c\":\"112\",\"d\":\"1123\"}");
	layer_set_text(site, READ_HOCON, STR("a = 9"));
	assert_true(read_all(f));
	assert_all(f, "{\"a\":9,\"b\":\"91\",\"c\":\"912\",\"d\":\"9123\"}");
}

static void a_lookup_sees_nothing_above(void **state)
{
	struct fixture *f = *state;
	struct layer *vault;

	set_one(f, LAYER_MONITORING, "host = above");
	vault = set_one(f, LAYER_VAULT, "url = ${host}");
	read_all(f);
	assert_int_equal(vault->state, LAYER_BROKEN);
}

static void defaults_are_not_looked_into(void **state)
{
	struct fixture *f = *state;
	struct layer *vault;

	set_one(f, LAYER_DEFAULTS, "host = default");
	vault = set_one(f, LAYER_VAULT, "url = ${host}");
	read_all(f);
	assert_int_equal(vault->state, LAYER_BROKEN);
	set_one(f, LAYER_SITE, "host = site");
	assert_true(read_all(f));
	assert_all(f, "{\"host\":\"site\",\"url\":\"site\"}");
}

/* What was looked up in it stays as it was, and says so. */
static void a_lower_layer_that_vanishes_breaks_what_looked_into_it(void **state)
{
	struct fixture *f = *state;
	struct layer *vault;

	set_one(f, LAYER_FILE, "host = one");
	vault = set_one(f, LAYER_VAULT, "url = ${host}");
	read_all(f);
	assert_true(set_sources(f, LAYER_FILE, ""));
	assert_true(read_all(f));
	assert_int_equal(vault->state, LAYER_BROKEN);
	assert_all(f, "{\"url\":\"one\"}");
	set_one(f, LAYER_FILE, "host = two");
	assert_true(read_all(f));
	assert_int_equal(vault->state, LAYER_OK);
	assert_all(f, "{\"host\":\"two\",\"url\":\"two\"}");
}

/* Which of two vaults is the lower one decides what the upper one finds. */
static void a_change_of_places_is_looked_at_again(void **state)
{
	struct fixture *f = *state;

	set_one(f, LAYER_FILE, "x = file");
	set_sources(f, LAYER_VAULT, "a b");
	set_text(f, 0, "x = a");
	set_text(f, 1, "y = ${x}");
	read_all(f);
	assert_all(f, "{\"x\":\"a\",\"y\":\"a\"}");
	assert_true(set_sources(f, LAYER_VAULT, "b a"));
	assert_true(read_all(f));
	assert_all(f, "{\"x\":\"a\",\"y\":\"file\"}");
}

static struct env *env_of(const char *value)
{
	const struct env_variable variable = {STR("NAME"), str_from(value)};

	return env_new(&variable, 1);
}

static void a_caller_is_shown_the_stack_by_its_environment(void **state)
{
	struct fixture *f = *state;
	_cleanup_(env_unrefp) struct env *env = env_of("daemon");
	_cleanup_(env_unrefp) struct env *own = env_of("caller");
	_cleanup_(stack_docs_deinit) struct stack_docs docs = {0};
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct layer_context context = f->context;

	f->context.env = f->context.vault_env = env;
	context.env = context.vault_env = own;
	set_one(f, LAYER_FILE, "a = ${NAME}, b = ${?NAME}x");
	set_one(f, LAYER_VAULT, "c = ${a}, d = ${NAME}");
	read_all(f);
	assert_true(stack_docs_for(&f->stack, &context, &docs, &diag));
	docs_assert_json(stack_docs_merge(&docs, &arena),
			 "{\"a\":\"caller\",\"b\":\"callerx\",\"c\":\"caller\","
			 "\"d\":\"caller\"}");
	assert_all(f, "{\"a\":\"daemon\",\"b\":\"daemonx\",\"c\":\"daemon\","
		      "\"d\":\"daemon\"}");
}

static void a_callers_environment_may_lack_what_is_required(void **state)
{
	struct fixture *f = *state;
	_cleanup_(env_unrefp) struct env *env = env_of("daemon");
	_cleanup_(env_unrefp) struct env *none = env_new(NULL, 0);
	_cleanup_(stack_docs_deinit) struct stack_docs docs = {0};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct layer_context context = f->context;

	f->context.env = f->context.vault_env = env;
	context.env = context.vault_env = none;
	set_one(f, LAYER_FILE, "a = 1\nb = ${NAME}");
	set_one(f, LAYER_VAULT, "c = 1");
	read_all(f);
	assert_false(stack_docs_for(&f->stack, &context, &docs, &diag));
	assert_string_equal(diag.source, "one");
	assert_int_equal(diag.pos.line, 2);
}

/* As ClearML goes on without a vault that it cannot read. */
static void a_vault_that_is_broken_for_a_caller_is_left_out(void **state)
{
	struct fixture *f = *state;
	_cleanup_(env_unrefp) struct env *env = env_of("daemon");
	_cleanup_(env_unrefp) struct env *none = env_new(NULL, 0);
	_cleanup_(stack_docs_deinit) struct stack_docs docs = {0};
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct layer_context context = f->context;

	f->context.env = f->context.vault_env = env;
	context.env = context.vault_env = none;
	set_one(f, LAYER_FILE, "a = 1");
	set_one(f, LAYER_VAULT, "a = 2\nb = ${NAME}");
	set_one(f, LAYER_MONITORING, "c = 3");
	read_all(f);
	assert_true(stack_docs_for(&f->stack, &context, &docs, &diag));
	assert_int_equal(docs.count, 3);
	assert_null(docs.items[0].left_out);
	assert_non_null(strstr(docs.items[1].left_out, "vault \"one\""));
	assert_non_null(strstr(docs.items[1].left_out, "line 2, column 5"));
	assert_null(docs.items[2].left_out);
	docs_assert_json(stack_docs_merge(&docs, &arena), "{\"a\":1,\"c\":3}");
	assert_all(f, "{\"a\":2,\"b\":\"daemon\",\"c\":3}");
}

/* What is broken for the daemon is not, for who brings what it lacks: nor is
 * what looks into it. */
static void a_caller_repairs_what_lacks_a_variable(void **state)
{
	struct fixture *f = *state;
	_cleanup_(env_unrefp) struct env *none = env_new(NULL, 0);
	_cleanup_(env_unrefp) struct env *own = env_of("caller");
	_cleanup_(stack_docs_deinit) struct stack_docs docs = {0};
	_cleanup_(stack_deinit) struct stack copy;
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct layer_context context = f->context;

	f->context.env = f->context.vault_env = none;
	context.env = context.vault_env = own;
	set_one(f, LAYER_SITE, "a = ${NAME}");
	set_one(f, LAYER_VAULT, "c = ${a}, d = ${z}");
	read_all(f);
	assert_ptr_equal(stack_find_lost(&f->stack),
			 stack_next(&f->stack, NULL));
	stack_copy(&copy, &f->stack, LAYER_KINDS);
	set_sources(f, LAYER_SITE, "");
	set_sources(f, LAYER_VAULT, "");
	assert_null(stack_find_lost(&f->stack));
	stack_set_sources(&copy, LAYER_ENV_GENERIC,
			  (const char *const[]){"CLEARML_AGENT__Z"}, 1,
			  f->layers);
	layer_set_under(f->layers[0], STR("z"));
	layer_set_text(f->layers[0], READ_VALUE, STR("[${?a}, ${a}]"));
	assert_true(stack_docs_for(&copy, &context, &docs, &diag));
	docs_assert_json(stack_docs_merge(&docs, &arena),
			 "{\"a\":\"caller\",\"z\":\"[${?a}, ${a}]\","
			 "\"c\":\"caller\",\"d\":\"[${?a}, ${a}]\"}");
}

/* A text that goes under a key does so again. */
static void what_a_snapshot_holds_is_a_stack_again(void **state)
{
	struct fixture *f = *state;
	_cleanup_(env_unrefp) struct env *env = env_of("daemon");
	_cleanup_(env_unrefp) struct env *own = env_of("caller");
	_cleanup_(stack_docs_deinit) struct stack_docs held = {0}, docs = {0};
	_cleanup_(stack_deinit) struct stack again;
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct layer_context context = f->context;
	struct layer *site;

	f->context.env = f->context.vault_env = env;
	context.env = context.vault_env = own;
	site = set_one(f, LAYER_SITE, "x = ${NAME}");
	layer_set_under(site, STR("s.t"));
	set_one(f, LAYER_FILE, "a = ${NAME}");
	set_one(f, LAYER_ENV_NAMED, "a = named");
	set_sources(f, LAYER_VAULT, "one");
	layer_set_description(f->layers[0], "team");
	layer_set_text(f->layers[0], READ_HOCON, STR("v: ${a}"));
	read_all(f);
	held = stack_get_docs(&f->stack, LAYER_KINDS);
	layer_set_text(f->layers[0], READ_HOCON, STR("v: another"));
	set_one(f, LAYER_FILE, "a = another");
	read_all(f);
	stack_from_docs(&again, &held, LAYER_KINDS);
	assert_true(stack_docs_for(&again, &context, &docs, &diag));
	assert_int_equal(docs.count, 3);
	assert_string_equal(docs.items[2].description, "team");
	docs_assert_json(stack_docs_merge(&docs, &arena),
			 "{\"s\":{\"t\":{\"x\":\"caller\"}},\"a\":\"caller\","
			 "\"v\":\"caller\"}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(layers_stand_in_the_order_of_their_kinds),
		TEST(layers_of_a_kind_keep_the_order_they_were_given_in),
		TEST(what_is_not_named_again_is_gone),
		TEST(what_is_named_again_keeps_its_document),
		TEST(namesakes_are_told_apart_by_their_ordinal),
		TEST(one_source_of_two_kinds_is_two_layers),
		TEST(the_later_layer_wins),
		TEST(nothing_merges_to_nothing),
		TEST(a_removed_key_is_gone),
		TEST(a_broken_layer_keeps_its_last_good_document),
		TEST(what_was_looked_up_below_follows_its_change),
		TEST(a_lookup_goes_through_all_lower_layers),
		TEST(a_lookup_sees_nothing_above),
		TEST(defaults_are_not_looked_into),
		TEST(a_lower_layer_that_vanishes_breaks_what_looked_into_it),
		TEST(a_change_of_places_is_looked_at_again),
		TEST(a_caller_is_shown_the_stack_by_its_environment),
		TEST(a_callers_environment_may_lack_what_is_required),
		TEST(a_vault_that_is_broken_for_a_caller_is_left_out),
		TEST(a_caller_repairs_what_lacks_a_variable),
		TEST(what_a_snapshot_holds_is_a_stack_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
