/* Who has what to say of each leaf: layers that merge, lists, secrets, limits.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/explaining.h"
#include "base/log.h"
#include "value/diff.h"

/* --- winners and losers --------------------------------------------------- */

static void the_strongest_layer_wins_and_the_others_are_told_in_order(
	void **state)
{
	const struct text texts[] = {
		{LAYER_DEFAULTS, "/d/sdk.conf", "\nx = 1"},
		{LAYER_SITE, "/s/10.conf", "x = 2"},
		{LAYER_FILE, "/h/trains.conf", "\n\nx : \"3\""},
		{LAYER_FILE, "/h/clearml.conf", "{ y: 1, x: 4 }"},
		{LAYER_WORKSPACE, "/etc/c.conf", "{\"x\": 5}"},
		{LAYER_VAULT, "id1", "x = 6", NULL, "team"},
		{LAYER_VAULT, "id2", "z = 1, x = 7"},
		{0},
	};

	(void)state;
	check_sdk(texts, "",
		  "x = 7 vault id2:1:12\n"
		  "  not 6 vault id1 'team':1:5\n"
		  "  not 5 workspace /etc/c.conf\n"
		  "  not 4 file /h/clearml.conf:1:12\n"
		  "  not \"3\" file /h/trains.conf:3:5\n"
		  "  not 2 site /s/10.conf:1:5\n"
		  "  not 1 defaults /d/sdk.conf:2:5\n"
		  "y = 1 file /h/clearml.conf:1:6\n"
		  "z = 1 vault id2:1:5\n");
	check_sdk(texts, "y", "y = 1 file /h/clearml.conf:1:6\n");
}

static void variables_are_named_and_have_lines_only_if_they_are_many(
	void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "a.b = 1, api.web_server = x"},
		{LAYER_ENV_GENERIC, "CLEARML_AGENT__A", "{\n b = 2 }", "a"},
		{LAYER_ENV_GENERIC, "CLEARML_AGENT__C", "[1, 2]", "c"},
		{LAYER_ENV_NAMED, "CLEARML_WEB_HOST", "y", "api.web_server"},
		{0},
	};

	(void)state;
	check_agent(texts, "",
		    "a.b = 2 env-generic CLEARML_AGENT__A:2:6\n"
		    "  not 1 file f:1:7\n"
		    "api.web_server = \"y\" env-named CLEARML_WEB_HOST\n"
		    "  not \"x\" file f:1:27\n"
		    "c = [1,2] env-generic CLEARML_AGENT__C\n");
}

static void objects_merge_and_empty_ones_are_leaves(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "o { a = 1, b = 2 }, e {}, k = 1, n = null"},
		{LAYER_VAULT, "v", "o { b = 3 }, e {}, k {}, n = 2, o {}"},
		{0},
	};

	(void)state;
	check_sdk(texts, "",
		  "e = {} vault v:1:16\n"
		  "  not {} file f:1:23\n"
		  "k = {} vault v:1:22\n"
		  "  not 1 file f:1:31\n"
		  "n = 2 vault v:1:30\n"
		  "  not null file f:1:38\n"
		  "o.a = 1 file f:1:9\n"
		  "o.b = 3 vault v:1:9\n"
		  "  not 2 file f:1:16\n");
}

static void an_object_that_was_replaced_is_told_as_a_whole(void **state)
{
	const struct text texts[] = {
		{LAYER_SITE, "s", "a { b = 0 }"},
		{LAYER_FILE, "f", "a { b = 1, c = 2 }"},
		{LAYER_VAULT, "v", "a = 5"},
		{0},
	};

	(void)state;
	check_sdk(texts, "",
		  "a = 5 vault v:1:5\n"
		  "  not {\"b\":1,\"c\":2} file f:1:3\n"
		  "  not {\"b\":0} site s:1:3\n");
}

static void what_an_object_replaced_is_told_at_the_first_leaf_below(
	void **state)
{
	const struct text texts[] = {
		{LAYER_SITE, "s", "a { b = 0 }"},
		{LAYER_FILE, "f", "a = 5"},
		{LAYER_VAULT, "v1", "a { c { d = 1 }, e = 1 }"},
		{LAYER_VAULT, "v2", "a { c = 7 }"},
		{LAYER_VAULT, "v3", "a { c { d = 2 } }"},
		{0},
	};

	(void)state;
	check_sdk(texts, "",
		  "a.c.d = 2 vault v3:1:13\n"
		  "  not 7 vault v2:1:9\n"
		  "  not {\"d\":1} vault v1:1:7\n"
		  "  not 5 file f:1:5\n"
		  "  not {\"b\":0} site s:1:3\n"
		  "a.e = 1 vault v1:1:22\n");
	check_sdk(texts, "a.e", "a.e = 1 vault v1:1:22\n");
}

static void what_was_beaten_further_up_is_still_told_at_its_path(void **state)
{
	const struct text texts[] = {
		{LAYER_SITE, "s", "a { b = 0 }"},
		{LAYER_FILE, "f", "a = 5"},
		{LAYER_VAULT, "v", "a { b = 1 }"},
		{0},
	};

	(void)state;
	check_sdk(texts, "a.b",
		  "a.b = 1 vault v:1:9\n"
		  "  not 0 site s:1:9\n");
}

static void within_a_list_the_element_tells_where_it_is(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "l = [ { a = 1 }, 2, 3 ]"},
		{LAYER_VAULT, "v", "l = [\n { a = 8, b = 9 },\n 7 ]"},
		{0},
	};

	(void)state;
	check_sdk(texts, "l",
		  "l = [{\"a\":8,\"b\":9},7] vault v:1:5\n"
		  "  not [{\"a\":1},2,3] file f:1:5\n");
	check_sdk(texts, "l.1",
		  "l.1 = 7 vault v:3:2\n"
		  "  not 2 file f:1:18\n");
	check_sdk(texts, "l.0",
		  "l.0.a = 8 vault v:2:8\n"
		  "  not {\"a\":1} file f:1:7\n"
		  "l.0.b = 9 vault v:2:15\n");
	check_sdk(texts, "l.0.b", "l.0.b = 9 vault v:2:15\n");
}

static void leaves_come_in_the_order_of_their_paths(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "a { z = 1, b = 1 }, a-c = 1, \"a.b\" = 1"},
		{LAYER_VAULT, "v", "A = 1, a { c = 1 }"},
		{0},
	};

	(void)state;
	check_sdk(texts, "",
		  "\"a.b\" = 1 file f:1:38\n"
		  "A = 1 vault v:1:5\n"
		  "a-c = 1 file f:1:27\n"
		  "a.b = 1 file f:1:16\n"
		  "a.c = 1 vault v:1:16\n"
		  "a.z = 1 file f:1:9\n");
	check_sdk(texts, "\"a.b\"", "\"a.b\" = 1 file f:1:38\n");
}

static void a_substituted_value_stands_where_the_substitution_does(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "a = 1\nb = ${a}\nc = x${NAME}\nd = ${NAME}"},
		{LAYER_VAULT, "v", "e = \"${a}\"\nf = ${a}-"},
		{0},
	};

	(void)state;
	check_sdk(texts, "",
		  "a = 1 file f:1:5\n"
		  "b = 1 file f:2:5\n"
		  "c = \"xfrom env\" file f:3:5\n"
		  "d = \"from env\" file f:4:5\n"
		  "e = \"${a}\" vault v:1:5\n"
		  "f = \"1-\" vault v:2:5\n"
		  "  note column 5: ClearML itself refuses this: a path that "
		  "only a lower layer has\n");
}

/* --- notes ---------------------------------------------------------------- */

static void what_clearml_reads_otherwise_is_noted(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "fine = 1\nb : { c = 1 }\nb.c.d = 2\n"},
		{LAYER_VAULT, "yaml", "sdk:\n  a: x\n"},
		{0},
	};

	(void)state;
	check_sdk(texts, "b", "b.c.d = 2 file f:3:9\n");
	check_sdk(texts, "sdk",
		  "sdk.a = \"x\" vault yaml:2:6\n"
		  "  note ClearML itself reads this source to other values, or "
		  "to none\n");
	check_sdk(texts, "fine", "fine = 1 file f:1:8\n");
}

static void a_departure_is_noted_on_its_line(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "fine = 1\na = [1]\na += two\n"},
		{0},
	};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	struct secrets *secrets = secrets_new(NULL);
	struct snapshot *snapshot = sdk_snapshot(texts, secrets);

	(void)state;
	assert_int_equal(explain_text(snapshot, "", NULL, &out), 0);
	assert_non_null(strstr(buf_str(&out).ptr, "a = [1,\"two\"] file f:3:"));
	assert_non_null(strstr(buf_str(&out).ptr,
			       ": ClearML itself refuses this: text added to a "
			       "list\nfine = 1 file f:1:8\n"));
	snapshot_unref(snapshot);
	secrets_free(secrets);
}

/* --- secrets -------------------------------------------------------------- */

static const struct text secret_texts[] = {
	{LAYER_SITE, "s",
	 "api.key_secret = site-hush, note = \"of site-hush\""},
	{LAYER_FILE, "f",
	 "api.key_secret = file-hush, token = [file-token, {a: b-token}], "
	 "note = \"site-hush file-hush vault-hush\""},
	{LAYER_VAULT, "v",
	 "api { key_secret = vault-hush, account_key = {x: x-account} }"},
	{0},
};

static void winners_and_losers_are_masked_alike(void **state)
{
	struct secrets *secrets = secrets_new(NULL);
	struct snapshot *snapshot = sdk_snapshot(secret_texts, secrets);

	(void)state;
	assert_explained(snapshot, "", secrets,
			 "api.account_key.x = \"****\" vault v:1:50\n"
			 "api.key_secret = \"****\" vault v:1:20\n"
			 "  not \"****\" file f:1:18\n"
			 "  not \"****\" site s:1:18\n"
			 "note = \"**** **** ****\" file f:1:72\n"
			 "  not \"of ****\" site s:1:36\n"
			 "token = [\"****\",{\"a\":\"****\"}] file f:1:37\n");
	assert_explained(snapshot, "token.1", secrets,
			 "token.1.a = \"****\" file f:1:54\n");
	assert_explained(snapshot, "api.account_key", secrets,
			 "api.account_key.x = \"****\" vault v:1:50\n");
	assert_explained(snapshot, "api.key_secret", NULL,
			 "api.key_secret = \"vault-hush\" vault v:1:20\n"
			 "  not \"file-hush\" file f:1:18\n"
			 "  not \"site-hush\" site s:1:18\n");
	snapshot_unref(snapshot);
	secrets_free(secrets);
}

/* --- limits --------------------------------------------------------------- */

static void nothing_is_explained_as_nothing(void **state)
{
	const struct text none[] = {{0}};
	const struct text empty[] = {{LAYER_FILE, "f", ""}, {0}};

	(void)state;
	check_sdk(none, "", "");
	check_sdk(empty, "", "");
}

static void a_path_that_is_not_there_is_not_found(void **state)
{
	static const char *const paths[] = {"b", "a.b", "l.2", "l.x", "o.a.b"};
	const struct text texts[] = {
		{LAYER_FILE, "f", "a { b = 1 }, l = [1, 2, 3], o {}"},
		{LAYER_VAULT, "v", "a = 1, l = [1, 2]"},
		{0},
	};
	struct secrets *secrets = secrets_new(NULL);
	struct snapshot *snapshot = sdk_snapshot(texts, secrets);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_(buf_deinit) struct buf out = BUF_INIT;

		assert_int_equal(explain_text(snapshot, paths[i], NULL, &out),
				 EXPLAIN_E_NOT_FOUND);
		assert_int_equal(out.len, 0);
	}
	snapshot_unref(snapshot);
	secrets_free(secrets);
}

static void check_size(size_t elements, size_t bytes, int expected)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT, out = BUF_INIT;
	struct secrets *secrets = secrets_new(NULL);
	struct text texts[] = {{LAYER_FILE, "f", NULL}, {0}};
	struct snapshot *snapshot;

	buf_puts(&text, "small = 1, l = [");
	for (size_t i = 0; i < elements; i++)
		buf_puts(&text, "1,");
	buf_puts(&text, "], t = x");
	for (size_t i = 0; i < bytes; i++)
		buf_putc(&text, 'x');
	texts[0].text = buf_str(&text).ptr;
	snapshot = sdk_snapshot(texts, secrets);
	assert_int_equal(explain_text(snapshot, "", NULL, &out), expected);
	assert_int_equal(explain_text(snapshot, "small", NULL, &out), 0);
	snapshot_unref(snapshot);
	secrets_free(secrets);
}

static void too_much_at_once_is_refused(void **state)
{
	(void)state;
	check_size(EXPLAIN_VALUES_MAX - 10, 0, 0);
	check_size(EXPLAIN_VALUES_MAX, 0, EXPLAIN_E_TOO_MUCH);
	check_size(0, (size_t)64 * EXPLAIN_VALUES_MAX - 1000, 0);
	check_size(0, (size_t)64 * EXPLAIN_VALUES_MAX, EXPLAIN_E_TOO_MUCH);
}

/* --- against the merge ---------------------------------------------------- */

static void add_random(struct buf *text, unsigned int *seed, int depth)
{
	static const char keys[] = "abc";
	static const char *const scalars[] = {"1", "x", "null", "{}",
					      "[1, {a: 2}]"};
	int what = rand_r(seed) % 8;

	if (depth == 0 || what < (int)ARRAY_SIZE(scalars)) {
		buf_puts(text, scalars[(size_t)what % ARRAY_SIZE(scalars)]);
		return;
	}
	buf_puts(text, "{ ");
	for (size_t i = 0; i < 3; i++) {
		if (rand_r(seed) % 3 == 0)
			continue;
		buf_printf(text, "%c: ", keys[i]);
		add_random(text, seed, depth - 1);
		buf_puts(text, ", ");
	}
	buf_puts(text, "}");
}

static struct snapshot *random_snapshot(struct secrets *secrets,
					unsigned int *seed)
{
	char names[LAYERS_MAX][2] = {"1", "2", "3", "4", "5", "6", "7"};
	struct buf texts[LAYERS_MAX - 1] = {0};
	struct text layers[LAYERS_MAX] = {0};
	struct snapshot *snapshot;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		buf_puts(&texts[i], "agent: ");
		add_random(&texts[i], seed, 4);
		layers[i] = (struct text){LAYER_VAULT, names[i],
					  buf_str(&texts[i]).ptr};
	}
	snapshot = sdk_snapshot(layers, secrets);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		buf_deinit(&texts[i]);
	return snapshot;
}

static void check_winners(const struct snapshot *snapshot)
{
	_cleanup_(changes_deinit) struct changes leaves = CHANGES_INIT;
	_cleanup_(explanation_deinit) struct explanation explanation;
	const struct path root = {0};

	diff_add(&leaves, STR(""), NULL, snapshot->root);
	changes_sort(&leaves);
	assert_int_equal(explain(&explanation, snapshot, &root, NULL), 0);
	assert_int_equal(explanation.count, leaves.count);
	for (size_t i = 0; i < leaves.count; i++) {
		const struct explained_leaf *leaf = &explanation.leaves[i];

		assert_true(str_equal(leaf->path, leaves.items[i].path));
		assert_true(value_equal(leaf->offers[0].value,
					leaves.items[i].new));
		for (size_t j = 1; j < leaf->count; j++)
			assert_true(leaf->offers[j].from <
				    leaf->offers[j - 1].from);
	}
}

static void the_winners_are_what_the_merge_has(void **state)
{
	struct secrets *secrets = secrets_new(NULL);
	unsigned int seed = 7;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct snapshot *snapshot = random_snapshot(secrets, &seed);

		check_winners(snapshot);
		snapshot_unref(snapshot);
	}
	secrets_free(secrets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_strongest_layer_wins_and_the_others_are_told_in_order),
		cmocka_unit_test(
			variables_are_named_and_have_lines_only_if_they_are_many),
		cmocka_unit_test(objects_merge_and_empty_ones_are_leaves),
		cmocka_unit_test(
			an_object_that_was_replaced_is_told_as_a_whole),
		cmocka_unit_test(
			what_an_object_replaced_is_told_at_the_first_leaf_below),
		cmocka_unit_test(
			what_was_beaten_further_up_is_still_told_at_its_path),
		cmocka_unit_test(within_a_list_the_element_tells_where_it_is),
		cmocka_unit_test(leaves_come_in_the_order_of_their_paths),
		cmocka_unit_test(
			a_substituted_value_stands_where_the_substitution_does),
		cmocka_unit_test(what_clearml_reads_otherwise_is_noted),
		cmocka_unit_test(a_departure_is_noted_on_its_line),
		cmocka_unit_test(winners_and_losers_are_masked_alike),
		cmocka_unit_test(nothing_is_explained_as_nothing),
		cmocka_unit_test(a_path_that_is_not_there_is_not_found),
		cmocka_unit_test(too_much_at_once_is_refused),
		cmocka_unit_test(the_winners_are_what_the_merge_has),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
