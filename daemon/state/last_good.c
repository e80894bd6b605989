#include "state/last_good.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/stack.h"
#include "fetch/cache.h"
#include "read/doc.h"
#include "settings/settings.h"

struct last_good_limits last_good_limits(const struct settings *settings,
					 bool offline)
{
	return (struct last_good_limits){
		.stale_ms = offline ? 0 : settings->stale_limit,
		.grace_ms = settings->revoked_grace,
	};
}

/* --- how long ------------------------------------------------------------- */

void last_good_answered(struct last_good *last_good, int64_t now_ms)
{
	last_good->unsaved = last_good->unsaved || last_good->refused;
	last_good->kept = true;
	last_good->begun = last_good->refused = false;
	last_good->good_ms = now_ms;
}

void last_good_begin(struct last_good *last_good, int64_t now_ms)
{
	if (last_good->kept)
		return;
	last_good->begun = true;
	last_good->good_ms = now_ms;
}

bool last_good_refused(struct last_good *last_good, int64_t now_ms)
{
	if (last_good->refused)
		return false;
	last_good->refused = true;
	last_good->refusal_ms = now_ms;
	last_good->unsaved = true;
	return true;
}

void last_good_forgive(struct last_good *last_good)
{
	last_good->refused = false;
}

void last_good_drop(struct last_good *last_good)
{
	last_good->kept = last_good->begun = last_good->refused = false;
}

static bool serves(const struct last_good *last_good)
{
	return last_good->kept || last_good->begun;
}

static int64_t left(int64_t since_ms, int64_t limit_ms, int64_t now_ms)
{
	int64_t age = now_ms - since_ms;

	return age < limit_ms ? limit_ms - age : 0;
}

enum last_good_lapse last_good_lapse(struct last_good *last_good,
				     const struct last_good_limits *limits,
				     int64_t now_ms)
{
	enum last_good_lapse lapse = LAST_GOOD_ON;

	if (!serves(last_good))
		return LAST_GOOD_ON;
	if (last_good->refused &&
	    !left(last_good->refusal_ms, limits->grace_ms, now_ms))
		lapse = LAST_GOOD_REVOKED;
	else if (limits->stale_ms &&
		 !left(last_good->good_ms, limits->stale_ms, now_ms))
		lapse = LAST_GOOD_STALE;
	if (lapse == LAST_GOOD_ON)
		return lapse;
	last_good->kept = last_good->begun = false;
	last_good_forget(last_good);
	return lapse;
}

enum snapshot_cause last_good_cause(enum last_good_lapse lapse)
{
	return lapse == LAST_GOOD_STALE ? CAUSE_STALE_LIMIT : CAUSE_REVOKED;
}

int64_t last_good_left(const struct last_good *last_good,
		       const struct last_good_limits *limits, int64_t now_ms)
{
	int64_t stale, grace;

	if (!serves(last_good))
		return -1;
	stale = limits->stale_ms
			? left(last_good->good_ms, limits->stale_ms, now_ms)
			: INT64_MAX;
	grace = last_good->refused
			? left(last_good->refusal_ms, limits->grace_ms, now_ms)
			: INT64_MAX;
	if (grace < stale)
		stale = grace;
	return stale == INT64_MAX ? -1 : stale;
}

int64_t last_good_age(const struct last_good *last_good, int64_t now_ms)
{
	return last_good->kept ? now_ms - last_good->good_ms : -1;
}

/* --- into the file -------------------------------------------------------- */

static const char *format_name(enum read_format format)
{
	static const char *const names[] = {
		[READ_HOCON] = "hocon",
		[READ_JSON] = "json",
		[READ_YAML] = "yaml",
	};

	return names[format];
}

/* The last good text of a document that is broken must survive a restart. */
static struct vault vault_of(const struct layer *layer)
{
	bool good = layer->doc && layer->doc->source_count;

	return (struct vault){
		.id = layer->source,
		.description = layer->description ? layer->description : "",
		.format = format_name(good ? layer->doc_format : layer->format),
		.type = layer->kind == LAYER_MONITORING ? "monitoring"
							: "config",
		.scope = layer->edit.scope,
		.owner = layer->edit.owner,
		.last_update = layer->edit.last_update,
		.data = good ? layer->doc->sources[0]->text : layer->text,
	};
}

/* A document that is no text is left out: the file holds texts alone. */
static bool may_be_kept(const struct layer *layer, enum layer_kind kind)
{
	return layer->kind == kind &&
	       (layer->doc || str_utf8_invalid(layer->text) == layer->text.len);
}

static void collect(struct cache_vaults *feed, struct arena *arena,
		    const struct stack *stack, enum layer_kind kind)
{
	struct vault *vaults;
	struct layer *layer;
	size_t count = 0;

	for (stack_each(stack, layer))
		count += may_be_kept(layer, kind);
	vaults = arena_alloc(arena, count * sizeof(*vaults));
	feed->vaults = vaults;
	for (stack_each(stack, layer))
		if (may_be_kept(layer, kind))
			vaults[feed->count++] = vault_of(layer);
}

static void let_go(void *held)
{
	stack_deinit(held);
	mem_free(held);
}

/* Another thread looks at the documents and texts while the entry is. */
static const struct stack *hold(struct cache_entry *entry,
				const struct stack *stack)
{
	struct stack *held = mem_alloc(sizeof(*held));

	stack_copy(held, stack, LAYER_KINDS);
	entry->held = held;
	entry->release = let_go;
	return held;
}

bool last_good_is_due(const struct last_good *last_good)
{
	return last_good->unsaved ||
	       clock_boot_ms() - last_good->saved_ms >= LAST_GOOD_SAVE_MS;
}

void last_good_save(struct last_good *last_good, struct cache_entry *entry,
		    const struct stack *stack)
{
	const struct last_good_place *place = &last_good->place;

	if (!last_good->cache || !last_good->kept)
		return;
	entry->workspace = place->name;
	entry->refused_at =
		last_good->refused ? clock_wall_of(last_good->refusal_ms) : 0;
	stack = hold(entry, stack);
	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		if (place->kinds[i] == LAYER_KINDS)
			continue;
		entry->feeds[i].fetched_at = clock_wall_of(last_good->good_ms);
		collect(&entry->feeds[i], &entry->arena, stack,
			place->kinds[i]);
	}
	cache_set(last_good->cache, entry);
	last_good->saved_ms = clock_boot_ms();
	last_good->unsaved = false;
}

bool last_good_is_saving(const struct last_good *last_good)
{
	return last_good->cache && cache_is_busy(last_good->cache);
}

bool last_good_is_saved(const struct last_good *last_good)
{
	return last_good->cache && !cache_is_busy(last_good->cache) &&
	       !cache_is_failing(last_good->cache);
}

void last_good_forget(struct last_good *last_good)
{
	if (last_good->cache)
		cache_forget(last_good->cache);
}

/* --- out of the file ------------------------------------------------------ */

static void take_times(struct last_good *last_good,
		       const struct cache_entry *entry)
{
	last_good->kept = true;
	last_good->good_ms = clock_boot_of(cache_entry_fetched_at(entry));
	last_good->refused = entry->refused_at != 0;
	last_good->refusal_ms = clock_boot_of(entry->refused_at);
}

static void complain(const struct last_good *last_good, const struct diag *diag)
{
	log_warning(
		"cache-not-used", LOG_TEXT("workspace", last_good->place.name),
		LOG_TEXT("file", diag->source), LOG_TEXT("reason", diag->text));
}

bool last_good_restore(struct last_good *last_good, struct cache_query *whose,
		       struct cache_entry *entry)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	int r;

	whose->state_dir = last_good->place.state_dir;
	whose->workspace = last_good->place.name;
	whose->read_only = last_good->place.read_only;
	if (!whose->state_dir)
		return false;
	r = cache_file_read(entry, whose, &diag);
	if (r && r != CACHE_E_ABSENT)
		complain(last_good, &diag);
	if (r || !cache_entry_fetched_at(entry))
		return false;
	take_times(last_good, entry);
	return true;
}

/* --- beginning and end ---------------------------------------------------- */

void last_good_init(struct last_good *last_good,
		    const struct last_good_place *place)
{
	*last_good = (struct last_good){.place = *place, .unsaved = true};
	if (!place->state_dir || place->read_only)
		return;
	last_good->cache =
		cache_new(place->loop, place->state_dir, place->name);
	cache_listen(last_good->cache, place->on_saved, place->data);
}

void last_good_close(struct last_good *last_good)
{
	if (last_good->cache)
		cache_listen(last_good->cache, NULL, NULL);
	cache_close(TAKE(last_good->cache));
}
