#include "fetch/etcd/etcd_keep.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "fetch/backoff.h"

/* After failures; at most a third of the lease, which etcd gives anew when it
 * comes back. */
#define WAIT_FIRST_MS 2000

/* Hosts that have been started at one moment are heard of a little later. */
#define START_MS 3000

/* A spread is so many times what the last answer took. */
#define PATIENCE 8

/* So many times the time between two writes one may be put off. */
#define LATEST 10

/* A write finds another value than it counted on so often before it waits. */
#define TRIES 4

/* Two clocks that tell seconds may seem to differ by two. */
#define CLOCK_STEP_S 3

/* A mark that nobody has renewed while the key was looked at so often is taken
 * off. */
#define MARK_LOOKS 3

enum keep_doing { RESTING, GRANTING, RENEWING, LOOKING, WRITING, MARKING };

struct etcd_keep {
	struct etcd_keep_config config;
	struct etcd_ask *ask;
	uv_timer_t timer;
	enum keep_doing doing;
	bool closing;

	struct buf value;      /* the newest */
	struct buf written;    /* what etcd has, or is being told */
	bool unwritten;        /* etcd may not have the newest */
	bool owned;            /* this process has written the key */
	int64_t lease;         /* 0: none */
	int64_t revision;      /* of our last write */
	unsigned int mark_age; /* in looks; 0: there is none */
	struct etcd_compare expected;
	unsigned int tries;

	/* Milliseconds of the loop. */
	uint64_t renew_at, look_at, write_at, retry_at;
	uint64_t pending_at; /* since when the newest is unwritten */
	uint64_t wrote_at;   /* 0: never */
	uint64_t asked_at;
	uint64_t took_ms; /* the last answer */
	struct backoff backoff;

	enum etcd_keep_state state;
	char *problem;
	int64_t clock_ahead;
	unsigned int lapses;
};

enum etcd_keep_state etcd_keep_state(const struct etcd_keep *keep)
{
	return keep->state;
}

bool etcd_keep_is_written(const struct etcd_keep *keep)
{
	return keep->owned && keep->lease && !keep->unwritten &&
	       keep->doing != WRITING;
}

const char *etcd_keep_problem(const struct etcd_keep *keep)
{
	return keep->problem;
}

int64_t etcd_keep_clock_ahead(const struct etcd_keep *keep)
{
	return keep->clock_ahead;
}

unsigned int etcd_keep_lapses(const struct etcd_keep *keep)
{
	return keep->lapses;
}

static uint64_t now_of(const struct etcd_keep *keep)
{
	return uv_now(keep->timer.loop);
}

/* Any moment of the next @ms. */
static uint64_t within(uint64_t ms)
{
	return ms * backoff_random() >> 32;
}

static uint64_t third(const struct etcd_keep *keep)
{
	return keep->config.ttl_ms / 3;
}

/* Over how long the hosts that want to write now do so: longer where etcd was
 * slow with the last answer, and when they have just been started. */
static uint64_t spread(const struct etcd_keep *keep)
{
	uint64_t ms = PATIENCE * keep->took_ms;

	if (!keep->owned)
		ms += START_MS;
	ms = ms > keep->config.spread_ms ? ms : keep->config.spread_ms;
	return ms < third(keep) ? ms : third(keep);
}

/* --- what is due --- */

static void step(struct etcd_keep *keep);

static void on_time(uv_timer_t *timer)
{
	step(timer->data);
}

static uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_moment(const struct etcd_keep *keep)
{
	uint64_t next = UINT64_MAX;

	if (keep->lease)
		next = min_of(keep->renew_at, keep->look_at);
	if (keep->unwritten)
		next = min_of(next, keep->write_at);
	return next > keep->retry_at ? next : keep->retry_at;
}

static void rest(struct etcd_keep *keep)
{
	uint64_t next = next_moment(keep), now = now_of(keep);

	keep->doing = RESTING;
	if (next < UINT64_MAX)
		(void)uv_timer_start(&keep->timer, on_time,
				     next > now ? next - now : 0, 0);
}

/* --- how it stands --- */

/* @problem is taken over. */
static void set_state(struct etcd_keep *keep, enum etcd_keep_state state,
		      char *problem)
{
	bool same = state == keep->state && str_same(problem, keep->problem);

	mem_free(keep->problem);
	keep->problem = problem;
	keep->state = state;
	if (!same)
		keep->config.on_state(keep->config.data);
}

static void fail(struct etcd_keep *keep, const char *error)
{
	if (!str_same(error, keep->problem))
		log_warning("report-failed", LOG_TEXT("error", error));
	backoff_failed(&keep->backoff);
	keep->retry_at = now_of(keep) +
			 backoff_delay(&keep->backoff, 0, backoff_random(), 0);
	set_state(keep, ETCD_KEEP_FAILED, mem_strdup(error));
	rest(keep);
}

/* What etcd has let go of is written anew, not by all hosts at once. */
static void lapse(struct etcd_keep *keep)
{
	log_warning("report-lapsed",
		    LOG_TEXT("reason", "its lease has run out; it is "
				       "written again"));
	keep->lease = 0;
	keep->lapses++;
	keep->unwritten = true;
	keep->write_at = now_of(keep) + within(third(keep));
	rest(keep);
}

static void note_clock(struct etcd_keep *keep, int64_t date)
{
	int64_t ahead = (int64_t)time(NULL) - date;

	if (!date || llabs(ahead - keep->clock_ahead) < CLOCK_STEP_S)
		return;
	keep->clock_ahead = ahead;
	keep->config.on_state(keep->config.data);
}

static bool is_good(const struct etcd_answer *answer)
{
	return answer->health == ETCD_WELL;
}

/* What every answer brings; false: it has been dealt with. */
static bool take(struct etcd_keep *keep, const struct etcd_answer *answer)
{
	bool gone = answer->reply && answer->reply->kind == ETCD_MISSING;

	note_clock(keep, answer->date);
	if (gone)
		lapse(keep);
	else if (!is_good(answer))
		fail(keep, answer->error);
	else
		backoff_succeeded(&keep->backoff);
	return is_good(answer);
}

/* --- the lease --- */

static void ask(struct etcd_keep *keep, enum keep_doing doing,
		struct buf *body);

/* Hosts that began at one moment are not to ask at one moment for ever. */
static void expect_renewal(struct etcd_keep *keep)
{
	keep->renew_at = now_of(keep) + third(keep) - within(third(keep) / 4);
}

static void expect_look(struct etcd_keep *keep)
{
	keep->look_at = now_of(keep) + 3 * third(keep) - within(third(keep));
}

static void expect_nobody(struct etcd_keep *keep)
{
	keep->expected = (struct etcd_compare){ETCD_COMPARE_CREATED,
					       keep->config.key, 0};
}

static void take_lease(struct etcd_keep *keep, const struct etcd_reply *reply)
{
	keep->lease = reply->lease;
	expect_renewal(keep);
	keep->renew_at -= within(third(keep) / 2);
	expect_look(keep);
	expect_nobody(keep);
	step(keep);
}

static void take_renewal(struct etcd_keep *keep, const struct etcd_reply *reply)
{
	if (!reply->ttl) {
		lapse(keep);
		return;
	}
	expect_renewal(keep);
	if (keep->state == ETCD_KEEP_FAILED && !keep->unwritten)
		set_state(keep, ETCD_KEEP_KEPT, NULL);
	step(keep);
}

/* --- somebody else --- */

static void mark(struct etcd_keep *keep, int64_t revision, struct buf *marked)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	const struct etcd_op put = {.kind = ETCD_OP_PUT,
				    .span.key = keep->config.key,
				    .value = buf_str(marked),
				    .keep_lease = true};
	const struct etcd_compare compare = {ETCD_COMPARE_REVISION,
					     keep->config.key, revision};
	const struct etcd_txn txn = {&compare, 1, &put, 1, NULL, 0};

	etcd_write_txn(&body, &txn);
	ask(keep, MARKING, &body);
}

static void give_way(struct etcd_keep *keep, const struct etcd_kv *kv)
{
	_cleanup_(buf_deinit) struct buf marked = BUF_INIT;

	keep->tries = 0;
	keep->unwritten = true;
	keep->write_at = now_of(keep) + third(keep);
	expect_nobody(keep);
	if (keep->state != ETCD_KEEP_RIVALED)
		log_warning("report-rivaled",
			    LOG_TEXT("reason", "somebody else reports under "
					       "this host's name"));
	set_state(keep, ETCD_KEEP_RIVALED, NULL);
	if (keep->config.mark(keep->config.data, kv->value, &marked))
		mark(keep, kv->revision, &marked);
	else
		rest(keep);
}

/* --- the value --- */

static void write_value(struct etcd_keep *keep)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	struct etcd_op put = {.kind = ETCD_OP_PUT,
			      .span.key = keep->config.key,
			      .lease = keep->lease};
	const struct etcd_op get = {.kind = ETCD_OP_GET,
				    .span.key = keep->config.key};
	const struct etcd_txn txn = {&keep->expected, 1, &put, 1, &get, 1};

	keep->written.len = 0;
	buf_add_str(&keep->written, buf_str(&keep->value));
	put.value = buf_str(&keep->written);
	etcd_write_txn(&body, &txn);
	keep->unwritten = false;
	keep->wrote_at = now_of(keep);
	ask(keep, WRITING, &body);
}

static bool is_somebodys(const struct etcd_keep *keep, const struct etcd_kv *kv)
{
	enum etcd_keep_whose whose =
		keep->config.whose(keep->config.data, kv->value);

	return kv->lease && (whose == ETCD_KEEP_OTHERS ||
			     (whose == ETCD_KEEP_EARLIER && keep->owned));
}

/* The key is not as it was expected: somebody's, or it is tried again. */
static void take_other(struct etcd_keep *keep, const struct etcd_reply *reply)
{
	const struct etcd_kv *kv = reply->count ? &reply->kvs[0] : NULL;

	expect_nobody(keep);
	if (kv && is_somebodys(keep, kv)) {
		give_way(keep, kv);
		return;
	}
	if (kv)
		keep->expected = (struct etcd_compare){
			ETCD_COMPARE_REVISION, keep->config.key, kv->revision};
	if (++keep->tries < TRIES) {
		write_value(keep);
		return;
	}
	keep->tries = 0;
	keep->unwritten = true;
	fail(keep, "somebody else writes the same key all the time");
}

static void take_written(struct etcd_keep *keep, const struct etcd_reply *reply)
{
	if (!reply->succeeded) {
		take_other(keep, reply);
		return;
	}
	if (keep->state != ETCD_KEEP_KEPT)
		log_info("report-kept", LOG_INT("revision", reply->revision));
	keep->tries = 0;
	keep->owned = true;
	keep->revision = reply->revision;
	keep->mark_age = 0;
	keep->expected = (struct etcd_compare){ETCD_COMPARE_LEASE,
					       keep->config.key, keep->lease};
	set_state(keep, ETCD_KEEP_KEPT, NULL);
	step(keep);
}

/* --- a look --- */

static void look(struct etcd_keep *keep)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	const struct etcd_get get = {.span.key = keep->config.key,
				     .local = true};

	expect_look(keep);
	etcd_write_get(&body, &get);
	ask(keep, LOOKING, &body);
}

static void rewrite(struct etcd_keep *keep)
{
	keep->unwritten = true;
	keep->write_at = now_of(keep);
}

static void take_mark(struct etcd_keep *keep, struct str value)
{
	keep->config.on_mark(keep->config.data, &value);
	if (++keep->mark_age > MARK_LOOKS)
		rewrite(keep);
}

/* A node that is behind does not know better. */
static void take_look(struct etcd_keep *keep, const struct etcd_reply *reply)
{
	const struct etcd_kv *kv = reply->count ? &reply->kvs[0] : NULL;
	bool same;

	if (!keep->owned || reply->revision < keep->revision) {
		step(keep);
		return;
	}
	same = kv && kv->revision == keep->revision;
	if (same)
		keep->config.on_mark(keep->config.data, NULL);
	else if (kv && keep->config.whose(keep->config.data, kv->value) ==
			       ETCD_KEEP_OURS)
		take_mark(keep, kv->value);
	else
		rewrite(keep);
	step(keep);
}

/* --- questions and answers --- */

static void take_marked(struct etcd_keep *keep, const struct etcd_reply *reply)
{
	(void)reply;
	rest(keep);
}

static const struct {
	const char *method;
	void (*take)(struct etcd_keep *keep, const struct etcd_reply *reply);
} doings[] = {
	[GRANTING] = {"lease/grant", take_lease},
	[RENEWING] = {"lease/keepalive", take_renewal},
	[LOOKING] = {"kv/range", take_look},
	[WRITING] = {"kv/txn", take_written},
	[MARKING] = {"kv/txn", take_marked},
};

static void on_answer(void *data, const struct etcd_answer *answer)
{
	struct etcd_keep *keep = data;

	keep->took_ms = now_of(keep) - keep->asked_at;
	if (!is_good(answer) && keep->doing == WRITING) {
		keep->unwritten = true;
		keep->write_at = now_of(keep) + within(spread(keep));
	}
	if (take(keep, answer))
		doings[keep->doing].take(keep, answer->reply);
}

static void ask(struct etcd_keep *keep, enum keep_doing doing, struct buf *body)
{
	keep->doing = doing;
	keep->asked_at = now_of(keep);
	etcd_ask_lend(keep->ask, keep->config.token(keep->config.data));
	etcd_ask_send(keep->ask, doings[doing].method, body, on_answer, keep);
}

static void grant(struct etcd_keep *keep)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	etcd_write_lease(&body, (int64_t)(keep->config.ttl_ms + 999) / 1000);
	ask(keep, GRANTING, &body);
}

static void renew(struct etcd_keep *keep)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	etcd_write_lease_id(&body, keep->lease);
	ask(keep, RENEWING, &body);
}

/* What is due, or to rest. */
static void (*next_step(const struct etcd_keep *keep))(struct etcd_keep *keep)
{
	uint64_t now = now_of(keep);

	if (now < keep->retry_at)
		return rest;
	if (keep->lease && now >= keep->renew_at)
		return renew;
	if (keep->lease && now >= keep->look_at)
		return look;
	if (!keep->unwritten || now < keep->write_at)
		return rest;
	return keep->lease ? write_value : grant;
}

static void step(struct etcd_keep *keep)
{
	if (!keep->closing)
		next_step(keep)(keep);
}

/* --- from outside --- */

/* After a quiet moment, so that who changes much is not kept waiting by what
 * hosts tell of it; but not put off for ever, nor too soon after the last time.
 */
static uint64_t when_to_write(const struct etcd_keep *keep)
{
	uint64_t every = keep->config.every_ms;
	uint64_t quiet = now_of(keep) + every / 2 + within(spread(keep));
	uint64_t latest = keep->pending_at + LATEST * every;
	uint64_t first = keep->wrote_at ? keep->wrote_at + every : 0;

	if (quiet > latest)
		quiet = latest;
	return quiet > first ? quiet : first;
}

static bool is_newest(const struct etcd_keep *keep, struct str value)
{
	struct str written = {keep->written.data, keep->written.len};

	return !keep->unwritten && str_equal(written, value);
}

void etcd_keep_set(struct etcd_keep *keep, struct str value)
{
	if (is_newest(keep, value))
		return;
	keep->value.len = 0;
	buf_add_str(&keep->value, value);
	if (!keep->unwritten)
		keep->pending_at = now_of(keep);
	keep->unwritten = true;
	if (keep->state != ETCD_KEEP_RIVALED)
		keep->write_at = when_to_write(keep);
	if (keep->doing == RESTING)
		rest(keep);
}

struct etcd_keep *etcd_keep_new(uv_loop_t *loop, struct http *http,
				const struct etcd_keep_config *config)
{
	struct etcd_keep *keep = mem_alloc(sizeof(*keep));

	assert(config->ttl_ms && config->key.len);
	keep->config = *config;
	keep->backoff = (struct backoff){.first_ms = WAIT_FIRST_MS,
					 .max_ms = third(keep)};
	/* What is given up is work for etcd all the same. */
	if (keep->config.nodes.timeout_ms < third(keep) / 2)
		keep->config.nodes.timeout_ms = third(keep) / 2;
	keep->ask = etcd_ask_new(loop, http, &keep->config.nodes);
	(void)uv_timer_init(loop, &keep->timer);
	keep->timer.data = keep;
	return keep;
}

static void on_closed(uv_handle_t *handle)
{
	struct etcd_keep *keep = handle->data;

	buf_deinit(&keep->value);
	buf_deinit(&keep->written);
	mem_free(keep->problem);
	mem_free(keep);
}

void etcd_keep_close(struct etcd_keep *keep)
{
	if (!keep)
		return;
	keep->closing = true;
	etcd_ask_close(keep->ask);
	uv_close((uv_handle_t *)&keep->timer, on_closed);
}
