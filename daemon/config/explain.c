#include "config/explain.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/lock.h"
#include "config/mask.h"
#include "config/snapshot.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

#define TEXT_UNIT      64 /* bytes that count as one more value */
#define NOTE_VALUE_MAX 80 /* bytes of a value that a note tells */

/* All lists of offers are strongest first. */
struct offers {
	struct offer *items;
	size_t count;
};

/* What objects have replaced on the way down, to be said at the next leaf. */
struct beaten {
	struct offers offers;
	struct beaten *above;
};

struct walk {
	struct explanation *explanation;
	struct buf path;
};

/* --- what the documents have at the path --------------------------------- */

/* What @root has at @path. *blocks: on the way there it has something that is
 * no object, so that weaker documents have no say. */
static const struct value *value_at(const struct value *root,
				    const struct path *path, bool *blocks)
{
	for (size_t i = 0; root && i < path->count; i++) {
		*blocks = *blocks || root->type != VALUE_OBJECT;
		root = path_find(root, &(struct path){&path->items[i], 1});
	}
	return root;
}

struct found {
	struct offers offers;
	size_t live; /* the first of them; the rest is beaten further up */
};

static struct found find_offers(struct explanation *explanation,
				const struct stack_docs *docs,
				const struct path *path)
{
	struct arena *arena = &explanation->arena;
	struct found found = {0};
	bool blocked = false, blocks = false;

	found.offers.items =
		arena_alloc(arena, docs->count * sizeof(struct offer));
	for (size_t i = docs->count; i-- > 0; blocked = blocked || blocks) {
		const struct stack_doc *from = &docs->items[i];
		const struct value *value =
			value_at(from->doc->root, path, &blocks);

		if (!value)
			continue;
		found.offers.items[found.offers.count++] =
			(struct offer){.from = from, .value = value};
		found.live += !blocked;
	}
	return found;
}

static void charge(const struct value *value, size_t *left)
{
	struct member *m;
	size_t cost = 1;

	if (value->type == VALUE_STRING || value->type == VALUE_INT)
		cost += value->text.len / TEXT_UNIT;
	*left = *left > cost ? *left - cost : 0;
	if (value->type == VALUE_LIST)
		for (uint32_t i = 0; *left && i < value->list.count; i++)
			charge(value->list.items[i], left);
	if (value->type == VALUE_OBJECT)
		for (value_each (value, m))
			if (*left)
				charge(m->value, left);
}

size_t explain_cost(const struct snapshot *snapshot, const struct path *path)
{
	const struct stack_docs *docs = &snapshot->docs;
	size_t left = EXPLAIN_VALUES_MAX;
	const struct value *value;

	for (size_t i = 0; i < docs->count && left; i++) {
		value = path_find(docs->items[i].doc->root, path);
		if (value)
			charge(value, &left);
	}
	return EXPLAIN_VALUES_MAX - left;
}

static void show(struct explanation *explanation, const struct offers *offers,
		 const struct path *path, const struct secrets *secrets)
{
	for (size_t i = 0; i < offers->count; i++) {
		struct offer *offer = &offers->items[i];

		offer->shown = offer->value;
		if (secrets)
			offer->shown = mask_at(secrets, &explanation->arena,
					       offer->from->doc->root, path);
	}
}

/* --- leaves --------------------------------------------------------------- */

static struct explained_leaf *next_leaf(struct explanation *explanation)
{
	size_t cap = explanation->cap ? explanation->cap * 2 : 16;

	if (explanation->count == explanation->cap) {
		explanation->leaves = arena_grow(
			&explanation->arena, explanation->leaves,
			explanation->cap * sizeof(*explanation->leaves),
			cap * sizeof(*explanation->leaves));
		explanation->cap = cap;
	}
	return &explanation->leaves[explanation->count++];
}

static bool is_derived(const struct offer *offer)
{
	return offer->from->note != NULL;
}

/* What a derived document put back is not beaten by itself. */
static void add_offers(struct explained_leaf *leaf, struct offers offers)
{
	for (size_t i = 0; i < offers.count; i++) {
		const struct offer *offer = &offers.items[i];

		if (leaf->put_back == offer->value || offer->from->clears)
			continue;
		if (is_derived(offer))
			leaf->put_back = offer->value;
		leaf->offers[leaf->count++] = *offer;
	}
}

static void add_leaf(struct walk *walk, struct offers offers,
		     struct beaten *beaten)
{
	struct arena *arena = &walk->explanation->arena;
	struct explained_leaf *leaf = next_leaf(walk->explanation);
	size_t most = offers.count;

	for (struct beaten *b = beaten; b; b = b->above)
		most += b->offers.count;
	*leaf = (struct explained_leaf){
		.path = arena_str(arena, buf_str(&walk->path)),
		.offers = arena_alloc(arena, most * sizeof(struct offer)),
	};
	add_offers(leaf, offers);
	for (; beaten; beaten = beaten->above) {
		add_offers(leaf, beaten->offers);
		beaten->offers.count = 0;
	}
}

/* --- objects -------------------------------------------------------------- */

static int by_key_and_rank(const void *a, const void *b)
{
	const struct offer *x = a, *y = b;
	int keys = str_compare(x->key, y->key);

	return keys ? keys : (x->from < y->from) - (x->from > y->from);
}

/* The members of all @objects. A masked object has its members where the real
 * one has them. */
static struct offers members_of(struct arena *arena, struct offers objects)
{
	struct offers members = {0};
	struct member *m;
	size_t most = 0;

	for (size_t i = 0; i < objects.count; i++)
		most += objects.items[i].value->object.count;
	members.items = arena_alloc(arena, most * sizeof(struct offer));
	for (size_t i = 0; i < objects.count; i++) {
		const struct offer *object = &objects.items[i];
		const struct member *shown = object->shown->object.members;

		for (value_each (object->value, m))
			members.items[members.count++] =
				(struct offer){object->from, m->value,
					       (shown++)->value, member_key(m)};
	}
	if (members.count)
		qsort(members.items, members.count, sizeof(struct offer),
		      by_key_and_rank);
	return members;
}

static void explain_value(struct walk *walk, struct offers offers,
			  struct beaten *beaten);

static void explain_members(struct walk *walk, struct offers members,
			    struct beaten *beaten)
{
	size_t len = walk->path.len, at = 0;

	while (at < members.count) {
		struct offers same = {&members.items[at], 1};

		while (at + same.count < members.count &&
		       str_equal(same.items[0].key, same.items[same.count].key))
			same.count++;
		path_add_key(&walk->path, same.items[0].key);
		explain_value(walk, same, beaten);
		walk->path.len = len;
		at += same.count;
	}
}

/* The strongest offers that are objects merge; what is beneath the first that
 * is none, that one included, is beaten. */
static void explain_value(struct walk *walk, struct offers offers,
			  struct beaten *beaten)
{
	struct offers objects = {offers.items, 0}, members;
	struct beaten here = {.above = beaten};

	while (objects.count < offers.count &&
	       offers.items[objects.count].value->type == VALUE_OBJECT)
		objects.count++;
	members = members_of(&walk->explanation->arena, objects);
	if (!members.count) {
		add_leaf(walk, offers, beaten);
		return;
	}
	here.offers = (struct offers){&offers.items[objects.count],
				      offers.count - objects.count};
	explain_members(walk, members, &here);
}

/* --- all of it ------------------------------------------------------------ */

static int by_path(const void *a, const void *b)
{
	return str_compare(((const struct explained_leaf *)a)->path,
			   ((const struct explained_leaf *)b)->path);
}

/* Mostly, as keys are gone through in theirs; only what is quoted may not be.
 */
static bool is_in_order(const struct explanation *explanation)
{
	for (size_t i = 1; i < explanation->count; i++)
		if (by_path(&explanation->leaves[i - 1],
			    &explanation->leaves[i]) > 0)
			return false;
	return true;
}

static void explain_found(struct explanation *explanation,
			  const struct found *found, const struct path *path)
{
	struct walk walk = {.explanation = explanation};
	struct offers live = {found->offers.items, found->live};
	struct beaten beaten = {.offers = {&found->offers.items[found->live],
					   found->offers.count - found->live}};

	for (size_t i = 0; i < path->count; i++)
		path_add_key(&walk.path, path->items[i]);
	explain_value(&walk, live, &beaten);
	buf_deinit(&walk.path);
	if (!is_in_order(explanation))
		qsort(explanation->leaves, explanation->count,
		      sizeof(*explanation->leaves), by_path);
}

int explain(struct explanation *explanation, const struct snapshot *snapshot,
	    const struct path *path, const struct secrets *secrets)
{
	const struct value *value = path_find(snapshot->root, path);
	struct found found;

	*explanation = (struct explanation){0};
	if (!value)
		return EXPLAIN_E_NOT_FOUND;
	explanation->locks = snapshot->locks;
	origins_init(&explanation->origins, &snapshot->docs);
	if (value == snapshot->root && !value->object.count)
		return 0;
	if (explain_cost(snapshot, path) >= EXPLAIN_VALUES_MAX)
		return EXPLAIN_E_TOO_MUCH;
	found = find_offers(explanation, &snapshot->docs, path);
	show(explanation, &found.offers, path, secrets);
	explain_found(explanation, &found, path);
	return 0;
}

void explanation_deinit(struct explanation *explanation)
{
	origins_deinit(&explanation->origins);
	arena_free(&explanation->arena);
	*explanation = (struct explanation){0};
}

/* --- notes ---------------------------------------------------------------- */

/* The lock by which the winner has no say in what a program is given; NULL:
 * none. */
static const struct lock *lock_of(const struct explanation *explanation,
				  const struct explained_leaf *leaf)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	enum layer_kind kind = leaf->offers[0].from->kind;
	struct path_error error;
	struct path path;

	if (layer_traits[kind].provenance != LAYER_OF_VAULT)
		return NULL;
	(void)path_parse(&path, &arena, leaf->path, &error);
	return locks_find(explanation->locks, kind, &path);
}

/* The strongest offer that the lock does not hold back; NULL: none. */
static const struct offer *find_kept(const struct explained_leaf *leaf,
				     const struct lock *lock)
{
	for (size_t i = 0; i < leaf->count; i++)
		if (!lock_holds(lock, leaf->offers[i].from->kind))
			return &leaf->offers[i];
	return NULL;
}

static void write_shown(const struct value *shown, struct buf *text)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	json_write(&json, shown);
	if (json.len <= NOTE_VALUE_MAX)
		buf_add_str(text, buf_str(&json));
	else
		buf_puts(text, "the value");
}

static void write_lock(const struct explanation *explanation,
		       const struct explained_leaf *leaf,
		       const struct lock *lock, struct buf *text)
{
	const struct offer *kept = find_kept(leaf, lock);
	struct origin origin;

	origin_add_note(text, "");
	buf_printf(text, "%s is locked: exec and dumps ", lock->text);
	if (!kept) {
		buf_puts(text, "leave this out");
		return;
	}
	origin = origins_find(&explanation->origins, kept->value);
	buf_puts(text, "get ");
	write_shown(kept->shown, text);
	buf_printf(text, " of %s %s", origin.layer, origin.source);
	if (origin.pos.line)
		buf_printf(text, ":%u:%u", (unsigned int)origin.pos.line,
			   (unsigned int)origin.pos.column);
}

void explain_write_note(const struct explanation *explanation,
			const struct explained_leaf *leaf,
			const struct origin *origin, struct buf *text)
{
	const struct offer *winner = &leaf->offers[0];
	const struct lock *lock = lock_of(explanation, leaf);

	if (is_derived(winner))
		buf_puts(text, winner->from->note);
	else if (winner->from->kind == LAYER_MONITORING && leaf->count > 1)
		buf_puts(text, "a monitoring vault says so, which nothing "
			       "overrides");
	if (lock)
		write_lock(explanation, leaf, lock, text);
	origin_write_departures(origin, text);
}
