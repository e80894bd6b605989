#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "read/decimal.h"
#include "read/yaml_scalar.h"
#include "value/json.h"
#include "value/value.h"

struct scalar {
	const char *text, *json; /* json NULL: it is refused */
};

/* What @text of @type means, as JSON; {NULL, 0}: nothing. The caller ends
 * @out. */
static struct str meaning(struct buf *out, enum yaml_scalar type,
			  struct str text)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct value *value = value_new(&arena, VALUE_NULL);

	if (yaml_scalar_set(value, &arena, type, text))
		return (struct str){NULL, 0};
	json_write(out, value);
	return buf_str(out);
}

static void assert_meaning(enum yaml_scalar type, const struct scalar *scalar)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	struct str json = meaning(&out, type, str_from(scalar->text));

	if (!scalar->json && json.ptr)
		fail_msg("%s is taken for %s", scalar->text, json.ptr);
	if (scalar->json && !json.ptr)
		fail_msg("%s is refused", scalar->text);
	if (scalar->json)
		assert_string_equal(json.ptr, scalar->json);
}

static void assert_plain(enum yaml_scalar type, const struct scalar *scalar)
{
	if (yaml_scalar_of_plain(str_from(scalar->text)) != type)
		fail_msg("%s is of type %u", scalar->text,
			 yaml_scalar_of_plain(str_from(scalar->text)));
	assert_meaning(type, scalar);
}

static const struct scalar booleans[] = {
	{"yes", "true"},    {"Yes", "true"},    {"YES", "true"},
	{"on", "true"},     {"On", "true"},     {"ON", "true"},
	{"true", "true"},   {"True", "true"},   {"TRUE", "true"},
	{"no", "false"},    {"No", "false"},    {"NO", "false"},
	{"off", "false"},   {"Off", "false"},   {"OFF", "false"},
	{"false", "false"}, {"False", "false"}, {"FALSE", "false"},
};

static const struct scalar integers[] = {
	{"0", "0"},
	{"-0", "0"},
	{"+7", "7"},
	{"-3", "-3"},
	{"1_000", "1000"},
	{"1_", "1"},
	{"012", "10"},
	{"-012", "-10"},
	{"0_", "0"},
	{"0_17", "15"},
	{"0x1F", "31"},
	{"-0xff", "-255"},
	{"0x_1", "1"},
	{"0b101", "5"},
	{"-0b1_1", "-3"},
	{"1:30", "90"},
	{"-1:30", "-90"},
	{"1:5", "65"},
	{"190:20:30", "685230"},
	{"99999999999999999", "99999999999999999"},
	{"0x10000000000000000", "18446744073709551616"},
};

static const struct scalar floats[] = {
	{"1.5", "1.5"},
	{"1.", "1.0"},
	{"-1.", "-1.0"},
	{".5", "0.5"},
	{"-0.0", "-0.0"},
	{"09.5", "9.5"},
	{"1.e+3", "1000.0"},
	{"6.8523015e+5", "685230.15"},
	{"685_230.15", "685230.15"},
	{"1:30.5", "90.5"},
	{"-1:30.5", "-90.5"},
	{"0:00.5", "0.5"},
	{"190:20:30.15", "685230.15"},
	{"1.0e+400", "\"1.0e+400\""},
	{"-1_0.0e+400", "\"-1_0.0e+400\""},
};

static const char *const strings[] = {
	"yEs",  "y",          "N",     "nuLL",      "NUll",  "none", "08",
	"0o17", "0X1F",       "0B1",   "0x",        "0b",    "0b2",  "_1",
	"1e3",  "1.5e3",      "1e+3",  "1.0e",      "1.0e+", "-.5",  "+.5",
	"._5",  ".",          "-",     "+",         "1.2.3", "0:30", "1:60",
	"1:",   "1::3",       "1:300", "1:30.5e+3", ".inf",  ".nan", "=",
	"<<",   "2001-12-14", " 1",    "1 ",        "1\n",   "inf",
};

static void forms_have_pyyamls_types(void **state)
{
	static const struct scalar nulls[] = {
		{"", "null"},     {"~", "null"},    {"null", "null"},
		{"Null", "null"}, {"NULL", "null"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(nulls); i++)
		assert_plain(YAML_SCALAR_NULL, &nulls[i]);
	for (size_t i = 0; i < ARRAY_SIZE(booleans); i++)
		assert_plain(YAML_SCALAR_BOOL, &booleans[i]);
	for (size_t i = 0; i < ARRAY_SIZE(integers); i++)
		assert_plain(YAML_SCALAR_INT, &integers[i]);
	for (size_t i = 0; i < ARRAY_SIZE(floats); i++)
		assert_plain(YAML_SCALAR_FLOAT, &floats[i]);
}

static void everything_else_is_a_string(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		if (yaml_scalar_of_plain(str_from(strings[i])) !=
		    YAML_SCALAR_STR)
			fail_msg("%s is no string", strings[i]);
}

static void a_nul_ends_no_scalar(void **state)
{
	(void)state;
	assert_int_equal(yaml_scalar_of_plain(STR("1\0")), YAML_SCALAR_STR);
	assert_int_equal(yaml_scalar_of_plain(STR("yes\0")), YAML_SCALAR_STR);
	assert_int_equal(yaml_scalar_of_plain(STR("\0")), YAML_SCALAR_STR);
}

static void a_tag_takes_what_the_constructor_takes(void **state)
{
	static const struct {
		enum yaml_scalar type;
		struct scalar scalar;
	} tagged[] = {
		{YAML_SCALAR_STR, {"5", "\"5\""}},
		{YAML_SCALAR_NULL, {"anything", "null"}},
		{YAML_SCALAR_BOOL, {"yEs", "true"}},
		{YAML_SCALAR_BOOL, {"maybe", NULL}},
		{YAML_SCALAR_BOOL, {"", NULL}},
		{YAML_SCALAR_INT, {" 5 ", "5"}},
		{YAML_SCALAR_INT, {"_5", "5"}},
		{YAML_SCALAR_INT, {"abc", NULL}},
		{YAML_SCALAR_INT, {"", NULL}},
		{YAML_SCALAR_INT, {"-", NULL}},
		{YAML_SCALAR_INT, {"1.5", NULL}},
		{YAML_SCALAR_INT, {"08", NULL}},
		{YAML_SCALAR_INT, {"0x_", NULL}},
		{YAML_SCALAR_INT, {"0:30", NULL}},
		{YAML_SCALAR_FLOAT, {"5", "5.0"}},
		{YAML_SCALAR_FLOAT, {"1e3", "1000.0"}},
		{YAML_SCALAR_FLOAT, {"-.5", "-0.5"}},
		{YAML_SCALAR_FLOAT, {"1:30", "90.0"}},
		{YAML_SCALAR_FLOAT, {"-.inf", "\"-.inf\""}},
		{YAML_SCALAR_FLOAT, {"nan", "\"nan\""}},
		{YAML_SCALAR_FLOAT, {"0x10", NULL}},
		{YAML_SCALAR_FLOAT, {"abc", NULL}},
		{YAML_SCALAR_FLOAT, {"", NULL}},
		{YAML_SCALAR_FLOAT, {"1:300", NULL}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tagged); i++)
		assert_meaning(tagged[i].type, &tagged[i].scalar);
}

/* @prefix and @digits times @digit. */
static char *number(const char *prefix, size_t digits, char digit)
{
	struct buf text = BUF_INIT;

	buf_puts(&text, prefix);
	for (size_t i = 0; i < digits; i++)
		buf_putc(&text, digit);
	return buf_take(&text);
}

/* The time to convert grows with the square of the length. */
static void only_decimal_integers_have_no_limit(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(mem_freep) char *decimal = number("-", 100000, '9');
	_cleanup_(mem_freep) char *hex = number("0x", DECIMAL_DIGITS_MAX, 'f');

	(void)state;
	assert_string_equal(
		meaning(&out, YAML_SCALAR_INT, str_from(decimal)).ptr, decimal);
	assert_null(meaning(&out, YAML_SCALAR_INT, str_from(hex)).ptr);
	hex[DECIMAL_DIGITS_MAX] = '\0';
	out.len = 0;
	assert_int_equal(meaning(&out, YAML_SCALAR_INT, str_from(hex)).len,
			 4930);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_have_pyyamls_types),
		cmocka_unit_test(everything_else_is_a_string),
		cmocka_unit_test(a_nul_ends_no_scalar),
		cmocka_unit_test(a_tag_takes_what_the_constructor_takes),
		cmocka_unit_test(only_decimal_integers_have_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
