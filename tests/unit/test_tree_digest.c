#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "config/tree_digest.h"

#include "../support/docs.h"

#define KEY STR("a key of the fleet, 32 bytes long")

static void digest_of(const char *text, struct str key,
		      char digest[TREE_DIGEST_HEX])
{
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(text);

	tree_digest(doc->root, key, digest);
}

static const char *const texts[] = {
	"{\"k\":{}}",
	"{\"k\":[]}",
	"{\"k\":null}",
	"{\"k\":false}",
	"{\"k\":true}",
	"{\"k\":0}",
	"{\"k\":0.0}",
	"{\"k\":\"0\"}",
	"{\"k\":\"\"}",
	"{\"k\":{\"a\":{}}}",
	"{\"k\":{\"a\":[]}}",
	"{\"k\":{\"a\":null}}",
	"{\"k\":{\"a\":1,\"b\":2}}",
	"{\"k\":{\"a\":2,\"b\":1}}",
	"{\"k\":{\"a\":{\"b\":1}}}",
	"{\"k\":{\"a\":{},\"b\":1}}",
	"{\"k\":{\"ab\":\"\"}}",
	"{\"k\":{\"a\":\"b\"}}",
	"{\"k\":[\"a\",\"b\"]}",
	"{\"k\":[\"b\",\"a\"]}",
	"{\"k\":[\"ab\"]}",
	"{\"k\":[[\"a\"],\"b\"]}",
	"{\"k\":[[\"a\",\"b\"]]}",
};

static void different_trees_have_different_digests(void **state)
{
	char digests[ARRAY_SIZE(texts)][TREE_DIGEST_HEX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		digest_of(texts[i], KEY, digests[i]);
		assert_int_equal(strlen(digests[i]), 32);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(digests[i], digests[j]);
	}
}

static void the_order_of_keys_does_not_count(void **state)
{
	char one[TREE_DIGEST_HEX], other[TREE_DIGEST_HEX];

	(void)state;
	digest_of("{\"a\":1,\"b\":{\"c\":2,\"d\":[3]}}", KEY, one);
	digest_of("{\"b\":{\"d\":[3],\"c\":2},\"a\":1}", KEY, other);
	assert_string_equal(one, other);
}

static void another_key_makes_another_digest(void **state)
{
	char one[TREE_DIGEST_HEX], other[TREE_DIGEST_HEX];

	(void)state;
	digest_of("{\"a\":1}", KEY, one);
	digest_of("{\"a\":1}", (struct str){0}, other);
	assert_string_not_equal(one, other);
}

/* By Python's hmac: the same for ever, as a fleet has more than one version. */
static void it_is_hmac_of_kinds_lengths_and_bytes(void **state)
{
	char digest[TREE_DIGEST_HEX];

	(void)state;
	digest_of("{\"b\":[true],\"a\":\"x\"}", STR("key"), digest);
	assert_string_equal(digest, "75aded2af87e53c77fa3f2b9ceb32fcb");
}

static char *parts_of(const char *text)
{
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(text);
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	if (!tree_digest_parts(doc->root, KEY, &json))
		return NULL;
	return mem_strdup(buf_str(&json).ptr);
}

static void parts_are_told_by_their_paths(void **state)
{
	_cleanup_(mem_freep) char *one = parts_of(
		"{\"agent\":{\"a.b\":1,\"c\":{\"d\":2}},\"x\":1,\"e\":{}}");
	_cleanup_(mem_freep) char *other = parts_of(
		"{\"agent\":{\"a.b\":1,\"c\":{\"d\":3}},\"x\":1,\"e\":{}}");
	size_t at = 0;

	(void)state;
	assert_non_null(strstr(one, "{\"agent.\\\"a.b\\\"\":\""));
	assert_non_null(strstr(one, "\"agent.c\":\""));
	assert_non_null(strstr(one, "\"x\":\""));
	assert_non_null(strstr(one, "\"e\":\""));
	while (one[at] == other[at])
		at++;
	/* What differs is the digest of agent.c, and nothing after it. */
	assert_ptr_equal(strstr(one, "\"agent.c\":\"") + 11, one + at);
	assert_string_equal(strchr(one + at, ','), strchr(other + at, ','));
}

static void too_many_parts_are_told_by_the_outer_key_or_not_at_all(void **state)
{
	_cleanup_(buf_deinit) struct buf inner = BUF_INIT, outer = BUF_INIT;
	_cleanup_(mem_freep) char *none, *some = NULL;

	(void)state;
	buf_puts(&inner, "{\"sdk\":{\"k\":1");
	buf_puts(&outer, "{\"k\":1");
	for (size_t i = 0; i < TREE_DIGEST_PARTS; i++) {
		buf_printf(&inner, ",\"k%zu\":1", i);
		buf_printf(&outer, ",\"k%zu\":1", i);
	}
	buf_puts(&inner, "}}");
	buf_puts(&outer, "}");
	some = parts_of(buf_str(&inner).ptr);
	none = parts_of(buf_str(&outer).ptr);
	assert_memory_equal(some, "{\"sdk\":\"", 8);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(different_trees_have_different_digests),
		cmocka_unit_test(the_order_of_keys_does_not_count),
		cmocka_unit_test(another_key_makes_another_digest),
		cmocka_unit_test(it_is_hmac_of_kinds_lengths_and_bytes),
		cmocka_unit_test(parts_are_told_by_their_paths),
		cmocka_unit_test(
			too_many_parts_are_told_by_the_outer_key_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
