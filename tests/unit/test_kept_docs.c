#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "state/kept_docs.h"

#define MANY 1000

static const unsigned char *name_of(unsigned int number)
{
	static unsigned char name[SHA256_BYTES];

	/* Many begin alike. */
	memset(name, (int)(number % 7), sizeof(name));
	memcpy(name + 8, &number, sizeof(number));
	return name;
}

static int is_gone(void *data, const unsigned char *name)
{
	size_t *count = data;

	(void)name;
	(*count)++;
	return 0;
}

static int stays(void *data, const unsigned char *name)
{
	(void)data;
	(void)name;
	return -1;
}

static void fill(struct kept_docs *docs)
{
	for (unsigned int i = 0; i < MANY; i++) {
		assert_int_equal(kept_docs_find(docs, name_of(i)), KEPT_NONE);
		assert_int_equal(kept_docs_add(docs, name_of(i)), i);
	}
}

static void each_is_found_by_its_name(void **state)
{
	struct kept_docs docs = {0};

	(void)state;
	fill(&docs);
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(kept_docs_find(&docs, name_of(i)), i);
	assert_int_equal(kept_docs_find(&docs, name_of(MANY)), KEPT_NONE);
	kept_docs_deinit(&docs);
	assert_int_equal(kept_docs_find(&docs, name_of(0)), KEPT_NONE);
}

static void those_without_users_go_and_the_others_keep_their_number(
	void **state)
{
	struct kept_docs docs = {0};
	size_t gone = 0;

	(void)state;
	fill(&docs);
	for (unsigned int i = 0; i < MANY; i += 2)
		docs.items[i].users = 1;
	assert_int_equal(kept_docs_sweep(&docs, is_gone, &gone), 0);
	assert_int_equal(gone, MANY / 2);
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(kept_docs_find(&docs, name_of(i)),
				 i % 2 ? KEPT_NONE : i);
	assert_int_equal(kept_docs_add(&docs, name_of(MANY)), 1);
	assert_int_equal(kept_docs_find(&docs, name_of(MANY)), 1);
	assert_int_equal(docs.count, MANY);
	kept_docs_deinit(&docs);
}

static void what_cannot_be_removed_stays(void **state)
{
	struct kept_docs docs = {0};

	(void)state;
	fill(&docs);
	assert_int_equal(kept_docs_sweep(&docs, stays, NULL), -1);
	assert_int_equal(kept_docs_find(&docs, name_of(5)), 5);
	kept_docs_deinit(&docs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found_by_its_name),
		cmocka_unit_test(
			those_without_users_go_and_the_others_keep_their_number),
		cmocka_unit_test(what_cannot_be_removed_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
