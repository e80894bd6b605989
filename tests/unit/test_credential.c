#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/docs.h"
#include "base/buf.h"
#include "base/mem.h"
#include "engine/credential.h"
#include "engine/key_expiry.h"
#include "value/value.h"

#define ANSWER                                                                 \
	"{\"credentials\":[{\"access_key\":\"A\",\"label\":\"box\","           \
	"\"created\":\"2026-11-24T02:31:14.843000+00:00\"},"                   \
	"{\"label\":\"no key\"},null,{\"access_key\":7}],"                     \
	"\"additional_credentials\":{"                                         \
	"\"two\":[{\"access_key\":\"B\"},{\"access_key\":\"C\"}],"             \
	"\"one\":{\"access_key\":\"D\",\"expire\":\"2026-11-24T02:31:15\"},"   \
	"\"none\":null}}"

static void see(void *data, const struct value *credential,
		const struct value *company)
{
	struct buf *seen = data;

	if (company)
		buf_add_str(seen, value_text(company));
	buf_putc(seen, ':');
	buf_add_str(seen, value_text(value_get(credential, STR("access_key"))));
	buf_putc(seen, ' ');
}

static void each_is_seen_in_its_order(void **state)
{
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(ANSWER);
	_cleanup_(buf_deinit) struct buf seen = BUF_INIT;

	(void)state;
	credential_each_own(doc->root, see, &seen);
	credential_each_other(doc->root, see, &seen);
	assert_string_equal(buf_str(&seen).ptr, ":A two:B two:C one:D ");
}

static void one_is_found_by_key_or_label(void **state)
{
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(ANSWER);

	(void)state;
	assert_non_null(credential_find(doc->root, "access_key", "C"));
	assert_ptr_equal(credential_find(doc->root, "label", "box"),
			 credential_find(doc->root, "access_key", "A"));
	assert_null(credential_find(doc->root, "label", "no key"));
	assert_null(credential_find(doc->root, "access_key", "7"));
	assert_null(credential_find(NULL, "access_key", "A"));
}

static void times_may_be_missing(void **state)
{
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(ANSWER);
	const struct value *a = credential_find(doc->root, "access_key", "A");
	const struct value *d = credential_find(doc->root, "access_key", "D");

	(void)state;
	assert_int_equal(credential_time(d, "expire") -
				 credential_time(a, "created"),
			 1);
	assert_int_equal(credential_time(a, "expire"), -1);
	assert_int_equal(credential_time(NULL, "expire"), -1);
}

static void a_key_runs_out_in_the_last_fifth_of_its_life(void **state)
{
	const struct key_expiry life = {.begins = 1000, .expires = 2000};
	const struct key_expiry lasting = {.begins = 1000};

	(void)state;
	assert_false(key_expiry_runs_out(&life, 1000));
	assert_false(key_expiry_runs_out(&life, 1799));
	assert_true(key_expiry_runs_out(&life, 1800));
	assert_true(key_expiry_runs_out(&life, 3000));
	assert_false(key_expiry_runs_out(&lasting, INT64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_seen_in_its_order),
		cmocka_unit_test(one_is_found_by_key_or_label),
		cmocka_unit_test(times_may_be_missing),
		cmocka_unit_test(a_key_runs_out_in_the_last_fifth_of_its_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
