#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/docs.h"
#include "../support/scratch.h"
#include "base/env.h"
#include "config/layer.h"

/* Vaults whose text is not what their format says. */

struct fixture {
	struct layer *layer;
	struct layer_context context;
	struct env *env, *other_env;
};

static struct env *env_of(const char *name, const char *value)
{
	const struct env_variable variable = {str_from(name), str_from(value)};

	return env_new(&variable, 1);
}

static int set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	scratch_enter();
	f->layer = layer_new(LAYER_VAULT, "id-1");
	f->env = env_of("NAME", "of-the-vaults");
	f->other_env = env_of("NAME", "of-a-caller");
	f->context = (struct layer_context){
		.limits = READ_LIMITS_DEFAULT,
		.vault_env = f->env,
	};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	layer_free(f->layer);
	env_unref(f->env);
	env_unref(f->other_env);
	mem_free(f);
	scratch_leave();
	return 0;
}

static bool read_layer(struct fixture *f)
{
	return layer_read(f->layer, &f->context, NULL);
}

static void assert_serves(const struct layer *layer, const char *json)
{
	assert_int_equal(layer->state, LAYER_OK);
	assert_non_null(layer->doc);
	docs_assert_json(layer->doc->root, json);
}

static void assert_broken(const struct layer *layer, uint32_t line)
{
	assert_int_equal(layer->state, LAYER_BROKEN);
	assert_int_equal(layer->problem.pos.line, line);
}

static void set_and_read_as(struct fixture *f, enum read_format format,
			    const char *text)
{
	layer_set_text(f->layer, format, str_from(text));
	assert_true(read_layer(f));
}

static const char *first_warning(const struct layer *layer)
{
	assert_true(layer->doc->warnings.count >= 1);
	return layer->doc->warnings.items[0].text;
}

static void a_vault_that_is_not_its_format_is_read_as_clearml_does(void **state)
{
	struct fixture *f = *state;

	set_and_read_as(f, READ_JSON, "{\n \"a\": [1, 2,], # two\n}\n");
	assert_serves(f->layer, "{\"a\":[1,2]}");
	assert_string_equal(
		first_warning(f->layer),
		"this is not the JSON that its format says (2:13: expected a "
		"value): it is read as HOCON, as ClearML itself reads every "
		"vault");
	assert_false(f->layer->doc->misread);
	set_and_read_as(f, READ_YAML, "a { b = 1 }\nc = ${a} { d = 2 }\n");
	assert_serves(f->layer, "{\"a\":{\"b\":1},\"c\":{\"b\":1,\"d\":2}}");
	set_and_read_as(f, READ_JSON, "// why\n{\"a\": 3}");
	assert_serves(f->layer, "{\"a\":3}");
}

static void a_caller_has_that_vault_too(void **state)
{
	struct fixture *f = *state;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *own = NULL;

	set_and_read_as(f, READ_JSON, "{ a = ${NAME} }");
	assert_serves(f->layer, "{\"a\":\"of-the-vaults\"}");
	f->context.vault_env = f->other_env;
	own = layer_doc_for(f->layer, &f->context, NULL, &diag);
	assert_non_null(own);
	docs_assert_json(own->root, "{\"a\":\"of-a-caller\"}");
}

/* HOCON or YAML that somebody called JSON is a mistake to be told. */
static void what_does_not_look_like_json_is_broken(void **state)
{
	struct fixture *f = *state;

	set_and_read_as(f, READ_JSON, "a = 1");
	assert_broken(f->layer, 1);
	set_and_read_as(f, READ_JSON, "items:\n  - one\n");
	assert_broken(f->layer, 1);
}

/* Of YAML with a mistake ClearML makes one text, which nobody meant. */
static void yaml_with_a_mistake_is_no_hocon(void **state)
{
	struct fixture *f = *state;

	set_and_read_as(f, READ_YAML, "sdk:\n  a: x\n b: y\n");
	assert_broken(f->layer, 3);
	set_and_read_as(f, READ_JSON, "{\"a\":");
	assert_broken(f->layer, 1);
	assert_string_equal(f->layer->problem.text,
			    "the text ends where a value should be");
}

/* What is no vault has the format of its name. */
static void a_file_that_is_not_its_format_is_broken(void **state)
{
	struct fixture *f = *state;

	layer_free(f->layer);
	f->layer = layer_new(LAYER_FILE, scratch_at("x.json"));
	scratch_write("x.json", "{\"a\": 1,}");
	layer_set_file(f->layer, READ_JSON, NULL);
	layer_touch(f->layer);
	assert_true(read_layer(f));
	assert_broken(f->layer, 1);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_vault_that_is_not_its_format_is_read_as_clearml_does),
		TEST(a_caller_has_that_vault_too),
		TEST(what_does_not_look_like_json_is_broken),
		TEST(yaml_with_a_mistake_is_no_hocon),
		TEST(a_file_that_is_not_its_format_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
