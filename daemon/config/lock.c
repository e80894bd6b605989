#include "config/lock.h"

#include "base/arena.h"
#include "base/mem.h"
#include "value/value.h"

struct locks {
	unsigned int refs;
	struct arena arena;
	struct lock *items;
	size_t count;
	const char *more;
};

/* In which mode ClearML takes a key before its vaults, or in spite of them. */
enum { IN_SDK = 1, IN_AGENT = 2, IN_BOTH = IN_SDK | IN_AGENT };

struct row {
	const char *path;
	unsigned int modes;
	bool monitoring;
};

/* Session.__init__ reads the former before load_vaults(); web_server and
 * files_server are looked up after it, so that a vault has its say. The SDK
 * takes default_method a second time after it. The rest is agent-owned: put
 * back after the vaults, but a monitoring vault comes after that. */
static const struct row rows[] = {
	{"api.api_server", IN_BOTH, true},
	{"api.host", IN_BOTH, true},
	{"api.credentials", IN_BOTH, true},
	{"api.token", IN_BOTH, true},
	{"api.auth", IN_BOTH, true},
	{"api.verify_certificate", IN_BOTH, true},
	{"api.http.retries", IN_BOTH, true},
	{"api.http.extra_retry_codes", IN_BOTH, true},
	{"api.http.pool_maxsize", IN_BOTH, true},
	{"api.http.pool_connections", IN_BOTH, true},
	{"api.http.max_req_size", IN_BOTH, true},
	{"api.http.default_method", IN_AGENT, true},
	{"agent.cuda_version", IN_AGENT, false},
	{"agent.cudnn_version", IN_AGENT, false},
	{"agent.default_python", IN_AGENT, false},
	{"agent.worker_id", IN_AGENT, false},
	{"agent.worker_name", IN_AGENT, false},
	{"agent.debug", IN_AGENT, false},
};

static void add(struct locks *locks, struct str text, bool monitoring)
{
	struct lock lock = {.text = arena_str(&locks->arena, text).ptr,
			    .monitoring = monitoring};
	struct path_error error;

	if (!path_parse(&lock.path, &locks->arena, str_from(lock.text),
			&error) ||
	    !lock.path.count)
		return;
	locks->items = mem_grow(locks->items,
				(locks->count + 1) * sizeof(locks->items[0]));
	locks->items[locks->count++] = lock;
}

struct locks *locks_new(bool agent, const char *more)
{
	struct locks *locks = mem_alloc(sizeof(*locks));
	unsigned int mode = agent ? IN_AGENT : IN_SDK;
	struct str rest = str_from(more), word;

	locks->refs = 1;
	locks->more = arena_strdup(&locks->arena, more ? more : "");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].modes & mode)
			add(locks, str_from(rows[i].path), rows[i].monitoring);
	while (str_next_word(&rest, &word))
		add(locks, word, true);
	return locks;
}

const char *locks_more(const struct locks *locks)
{
	return locks ? locks->more : "";
}

struct locks *locks_ref(struct locks *locks)
{
	locks->refs++;
	return locks;
}

struct locks *locks_unref(struct locks *locks)
{
	if (locks && --locks->refs == 0) {
		arena_free(&locks->arena);
		mem_free(locks->items);
		mem_free(locks);
	}
	return NULL;
}

bool lock_holds(const struct lock *lock, enum layer_kind kind)
{
	return kind == LAYER_VAULT ||
	       (kind == LAYER_MONITORING && lock->monitoring);
}

/* What @root has at @path, or instead of an object on the way there. */
static const struct value *touched(const struct value *root,
				   const struct path *path)
{
	for (size_t i = 0; i < path->count; i++) {
		if (!value_is(root, VALUE_OBJECT))
			return root;
		root = value_get(root, path->items[i]);
	}
	return root;
}

const struct lock *locks_next(const struct locks *locks, enum layer_kind kind,
			      const struct value *root, size_t *at,
			      const struct value **value)
{
	const struct lock *lock;

	while (locks && *at < locks->count) {
		lock = &locks->items[(*at)++];
		if (!lock_holds(lock, kind))
			continue;
		*value = touched(root, &lock->path);
		if (*value)
			return lock;
	}
	return NULL;
}

const struct lock *locks_find(const struct locks *locks, enum layer_kind kind,
			      const struct path *path)
{
	for (size_t i = 0; locks && i < locks->count; i++) {
		const struct lock *lock = &locks->items[i];

		if (lock_holds(lock, kind) && (path_covers(&lock->path, path) ||
					       path_covers(path, &lock->path)))
			return lock;
	}
	return NULL;
}

/* An object of which nothing is left would still be one where below it there
 * is none: so it goes as well. */
static struct value *without(struct arena *arena, struct value *value,
			     struct path path)
{
	struct value *old, *left, *copy;

	if (!path.count || value->type != VALUE_OBJECT)
		return NULL;
	old = value_get(value, path.items[0]);
	left = old ? without(arena, old,
			     (struct path){path.items + 1, path.count - 1})
		   : NULL;
	if (left == old)
		return value;
	if (!left && value->object.count == 1)
		return NULL;
	copy = value_copy(arena, value);
	if (left)
		*value_object_slot(copy, arena, path.items[0]) = left;
	else
		value_object_remove(copy, path.items[0]);
	return copy;
}

struct value *locks_strip(const struct locks *locks, enum layer_kind kind,
			  struct arena *arena, struct value *root)
{
	for (size_t i = 0; locks && root && i < locks->count; i++)
		if (lock_holds(&locks->items[i], kind))
			root = without(arena, root, locks->items[i].path);
	return root;
}
