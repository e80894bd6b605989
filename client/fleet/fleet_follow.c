#include "fleet/fleet_follow.h"

#include <string.h>

#include "base/mem.h"
#include "call/clock.h"
#include "fetch/etcd/etcd.h"
#include "fetch/etcd/etcd_span.h"
#include "fleet/fleet.h"
#include "fleet/roster.h"
#include "fleet/store.h"
#include "text/complain.h"
#include "text/exit_status.h"

#define QUIET_MS    100
#define LATE_MS     1000
#define PATIENCE_MS 3000

#define PROBE_MS   2000
#define BACKOFF_MS 10000
#define KEYS_MAX   1000000
#define BYTES_MAX  ((size_t)1 << 30)

/* What etcd holds of ours, in the order of the keys. */
struct mirror {
	struct etcd_kv *items; /* which own their texts */
	size_t count;
	bool whole;               /* all of it is there */
	long long changed, since; /* last and first; 0: it is all shown */
	struct etcd *etcd;
	char *told; /* what is wrong with etcd, as it was complained of */
	const char *purpose; /* "to read KEYS: ", for who lacks the right to */
	long long begun;
	int lost; /* etcd never was there: an exit status; else EXIT_DONE */
};

/* --- keys ----------------------------------------------------------------- */

static struct str own(struct str text)
{
	return (struct str){mem_strndup(text.ptr, text.len), text.len};
}

static void drop_texts(struct etcd_kv *kv)
{
	mem_free((char *)kv->key.ptr);
	mem_free((char *)kv->value.ptr);
}

static void clear(struct mirror *mirror)
{
	for (size_t i = 0; i < mirror->count; i++)
		drop_texts(&mirror->items[i]);
	mirror->count = 0;
}

static struct str key_at(const void *kvs, size_t i)
{
	return ((const struct etcd_kv *)kvs)[i].key;
}

static size_t place_of(const struct mirror *mirror, struct str key)
{
	return str_place(key, mirror->items, mirror->count, key_at);
}

static void drop(struct mirror *mirror, size_t at)
{
	drop_texts(&mirror->items[at]);
	mirror->count--;
	memmove(&mirror->items[at], &mirror->items[at + 1],
		(mirror->count - at) * sizeof(*mirror->items));
}

static void make_room(struct mirror *mirror, size_t at)
{
	mirror->items =
		mem_room(mirror->items, mirror->count, sizeof(*mirror->items));
	memmove(&mirror->items[at + 1], &mirror->items[at],
		(mirror->count - at) * sizeof(*mirror->items));
	mirror->count++;
}

static void take(struct mirror *mirror, const struct etcd_kv *kv)
{
	size_t at = place_of(mirror, kv->key);
	bool there =
		at < mirror->count && str_equal(mirror->items[at].key, kv->key);

	if (!kv->value.ptr) {
		if (there)
			drop(mirror, at);
		return;
	}
	if (there)
		drop_texts(&mirror->items[at]);
	else
		make_room(mirror, at);
	mirror->items[at] = *kv;
	mirror->items[at].key = own(kv->key);
	mirror->items[at].value = own(kv->value);
}

/* --- what etcd says ------------------------------------------------------- */

static void on_news(void *data, const struct etcd_news *news)
{
	struct mirror *mirror = data;

	if (news->whole)
		clear(mirror);
	for (size_t i = 0; i < news->count; i++)
		take(mirror, &news->kvs[i]);
	mirror->whole = true;
	mirror->changed = clock_now();
	if (!mirror->since)
		mirror->since = mirror->changed;
}

/* Where nothing has come yet there is nothing to wait for, but the choice of a
 * leader. */
static int loss_of(const struct mirror *mirror)
{
	if (mirror->whole)
		return EXIT_DONE;
	if (etcd_health(mirror->etcd) == ETCD_REJECTED)
		return EXIT_DENIED;
	return clock_is_past(mirror->begun + PATIENCE_MS) ? EXIT_SERVER
							  : EXIT_DONE;
}

/* What is wrong is told once, and again when it is something else. */
static void on_health(void *data)
{
	struct mirror *mirror = data;
	const char *error = etcd_error(mirror->etcd);

	if (error)
		mirror->lost = loss_of(mirror);
	if (error && !str_same(error, mirror->told))
		complain(EXIT_SERVER, "%s%s",
			 etcd_health(mirror->etcd) == ETCD_REJECTED
				 ? mirror->purpose
				 : "",
			 error);
	mem_free(mirror->told);
	mirror->told = error ? mem_strdup(error) : NULL;
}

static int read_mirror(void *data, const char *prefix, store_kv_fn each,
		       void *each_data)
{
	const struct mirror *mirror = data;
	struct str begin = str_from(prefix);

	for (size_t i = place_of(mirror, begin);
	     i < mirror->count && str_starts(mirror->items[i].key, begin); i++)
		each(each_data, &mirror->items[i]);
	return EXIT_DONE;
}

/* --- and who follows ------------------------------------------------------ */

struct following {
	struct store *store;
	struct fleet_follower *follower;
	struct mirror mirror;
	uv_timer_t tick;
	long long again; /* a moment of the clock; 0: at a change */
};

static void look(struct following *following)
{
	const struct roster_source source = {read_mirror, &following->mirror};
	struct fleet_follower *follower = following->follower;
	_cleanup_(fleet_deinit) struct fleet fleet = {0};

	following->mirror.since = 0;
	follower->within_ms = 0;
	(void)roster_load(&fleet, following->store, &source);
	follower->take(follower, &fleet);
	following->again =
		follower->within_ms ? clock_now() + follower->within_ms : 0;
}

static bool is_due(const struct following *following)
{
	const struct mirror *mirror = &following->mirror;
	long long news = mirror->since ? clock_first(mirror->changed + QUIET_MS,
						     mirror->since + LATE_MS)
				       : 0;

	return mirror->whole &&
	       clock_is_past(clock_first(news, following->again));
}

/* It is for the loop to turn. */
static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static void follow(struct following *following)
{
	uv_loop_t *loop = &following->store->loop;

	(void)uv_timer_init(loop, &following->tick);
	(void)uv_timer_start(&following->tick, on_tick, QUIET_MS, QUIET_MS);
	while (!following->follower->over && !following->mirror.lost) {
		(void)uv_run(loop, UV_RUN_ONCE);
		if (is_due(following))
			look(following);
	}
	uv_close((uv_handle_t *)&following->tick, NULL);
}

static void mirror_deinit(struct mirror *mirror)
{
	clear(mirror);
	mem_free(mirror->items);
	mem_free(mirror->told);
}

int fleet_follow(struct store *store, struct fleet_follower *follower)
{
	_cleanup_(mem_freep) char *state = store_key(store, "state", "");
	_cleanup_(mem_freep) char *roster = store_key(store, "roster", "");
	_cleanup_(mem_freep) char *purpose = mem_printf(
		"to read %s, %s and %s: ", store->place.prefix, state, roster);
	struct etcd_span spans[] = {etcd_span_below(state),
				    etcd_span_below(roster),
				    etcd_span_below(store->place.prefix)};
	struct following following = {
		.store = store,
		.follower = follower,
		.mirror = {.begun = clock_now(), .purpose = purpose},
	};
	const struct etcd_config config = {
		.nodes = store->place.nodes,
		.spans = spans,
		.span_count = ARRAY_SIZE(spans),
		.probe_ms = PROBE_MS,
		.backoff_max_ms = BACKOFF_MS,
		.keys_max = KEYS_MAX,
		.bytes_max = BYTES_MAX,
		.data = &following.mirror,
		.on_news = on_news,
		.on_health = on_health,
	};

	following.mirror.etcd = etcd_new(&store->loop, store->http, &config);
	follow(&following);
	etcd_close(following.mirror.etcd);
	/* What was closed has its last turn. */
	(void)uv_run(&store->loop, UV_RUN_NOWAIT);
	mirror_deinit(&following.mirror);
	for (size_t i = 0; i < ARRAY_SIZE(spans); i++)
		etcd_span_deinit(&spans[i]);
	return following.mirror.lost ? following.mirror.lost : follower->status;
}
