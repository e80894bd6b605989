#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/methods.h"
#include "serve_fixture.h"

#define READ    ACCESS_READ
#define SECRETS (ACCESS_READ | ACCESS_SECRETS)
#define ALL     (ACCESS_READ | ACCESS_SECRETS | ACCESS_ADMIN)

#define TREE                                                                   \
	"{\"agent\":{\"name\":\"x\",\"list\":[1,{\"b\":true}]},"               \
	"\"api\":{\"secret_key\":\"hush-hush\"},\"a.b\":null}"

#define GET_WITH(parameters)                                                   \
	"{\"method\":\"io.clearconf.Get\",\"parameters\":" parameters "}"
#define OK_READY(generation, masked)                                           \
	"{\"parameters\":{\"generation\":" generation                          \
	",\"state\":\"ready\",\"masked\":" masked ",\"value\":"
#define ERROR(name, key, text)                                                 \
	"{\"error\":\"" name "\",\"parameters\":{\"" key "\":\"" text "\"}}"
#define DENIED(right) ERROR("io.clearconf.AccessDenied", "right", right)
#define NO_METHOD(error, name)                                                 \
	ERROR("org.varlink.service.Method" error, "method",                    \
	      "io.clearconf." name)

static int make_fixture(void **state)
{
	struct fixture *fixture = fixture_new();

	fixture_publish(fixture, 0, TREE);
	*state = fixture;
	return 0;
}

static int free_fixture(void **state)
{
	fixture_free(*state);
	return 0;
}

struct exchange {
	const char *parameters, *reply;
	unsigned int rights;
};

static void check_get(struct fixture *fixture, const struct exchange *exchange)
{
	_cleanup_(mem_freep) char *call = mem_printf(
		"{\"method\":\"io.clearconf.Get\",\"parameters\":%s}",
		exchange->parameters);

	assert_string_equal(fixture_call(fixture, exchange->rights, call, NULL),
			    exchange->reply);
}

static void get_answers_what_stands_at_the_path(void **state)
{
	static const struct exchange exchanges[] = {
		{"{}", OK_READY("3", "false") TREE "}}", SECRETS},
		{"null", OK_READY("3", "false") TREE "}}", SECRETS},
		{"{\"path\":\"\"}", OK_READY("3", "false") TREE "}}", SECRETS},
		{"{\"path\":null,\"mask\":null}",
		 OK_READY("3", "false") TREE "}}", SECRETS},
		{"{\"path\":\"agent.name\"}", OK_READY("3", "false") "\"x\"}}",
		 SECRETS},
		{"{\"path\":\"agent.list\"}",
		 OK_READY("3", "false") "[1,{\"b\":true}]}}", SECRETS},
		{"{\"path\":\"agent.list.1.b\"}",
		 OK_READY("3", "false") "true}}", SECRETS},
		{"{\"path\":\"\\\"a.b\\\"\"}", OK_READY("3", "false") "null}}",
		 SECRETS},
		{"{\"path\":\"a.b\"}",
		 ERROR("io.clearconf.PathNotFound", "path", "a.b"), SECRETS},
		{"{\"path\":\"agent.list.2\"}",
		 ERROR("io.clearconf.PathNotFound", "path", "agent.list.2"),
		 SECRETS},
		{"{\"path\":\"a\",\"workspace\":\"two\"}",
		 OK_READY("2", "false") "2}}", SECRETS},
		{"{\"workspace\":\"three\"}",
		 ERROR("io.clearconf.UnknownWorkspace", "name", "three"), READ},
		{"{\"workspace\":\"one\\u0000\"}",
		 ERROR("io.clearconf.UnknownWorkspace", "name", "one\\u0000"),
		 READ},
		{"{\"path\":7}", INVALID("path"), READ},
		{"{\"pfad\":\"\"}", INVALID("pfad"), READ},
		{"{\"mask\":\"no\"}", INVALID("mask"), READ},
	};

	for (size_t i = 0; i < ARRAY_SIZE(exchanges); i++)
		check_get(*state, &exchanges[i]);
}

static void get_answers_from_the_view_that_is_asked_for(void **state)
{
	static const struct exchange exchanges[] = {
		{"{\"view\":\"served\"}", OK_READY("3", "false") TREE "}}",
		 SECRETS},
		{"{\"view\":null}", OK_READY("3", "false") TREE "}}", SECRETS},
		{"{\"view\":\"merged\"}", OK_READY("3", "false") TREE "}}",
		 SECRETS},
		{"{\"view\":\"live\"}", OK_READY("2", "false") "{\"a\":2}}}",
		 SECRETS},
		{"{\"view\":\"live\",\"path\":\"agent\"}",
		 ERROR("io.clearconf.PathNotFound", "path", "agent"), SECRETS},
		{"{\"view\":\"live\",\"mask\":false}", DENIED("secrets"), READ},
		{"{\"view\":\"other\"}", INVALID("view"), READ},
		{"{\"view\":true}", INVALID("view"), READ},
	};

	for (size_t i = 0; i < ARRAY_SIZE(exchanges); i++)
		check_get(*state, &exchanges[i]);
}

static void programs_are_not_given_what_is_broken(void **state)
{
	static const struct diag broken = {.source = (char *)"clearml.conf",
					   .text = (char *)"expected '}'",
					   .pos = {3, 7}};
#define BROKEN                                                                 \
	"{\"error\":\"io.clearconf.BrokenConfiguration\",\"parameters\":"      \
	"{\"source\":\"clearml.conf\",\"line\":3,\"column\":7,"                \
	"\"reason\":\"expected '}'\"}}"
	static const struct exchange exchanges[] = {
		{"{\"view\":\"merged\"}", BROKEN, READ},
		{"{\"view\":\"live\",\"path\":\"a\"}", BROKEN, READ},
		{"{}", OK_READY("3", "false") TREE "}}", SECRETS},
		{"{\"view\":\"served\"}", OK_READY("3", "false") TREE "}}",
		 SECRETS},
	};
	struct fixture *fixture = *state;

	fixture->broken = &broken;
	for (size_t i = 0; i < ARRAY_SIZE(exchanges); i++)
		check_get(fixture, &exchanges[i]);
	fixture->broken = NULL;
}

static void a_path_that_is_none_says_where(void **state)
{
	static const struct exchange exchange = {
		"{\"path\":\"a..b\"}",
		"{\"error\":\"io.clearconf.InvalidPath\",\"parameters\":"
		"{\"path\":\"a..b\",\"offset\":2,"
		"\"reason\":\"a key is missing\"}}",
		READ};

	check_get(*state, &exchange);
}

static void secrets_are_for_those_who_have_the_right(void **state)
{
#define MASKED                                                                 \
	"{\"agent\":{\"name\":\"x\",\"list\":[1,{\"b\":true}]},"               \
	"\"api\":{\"secret_key\":\"****\"},\"a.b\":null}"
	static const struct exchange exchanges[] = {
		{"{}", OK_READY("3", "true") MASKED "}}", READ},
		{"{\"mask\":true}", OK_READY("3", "true") MASKED "}}", SECRETS},
		{"{\"mask\":false}", OK_READY("3", "false") TREE "}}", SECRETS},
		{"{\"mask\":false}", DENIED("secrets"), READ},
		{"{\"path\":\"api.secret_key\"}",
		 OK_READY("3", "true") "\"****\"}}", READ},
		{"{\"path\":\"api\",\"mask\":true}",
		 OK_READY("3", "true") "{\"secret_key\":\"****\"}}}", SECRETS},
		{"{\"path\":\"api.secret_key\"}",
		 OK_READY("3", "false") "\"hush-hush\"}}", SECRETS},
		{"{\"path\":\"api.secret_key\",\"mask\":false}",
		 DENIED("secrets"), READ},
	};

	for (size_t i = 0; i < ARRAY_SIZE(exchanges); i++)
		check_get(*state, &exchanges[i]);
}

#define CALL(method) "{\"method\":\"io.clearconf." method "\"}"

static void without_read_there_is_nothing(void **state)
{
	static const char *const calls[] = {
		CALL("Get"),
		GET_WITH("{\"x\":1}"),
		GET_WITH("{\"workspace\":\"three\"}"),
		CALL("GetStatus"),
		CALL("Watch"),
		CALL("Explain"),
		CALL("Nonsense"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		assert_string_equal(fixture_call(*state, 0, calls[i], NULL),
				    DENIED("read"));
		assert_string_equal(fixture_call(*state,
						 ACCESS_SECRETS | ACCESS_ADMIN,
						 calls[i], NULL),
				    DENIED("read"));
	}
}

static void check_refusal(struct fixture *fixture, const char *method,
			  unsigned int rights, const char *reply)
{
	_cleanup_(mem_freep) char *call =
		mem_printf("{\"method\":\"io.clearconf.%s\"}", method);

	assert_string_equal(fixture_call(fixture, rights, call, NULL), reply);
}

static void each_method_names_the_right_it_needs(void **state)
{
	check_refusal(*state, "Reload", SECRETS, DENIED("admin"));
	check_refusal(*state, "UseWorkspace", READ, DENIED("admin"));
	check_refusal(*state, "GetToken", READ, DENIED("secrets"));
	check_refusal(*state, "CreateCredentials", ACCESS_ADMIN,
		      DENIED("secrets"));
	check_refusal(*state, "CreateCredentials", ACCESS_SECRETS,
		      DENIED("admin"));
	check_refusal(*state, "RevokeCredentials", SECRETS, DENIED("admin"));
}

static void what_is_not_there_is_said(void **state)
{
	check_refusal(*state, "Nonsense", READ,
		      NO_METHOD("NotFound", "Nonsense"));
	check_refusal(*state, "get", READ, NO_METHOD("NotFound", "get"));
	check_refusal(*state, "", READ, NO_METHOD("NotFound", ""));
}

static void what_is_no_call_is_an_invalid_parameter(void **state)
{
	static const struct {
		const char *call, *parameter;
	} cases[] = {
		{"", INVALID("message")},
		{"hello", INVALID("message")},
		{"[]", INVALID("message")},
		{"{}", INVALID("method")},
		{"{\"method\":\"Get\"}", INVALID("method")},
		{"{\"method\":\"\"}", INVALID("method")},
		{"{\"method\":\"io.clearconf.Get\",\"upgrade\":true}",
		 INVALID("upgrade")},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(
			fixture_call(*state, ALL, cases[i].call, NULL),
			cases[i].parameter);
}

#define ONE_WAY(method)                                                        \
	"{\"method\":\"" method "\",\"oneway\":true,\"more\":true}"

static void a_one_way_call_is_not_answered(void **state)
{
	static const char *const calls[] = {
		ONE_WAY("io.clearconf.Get"),
		ONE_WAY("io.clearconf.Nonsense"),
		ONE_WAY("org.varlink.service.GetInfo"),
		ONE_WAY("io.clearconf.Watch"),
		ONE_WAY("io.clearconf.GetStatus"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		assert_string_equal(fixture_call(*state, ALL, calls[i], NULL),
				    "");
}

static void more_of_what_does_not_go_on_is_one_reply(void **state)
{
	assert_string_equal(
		fixture_call(*state, SECRETS,
			     "{\"method\":\"io.clearconf.Get\",\"more\":true,"
			     "\"parameters\":{\"path\":\"agent.name\"}}",
			     NULL),
		OK_READY("3", "false") "\"x\"}}");
}

static void an_age_is_said_when_there_is_one(void **state)
{
	struct fixture *fixture = *state;

	fixture->workspaces[1].state = "offline";
	fixture->workspaces[1].stale = 200;
	assert_string_equal(
		fixture_call(fixture, READ,
			     "{\"method\":\"io.clearconf.Get\",\"parameters\":"
			     "{\"workspace\":\"two\",\"path\":\"a\"}}",
			     NULL),
		"{\"parameters\":{\"generation\":2,\"state\":\"offline\","
		"\"stale\":200,\"masked\":true,\"value\":2}}");
}

static void an_environment_has_an_answer_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	static const struct exchange exchanges[] = {
		{"{\"environment\":{\"A\":\"b\"}}",
		 OK_READY("3", "true") "{\"n\":1,\"a\":\"b\","
				       "\"secret_key\":\"****\"}}}",
		 READ},
		{"{\"environment\":{\"A\":\"b\"},\"path\":\"secret_key\"}",
		 OK_READY("3", "false") "\"b\"}}", SECRETS},
		{"{\"environment\":{\"A\":\"b\"},\"path\":\"no\"}",
		 "{\"error\":\"io.clearconf.PathNotFound\",\"parameters\":"
		 "{\"path\":\"no\"}}",
		 READ},
		{"{\"environment\":{\"A\":\"b\"},\"mask\":false}",
		 DENIED("secrets"), READ},
		{"{\"environment\":{\"A\":1}}", INVALID("environment"), READ},
		{"{\"environment\":{\"\":\"x\"}}", INVALID("environment"),
		 READ},
		{"{\"environment\":{\"A=B\":\"x\"}}", INVALID("environment"),
		 READ},
		{"{\"environment\":{\"A\":\"x\\u0000\"}}",
		 INVALID("environment"), READ},
		{"{\"environment\":{\"B\":\"\"}}",
		 "{\"error\":\"io.clearconf.BrokenConfiguration\","
		 "\"parameters\":{\"source\":\"clearml.conf\","
		 "\"line\":2,\"column\":5,\"reason\":\"${A} is not "
		 "defined here, in the environment, or in a lower layer\"}}",
		 READ},
	};

	for (size_t i = 0; i < ARRAY_SIZE(exchanges); i++)
		check_get(fixture, &exchanges[i]);
}

/* A call with an environment of @size bytes. */
static const char *call_with_environment(struct fixture *fixture, size_t size)
{
	_cleanup_(mem_freep) char *value = mem_alloc(size);
	_cleanup_(mem_freep) char *call = NULL;

	memset(value, 'x', size - 1);
	call = mem_printf("{\"method\":\"io.clearconf.Get\",\"parameters\":"
			  "{\"path\":\"n\",\"environment\":{\"A\":\"%s\"}}}",
			  value);
	return fixture_call(fixture, READ, call, NULL);
}

static void an_environment_may_have_64_kib(void **state)
{
	assert_string_equal(call_with_environment(*state, 65536),
			    OK_READY("3", "true") "1}}");
	assert_string_equal(call_with_environment(*state, 65537),
			    "{\"error\":\"io.clearconf.QuotaExceeded\","
			    "\"parameters\":{\"quota\":\"environment\","
			    "\"limit\":65536}}");
}

static void calls_with_an_environment_are_counted(void **state)
{
	struct fixture *fixture = *state;
	static const char call[] =
		"{\"method\":\"io.clearconf.Get\",\"parameters\":"
		"{\"environment\":{\"A\":\"b\"},\"path\":\"a\"}}";

	fixture->quota.rates[RATE_ENVIRONMENT] = 2;
	for (int i = 0; i < 2; i++)
		assert_string_equal(
			fixture_call(fixture, READ | ACCESS_ADMIN, call, NULL),
			OK_READY("3", "true") "\"b\"}}");
	assert_string_equal(
		fixture_call(fixture, READ | ACCESS_ADMIN, call, NULL),
		"{\"error\":\"io.clearconf.QuotaExceeded\",\"parameters\":"
		"{\"quota\":\"environment_calls\",\"limit\":2}}");
	assert_string_equal(fixture_call(fixture, SECRETS, call, NULL),
			    OK_READY("3", "false") "\"b\"}}");
}

/* --- the table and the text ------------------------------------------------
 */

/* The parameters of a declaration whose text begins after its '(', each as
 * "name:type " without blanks. */
static void read_parameters(const char *at, struct buf *names)
{
	bool within = false; /* the names of an enumeration */

	for (; *at && (within || *at != ')'); at++) {
		within = (within || *at == '(') && *at != ')';
		if (*at == ',' && !within)
			buf_putc(names, ' ');
		else if (*at != ' ' && *at != '\n')
			buf_putc(names, *at);
	}
	if (names->len)
		buf_putc(names, ' ');
}

/* The same of the table. */
static void write_parameters(const struct parameter *parameters,
			     struct buf *names)
{
	static const char *const types[] = {
		[PARAMETER_STRING] = "string",
		[PARAMETER_INT] = "int",
		[PARAMETER_BOOL] = "bool",
		[PARAMETER_STRINGS] = "[]string",
		[PARAMETER_VARIABLES] = "[string]string",
		[PARAMETER_VIEW] = "(served,merged,live)",
	};

	for (; parameters && parameters->name; parameters++)
		buf_printf(names, "%s:%s%s ", parameters->name,
			   parameters->optional ? "?" : "",
			   types[parameters->type]);
}

static void check_method(const char *description, const struct method *method)
{
	_cleanup_(buf_deinit) struct buf said = BUF_INIT, known = BUF_INIT;
	_cleanup_(mem_freep) char *declaration =
		mem_printf("\nmethod %s(", method->name);
	const char *at = strstr(description, declaration);

	if (!at)
		fail_msg("%s is not in the text", method->name);
	else
		read_parameters(at + strlen(declaration), &said);
	write_parameters(method->parameters, &known);
	assert_string_equal(buf_str(&said).ptr, buf_str(&known).ptr);
}

static size_t count_declared(const char *description)
{
	size_t count = 0;

	while ((description = strstr(description, "\nmethod "))) {
		description++;
		count++;
	}
	return count;
}

static void the_table_and_the_text_agree(void **state)
{
	const struct interface *interface = methods_interfaces;
	const struct method *method;

	(void)state;
	for (; interface->name; interface++) {
		for (method = interface->methods; method->name; method++)
			check_method(interface->description, method);
		assert_int_equal(method - interface->methods,
				 count_declared(interface->description));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_answers_what_stands_at_the_path),
		cmocka_unit_test(get_answers_from_the_view_that_is_asked_for),
		cmocka_unit_test(programs_are_not_given_what_is_broken),
		cmocka_unit_test(a_path_that_is_none_says_where),
		cmocka_unit_test(secrets_are_for_those_who_have_the_right),
		cmocka_unit_test(without_read_there_is_nothing),
		cmocka_unit_test(each_method_names_the_right_it_needs),
		cmocka_unit_test(what_is_not_there_is_said),
		cmocka_unit_test(what_is_no_call_is_an_invalid_parameter),
		cmocka_unit_test(a_one_way_call_is_not_answered),
		cmocka_unit_test(more_of_what_does_not_go_on_is_one_reply),
		cmocka_unit_test(an_age_is_said_when_there_is_one),
		cmocka_unit_test(an_environment_has_an_answer_of_its_own),
		cmocka_unit_test(an_environment_may_have_64_kib),
		cmocka_unit_test(calls_with_an_environment_are_counted),
		cmocka_unit_test(the_table_and_the_text_agree),
	};

	return cmocka_run_group_tests(tests, make_fixture, free_fixture);
}
