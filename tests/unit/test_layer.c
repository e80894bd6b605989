#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/docs.h"
#include "../support/scratch.h"
#include "base/clock.h"
#include "base/env.h"
#include "config/layer.h"

struct fixture {
	struct layer *layer;
	struct layer_context context;
	struct env *env, *vault_env, *other_env;
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
	f->env = env_of("NAME", "of-the-daemon");
	f->vault_env = env_of("NAME", "of-the-vaults");
	f->other_env = env_of("NAME", "of-a-caller");
	f->context = (struct layer_context){
		.limits = READ_LIMITS_DEFAULT,
		.env = f->env,
		.vault_env = f->vault_env,
	};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	layer_free(f->layer);
	env_unref(f->env);
	env_unref(f->vault_env);
	env_unref(f->other_env);
	mem_free(f);
	scratch_leave();
	return 0;
}

static void make_file_layer(struct fixture *f)
{
	f->layer = layer_new(LAYER_FILE, scratch_at("x.conf"));
}

static void make_vault(struct fixture *f, const char *text)
{
	f->layer = layer_new(LAYER_VAULT, "id-1");
	layer_set_text(f->layer, READ_HOCON, str_from(text));
}

static bool read_layer(struct fixture *f)
{
	return layer_read(f->layer, &f->context, NULL);
}

static bool save_and_read(struct fixture *f, const char *text)
{
	scratch_write("x.conf", text);
	layer_touch(f->layer);
	return read_layer(f);
}

static bool set_and_read(struct fixture *f, const char *text)
{
	layer_set_text(f->layer, READ_HOCON, str_from(text));
	return read_layer(f);
}

static void assert_serves(const struct layer *layer, const char *json)
{
	assert_non_null(layer->doc);
	docs_assert_json(layer->doc->root, json);
}

static void assert_broken(const struct layer *layer, uint32_t line)
{
	assert_int_equal(layer->state, LAYER_BROKEN);
	assert_true(diag_failed(&layer->problem));
	assert_int_equal(layer->problem.pos.line, line);
}

static void kinds_and_states_have_the_names_of_the_contract(void **state)
{
	static const char *const kinds[] = {
		"defaults",    "site",  "site",      "file",      "workspace",
		"env-generic", "vault", "protected", "env-named", "monitoring",
	};

	(void)state;
	assert_int_equal(ARRAY_SIZE(kinds), LAYER_KINDS);
	for (size_t i = 0; i < LAYER_KINDS; i++)
		assert_string_equal(layer_traits[i].name, kinds[i]);
	assert_string_equal(layer_state_name(LAYER_OK), "ok");
	assert_string_equal(layer_state_name(LAYER_MISSING), "missing");
	assert_string_equal(layer_state_name(LAYER_BROKEN), "broken");
}

static void a_spare_text_serves_until_there_is_a_good_one(void **state)
{
	struct fixture *f = *state;

	f->layer = layer_new(LAYER_ETCD, "/site/a.conf");
	layer_set_spare(f->layer, STR("a = {"));
	assert_true(set_and_read(f, "a = 1\nb = {"));
	assert_true(layer_is_lost(f->layer));
	layer_set_spare(f->layer, STR("a = 2"));
	assert_true(f->layer->unread);
	assert_true(read_layer(f));
	assert_broken(f->layer, 2);
	assert_serves(f->layer, "{\"a\":2}");
	layer_set_spare(f->layer, STR("a = 3"));
	assert_false(f->layer->unread);
	assert_true(set_and_read(f, "a = 4"));
	assert_int_equal(f->layer->state, LAYER_OK);
	assert_serves(f->layer, "{\"a\":4}");
	assert_true(set_and_read(f, "a = {"));
	assert_serves(f->layer, "{\"a\":4}");
	layer_set_spare(f->layer, (struct str){0});
	assert_false(f->layer->unread);
}

static void a_file_that_is_not_there_is_missing(void **state)
{
	struct fixture *f = *state;

	make_file_layer(f);
	assert_true(f->layer->unread);
	assert_false(read_layer(f));
	assert_false(f->layer->unread);
	assert_int_equal(f->layer->state, LAYER_MISSING);
	assert_null(f->layer->doc);
	scratch_folder("x.conf");
	assert_false(read_layer(f));
	assert_int_equal(f->layer->state, LAYER_MISSING);
}

static void a_file_that_comes_changes_and_goes_is_followed(void **state)
{
	struct fixture *f = *state;
	int64_t before = clock_boot_ms();

	make_file_layer(f);
	assert_true(save_and_read(f, "a = 1"));
	assert_int_equal(f->layer->state, LAYER_OK);
	assert_serves(f->layer, "{\"a\":1}");
	assert_true(f->layer->since >= before);
	assert_true(save_and_read(f, "a = 2"));
	assert_serves(f->layer, "{\"a\":2}");
	assert_int_equal(unlink("x.conf"), 0);
	assert_true(read_layer(f));
	assert_int_equal(f->layer->state, LAYER_MISSING);
	assert_null(f->layer->doc);
	assert_true(save_and_read(f, ""));
	assert_int_equal(f->layer->state, LAYER_OK);
	assert_serves(f->layer, "{}");
}

/* Values that moved are told from where they are now. */
static void what_reads_the_same_at_the_same_place_is_no_change(void **state)
{
	struct fixture *f = *state;

	make_file_layer(f);
	assert_true(save_and_read(f, "a = 1"));
	assert_false(save_and_read(f, "a = 1"));
	assert_true(save_and_read(f, "# moved\na : 1\n"));
	assert_false(save_and_read(f, "# moved\na : 1\n"));
	assert_int_equal(
		doc_pos(f->layer->doc, docs_find(f->layer->doc->root, "a"))
			.line,
		2);
}

static void a_broken_text_keeps_the_last_good_document(void **state)
{
	struct fixture *f = *state;

	make_file_layer(f);
	assert_true(save_and_read(f, "a = 1"));
	assert_true(save_and_read(f, "a = 2\nb = ["));
	assert_broken(f->layer, 2);
	assert_string_equal(f->layer->problem.source, scratch_at("x.conf"));
	assert_serves(f->layer, "{\"a\":1}");
	assert_false(layer_read(f->layer, &f->context, NULL));
	assert_true(save_and_read(f, "a = 3\nb = ["));
	assert_true(save_and_read(f, "\n\nb = ["));
	assert_broken(f->layer, 3);
	assert_true(save_and_read(f, "a = 1"));
	assert_int_equal(f->layer->state, LAYER_OK);
	assert_false(diag_failed(&f->layer->problem));
}

static void a_broken_text_with_nothing_before_contributes_nothing(void **state)
{
	struct fixture *f = *state;

	make_file_layer(f);
	assert_true(save_and_read(f, "a = {"));
	assert_broken(f->layer, 1);
	assert_null(f->layer->doc);
	assert_int_equal(unlink("x.conf"), 0);
	assert_true(read_layer(f));
	assert_int_equal(f->layer->state, LAYER_MISSING);
	assert_false(diag_failed(&f->layer->problem));
}

static void what_cannot_be_read_is_broken(void **state)
{
	struct fixture *f = *state;

	make_file_layer(f);
	scratch_link("x.conf", "x.conf");
	assert_true(read_layer(f));
	assert_broken(f->layer, 0);
	assert_int_equal(unlink("x.conf"), 0);
	assert_true(save_and_read(f, "a = \"\xff\""));
	assert_broken(f->layer, 1);
	assert_true(save_and_read(f, "[1]"));
	assert_int_equal(f->layer->state, LAYER_BROKEN);
	f->context.limits.bytes = 4;
	assert_true(save_and_read(f, "a = 1"));
	assert_broken(f->layer, 0);
}

static void our_own_output_is_refused_as_a_file(void **state)
{
	struct fixture *f = *state;

	make_file_layer(f);
	assert_true(save_and_read(f, "# written by clearconf\na = 1\n"));
	assert_broken(f->layer, 1);
	assert_non_null(strstr(f->layer->problem.text, "own output"));
	assert_true(save_and_read(f, "\n# written by clearconf\na = 1\n"));
	assert_int_equal(f->layer->state, LAYER_OK);
	layer_free(f->layer);
	make_vault(f, "# written by clearconf\na = 1\n");
	assert_true(read_layer(f));
	assert_int_equal(f->layer->state, LAYER_OK);
}

static void the_same_text_again_is_not_read_again(void **state)
{
	struct fixture *f = *state;

	make_vault(f, "a = 1");
	assert_true(read_layer(f));
	layer_set_text(f->layer, READ_HOCON, STR("a = 1"));
	assert_false(f->layer->unread);
	layer_set_text(f->layer, READ_JSON, STR("a = 1"));
	assert_true(f->layer->unread);
	assert_true(read_layer(f));
	assert_broken(f->layer, 1);
	layer_set_text(f->layer, READ_JSON, STR("{\"a\":2}"));
	assert_true(f->layer->unread);
	assert_true(read_layer(f));
	assert_serves(f->layer, "{\"a\":2}");
}

/* A layer of text never becomes a file, named like its source. */
static void no_text_is_the_empty_text(void **state)
{
	struct fixture *f = *state;

	f->layer = layer_new(LAYER_VAULT, scratch_at("x.conf"));
	scratch_write("x.conf", "a = 1");
	layer_set_text(f->layer, READ_HOCON, (struct str){NULL, 0});
	assert_true(read_layer(f));
	assert_int_equal(f->layer->state, LAYER_OK);
	assert_serves(f->layer, "{}");
}

static void a_vault_is_named_by_what_people_call_it(void **state)
{
	struct fixture *f = *state;

	make_vault(f, "a = {");
	layer_set_description(f->layer, "team");
	assert_true(read_layer(f));
	assert_string_equal(f->layer->problem.source, "vault 'team'");
	layer_set_description(f->layer, NULL);
	assert_true(set_and_read(f, "b = {"));
	assert_string_equal(f->layer->problem.source, "vault id-1");
	layer_set_description(f->layer, "");
	assert_true(set_and_read(f, "c = {"));
	assert_false(read_layer(f));
	assert_string_equal(f->layer->problem.source, "vault id-1");
}

static void a_vault_sees_the_environment_of_vaults(void **state)
{
	struct fixture *f = *state;

	make_vault(f, "a = ${NAME}");
	assert_true(read_layer(f));
	assert_serves(f->layer, "{\"a\":\"of-the-vaults\"}");
	layer_free(f->layer);
	make_file_layer(f);
	assert_true(save_and_read(f, "a = ${NAME}"));
	assert_serves(f->layer, "{\"a\":\"of-the-daemon\"}");
}

static void only_a_file_may_include(void **state)
{
	struct fixture *f = *state;

	scratch_write("other.conf", "b = 2");
	make_file_layer(f);
	assert_true(save_and_read(f, "include \"other.conf\"\n"));
	assert_serves(f->layer, "{\"b\":2}");
	layer_free(f->layer);
	make_vault(f, "include \"other.conf\"\n");
	assert_true(read_layer(f));
	assert_broken(f->layer, 1);
}

static void the_lower_layers_repair_what_would_be_broken(void **state)
{
	struct fixture *f = *state;
	_cleanup_(doc_unrefp) struct doc *lower =
		docs_read("{\"host\":\"h\",\"api\":{\"secret_key\":\"s\"}}");

	make_vault(f, "a = ${host}\nb = ${?host}\n");
	assert_true(read_layer(f));
	assert_broken(f->layer, 1);
	layer_touch(f->layer);
	assert_true(layer_read(f->layer, &f->context, lower->root));
	assert_serves(f->layer, "{\"a\":\"h\"}");
	assert_true(f->layer->doc->used_lower);
	assert_false(diag_failed(&f->layer->problem));
	layer_set_text(f->layer, READ_HOCON, STR("a = ${nothing}"));
	assert_true(layer_read(f->layer, &f->context, lower->root));
	assert_broken(f->layer, 1);
	assert_serves(f->layer, "{\"a\":\"h\"}");
	layer_set_text(f->layer, READ_HOCON, STR("a = ${api.secret_key}\nx=["));
	assert_true(layer_read(f->layer, &f->context, lower->root));
	layer_set_text(f->layer, READ_HOCON, STR("a = ${api.secret_key}"));
	assert_true(layer_read(f->layer, &f->context, lower->root));
	assert_broken(f->layer, 1);
}

/* What the text answers itself is not looked up elsewhere. */
static void the_lower_layers_change_nothing_that_is_fine(void **state)
{
	struct fixture *f = *state;
	_cleanup_(doc_unrefp) struct doc *lower =
		docs_read("{\"host\":\"lower\",\"NAME\":\"lower\"}");

	make_vault(f, "host = own, a = ${host}, b = ${NAME}, c = ${?other}");
	assert_true(layer_read(f->layer, &f->context, lower->root));
	assert_serves(f->layer, "{\"host\":\"own\",\"a\":\"own\","
				"\"b\":\"of-the-vaults\"}");
	assert_false(f->layer->doc->used_lower);
}

static struct doc *doc_for_caller(struct fixture *f, struct diag *diag)
{
	struct layer_context context = f->context;

	context.env = context.vault_env = f->other_env;
	return layer_doc_for(f->layer, &context, NULL, diag);
}

static void a_caller_has_a_document_of_its_own_where_it_matters(void **state)
{
	struct fixture *f = *state;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *none = NULL, *same = NULL,
					 *own = NULL;

	make_vault(f, "a = {");
	assert_true(read_layer(f));
	none = doc_for_caller(f, &diag);
	assert_null(none);
	assert_false(diag_failed(&diag));
	assert_true(set_and_read(f, "a = 1"));
	same = doc_for_caller(f, &diag);
	assert_ptr_equal(same, f->layer->doc);
	assert_true(set_and_read(f, "a = ${NAME}"));
	own = doc_for_caller(f, &diag);
	assert_non_null(own);
	docs_assert_json(own->root, "{\"a\":\"of-a-caller\"}");
	assert_serves(f->layer, "{\"a\":\"of-the-vaults\"}");
}

static void a_text_may_be_broken_for_one_caller_alone(void **state)
{
	struct fixture *f = *state;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	make_vault(f, "a = ${NAME}");
	assert_true(read_layer(f));
	env_unref(f->other_env);
	f->other_env = env_of("OTHER", "x");
	assert_null(doc_for_caller(f, &diag));
	assert_true(diag_failed(&diag));
	assert_int_equal(f->layer->state, LAYER_OK);
}

/* The last good text is read again in the format it was good in. */
static void a_callers_document_is_of_the_last_good_text(void **state)
{
	struct fixture *f = *state;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *own = NULL;

	make_vault(f, "a = ${NAME}");
	assert_true(read_layer(f));
	layer_set_text(f->layer, READ_JSON, STR("{\"a\":"));
	assert_true(read_layer(f));
	assert_broken(f->layer, 1);
	own = doc_for_caller(f, &diag);
	assert_non_null(own);
	docs_assert_json(own->root, "{\"a\":\"of-a-caller\"}");
}

/* For somebody the newest text may be good. */
static void a_callers_newest_text_wins_if_it_can_be_read(void **state)
{
	struct fixture *f = *state;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *own = NULL, *old = NULL;

	make_file_layer(f);
	assert_true(save_and_read(f, "a = 1"));
	assert_true(save_and_read(f, "a = ${TEAM}"));
	assert_broken(f->layer, 1);
	old = doc_for_caller(f, &diag);
	assert_ptr_equal(old, f->layer->doc);
	env_unref(f->other_env);
	f->other_env = env_of("TEAM", "blue");
	own = doc_for_caller(f, &diag);
	assert_non_null(own);
	docs_assert_json(own->root, "{\"a\":\"blue\"}");
	assert_false(diag_failed(&diag));
	assert_serves(f->layer, "{\"a\":1}");
}

static void what_is_lost_for_the_daemon_need_not_be_for_a_caller(void **state)
{
	struct fixture *f = *state;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *own = NULL;

	make_file_layer(f);
	assert_true(save_and_read(f, "a = 1\nb = ${TEAM}"));
	assert_true(layer_is_lost(f->layer));
	assert_null(doc_for_caller(f, &diag));
	assert_int_equal(diag.pos.line, 2);
	diag_deinit(&diag);
	env_unref(f->other_env);
	f->other_env = env_of("TEAM", "blue");
	own = doc_for_caller(f, &diag);
	assert_non_null(own);
	docs_assert_json(own->root, "{\"a\":1,\"b\":\"blue\"}");
}

/* ClearML goes on without it. */
static void a_vault_is_never_lost(void **state)
{
	struct fixture *f = *state;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *own = NULL;

	make_vault(f, "a = ${TEAM}");
	assert_true(read_layer(f));
	assert_false(layer_is_lost(f->layer));
	assert_null(doc_for_caller(f, &diag));
	assert_false(diag_failed(&diag));
	env_unref(f->other_env);
	f->other_env = env_of("TEAM", "blue");
	own = doc_for_caller(f, &diag);
	assert_non_null(own);
	docs_assert_json(own->root, "{\"a\":\"blue\"}");
}

/* It may be in another thread's hands when the next text comes. */
static void a_copy_keeps_the_text_it_was_made_of(void **state)
{
	struct fixture *f = *state;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *own = NULL;
	struct layer *copy;

	make_vault(f, "a = ${TEAM}");
	assert_true(read_layer(f));
	copy = layer_copy(f->layer);
	assert_ptr_equal(copy->text.ptr, f->layer->text.ptr);
	layer_set_text(f->layer, READ_HOCON, STR("a = another"));
	layer_free(f->layer);
	f->layer = copy;
	env_unref(f->other_env);
	f->other_env = env_of("TEAM", "blue");
	own = doc_for_caller(f, &diag);
	assert_non_null(own);
	docs_assert_json(own->root, "{\"a\":\"blue\"}");
}

/* What it included is part of it. */
static void a_last_good_text_includes_what_it_did(void **state)
{
	struct fixture *f = *state;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *own = NULL;

	scratch_write("other.conf", "a = ${NAME}");
	make_file_layer(f);
	assert_true(save_and_read(f, "include \"other.conf\"\n"
				     "include \"third.conf\"\n"));
	scratch_write("other.conf", "a = {");
	scratch_write("third.conf", "b = later");
	layer_touch(f->layer);
	assert_true(read_layer(f));
	assert_int_equal(f->layer->state, LAYER_BROKEN);
	own = doc_for_caller(f, &diag);
	assert_non_null(own);
	docs_assert_json(own->root, "{\"a\":\"of-a-caller\"}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			kinds_and_states_have_the_names_of_the_contract),
		TEST(a_spare_text_serves_until_there_is_a_good_one),
		TEST(a_file_that_is_not_there_is_missing),
		TEST(a_file_that_comes_changes_and_goes_is_followed),
		TEST(what_reads_the_same_at_the_same_place_is_no_change),
		TEST(a_broken_text_keeps_the_last_good_document),
		TEST(a_broken_text_with_nothing_before_contributes_nothing),
		TEST(what_cannot_be_read_is_broken),
		TEST(our_own_output_is_refused_as_a_file),
		TEST(the_same_text_again_is_not_read_again),
		TEST(no_text_is_the_empty_text),
		TEST(a_vault_is_named_by_what_people_call_it),
		TEST(a_vault_sees_the_environment_of_vaults),
		TEST(only_a_file_may_include),
		TEST(the_lower_layers_repair_what_would_be_broken),
		TEST(the_lower_layers_change_nothing_that_is_fine),
		TEST(a_caller_has_a_document_of_its_own_where_it_matters),
		TEST(a_text_may_be_broken_for_one_caller_alone),
		TEST(a_callers_document_is_of_the_last_good_text),
		TEST(a_callers_newest_text_wins_if_it_can_be_read),
		TEST(what_is_lost_for_the_daemon_need_not_be_for_a_caller),
		TEST(a_vault_is_never_lost),
		TEST(a_copy_keeps_the_text_it_was_made_of),
		TEST(a_last_good_text_includes_what_it_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
