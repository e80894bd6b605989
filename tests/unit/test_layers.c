#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/workspaces.h"
#include "config/stack.h"
#include "engine/layers.h"
#include "fetch/vault.h"
#include "site/site.h"

/* The layers of a stack as "kind:end of its source ...". */
static char *shown(const struct stack *stack)
{
	struct buf text = BUF_INIT;
	struct layer *layer;

	for (stack_each(stack, layer)) {
		const char *slash = strrchr(layer->source, '/');

		buf_printf(&text, "%s%s:%s", text.len ? " " : "",
			   layer_traits[layer->kind].name,
			   slash ? slash + 1 : layer->source);
	}
	return buf_take(&text);
}

static void assert_layers(const struct stack *stack, const char *should_be)
{
	_cleanup_(mem_freep) char *is = shown(stack);

	assert_string_equal(is ? is : "", should_be);
}

static void read_all(const struct fixture *fixture, struct stack *stack)
{
	const struct workspace_host *host = &fixture->host;
	struct layer_context context =
		layers_context(host->settings, host->env, host->vault_env);

	(void)stack_read(stack, &context);
}

/* --- local ---------------------------------------------------------------- */

static void use_folders(struct fixture *fixture)
{
	_cleanup_(mem_freep) char *text =
		mem_printf("defaults = %s/defaults\nsite = %s/site\n",
			   scratch_root, scratch_root);

	scratch_folder("defaults");
	scratch_folder("site");
	scratch_write("defaults/agent.conf", "a: 1");
	scratch_write("site/20.conf", "b: 2");
	scratch_write("site/10.conf", "b: 1");
	scratch_write("clearml.conf", "c: 3");
	set_settings(fixture, text);
}

static void local_layers_come_weakest_first(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(stack_deinit) struct stack stack;

	use_folders(fixture);
	set_env(fixture, "CLEARML_AGENT__X__Y=1|CLEARML_API_HOST=http://h");
	stack_init(&stack);
	assert_true(layers_set_local(&stack, &fixture->host));
	assert_layers(&stack,
		      "defaults:agent.conf site:10.conf site:20.conf "
		      "file:clearml.conf env-generic:CLEARML_AGENT__X__Y "
		      "env-named:CLEARML_API_HOST");
}

static void nothing_new_is_no_change(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(stack_deinit) struct stack stack;

	use_folders(fixture);
	stack_init(&stack);
	(void)layers_set_local(&stack, &fixture->host);
	read_all(fixture, &stack);
	assert_false(layers_set_local(&stack, &fixture->host));
	read_all(fixture, &stack);
	assert_int_equal(remove("site/10.conf"), 0);
	assert_true(layers_set_local(&stack, &fixture->host));
	assert_layers(&stack, "defaults:agent.conf site:20.conf "
			      "file:clearml.conf");
}

static void mode_sdk_knows_no_variables(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(stack_deinit) struct stack stack;

	set_settings(fixture, "[daemon]\nmode = sdk\n");
	set_env(fixture, "CLEARML_AGENT__X__Y=1|CLEARML_API_HOST=http://h");
	stack_init(&stack);
	(void)layers_set_local(&stack, &fixture->host);
	assert_layers(&stack, "file:clearml.conf");
}

static void what_is_read_depends_on_the_settings(void **state)
{
	struct fixture *fixture = *state;
	struct layer_context context;

	set_settings(fixture, "[limits]\ndocument = 4K\ndepth = 7\n"
			      "[resolve]\ndialect = strict\n");
	context = layers_context(fixture->settings, fixture->host.env,
				 fixture->host.vault_env);
	assert_int_equal(context.limits.bytes, 4096);
	assert_int_equal(context.limits.depth, 7);
	assert_int_equal(context.dialect, READ_STRICT);
	assert_ptr_equal(context.env, fixture->host.env);
	assert_ptr_equal(context.vault_env, fixture->host.vault_env);
}

/* --- the site's documents ------------------------------------------------- */

static void documents_of_etcd_follow_the_files_of_the_site(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(stack_deinit) struct stack stack;
	struct site site = {0};

	use_folders(fixture);
	site_docs_init(&site.docs, "/site/", "", "");
	site_docs_put(&site.docs, STR("/site/z.conf"), STR("b: 4"));
	site_docs_put(&site.docs, STR("/site/a.conf"), STR("b: 3"));
	fixture->host.site = &site;
	stack_init(&stack);
	(void)layers_set_local(&stack, &fixture->host);
	assert_layers(&stack, "defaults:agent.conf site:10.conf site:20.conf "
			      "site:a.conf site:z.conf file:clearml.conf");
	site_docs_clear(&site.docs);
	site_docs_put(&site.docs, STR("/site/m.conf"), STR("b: 5"));
	assert_true(layers_set_documents(&stack, &site));
	assert_layers(&stack, "defaults:agent.conf site:10.conf site:20.conf "
			      "site:m.conf file:clearml.conf");
	assert_true(layers_set_documents(&stack, NULL));
	assert_layers(&stack, "defaults:agent.conf site:10.conf site:20.conf "
			      "file:clearml.conf");
	site_docs_deinit(&site.docs);
}

/* --- vaults --------------------------------------------------------------- */

static bool set_vaults(struct stack *stack, enum layer_kind kind,
		       const struct vault *vaults, size_t count)
{
	const struct vault_answer answer = {
		.outcome = VAULT_FETCHED,
		.vaults = vaults,
		.count = count,
	};

	return layers_set_vaults(stack, kind, &answer);
}

static void vaults_keep_the_order_of_the_server(void **state)
{
	static const struct vault vaults[] = {
		{"z", "", NULL, "config", NULL, NULL, STR("a: 1")},
		{"m", "", NULL, "monitoring", NULL, NULL, STR("a: 2")},
		{"a", "", NULL, NULL, NULL, NULL, STR("a: 3")},
	};
	_cleanup_(stack_deinit) struct stack stack;

	(void)state;
	stack_init(&stack);
	assert_true(set_vaults(&stack, LAYER_VAULT, vaults, 3));
	assert_layers(&stack, "vault:z vault:a");
	/* What was not asked for is left out. */
	assert_true(set_vaults(&stack, LAYER_MONITORING, vaults, 3));
	assert_layers(&stack, "vault:z vault:a monitoring:m");
	assert_true(set_vaults(&stack, LAYER_VAULT, vaults, 1));
	assert_layers(&stack, "vault:z monitoring:m");
}

static const struct layer *first(const struct stack *stack)
{
	return stack_next(stack, NULL);
}

static void a_vaults_format_is_believed(void **state)
{
	static const struct vault yaml = {"y",
					  "team",
					  "yaml",
					  "config",
					  "u",
					  "today",
					  STR("a: 1\nb: x y")};
	static const struct vault odd = {"o",  "",   "toml",     "config",
					 NULL, NULL, STR("a: 1")};
	static const struct vault blank = {"b",  "",   "toml",     "config",
					   NULL, NULL, STR(" \n ")};
	_cleanup_(stack_deinit) struct stack stack;

	(void)state;
	stack_init(&stack);
	(void)set_vaults(&stack, LAYER_VAULT, &yaml, 1);
	assert_int_equal(first(&stack)->format, READ_YAML);
	assert_string_equal(first(&stack)->description, "team");
	assert_string_equal(first(&stack)->edit.scope, "u");
	assert_string_equal(first(&stack)->edit.last_update, "today");
	assert_false(first(&stack)->odd_format);
	(void)set_vaults(&stack, LAYER_VAULT, &odd, 1);
	assert_int_equal(first(&stack)->format, READ_HOCON);
	assert_true(first(&stack)->odd_format);
	(void)set_vaults(&stack, LAYER_VAULT, &blank, 1);
	assert_false(first(&stack)->odd_format);
}

static void a_vault_that_breaks_keeps_its_document(void **state)
{
	static const struct vault good = {"v",  "",   "hocon",    "config",
					  NULL, NULL, STR("a: 1")};
	static const struct vault bad = {"v",  "",   "hocon",    "config",
					 NULL, NULL, STR("a: {")};
	struct fixture *fixture = *state;
	_cleanup_(stack_deinit) struct stack stack;

	stack_init(&stack);
	(void)set_vaults(&stack, LAYER_VAULT, &good, 1);
	read_all(fixture, &stack);
	assert_false(set_vaults(&stack, LAYER_VAULT, &bad, 1));
	assert_true(stack_has_unread(&stack));
	read_all(fixture, &stack);
	assert_int_equal(first(&stack)->state, LAYER_BROKEN);
	assert_non_null(first(&stack)->doc);
}

/* --- what the settings declare -------------------------------------------- */

static void what_is_declared_is_a_layer_unless_it_is_not_injected(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(stack_deinit) struct stack stack;
	struct login login = {.api_server = mem_strdup("http://h"),
			      .access_key = mem_strdup("KEY"),
			      .verify = true};

	stack_init(&stack);
	assert_true(
		layers_set_declared(&stack, fixture->settings, true, &login));
	assert_layers(&stack, "workspace:clearconfd.conf");
	assert_non_null(strstr(first(&stack)->text.ptr, "KEY"));
	/* While the secret cannot be read, what was set stands. */
	assert_false(
		layers_set_declared(&stack, fixture->settings, true, NULL));
	assert_non_null(strstr(first(&stack)->text.ptr, "KEY"));
	assert_true(
		layers_set_declared(&stack, fixture->settings, false, &login));
	assert_layers(&stack, "");
	login_deinit(&login);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(local_layers_come_weakest_first),
		TEST(nothing_new_is_no_change),
		TEST(mode_sdk_knows_no_variables),
		TEST(what_is_read_depends_on_the_settings),
		TEST(documents_of_etcd_follow_the_files_of_the_site),
		TEST(vaults_keep_the_order_of_the_server),
		TEST(a_vaults_format_is_believed),
		TEST(a_vault_that_breaks_keeps_its_document),
		TEST(what_is_declared_is_a_layer_unless_it_is_not_injected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
