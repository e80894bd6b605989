#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/idna.h"

static void check(const char *host, const char *ascii)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (!idna_add_host(&out, str_from(host)))
		fail_msg("%s is refused", host);
	assert_string_equal(buf_str(&out).ptr, ascii);
}

static void ascii_becomes_small_letters(void **state)
{
	(void)state;
	check("", "");
	check("x", "x");
	check("MinIO.Local.", "minio.local.");
	check("my bucket_1", "my bucket_1");
	check("XN--Bcher-KVA", "xn--bcher-kva");
}

/* Python's punycode codec wrote the answers. */
static void other_letters_become_punycode(void **state)
{
	(void)state;
	check("B\xc3\xbc"
	      "cher",
	      "xn--bcher-kva");
	check("\xc3\xbcn\xc3\xaf"
	      "c\xc3\xb6"
	      "d\xc3\xa9.Example",
	      "xn--ncd-dma1a7bzb.example");
	check("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "xn--wgv71a119e");
	check("a-\xc3\xbc", "xn--a--yka");
	check("\xce\x91\xce\x92\xce\x93", "xn--mxacd");
	check("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80",
	      "xn--e1afmkfd");
	check("b\xe2\x82\xac", "xn--b-xpn");
	check("\xc3\xbc\xc3\xbc\xc3\xbcxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	      "x",
	      "xn--xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-jfeaa");
	check("\xf0\x9f\x98\x80smile", "xn--smile-y224d");
}

/* @count times @letter. */
static bool takes(const char *letter, size_t count)
{
	_cleanup_(buf_deinit) struct buf host = BUF_INIT, out = BUF_INIT;

	for (size_t i = 0; i < count; i++)
		buf_puts(&host, letter);
	return idna_add_host(&out, buf_str(&host));
}

static void a_label_has_63_bytes(void **state)
{
	(void)state;
	assert_true(takes("a", 63));
	assert_false(takes("a", 64));
	assert_true(takes("\xc3\xa9", 57));
	assert_false(takes("\xc3\xa9", 58));
	assert_false(takes("\xc3\xa9", 5000));
	assert_true(takes("a.", 500));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascii_becomes_small_letters),
		cmocka_unit_test(other_letters_become_punycode),
		cmocka_unit_test(a_label_has_63_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
