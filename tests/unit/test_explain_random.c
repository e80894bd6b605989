/* Who has what to say of each leaf, over random stacks of every layer: judged
 * by the merge alone, not by what explain.c thinks. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/random_layers.h"
#include "base/log.h"
#include "value/diff.h"

#define SEEDS 400

/* --- what must hold ------------------------------------------------------- */

/* The seed of a failure is told. */
static void claim(bool holds, const char *what,
		  const struct explained_leaf *leaf, unsigned int number)
{
	if (!holds)
		fail_msg("seed %u, %.*s: %s", number, STR_PRINT(leaf->path),
			 what);
}

#define CLAIM(what) claim(what, #what, leaf, number)

/* Does @tree hold that very value somewhere? */
static bool holds(const struct value *tree, const struct value *value)
{
	struct member *m;

	if (tree == value)
		return true;
	if (tree->type == VALUE_LIST)
		for (uint32_t i = 0; i < tree->list.count; i++)
			if (holds(tree->list.items[i], value))
				return true;
	if (tree->type == VALUE_OBJECT)
		for (value_each (tree, m))
			if (holds(m->value, value))
				return true;
	return false;
}

/* What @root has at @path or, as what an object replaced is told at the first
 * leaf below, at one of the paths above. */
static bool stands_at(const struct value *root, struct path path,
		      const struct value *value)
{
	for (; path.count; path.count--)
		if (path_find(root, &path) == value)
			return true;
	return false;
}

/* The text at an origin begins as the value does. An object is where its key
 * comes first, and what was there may have been replaced further down. */
static bool is_written_there(const struct origin *origin,
			     const struct value *value)
{
	static const char *const first[] = {
		[VALUE_NULL] = "n", [VALUE_BOOL] = "to", [VALUE_LIST] = "["};
	struct str text = str_from_offset(origin->text->text, value->offset);

	if (value->type == VALUE_OBJECT)
		return true;
	if (value->type == VALUE_STRING || value->type == VALUE_INT)
		return str_starts(text, value_text(value)) ||
		       str_starts(text, STR("${s}")) ||
		       str_starts(text, STR("x${s}"));
	if (value->type == VALUE_REAL)
		return str_starts(text, STR("11.0"));
	return text.len && strchr(first[value->type], *text.ptr);
}

static void check_offer(const struct explanation *explanation,
			const struct explained_leaf *leaf, size_t at,
			unsigned int number)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const struct offer *offer = &leaf->offers[at];
	struct origin origin =
		origins_find(&explanation->origins, offer->value);
	struct path_error error;
	struct path path = {0};

	CLAIM(path_parse(&path, &arena, leaf->path, &error));
	CLAIM(stands_at(offer->from->doc->root, path, offer->value));
	CLAIM(offer->shown == offer->value);
	CLAIM(!at || offer->from < offer[-1].from);
	CLAIM(!at || offer->value != offer[-1].value);
	CLAIM(*origin.layer && *origin.source);
	if (origin.text && holds(origin.doc->root, offer->value))
		CLAIM(is_written_there(&origin, offer->value));
	if (!offer->from->note && offer->from->kind != LAYER_PROTECTED) {
		CLAIM(origin.doc == offer->from->doc);
		CLAIM(!strcmp(origin.source, offer->from->source));
	}
}

/* Nobody who has something at the path is left out, but what is the winner's
 * own: a derived document puts back what others have. */
static void check_nobody_is_missing(const struct snapshot *snapshot,
				    const struct explained_leaf *leaf,
				    unsigned int number)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const struct value *value;
	struct path_error error;
	struct path path = {0};
	bool told;

	CLAIM(path_parse(&path, &arena, leaf->path, &error));
	for (size_t i = 0; i < snapshot->docs.count; i++) {
		value = path_find(snapshot->docs.items[i].doc->root, &path);
		told = !value || value == leaf->put_back;
		for (size_t j = 0; j < leaf->count; j++)
			told = told || leaf->offers[j].value == value;
		CLAIM(told);
	}
}

/* The same by the path alone, where what was beaten further up is told at its
 * own path. */
static void check_alone(const struct snapshot *snapshot,
			const struct explained_leaf *leaf, unsigned int number)
{
	_cleanup_(explanation_deinit) struct explanation explanation = {0};
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const struct explained_leaf *alone;
	struct path_error error;
	struct path path = {0};

	CLAIM(path_parse(&path, &arena, leaf->path, &error));
	CLAIM(explain(&explanation, snapshot, &path, NULL) == 0);
	CLAIM(explanation.count == 1);
	alone = &explanation.leaves[0];
	CLAIM(str_equal(alone->path, leaf->path));
	CLAIM(alone->offers[0].value == leaf->offers[0].value);
	for (size_t i = 0; i < alone->count; i++)
		check_offer(&explanation, alone, i, number);
	check_nobody_is_missing(snapshot, alone, number);
}

static bool is_told(const struct explanation *explanation,
		    const struct value *value)
{
	for (size_t i = 0; i < explanation->count; i++) {
		const struct explained_leaf *leaf = &explanation->leaves[i];

		for (size_t j = 0; j < leaf->count; j++)
			if (holds(leaf->offers[j].value, value))
				return true;
	}
	return false;
}

/* Whatever a document has is told, as a part of something at least; but for
 * empty objects, which have nothing to say against others. */
static void check_all_is_told(const struct snapshot *snapshot,
			      const struct explanation *explanation,
			      unsigned int number)
{
	for (size_t i = 0; i < snapshot->docs.count; i++) {
		_cleanup_(changes_deinit) struct changes leaves = CHANGES_INIT;

		diff_add(&leaves, STR(""), NULL,
			 snapshot->docs.items[i].doc->root);
		for (size_t j = 0; j < leaves.count; j++) {
			const struct change *leaf = &leaves.items[j];

			if (leaf->new->type != VALUE_OBJECT &&
			    !is_told(explanation, leaf->new))
				fail_msg("seed %u: what document %zu has at "
					 "%.*s is not told",
					 number, i, STR_PRINT(leaf->path));
		}
	}
}

static void check_snapshot(const struct snapshot *snapshot, unsigned int number)
{
	_cleanup_(changes_deinit) struct changes leaves = CHANGES_INIT;
	_cleanup_(explanation_deinit) struct explanation explanation = {0};
	const struct path root = {0};

	diff_add(&leaves, STR(""), NULL, snapshot->root);
	changes_sort(&leaves);
	assert_int_equal(explain(&explanation, snapshot, &root, NULL), 0);
	if (!snapshot->root->object.count)
		return; /* nothing is explained as nothing */
	assert_int_equal(explanation.count, leaves.count);
	for (size_t i = 0; i < leaves.count; i++) {
		const struct explained_leaf *leaf = &explanation.leaves[i];

		CLAIM(str_equal(leaf->path, leaves.items[i].path));
		CLAIM(value_equal(leaf->offers[0].value, leaves.items[i].new));
		for (size_t j = 0; j < leaf->count; j++)
			check_offer(&explanation, leaf, j, number);
		check_alone(snapshot, leaf, number);
	}
	check_all_is_told(snapshot, &explanation, number);
}

static void each_leaf_is_whose_it_is_said_to_be(void **state)
{
	(void)state;
	for (unsigned int number = 1; number <= SEEDS; number++) {
		struct secrets *secrets = secrets_new(NULL);
		unsigned int seed = number;
		struct snapshot *snapshot = random_snapshot(&seed, secrets);

		check_snapshot(snapshot, number);
		snapshot_unref(snapshot);
		secrets_free(secrets);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_leaf_is_whose_it_is_said_to_be),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
