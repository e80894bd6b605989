#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/sha256.h"

/* @bytes, added in pieces of @step. */
static void assert_digest(struct str bytes, size_t step, const char *expected)
{
	unsigned char digest[SHA256_BYTES];
	char text[2 * SHA256_BYTES + 1];
	struct sha256 hash;
	size_t part;

	sha256_init(&hash);
	for (size_t at = 0; at < bytes.len; at += step) {
		part = bytes.len - at < step ? bytes.len - at : step;
		sha256_add(&hash, (struct str){bytes.ptr + at, part});
	}
	sha256_end(&hash, digest);
	sha256_write_hex(digest, sizeof(digest), text);
	assert_string_equal(text, expected);
}

/* FIPS 180-4's examples, as NIST publishes them. */
static void the_standards_examples_come_out(void **state)
{
	(void)state;
	assert_digest(STR(""), 1,
		      "e3b0c44298fc1c149afbf4c8996fb924"
		      "27ae41e4649b934ca495991b7852b855");
	assert_digest(STR("abc"), 3,
		      "ba7816bf8f01cfea414140de5dae2223"
		      "b00361a396177a9cb410ff61f20015ad");
	assert_digest(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmno"
			  "mnopnopq"),
		      64,
		      "248d6a61d20638b8e5c026930c3e6039"
		      "a33ce45964ff2167f6ecedd419db06c1");
}

static void it_is_the_same_in_pieces_of_any_size(void **state)
{
	static const size_t steps[] = {1, 55, 56, 63, 64, 65, 127, 1000000};
	_cleanup_(mem_freep) char *many = mem_alloc(1000000);

	(void)state;
	memset(many, 'a', 1000000);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		assert_digest((struct str){many, 1000000}, steps[i],
			      "cdc76e5c9914fb9281a1c7e284d73e67"
			      "f1809a48a497200e046d39ccc7112cd0");
}

static void assert_mac(struct str key, struct str text, const char *expected)
{
	unsigned char digest[SHA256_BYTES];
	char shown[2 * SHA256_BYTES + 1];
	struct hmac_sha256 mac;

	hmac_sha256_init(&mac, key);
	hmac_sha256_add(&mac, text);
	hmac_sha256_end(&mac, digest);
	sha256_write_hex(digest, sizeof(digest), shown);
	assert_string_equal(shown, expected);
}

/* RFC 4231, test cases 1, 2 and 6. */
static void the_macs_of_rfc_4231_come_out(void **state)
{
	char key[131];

	(void)state;
	memset(key, 0x0b, 20);
	assert_mac((struct str){key, 20}, STR("Hi There"),
		   "b0344c61d8db38535ca8afceaf0bf12b"
		   "881dc200c9833da726e9376c2e32cff7");
	assert_mac(STR("Jefe"), STR("what do ya want for nothing?"),
		   "5bdcc146bf60754e6a042426089575c7"
		   "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	assert_mac((struct str){key, sizeof(key)},
		   STR("Test Using Larger Than Block-Size Key - Hash Key "
		       "First"),
		   "60e431591ee0b67f0d8a26aacbf5b77f"
		   "8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_standards_examples_come_out),
		cmocka_unit_test(it_is_the_same_in_pieces_of_any_size),
		cmocka_unit_test(the_macs_of_rfc_4231_come_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
