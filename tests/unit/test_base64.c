#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fetch/base64.h"

/* The vectors of RFC 4648, section 10. */
static const struct {
	const char *plain, *coded;
} vectors[] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
};

static void writes_the_vectors_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		_cleanup_(buf_deinit) struct buf out = BUF_INIT;

		base64_write(&out, str_from(vectors[i].plain));
		assert_string_equal(buf_str(&out).ptr, vectors[i].coded);
	}
}

static void reads_them_back_with_and_without_padding(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		_cleanup_(buf_deinit) struct buf padded = BUF_INIT;
		_cleanup_(buf_deinit) struct buf bare = BUF_INIT;
		_cleanup_(buf_deinit) struct buf standard = BUF_INIT;
		struct str text = str_from(vectors[i].coded);

		assert_true(base64url_read(&padded, text));
		while (text.len && text.ptr[text.len - 1] == '=')
			text.len--;
		assert_true(base64url_read(&bare, text));
		assert_true(base64_read(&standard, text));
		assert_string_equal(buf_str(&standard).ptr, vectors[i].plain);
		assert_string_equal(buf_str(&padded).ptr, vectors[i].plain);
		assert_string_equal(buf_str(&bare).ptr, vectors[i].plain);
	}
}

static void the_two_alphabets_differ_in_two_letters(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT, in = BUF_INIT;

	(void)state;
	base64_write(&out, STR("\xfb\xff\xfe"));
	assert_string_equal(buf_str(&out).ptr, "+//+");
	assert_true(base64url_read(&in, STR("-__-")));
	assert_true(str_equal(buf_str(&in), STR("\xfb\xff\xfe")));
	buf_deinit(&in);
	assert_true(base64_read(&in, STR("+//+")));
	assert_true(str_equal(buf_str(&in), STR("\xfb\xff\xfe")));
}

static void foreign_letters_are_refused(void **state)
{
	static const char *const texts[] = {"Zm9+", "Zm9/", "Zm 9", "Zg=a",
					    "\xc3\xa9"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(buf_deinit) struct buf out = BUF_INIT;

		assert_false(base64url_read(&out, str_from(texts[i])));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_vectors_of_the_rfc),
		cmocka_unit_test(reads_them_back_with_and_without_padding),
		cmocka_unit_test(the_two_alphabets_differ_in_two_letters),
		cmocka_unit_test(foreign_letters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
