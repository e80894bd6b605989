#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
	int number;
	struct list list;
};

/* The numbers of the members in order, as decimal digits. */
static int digits(const struct list *head)
{
	int sum = 0;
	const struct list *i;

	for (list_each (head, i))
		sum = sum * 10 + CONTAINER_OF(i, struct item, list)->number;
	return sum;
}

static void members_keep_their_order(void **state)
{
	struct item items[] = {{.number = 1}, {.number = 2}, {.number = 3}};
	struct list head;

	(void)state;
	list_init(&head);
	assert_true(list_is_empty(&head));
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		list_add(&head, &items[i].list);
	assert_false(list_is_empty(&head));
	assert_int_equal(digits(&head), 123);
	list_remove(&items[1].list);
	assert_int_equal(digits(&head), 13);
	list_add(&items[0].list, &items[1].list);
	assert_int_equal(digits(&head), 213);
}

static void removing_twice_does_no_harm(void **state)
{
	struct item items[] = {{.number = 1}, {.number = 2}};
	struct list head;

	(void)state;
	list_init(&head);
	list_add(&head, &items[0].list);
	list_add(&head, &items[1].list);
	list_remove(&items[0].list);
	list_remove(&items[0].list);
	assert_int_equal(digits(&head), 2);
	list_remove(&items[1].list);
	assert_true(list_is_empty(&head));
}

static void splicing_moves_all_members_to_the_end(void **state)
{
	struct item items[] = {{.number = 1}, {.number = 2}, {.number = 3}};
	struct list to, from;

	(void)state;
	list_init(&to);
	list_init(&from);
	list_splice(&to, &from);
	assert_true(list_is_empty(&to));
	list_add(&to, &items[0].list);
	list_add(&from, &items[1].list);
	list_add(&from, &items[2].list);
	list_splice(&to, &from);
	assert_int_equal(digits(&to), 123);
	assert_true(list_is_empty(&from));
	list_splice(&from, &to);
	assert_int_equal(digits(&from), 123);
	assert_true(list_is_empty(&to));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_keep_their_order),
		cmocka_unit_test(removing_twice_does_no_harm),
		cmocka_unit_test(splicing_moves_all_members_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
