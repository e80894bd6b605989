/* What programs are given, over random stacks of every layer: judged by the
 * merge alone, not by what lock.c thinks. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/random_layers.h"
#include "base/log.h"
#include "config/lock.h"
#include "config/merge.h"

#define SEEDS 2000

/* The merge of those documents of @docs that @lock does not hold against, or
 * (NULL) of those below variables and vaults. */
static struct value *merge_rest(struct arena *arena,
				const struct stack_docs *docs,
				const struct lock *lock)
{
	struct value *merged = NULL;

	for (size_t i = 0; i < docs->count; i++) {
		enum layer_kind kind = docs->items[i].kind;

		if (lock ? !lock_holds(lock, kind) : kind <= LAYER_WORKSPACE)
			merged = merge(arena, merged, docs->items[i].doc->root);
	}
	return merged;
}

static bool same(const struct value *a, const struct value *b)
{
	return a == b || (a && b && value_equal(a, b));
}

static bool is_held_back(const struct snapshot *snapshot,
			 const struct path *path)
{
	return locks_find(snapshot->locks, LAYER_VAULT, path) ||
	       locks_find(snapshot->locks, LAYER_MONITORING, path);
}

/* Would a vault put something else where @path leads on? */
static bool is_taken(const struct snapshot *snapshot, const struct path *path)
{
	for (size_t i = 0; i < snapshot->docs.count; i++) {
		const struct stack_doc *item = &snapshot->docs.items[i];
		const struct value *value = path_find(item->doc->root, path);

		if (value && value->type != VALUE_OBJECT &&
		    (item->kind == LAYER_VAULT ||
		     item->kind == LAYER_MONITORING))
			return true;
	}
	return false;
}

static bool same_apart(const struct snapshot *snapshot, const struct value *a,
		       const struct value *b, struct path path);

/* What is no lock's business is the same on both sides, whatever is within. */
static bool same_members(const struct snapshot *snapshot,
			 const struct value *one, const struct value *other,
			 struct path path)
{
	struct str items[16];
	struct member *m;

	for (size_t i = 0; i < path.count; i++)
		items[i] = path.items[i];
	for (value_each (one, m)) {
		items[path.count] = member_key(m);
		if (!same_apart(snapshot, m->value,
				value_get(other, member_key(m)),
				(struct path){items, path.count + 1}))
			return false;
	}
	return true;
}

static bool same_apart(const struct snapshot *snapshot, const struct value *a,
		       const struct value *b, struct path path)
{
	if (!is_held_back(snapshot, &path))
		return same(a, b);
	if (!value_is(a, VALUE_OBJECT) || !value_is(b, VALUE_OBJECT) ||
	    is_taken(snapshot, &path))
		return true;
	return same_members(snapshot, a, b, path) &&
	       same_members(snapshot, b, a, path);
}

/* Each lock holds, also against what would take the place of its key. */
static void check_locks(const struct snapshot *snapshot,
			const struct snapshot *merged, unsigned int number)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const struct value *touched;
	const struct lock *lock;

	for (size_t i = 0; i < snapshot->docs.count; i++) {
		const struct stack_doc *item = &snapshot->docs.items[i];
		size_t at = 0;

		while ((lock = locks_next(snapshot->locks, item->kind,
					  item->doc->root, &at, &touched)))
			if (!same(path_find(merged->root, &lock->path),
				  path_find(merge_rest(&arena, &snapshot->docs,
						       lock),
					    &lock->path)))
				fail_msg("seed %u: %s", number, lock->text);
	}
}

static bool is_touched(const struct snapshot *snapshot)
{
	const struct value *touched;

	for (size_t i = 0; i < snapshot->docs.count; i++) {
		const struct stack_doc *item = &snapshot->docs.items[i];
		size_t at = 0;

		if (locks_next(snapshot->locks, item->kind, item->doc->root,
			       &at, &touched))
			return true;
	}
	return false;
}

static void check_merged(struct snapshot *snapshot, unsigned int number)
{
	struct snapshot *merged = snapshot_project(snapshot, PROJECTION_MERGED);

	check_locks(snapshot, merged, number);
	if ((merged == snapshot) == is_touched(snapshot))
		fail_msg("seed %u: made or not", number);
	if (!same_apart(snapshot, snapshot->root, merged->root,
			(struct path){0}))
		fail_msg("seed %u: more than what is locked", number);
	snapshot_unref(merged);
}

static void check_live(struct snapshot *snapshot, unsigned int number)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct snapshot *live = snapshot_project(snapshot, PROJECTION_LIVE);
	const struct value *rest = merge_rest(&arena, &snapshot->docs, NULL);

	if (rest ? !value_equal(live->root, rest) : live->root->object.count)
		fail_msg("seed %u: live", number);
	snapshot_unref(live);
}

static void a_vault_decides_all_but_what_is_locked(void **state)
{
	unsigned int touched = 0;

	(void)state;
	for (unsigned int number = 1; number <= SEEDS; number++) {
		struct secrets *secrets = secrets_new(NULL);
		unsigned int seed = number;
		struct snapshot *snapshot = random_snapshot(&seed, secrets);

		snapshot->locks = locks_new(below(&seed, 2),
					    below(&seed, 2) ? "o.a p" : NULL);
		check_merged(snapshot, number);
		check_live(snapshot, number);
		touched += is_touched(snapshot);
		snapshot_unref(snapshot);
		secrets_free(secrets);
	}
	assert_in_range(touched, SEEDS / 4, SEEDS - SEEDS / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vault_decides_all_but_what_is_locked),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
