#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "front/server_call.h"
#include "serve/methods.h"

/* Is it the service that answers? */
static bool is_the_services(const struct method *method)
{
	return method->answer == pending_call_service ||
	       method->answer == pending_ask_server ||
	       method->answer == pending_reload ||
	       method->answer == pending_use_workspace;
}

static void each_method_of_the_service_has_a_row(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; methods_interfaces[i].name; i++) {
		const struct method *method = methods_interfaces[i].methods;

		for (; method->name; method++) {
			const struct server_method *row =
				server_method_find(method->name);

			assert_int_equal(row != NULL, is_the_services(method));
			count += row != NULL;
		}
	}
	assert_in_range(count, 11, SIZE_MAX);
}

static size_t count_rows(const struct server_method *table)
{
	size_t count = 0;

	while (table[count].name)
		count++;
	return count;
}

static bool is_offered(const char *name)
{
	const struct interface *interface = methods_interfaces;
	const struct method *method;

	for (; interface->name; interface++)
		for (method = interface->methods; method->name; method++)
			if (!strcmp(method->name, name))
				return true;
	return false;
}

/* It asks or it looks, and what it asks for is taken. */
static void check_row(const struct server_method *row)
{
	const struct server_ask *ask = row->asks;

	assert_true(is_offered(row->name));
	assert_true(!ask->endpoint == !!row->look);
	for (; ask->endpoint; ask++)
		assert_non_null(ask->take);
	assert_in_range(ask - row->asks, 0, SERVER_ASKS_MAX);
}

static void each_row_is_a_method_and_can_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < count_rows(server_asks); i++)
		check_row(&server_asks[i]);
	for (size_t i = 0; i < count_rows(server_waits); i++)
		check_row(&server_waits[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_method_of_the_service_has_a_row),
		cmocka_unit_test(each_row_is_a_method_and_can_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
