#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "serve/introspect.h"
#include "serve_fixture.h"

#define CALL(method) "{\"method\":\"org.varlink.service." method "\"}"
#define DESCRIBE(name)                                                         \
	"{\"method\":\"org.varlink.service.GetInterfaceDescription\","         \
	"\"parameters\":{\"interface\":\"" name "\"}}"

static int make_fixture(void **state)
{
	*state = fixture_new();
	return 0;
}

static int free_fixture(void **state)
{
	fixture_free(*state);
	return 0;
}

static void a_service_says_who_it_is(void **state)
{
	assert_string_equal(
		fixture_call(*state, 0, CALL("GetInfo"), NULL),
		"{\"parameters\":{\"vendor\":\"clearconf\","
		"\"product\":\"clearconfd\",\"version\":\"" CLEARCONF_VERSION
		"\",\"url\":\"clearconf\",\"interfaces\":"
		"[\"org.varlink.service\",\"io.clearconf\"]}}");
}

static void assert_description(const char *reply, const char *text)
{
	json_t *json = json_loads(reply, 0, NULL);
	json_t *parameters = json_object_get(json, "parameters");

	assert_string_equal(
		json_string_value(json_object_get(parameters, "description")),
		text);
	json_decref(json);
}

static void both_interfaces_are_described(void **state)
{
	assert_description(
		fixture_call(*state, 0, DESCRIBE("io.clearconf"), NULL),
		introspect_clearconf_text);
	assert_description(
		fixture_call(*state, 0, DESCRIBE("org.varlink.service"), NULL),
		introspect_service_text);
}

static void texts_begin_where_parsers_expect(void **state)
{
	(void)state;
	assert_non_null(strstr(introspect_clearconf_text,
			       "\ninterface io.clearconf\n"));
	assert_non_null(strstr(introspect_service_text,
			       "\ninterface org.varlink.service\n"));
}

static void an_unknown_interface_is_named(void **state)
{
	static const char reply[] =
		"{\"error\":\"org.varlink.service.InterfaceNotFound\","
		"\"parameters\":{\"interface\":\"io.clear\"}}";

	assert_string_equal(fixture_call(*state, 0, DESCRIBE("io.clear"), NULL),
			    reply);
	assert_string_equal(
		fixture_call(*state, 0, "{\"method\":\"io.clear.Get\"}", NULL),
		reply);
}

static void an_interface_has_to_be_named(void **state)
{
	assert_string_equal(
		fixture_call(*state, 0, CALL("GetInterfaceDescription"), NULL),
		"{\"error\":\"org.varlink.service.InvalidParameter\","
		"\"parameters\":{\"parameter\":\"interface\"}}");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_says_who_it_is),
		cmocka_unit_test(both_interfaces_are_described),
		cmocka_unit_test(texts_begin_where_parsers_expect),
		cmocka_unit_test(an_unknown_interface_is_named),
		cmocka_unit_test(an_interface_has_to_be_named),
	};

	return cmocka_run_group_tests(tests, make_fixture, free_fixture);
}
