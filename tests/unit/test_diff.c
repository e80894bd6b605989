#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "value/diff.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

struct fixture {
	struct arena arena;
	struct changes changes;
	uint64_t random;
};

static int set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	f->random = 20240517;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	changes_deinit(&f->changes);
	arena_free(&f->arena);
	mem_free(f);
	return 0;
}

/* --- trees from text: {a:{b:1},c:[]} with one-letter keys and digits ------ */

static struct value *tree(struct arena *arena, const char **text);

static struct value *object(struct arena *arena, const char **text)
{
	struct value *value = value_new(arena, VALUE_OBJECT);
	struct str key;

	for (++*text; **text != '}'; *text += **text == ',') {
		key = arena_str(arena, (struct str){*text, 1});
		*text += 2;
		*value_object_slot(value, arena, key) = tree(arena, text);
	}
	++*text;
	return value;
}

static struct value *list(struct arena *arena, const char **text)
{
	struct value *value = value_new(arena, VALUE_LIST);

	for (++*text; **text != ']'; *text += **text == ',')
		value_list_add(value, arena, tree(arena, text));
	++*text;
	return value;
}

static struct value *tree(struct arena *arena, const char **text)
{
	struct value *value;

	if (**text == '{')
		return object(arena, text);
	if (**text == '[')
		return list(arena, text);
	value = value_new(arena, VALUE_NULL);
	if (**text != 'n')
		value_set_int(value, arena, (struct str){*text, 1});
	++*text;
	return value;
}

/* NULL for "". */
static struct value *parsed(struct fixture *f, const char *text)
{
	return *text ? tree(&f->arena, &text) : NULL;
}

/* --- changes as text: "-a.b +c=1 !d=2>3" ---------------------------------- */

static void print_change(struct buf *out, const struct change *change)
{
	if (out->len)
		buf_putc(out, ' ');
	buf_putc(out, "-+!"[change->kind]);
	buf_add_str(out, change->path);
	buf_putc(out, '=');
	if (change->old)
		json_write(out, change->old);
	if (change->old && change->new)
		buf_putc(out, '>');
	if (change->new)
		json_write(out, change->new);
}

static void assert_changes(struct fixture *f, const char *expected)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	changes_sort(&f->changes);
	for (size_t i = 0; i < f->changes.count; i++)
		print_change(&out, &f->changes.items[i]);
	assert_string_equal(buf_str(&out).ptr, expected);
	changes_deinit(&f->changes);
}

static void assert_diff(struct fixture *f, const char *old, const char *new,
			const char *expected)
{
	diff_add(&f->changes, STR(""), parsed(f, old), parsed(f, new));
	assert_changes(f, expected);
}

static void equal_trees_have_no_changes(void **state)
{
	assert_diff(*state, "", "", "");
	assert_diff(*state, "{}", "{}", "");
	assert_diff(*state, "{a:1,b:{c:[1,{}]}}", "{b:{c:[1,{}]},a:1}", "");
}

static void objects_are_descended(void **state)
{
	assert_diff(*state, "{a:{b:1,c:2}}", "{a:{b:1,c:3}}", "!a.c=2>3");
	assert_diff(*state, "{a:{b:1}}", "{a:{b:1,c:{d:2,e:3}}}",
		    "+a.c.d=2 +a.c.e=3");
	assert_diff(*state, "{a:{b:1,c:{d:2,e:3}}}", "{a:{b:1}}",
		    "-a.c.d=2 -a.c.e=3");
}

static void a_list_is_a_leaf(void **state)
{
	assert_diff(*state, "{a:[1,2]}", "{a:[1,3]}", "!a=[1,2]>[1,3]");
	assert_diff(*state, "{a:[{b:1}]}", "{a:[{b:2}]}",
		    "!a=[{\"b\":1}]>[{\"b\":2}]");
	assert_diff(*state, "{a:[]}", "{}", "-a=[] +={}");
	assert_diff(*state, "{a:1}", "{a:[1]}", "!a=1>[1]");
}

static void an_empty_object_is_a_leaf(void **state)
{
	assert_diff(*state, "{a:1}", "{a:1,b:{}}", "+b={}");
	assert_diff(*state, "{a:1,b:{}}", "{a:1}", "-b={}");
	assert_diff(*state, "{a:{}}", "{a:{b:1}}", "-a={} +a.b=1");
	assert_diff(*state, "{a:{b:1}}", "{a:{}}", "-a.b=1 +a={}");
	assert_diff(*state, "{a:{}}", "{a:1}", "!a={}>1");
	assert_diff(*state, "{a:[]}", "{a:{}}", "!a=[]>{}");
}

static void an_object_and_a_scalar_replace_each_other(void **state)
{
	assert_diff(*state, "{a:{b:1,c:{d:2}}}", "{a:7}",
		    "-a.b=1 -a.c.d=2 +a=7");
	assert_diff(*state, "{a:7}", "{a:{b:1,c:{d:2}}}",
		    "-a=7 +a.b=1 +a.c.d=2");
	assert_diff(*state, "{a:{b:1}}", "{a:n}", "-a.b=1 +a=null");
	assert_diff(*state, "{a:n}", "{a:1}", "!a=null>1");
}

static void the_whole_tree_may_come_and_go(void **state)
{
	assert_diff(*state, "", "{}", "+={}");
	assert_diff(*state, "{}", "", "-={}");
	assert_diff(*state, "", "{a:{b:1},c:2}", "+a.b=1 +c=2");
	assert_diff(*state, "{a:{b:1},c:2}", "", "-a.b=1 -c=2");
	assert_diff(*state, "{}", "{a:1}", "-={} +a=1");
}

/* The keys come in another order than their paths. */
static void removals_come_first_each_in_path_order(void **state)
{
	assert_diff(*state, "{z:1,y:{b:1,a:1},x:1,c:1}",
		    "{z:2,m:{q:1,p:1},c:1,a:1}",
		    "-x=1 -y.a=1 -y.b=1 +a=1 +m.p=1 +m.q=1 !z=1>2");
}

static void special_keys_are_quoted(void **state)
{
	assert_diff(*state, "{a:{.:1}}", "{a:{.:2}}", "!a.\".\"=1>2");
}

/* Nobody may look below an address that both trees share. */
static void a_shared_subtree_is_skipped(void **state)
{
	struct fixture *f = *state;
	struct value *old = parsed(f, "{a:1}"), *new = parsed(f, "{a:2}");
	struct value poison = {.type = VALUE_OBJECT};

	poison.object.members = (struct member *)(void *)&poison;
	poison.object.count = poison.object.cap = 1 << 20;
	*value_object_slot(old, &f->arena, STR("p")) = &poison;
	*value_object_slot(new, &f->arena, STR("p")) = &poison;
	diff_add(&f->changes, STR(""), old, new);
	assert_changes(f, "!a=1>2");
	diff_add(&f->changes, STR(""), &poison, &poison);
	assert_changes(f, "");
}

static void a_prefix_stands_before_every_path(void **state)
{
	struct fixture *f = *state;

	diff_add(&f->changes, STR("x.\"y z\""), parsed(f, "{a:1}"),
		 parsed(f, "{a:2}"));
	assert_changes(f, "!x.\"y z\".a=1>2");
	diff_add(&f->changes, STR("x"), parsed(f, "1"), parsed(f, "2"));
	assert_changes(f, "!x=1>2");
	diff_add(&f->changes, STR("x"), NULL, parsed(f, "{}"));
	assert_changes(f, "+x={}");
}

static void overlapping_prefixes_say_nothing_twice(void **state)
{
	struct fixture *f = *state;
	const struct value *old = parsed(f, "{a:{b:1,c:{d:1}},e:1}");
	const struct value *new = parsed(f, "{a:{b:2},f:1}");
	const struct value *old_a = value_get(old, STR("a"));
	const struct value *new_a = value_get(new, STR("a"));

	for (int i = 0; i < 2; i++) {
		diff_add(&f->changes, STR("a"), old_a, new_a);
		diff_add(&f->changes, STR(""), old, new);
		diff_add(&f->changes, STR("a.c"), value_get(old_a, STR("c")),
			 value_get(new_a, STR("c")));
	}
	assert_changes(f, "-a.c.d=1 -e=1 !a.b=1>2 +f=1");
}

/* --- applying the changes to the old tree gives the new one --------------- */

static unsigned int roll(struct fixture *f, unsigned int sides)
{
	f->random = f->random * UINT64_C(6364136223846793005) +
		    UINT64_C(1442695040888963407);
	return (unsigned int)(f->random >> 33) % sides;
}

static struct value *random_tree(struct fixture *f, int depth)
{
	static const struct str keys[] = {STR("a"), STR("b"),   STR("c.d"),
					  STR(""),  STR("e f"), STR("\"")};
	static const enum value_type types[] = {
		VALUE_OBJECT, VALUE_OBJECT, VALUE_OBJECT, VALUE_OBJECT,
		VALUE_LIST,   VALUE_NULL,   VALUE_BOOL,   VALUE_INT,
	};
	struct value *value =
		value_new(&f->arena, depth ? types[roll(f, ARRAY_SIZE(types))]
					   : VALUE_INT);

	if (value->type == VALUE_INT)
		value_set_int(value, &f->arena,
			      str_from_offset(STR("123"), roll(f, 3)));
	if (value->type == VALUE_BOOL)
		value->boolean = roll(f, 2);
	for (unsigned int i = roll(f, 5); i > 0; i--) {
		if (value->type == VALUE_LIST)
			value_list_add(value, &f->arena,
				       random_tree(f, depth - 1));
		if (value->type == VALUE_OBJECT)
			*value_object_slot(value, &f->arena,
					   keys[roll(f, ARRAY_SIZE(keys))]) =
				random_tree(f, depth - 1);
	}
	return value;
}

/* A tree of its own that has every other leaf or so in common with @from. */
static struct value *varied(struct fixture *f, struct value *from, int depth)
{
	struct value *value;
	struct member *m;

	if (roll(f, 8) == 0)
		return random_tree(f, depth);
	if (from->type != VALUE_OBJECT || roll(f, 8) == 0)
		return from;
	value = value_new(&f->arena, VALUE_OBJECT);
	for (value_each (from, m))
		if (roll(f, 6))
			*value_object_slot(value, &f->arena, member_key(m)) =
				varied(f, m->value, depth - 1);
	return value;
}

static struct value *copied(struct fixture *f, struct value *from)
{
	struct value *value;
	struct member *m;

	if (from->type != VALUE_OBJECT)
		return from;
	value = value_new(&f->arena, VALUE_OBJECT);
	for (value_each (from, m))
		*value_object_slot(value, &f->arena, member_key(m)) =
			copied(f, m->value);
	return value;
}

/* @root without the leaf at keys[0..count), nor what that empties. */
static struct value *without(struct value *root, const struct str *keys,
			     size_t count)
{
	struct value *left;

	if (!count)
		return NULL;
	left = without(value_get(root, keys[0]), keys + 1, count - 1);
	if (!left)
		value_object_remove(root, keys[0]);
	return root->object.count ? root : NULL;
}

/* @root with @leaf at keys[0..count). */
static struct value *with(struct fixture *f, struct value *root,
			  const struct path *path, const struct value *leaf)
{
	struct value **place = &root;

	for (size_t i = 0; i < path->count; i++) {
		if (!*place)
			*place = value_new(&f->arena, VALUE_OBJECT);
		assert_true(value_is(*place, VALUE_OBJECT));
		place = value_object_slot(*place, &f->arena, path->items[i]);
	}
	*place = (struct value *)leaf;
	return root;
}

static struct value *applied(struct fixture *f, struct value *root)
{
	struct path_error error;
	struct path path;

	for (size_t i = 0; i < f->changes.count; i++) {
		const struct change *change = &f->changes.items[i];

		assert_true(path_parse(&path, &f->arena, change->path, &error));
		assert_true(value_equal(path_find(root, &path), change->old));
		if (change->kind == CHANGE_REMOVED)
			root = without(root, path.items, path.count);
		else
			root = with(f, root, &path, change->new);
	}
	return root;
}

static void assert_in_order(const struct changes *changes)
{
	for (size_t i = 1; i < changes->count; i++) {
		const struct change *a = &changes->items[i - 1];
		const struct change *b = &changes->items[i];
		bool was_removed = a->kind == CHANGE_REMOVED;
		bool is_removed = b->kind == CHANGE_REMOVED;

		assert_true(was_removed || !is_removed);
		if (was_removed == is_removed)
			assert_true(str_compare(a->path, b->path) < 0);
	}
}

static void changes_turn_the_old_tree_into_the_new(void **state)
{
	struct fixture *f = *state;
	size_t total = 0;

	for (int i = 0; i < 3000; i++) {
		struct value *old = random_tree(f, 4);
		struct value *new =
			i % 4 ? varied(f, old, 4) : random_tree(f, 4);

		diff_add(&f->changes, STR(""), old, new);
		changes_sort(&f->changes);
		assert_in_order(&f->changes);
		assert_int_equal(f->changes.count == 0, value_equal(old, new));
		assert_true(value_equal(applied(f, copied(f, old)), new));
		total += f->changes.count;
		changes_deinit(&f->changes);
		arena_free(&f->arena);
	}
	assert_true(total > 3000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equal_trees_have_no_changes),
		TEST(objects_are_descended),
		TEST(a_list_is_a_leaf),
		TEST(an_empty_object_is_a_leaf),
		TEST(an_object_and_a_scalar_replace_each_other),
		TEST(the_whole_tree_may_come_and_go),
		TEST(removals_come_first_each_in_path_order),
		TEST(special_keys_are_quoted),
		TEST(a_shared_subtree_is_skipped),
		TEST(a_prefix_stands_before_every_path),
		TEST(overlapping_prefixes_say_nothing_twice),
		TEST(changes_turn_the_old_tree_into_the_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
