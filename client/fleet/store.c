#include "fleet/store.h"

#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "call/clock.h"
#include "fetch/etcd/etcd_span.h"
#include "fleet/revision.h"
#include "text/complain.h"
#include "text/exit_status.h"

/* Of reports some three megabytes. */
#define PAGE 1500

/* Of the largest values that etcd takes some eight. */
#define FEW 4

/* A node that does not answer is left for the next one after so long, and all
 * of them are asked again for as long as the choice of a leader takes. */
#define NODE_MS     5000
#define PATIENCE_MS 3000
#define PAUSE_MS    200

/* --- beginning and end ---------------------------------------------------- */

int store_open(struct store *store, const struct place_options *options,
	       int timeout_ms)
{
	int status;

	*store = (struct store){0};
	status = place_find(&store->place, options);
	if (status != EXIT_DONE)
		return status;
	store->place.nodes.timeout_ms =
		(uint64_t)(timeout_ms < NODE_MS ? timeout_ms : NODE_MS);
	log_set_level(LOG_LEVEL_ERROR);
	(void)uv_loop_init(&store->loop);
	store->open = true;
	store->http = http_new(&store->loop);
	store->ask =
		etcd_ask_new(&store->loop, store->http, &store->place.nodes);
	return EXIT_DONE;
}

void store_close(struct store *store)
{
	if (store->open) {
		etcd_ask_close(store->ask);
		http_close(store->http);
		(void)uv_run(&store->loop, UV_RUN_DEFAULT);
		(void)uv_loop_close(&store->loop);
	}
	mem_free(store->error);
	place_deinit(&store->place);
	*store = (struct store){0};
}

int64_t store_now(const struct store *store)
{
	return (int64_t)time(NULL) - store->ahead;
}

/* --- keys ----------------------------------------------------------------- */

char *store_key(const struct store *store, const char *kind, const char *name)
{
	struct str prefix = str_from(store->place.prefix);

	if (!*kind)
		return mem_printf("%s%s", prefix.ptr, name);
	return mem_printf("%.*s.%s/%s", (int)prefix.len - 1, prefix.ptr, kind,
			  name);
}

char *store_rollout_key(const struct store *store, const char *document)
{
	return mem_printf("%s%s.rollout/", store->place.prefix, document);
}

char *store_revision_key(const struct store *store, const char *document,
			 int64_t number)
{
	_cleanup_(mem_freep) char *key =
		store_key(store, "revisions", document);

	return mem_printf("%s/%0*lld", key, REVISION_DIGITS, (long long)number);
}

/* --- a question ----------------------------------------------------------- */

struct question {
	struct store *store;
	void (*ask)(struct question *question);
	void (*take)(struct question *question,
		     const struct etcd_answer *answer);
	bool over;
	int status;
	bool unsure, too_large;
	long long asked_at;

	/* Of a range. */
	const struct store_range *range;
	struct buf from; /* the key that the next page begins with */
	int64_t page;    /* keys of it */
	struct str end;
	int64_t revision;

	/* Of a get. */
	const char *key;
	struct arena *arena;
	struct etcd_kv *kv;

	/* Of a transaction. */
	const struct etcd_txn *txn;
	bool succeeded;
};

static int status_of(const struct etcd_answer *answer)
{
	return answer->health == ETCD_REJECTED ? EXIT_DENIED : EXIT_SERVER;
}

static void set_clock(struct store *store, int64_t date)
{
	if (!date || store->answered)
		return;
	store->answered = true;
	store->ahead = (int64_t)time(NULL) - date;
	/* A date has whole seconds, and took its time. */
	if (store->ahead >= -2 && store->ahead <= 2)
		store->ahead = 0;
}

static void on_answer(void *data, const struct etcd_answer *answer)
{
	struct question *question = data;
	struct store *store = question->store;

	question->over = true;
	question->unsure = question->unsure || answer->unsure;
	question->too_large = answer->too_large;
	set_clock(store, answer->date);
	if (answer->error) {
		mem_free(store->error);
		store->error = mem_strdup(answer->error);
		question->status = status_of(answer);
	} else {
		question->status = EXIT_DONE;
		question->take(question, answer);
	}
}

static void put_question(struct question *question, const char *method,
			 struct buf *body)
{
	question->over = false;
	question->asked_at = clock_now();
	etcd_ask_send(question->store->ask, method, body, on_answer, question);
}

/* A page that was too large, or that took too long to make, is asked for in
 * smaller parts. */
static bool makes_smaller(struct question *question)
{
	const struct store *store = question->store;
	long long late =
		question->asked_at + (long long)store->place.nodes.timeout_ms;
	int64_t page = question->too_large ? question->page / 4 : 0;

	if (question->page <= FEW ||
	    (!question->too_large && !clock_is_past(late)))
		return false;
	question->page = page > FEW ? page : FEW;
	return true;
}

/* For as long as that may be waited for. */
static bool may_ask_again(struct question *question, long long end)
{
	if (question->status != EXIT_SERVER)
		return false;
	if (makes_smaller(question))
		return true;
	if (clock_is_past(end))
		return false;
	clock_sleep(PAUSE_MS);
	return true;
}

static int wait_for(struct question *question)
{
	long long end = clock_now() + PATIENCE_MS;

	do {
		question->ask(question);
		while (!question->over)
			(void)uv_run(&question->store->loop, UV_RUN_ONCE);
	} while (may_ask_again(question, end));
	return question->status;
}

/* "to read KEY: ", for who is to be given the right to. */
static void add_purpose(struct buf *out, const struct question *question)
{
	const struct etcd_txn *txn = question->txn;

	if (!txn) {
		buf_printf(out, "to read %s: ",
			   question->range ? question->range->prefix
					   : question->key);
		return;
	}
	for (size_t i = 0; i < txn->then_count; i++)
		buf_printf(out, "%s%.*s", i ? ", " : "to write ",
			   STR_PRINT(txn->then[i].span.key));
	buf_puts(out, ": ");
}

/* Its status, complained about unless nobody wants to hear. */
static int say(const struct question *question, int status)
{
	_cleanup_(buf_deinit) struct buf purpose = BUF_INIT;
	const struct store *store = question->store;

	if (status == EXIT_DENIED)
		add_purpose(&purpose, question);
	if (status != EXIT_DONE && !store->quiet)
		complain(status, "%.*s%s", STR_PRINT(buf_str(&purpose)),
			 store->error);
	return status;
}

/* --- many keys ------------------------------------------------------------ */

static void ask_page(struct question *question)
{
	const struct store_range *range = question->range;
	const struct etcd_get get = {
		.span = {buf_str(&question->from), question->end},
		.limit = question->page,
		.revision = question->revision,
		.keys_only = range->keys_only,
	};
	struct buf body = BUF_INIT;

	etcd_write_get(&body, &get);
	put_question(question, "kv/range", &body);
}

/* The next page is asked for before this one is looked at: etcd makes it
 * meanwhile. */
static void take_page(struct question *question,
		      const struct etcd_answer *answer)
{
	const struct etcd_reply *reply = answer->reply;

	if (!question->revision)
		question->revision = reply->revision;
	if (reply->more && reply->count) {
		buf_deinit(&question->from);
		buf_add_str(&question->from, reply->kvs[reply->count - 1].key);
		buf_putc(&question->from, '\0');
		ask_page(question);
	}
	for (size_t i = 0; i < reply->count; i++)
		question->range->each(question->range->data, &reply->kvs[i]);
}

int store_read(struct store *store, const struct store_range *range,
	       int64_t *revision)
{
	_cleanup_(etcd_span_deinit) struct etcd_span span =
		etcd_span_below(range->prefix);
	struct question question = {
		.store = store,
		.ask = ask_page,
		.take = take_page,
		.range = range,
		.end = span.end,
		.page = PAGE,
	};
	int status;

	buf_add_str(&question.from, span.key);
	status = say(&question, wait_for(&question));
	buf_deinit(&question.from);
	if (revision)
		*revision = question.revision;
	return status;
}

/* --- one key -------------------------------------------------------------- */

static void take_key(struct question *question,
		     const struct etcd_answer *answer)
{
	const struct etcd_reply *reply = answer->reply;

	if (!reply->count)
		return;
	*question->kv = reply->kvs[0];
	question->kv->key = arena_str(question->arena, reply->kvs[0].key);
	question->kv->value = arena_str(question->arena, reply->kvs[0].value);
}

static void ask_key(struct question *question)
{
	const struct etcd_get get = {.span = {.key = str_from(question->key)}};
	struct buf body = BUF_INIT;

	etcd_write_get(&body, &get);
	put_question(question, "kv/range", &body);
}

int store_get(struct store *store, const char *key, struct arena *arena,
	      struct etcd_kv *kv)
{
	struct question question = {
		.store = store,
		.ask = ask_key,
		.take = take_key,
		.key = key,
		.arena = arena,
		.kv = kv,
	};

	*kv = (struct etcd_kv){0};
	return say(&question, wait_for(&question));
}

/* --- a transaction -------------------------------------------------------- */

static void take_outcome(struct question *question,
			 const struct etcd_answer *answer)
{
	question->succeeded = answer->reply->succeeded;
}

static void ask_commit(struct question *question)
{
	struct buf body = BUF_INIT;

	etcd_write_txn(&body, question->txn);
	put_question(question, "kv/txn", &body);
}

static struct question question_of(struct store *store,
				   const struct etcd_txn *txn)
{
	return (struct question){
		.store = store,
		.ask = ask_commit,
		.take = take_outcome,
		.txn = txn,
	};
}

int store_commit(struct store *store, const struct etcd_txn *txn, bool *done)
{
	struct question question = question_of(store, txn);
	int status = wait_for(&question);

	*done = question.succeeded;
	if (question.unsure && !question.succeeded)
		return EXIT_DONE;
	return say(&question, status);
}

int store_repeat(struct store *store, const struct etcd_txn *txn, bool *done)
{
	struct question question = question_of(store, txn);
	int status = wait_for(&question);

	*done = question.succeeded;
	return say(&question, status);
}
