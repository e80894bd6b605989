#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/share.h"
#include "site/site_docs.h"

#define MACHINE "0123456789abcdef0123456789abcdef"
#define KEY     "/site/a.conf"
#define ROLLOUT KEY ".rollout/"

/* @share and @state are to be filled in. */
#define VALUE                                                                  \
	"{\"format\":1,\"id\":\"%s\",\"share\":%u,\"state\":\"%s\","           \
	"\"text\":\"new\"}"

static int enter(void **state)
{
	struct site_docs *docs = mem_alloc(sizeof(*docs));

	site_docs_init(docs, "/site/", "gpu", MACHINE);
	*state = docs;
	return 0;
}

static int leave(void **state)
{
	struct site_docs *docs = *state;

	site_docs_deinit(docs);
	mem_free(docs);
	return 0;
}

/* NULL: it is deleted. */
static struct etcd_kv kv_of(const char *key, const char *value)
{
	return (struct etcd_kv){
		.key = str_from(key),
		.value = value ? str_from(value) : (struct str){0},
		.revision = 7,
	};
}

static void tell(struct site_docs *docs, bool whole, const struct etcd_kv *kvs,
		 size_t count)
{
	const struct etcd_news news = {whole, kvs, count};

	site_docs_take(docs, &news);
}

/* etcd's answer, as of its revision @as_of, of the rollout of @key, which it
 * has at @revision (0: not at all). */
static bool answer(struct site_docs *docs, const char *key, int64_t as_of,
		   int64_t revision)
{
	struct etcd_kv kv = {.key = str_from(key), .revision = revision};
	const struct etcd_reply reply = {
		.revision = as_of, .kvs = &kv, .count = revision != 0};

	return site_docs_confirm(docs, str_from(key), &reply);
}

/* @key NULL: none is. */
static void assert_awaited(const struct site_docs *docs, const char *key)
{
	_cleanup_(mem_freep) char *awaited = site_docs_awaited(docs);

	assert_true(str_same(awaited, key));
}

/* etcd still has what is awaited. */
static void confirm(struct site_docs *docs)
{
	_cleanup_(mem_freep) char *key = site_docs_awaited(docs);

	if (!key)
		return;
	assert_string_equal(key, ROLLOUT);
	assert_true(answer(docs, key, 7, 7));
}

static void put(struct site_docs *docs, const char *key, const char *value)
{
	struct etcd_kv kv = kv_of(key, value);

	tell(docs, false, &kv, 1);
	confirm(docs);
}

static char *value_of(const char *id, unsigned int share, const char *state)
{
	return mem_printf(VALUE, id, share, state);
}

static void roll(struct site_docs *docs, unsigned int share, const char *state)
{
	_cleanup_(mem_freep) char *value = value_of("x", share, state);

	put(docs, ROLLOUT, value);
}

/* @text NULL: there is no document. */
static void assert_text(const struct site_docs *docs, const char *text)
{
	assert_int_equal(docs->count, text != NULL);
	if (!text)
		return;
	assert_string_equal(docs->items[0].key, KEY);
	assert_true(str_is(docs->items[0].text, text));
	assert_int_equal(docs->bytes, strlen(text));
}

static unsigned int place(void)
{
	return share_of(STR(MACHINE), STR("x"));
}

static void the_share_decides(void **state)
{
	struct site_docs *docs = *state;

	put(docs, KEY, "old");
	roll(docs, place(), "running");
	assert_text(docs, "old");
	assert_null(site_docs_rollout(docs, KEY));
	roll(docs, place() + 1, "running");
	assert_text(docs, "new");
	assert_string_equal(site_docs_rollout(docs, KEY)->id, "x");
	roll(docs, place(), "running");
	assert_text(docs, "old");
}

static void the_documents_own_text_is_kept_in_mind(void **state)
{
	struct site_docs *docs = *state;

	put(docs, KEY, "old");
	roll(docs, 10000, "running");
	put(docs, KEY, "other");
	assert_text(docs, "new");
	put(docs, ROLLOUT, NULL);
	assert_text(docs, "other");
	roll(docs, 10000, "running");
	put(docs, KEY, NULL);
	assert_text(docs, "new");
	put(docs, ROLLOUT, NULL);
	assert_text(docs, NULL);
	assert_int_equal(docs->bytes + docs->rollouts.bytes, 0);
}

static void it_ends_in_one_step_in_either_order(void **state)
{
	const struct etcd_kv there[] = {kv_of(KEY, "new"),
					kv_of(ROLLOUT, NULL)};
	const struct etcd_kv back[] = {kv_of(ROLLOUT, NULL), kv_of(KEY, "new")};
	struct site_docs *docs = *state;

	put(docs, KEY, "old");
	roll(docs, 10000, "running");
	tell(docs, false, there, 2);
	assert_text(docs, "new");
	put(docs, KEY, "old");
	roll(docs, 0, "running");
	tell(docs, false, back, 2);
	assert_text(docs, "new");
}

static void stopped_it_stays_with_who_has_it(void **state)
{
	struct site_docs *docs = *state;

	put(docs, KEY, "old");
	roll(docs, 10000, "stopped");
	assert_text(docs, "old");
	roll(docs, 10000, "running");
	roll(docs, 0, "stopped");
	assert_text(docs, "new");
}

/* Who was cut off is told of the past, piece by piece. */
static void what_has_been_stopped_since_is_not_taken(void **state)
{
	_cleanup_(mem_freep) char *running = value_of("x", 10000, "running");
	_cleanup_(mem_freep) char *stopped = value_of("x", 10000, "stopped");
	const struct etcd_kv then = kv_of(ROLLOUT, running);
	const struct etcd_kv later = kv_of(ROLLOUT, stopped);
	struct site_docs *docs = *state;

	put(docs, KEY, "old");
	tell(docs, false, &then, 1);
	assert_text(docs, "old");
	assert_awaited(docs, ROLLOUT);
	tell(docs, false, &later, 1);
	assert_awaited(docs, NULL);
	assert_text(docs, "old");
	tell(docs, false, &then, 1);
	assert_false(answer(docs, ROLLOUT, 8, 8)); /* a newer one */
	assert_awaited(docs, NULL);
	tell(docs, false, &then, 1);
	assert_false(answer(docs, ROLLOUT, 8, 0));
	assert_awaited(docs, NULL);
	assert_text(docs, "old");
}

/* What comes while etcd is asked is asked for next. */
static void an_answer_is_of_what_was_asked_for(void **state)
{
	_cleanup_(mem_freep) char *value = value_of("x", 10000, "running");
	const struct etcd_kv first = kv_of("/site/b.conf.rollout/", value);
	const struct etcd_kv gone = kv_of("/site/b.conf.rollout/", NULL);
	struct etcd_kv it = kv_of(ROLLOUT, value);
	struct site_docs *docs = *state;

	tell(docs, false, &first, 1);
	assert_awaited(docs, "/site/b.conf.rollout/");
	tell(docs, false, &gone, 1);
	tell(docs, false, &it, 1);
	assert_false(answer(docs, "/site/b.conf.rollout/", 7, 7));
	assert_awaited(docs, ROLLOUT);
	it.revision = 8;
	tell(docs, false, &it, 1);
	assert_false(answer(docs, ROLLOUT, 7, 7));
	assert_awaited(docs, ROLLOUT);
	assert_false(answer(docs, ROLLOUT, 7, 0));
	assert_awaited(docs, ROLLOUT);
	assert_true(answer(docs, ROLLOUT, 9, 8));
	assert_text(docs, "new");
}

/* All there is is told anew after a restart, and after what etcd has forgotten.
 */
static void who_has_it_is_known_when_all_is_read_again(void **state)
{
	_cleanup_(mem_freep) char *stopped = value_of("x", 10000, "stopped");
	const struct etcd_kv all[] = {kv_of(KEY, "old"),
				      kv_of(ROLLOUT, stopped)};
	struct site_docs *docs = *state;

	tell(docs, true, all, 2);
	assert_text(docs, "old");
	site_docs_put(docs, STR(KEY), STR("new")); /* from the cache */
	tell(docs, true, all, 2);
	assert_text(docs, "new");
	tell(docs, true, all, 2);
	assert_text(docs, "new");
	tell(docs, true, all, 1);
	assert_text(docs, "old");
	assert_int_equal(docs->rollouts.count, 0);
}

static void what_is_bad_stays_so_until_another_one_comes(void **state)
{
	_cleanup_(mem_freep) char *value = value_of("x", 10000, "running");
	_cleanup_(mem_freep) char *another = value_of("y", 10000, "running");
	const struct etcd_kv all[] = {kv_of(KEY, "old"), kv_of(ROLLOUT, value)};
	const struct etcd_kv next = kv_of(ROLLOUT, another);
	struct site_docs *docs = *state;
	struct site_rollout *rollout;

	tell(docs, true, all, 2);
	rollout = rollouts_find(&docs->rollouts, STR(KEY));
	assert_true(rollout_set_bad(rollout, ROLLOUT_LEFT, "it ended"));
	assert_false(rollout_set_bad(rollout, ROLLOUT_LEFT, "it ended"));
	tell(docs, true, all, 2);
	rollout = rollouts_find(&docs->rollouts, STR(KEY));
	assert_int_equal(rollout->bad, ROLLOUT_LEFT);
	assert_string_equal(rollout->reason, "it ended");
	assert_text(docs, "new");
	tell(docs, false, &next, 1);
	assert_int_equal(rollout->bad, ROLLOUT_FINE);
	assert_text(docs, "old"); /* until etcd says so */
	confirm(docs);
	assert_text(docs, "new");
}

static void what_is_not_ours_is_passed_over(void **state)
{
	_cleanup_(mem_freep) char *value = value_of("x", 10000, "running");
	struct site_docs *docs = *state;

	put(docs, "/site/groups/none/a.conf.rollout/", value);
	put(docs, "/site/hosts/none/a.conf.rollout/", value);
	put(docs, "/site/.rollout/", value);
	put(docs, "/elsewhere/a.conf.rollout/", value);
	put(docs, "/site/groups/none/a.conf.rollout/", NULL);
	assert_int_equal(docs->rollouts.count, 0);
	assert_int_equal(docs->revision, 0);
}

static void revisions_of_vaults_are_called_bad_beside_documents(void **state)
{
	struct site_docs *docs = *state;
	const char *key = "/site/vaults-9f2c1d33ab01.bad/";
	const struct str revision = STR("9f2c1d33ab01");
	const struct etcd_kv none = kv_of("/site/a.conf", "x");

	put(docs, key, "{\"by\":\"a@b\"}");
	assert_int_equal(docs->count, 0);
	assert_string_equal(verdicts_find(&docs->verdicts, revision)->said,
			    "bad, said a@b");
	put(docs, key, NULL);
	assert_null(verdicts_find(&docs->verdicts, revision));
	put(docs, key, "");
	tell(docs, true, &none, 1);
	assert_null(verdicts_find(&docs->verdicts, revision));
	put(docs, "/elsewhere/vaults-9f2c1d33ab01.bad/", "{}");
	put(docs, "/site/groups/gpu/vaults-9f2c1d33ab01.bad/", "{}");
	assert_int_equal(docs->verdicts.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(the_share_decides),
		TEST(the_documents_own_text_is_kept_in_mind),
		TEST(it_ends_in_one_step_in_either_order),
		TEST(stopped_it_stays_with_who_has_it),
		TEST(what_has_been_stopped_since_is_not_taken),
		TEST(an_answer_is_of_what_was_asked_for),
		TEST(who_has_it_is_known_when_all_is_read_again),
		TEST(what_is_bad_stays_so_until_another_one_comes),
		TEST(what_is_not_ours_is_passed_over),
		TEST(revisions_of_vaults_are_called_bad_beside_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
