#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fields.h"
#include "base/mem.h"

struct sample {
	char *name;
	bool flag;
	int64_t number;
	char *left_out;
};

static const struct field items[] = {
	FIELD(struct sample, name),
	FIELD(struct sample, flag),
	FIELD(struct sample, number),
};
static const struct fields fields = {items, ARRAY_SIZE(items)};

static void each_member_of_the_table_makes_a_difference(void **state)
{
	char text[] = "a", same[] = "a", other[] = "b";
	const struct sample base = {text, true, 7, NULL};
	const struct sample others[] = {
		{other, true, 7, NULL},
		{NULL, true, 7, NULL},
		{text, false, 7, NULL},
		{text, true, 8, NULL},
	};

	(void)state;
	assert_true(fields_equal(&fields, &base,
				 &(struct sample){same, true, 7, other}));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_false(fields_equal(&fields, &base, &others[i]));
		assert_false(fields_equal(&fields, &others[i], &base));
	}
}

static void texts_of_the_table_are_freed_once(void **state)
{
	char mine[] = "mine";
	struct sample sample = {mem_strdup("a"), true, 7, mine};

	(void)state;
	fields_free(&fields, &sample);
	assert_null(sample.name);
	assert_int_equal(sample.number, 7);
	assert_ptr_equal(sample.left_out, mine);
	fields_free(&fields, &sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_member_of_the_table_makes_a_difference),
		cmocka_unit_test(texts_of_the_table_are_freed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
