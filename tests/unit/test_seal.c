#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/diag.h"
#include "base/mem.h"
#include "base/seal.h"

static const struct seal seal = {"clearconf-test", 2};

static void sealed(struct buf *out, struct str content)
{
	seal_write(out, &seal, content);
}

static bool opens(struct str bytes, struct str *content, char **why)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	bool ok = seal_open(&seal, "file", bytes, content, &diag);

	assert_int_equal(ok, !diag_failed(&diag));
	*why = ok ? NULL : mem_strdup(diag.text);
	return ok;
}

static void assert_refused(struct str bytes, const char *because)
{
	_cleanup_(mem_freep) char *why = NULL;
	struct str content;

	assert_false(opens(bytes, &content, &why));
	if (because)
		assert_string_equal(why, because);
}

static void what_was_sealed_is_there(void **state)
{
	static const char *const contents[] = {"", "x", "two\nlines\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		_cleanup_(buf_deinit) struct buf out = BUF_INIT;
		_cleanup_(mem_freep) char *why = NULL;
		struct str content;

		sealed(&out, str_from(contents[i]));
		assert_true(opens(buf_str(&out), &content, &why));
		assert_true(str_is(content, contents[i]));
	}
}

static void flip(char *byte, unsigned int bit)
{
	*byte = (char)((unsigned char)*byte ^ (1U << bit));
}

static void no_byte_may_be_another(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	sealed(&out, STR("the content"));
	for (size_t i = 0; i < out.len; i++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			flip(&out.data[i], bit);
			assert_refused(buf_str(&out), NULL);
			flip(&out.data[i], bit);
		}
}

static void no_byte_may_be_missing_or_more(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	sealed(&out, STR("the content"));
	for (size_t len = 0; len < out.len; len++)
		assert_refused((struct str){out.data, len}, NULL);
	buf_putc(&out, 'x');
	assert_refused(buf_str(&out), "is damaged: it is not what its first "
				      "line was made of");
}

static void it_says_what_is_wrong(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	const struct seal newer = {"clearconf-test", 3};

	(void)state;
	seal_write(&out, &newer, STR("x"));
	assert_refused(buf_str(&out), "has format 3, and this clearconf reads "
				      "format 2 alone");
	assert_refused(STR("#!/bin/sh\n"),
		       "does not begin as a clearconf-test file does");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_is_there),
		cmocka_unit_test(no_byte_may_be_another),
		cmocka_unit_test(no_byte_may_be_missing_or_more),
		cmocka_unit_test(it_says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
