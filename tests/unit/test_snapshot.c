#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "../support/docs.h"
#include "config/secrets.h"
#include "config/snapshot.h"

#define PLAIN  "{\"a\":{\"b\":1,\"c\":[2,3]}}"
#define SECRET "{\"a\":{\"pass\":\"hunter22\"},\"b\":\"say hunter22\"}"
#define MASKED "{\"a\":{\"pass\":\"****\"},\"b\":\"say ****\"}"

/* Takes over both documents' references; either may be NULL. It has been shown
 * without what @secrets know. */
static struct snapshot *snapshot_of(const struct secrets *secrets,
				    struct doc *lower, struct doc *upper)
{
	struct stack_docs docs = {0};
	struct snapshot *snapshot;

	if (lower)
		stack_docs_insert(&docs, LAYER_FILE, lower);
	if (upper)
		stack_docs_insert(&docs, LAYER_VAULT, upper);
	snapshot = snapshot_new(&docs);
	assert_null(snapshot->masked); /* nobody has asked */
	(void)snapshot_rendition(snapshot, secrets);
	assert_null(docs.items);
	assert_int_equal(docs.count, 0);
	return snapshot;
}

/* Of one text, whose secrets are known. */
static struct snapshot *snapshot_from(const char *json)
{
	struct secrets *secrets = secrets_new(NULL);
	struct doc *doc = docs_read(json);
	struct snapshot *snapshot;

	secrets_learn(secrets, doc->root);
	snapshot = snapshot_of(secrets, doc, NULL);
	secrets_free(secrets);
	return snapshot;
}

static void causes_have_the_names_of_the_contract(void **state)
{
	static const char *const names[] = {
		[CAUSE_START] = "start",
		[CAUSE_FILE] = "file",
		[CAUSE_VAULT] = "vault",
		[CAUSE_SITE] = "site",
		[CAUSE_ENVIRONMENT] = "environment",
		[CAUSE_WORKSPACE] = "workspace",
		[CAUSE_RELOAD] = "reload",
		[CAUSE_STALE_LIMIT] = "stale_limit",
		[CAUSE_REVOKED] = "revoked",
		[CAUSE_HOLD] = "hold",
		[CAUSE_RELEASE] = "release",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(snapshot_cause_name((enum snapshot_cause)i),
				    names[i]);
}

static void of_nothing_it_is_the_empty_object(void **state)
{
	struct secrets *secrets = secrets_new(NULL);
	struct snapshot *snapshot = snapshot_of(secrets, NULL, NULL);

	(void)state;
	assert_true(str_is(rendition_json(snapshot->plain), "{}"));
	assert_true(str_is(rendition_json(snapshot->masked), "{}"));
	assert_int_equal(snapshot->generation, 0);
	snapshot_unref(snapshot);
	secrets_free(secrets);
}

static void it_merges_its_documents_in_their_order(void **state)
{
	struct secrets *secrets = secrets_new(NULL);
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		snapshot_of(secrets, docs_read("{\"a\":{\"b\":1},\"c\":2}"),
			    docs_read("{\"a\":{\"d\":3},\"c\":4}"));

	(void)state;
	secrets_free(secrets);
	assert_true(str_is(rendition_json(snapshot->plain),
			   "{\"a\":{\"b\":1,\"d\":3},\"c\":4}"));
	assert_int_equal(snapshot->docs.count, 2);
}

static void the_masked_bytes_hold_no_secret(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		snapshot_from(SECRET);

	(void)state;
	assert_true(str_is(rendition_json(snapshot->plain), SECRET));
	assert_true(str_is(rendition_json(snapshot->masked), MASKED));
	docs_assert_json(snapshot->root, SECRET);
	docs_assert_json(snapshot->masked->root, MASKED);
}

static void without_secrets_the_bytes_are_made_once(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		snapshot_from(PLAIN);

	(void)state;
	assert_ptr_equal(snapshot->masked->root, snapshot->root);
	assert_ptr_equal(rendition_json(snapshot->masked).ptr,
			 rendition_json(snapshot->plain).ptr);
	assert_true(str_is(rendition_json(snapshot->plain), PLAIN));
}

static void a_reply_lies_around_the_bytes(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		snapshot_from(SECRET);
	struct str reply, again;
	size_t head = strlen("{\"value\":");

	(void)state;
	reply = rendition_make_reply(snapshot->masked, STR("{\"value\":"),
				     STR("}\0"));
	assert_int_equal((uintptr_t)reply.ptr % 64, 0);
	assert_memory_equal(reply.ptr, "{\"value\":", head);
	head += strspn(reply.ptr + head, " ");
	assert_string_equal(reply.ptr + head, MASKED "}");
	assert_int_equal(reply.len, head + sizeof(MASKED "}"));
	assert_true(str_is(rendition_json(snapshot->masked), MASKED));
	again = rendition_make_reply(snapshot->masked, STR("other"), STR("x"));
	assert_true(str_equal(reply, again));
	assert_int_equal(snapshot->plain->reply.len, 0);
}

static void without_room_there_is_no_reply(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *secret =
		snapshot_from(SECRET);
	_cleanup_(snapshot_unrefp) struct snapshot *plain =
		snapshot_from(PLAIN);
	char head[SNAPSHOT_HEAD + 1];

	(void)state;
	memset(head, 'x', sizeof(head));
	assert_int_equal(rendition_make_reply(secret->plain,
					      (struct str){head, sizeof(head)},
					      STR(""))
				 .len,
			 0);
	assert_int_equal(
		rendition_make_reply(secret->plain, STR("a"), STR("12345")).len,
		0);
	assert_int_equal(
		rendition_make_reply(plain->masked, STR("a"), STR("b")).len, 0);
	assert_true(rendition_make_reply(secret->plain,
					 (struct str){head, SNAPSHOT_HEAD},
					 STR("1234"))
			    .len > SNAPSHOT_HEAD + 4);
}

static void it_pins_its_documents(void **state)
{
	struct secrets *secrets = secrets_new(NULL);
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(PLAIN);
	struct snapshot *snapshot = snapshot_of(secrets, doc_ref(doc), NULL);

	(void)state;
	secrets_free(secrets);
	assert_int_equal(doc->refs, 2);
	assert_ptr_equal(snapshot->root, doc->root);
	assert_ptr_equal(snapshot_ref(snapshot), snapshot);
	assert_null(snapshot_unref(snapshot));
	assert_int_equal(doc->refs, 2);
	assert_null(snapshot_unref(snapshot));
	assert_int_equal(doc->refs, 1);
	assert_null(snapshot_unref(NULL));
}

static void it_outlives_what_others_did_with_its_documents(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		snapshot_from(PLAIN);

	(void)state;
	docs_assert_json(snapshot->root, PLAIN);
	assert_true(snapshot->time <= time(NULL));
	assert_true(snapshot->time > time(NULL) - 600);
}

static void equal_is_what_reads_the_same(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *a =
		snapshot_from("{\"x\":1,\"y\":2}");
	_cleanup_(snapshot_unrefp) struct snapshot *b =
		snapshot_from("{\"y\":2,\"x\":1}");
	_cleanup_(snapshot_unrefp) struct snapshot *c =
		snapshot_from("{\"x\":1,\"y\":2.0}");

	(void)state;
	assert_true(snapshot_equal(a, a));
	assert_true(snapshot_equal(a, b));
	assert_false(snapshot_equal(a, c));
}

/* Another workspace may learn it, long after. */
static void what_is_learned_later_is_masked_too(void **state)
{
	struct secrets *secrets = secrets_new(NULL);
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = snapshot_of(
		secrets, docs_read("{\"x\":\"a swordfish\"}"), NULL);
	struct rendition *before =
		rendition_ref(snapshot_rendition(snapshot, secrets));
	struct str sent = rendition_json(before);

	(void)state;
	assert_ptr_equal(snapshot_rendition(snapshot, secrets), before);
	secrets_learn_text(secrets, "swordfish");
	assert_true(
		str_is(rendition_json(snapshot_rendition(snapshot, secrets)),
		       "{\"x\":\"a ****\"}"));
	/* Who is being sent it has it. */
	assert_true(str_is(sent, "{\"x\":\"a swordfish\"}"));
	rendition_unref(before);
	secrets_set_patterns(secrets, "^x$");
	assert_true(
		str_is(rendition_json(snapshot_rendition(snapshot, secrets)),
		       "{\"x\":\"****\"}"));
	secrets_free(secrets);
}

static void what_is_served_again_is_the_same_byte_for_byte(void **state)
{
	struct snapshot *snapshot = snapshot_from(SECRET);
	struct snapshot *again = snapshot_again(snapshot);
	struct snapshot *once_more = snapshot_again(again);
	struct str reply;

	(void)state;
	snapshot_unref(snapshot);
	assert_ptr_equal(once_more->earlier, again->earlier);
	snapshot_unref(again);
	assert_true(str_is(rendition_json(once_more->plain), SECRET));
	assert_int_equal(once_more->generation, 0);
	assert_int_equal(once_more->docs.count, 1);
	/* Its replies are its own: they tell another generation. */
	reply = rendition_make_reply(once_more->plain, STR("{"), STR("}"));
	assert_true(reply.len > sizeof(SECRET));
	snapshot_unref(once_more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(causes_have_the_names_of_the_contract),
		cmocka_unit_test(of_nothing_it_is_the_empty_object),
		cmocka_unit_test(it_merges_its_documents_in_their_order),
		cmocka_unit_test(the_masked_bytes_hold_no_secret),
		cmocka_unit_test(without_secrets_the_bytes_are_made_once),
		cmocka_unit_test(a_reply_lies_around_the_bytes),
		cmocka_unit_test(without_room_there_is_no_reply),
		cmocka_unit_test(it_pins_its_documents),
		cmocka_unit_test(
			it_outlives_what_others_did_with_its_documents),
		cmocka_unit_test(equal_is_what_reads_the_same),
		cmocka_unit_test(what_is_learned_later_is_masked_too),
		cmocka_unit_test(
			what_is_served_again_is_the_same_byte_for_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
