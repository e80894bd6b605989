#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../support/cache_entries.h"

#define NAME "/state/cache/research.cache"

static bool is_read(struct cache_entry *entry, struct str bytes)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	if (cache_entry_read(entry, NAME, bytes, &diag)) {
		assert_false(diag_failed(&diag));
		return true;
	}
	entry_assert_complaint(&diag, NAME);
	assert_null(entry->arena.blocks);
	return false;
}

static void assert_survives(const struct cache_entry *entry)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct cache_entry again;

	entry_bytes(entry, &bytes);
	assert_true(is_read(&again, buf_str(&bytes)));
	entry_assert_same(entry, &again);
	cache_entry_deinit(&again);
}

/* --- what is written is read --- */

static void every_field_survives(void **state)
{
	struct cache_entry entry = entry_full();

	(void)state;
	assert_survives(&entry);
}

static void what_is_not_known_stays_so(void **state)
{
	struct cache_entry entry = entry_bare();

	(void)state;
	assert_survives(&entry);
}

static void an_empty_list_is_not_a_missing_one(void **state)
{
	_cleanup_(buf_deinit) struct buf empty = BUF_INIT, never = BUF_INIT;
	struct cache_entry entry = entry_bare();

	(void)state;
	entry_bytes(&entry, &never);
	entry.feeds[VAULT_MONITORING].fetched_at = 5;
	entry_bytes(&entry, &empty);
	assert_false(str_equal(buf_str(&empty), buf_str(&never)));
	assert_survives(&entry);
}

static void a_thousand_vaults_survive(void **state)
{
	struct vault *vaults = mem_alloc(1000 * sizeof(*vaults));
	struct cache_entry entry = entry_full();
	char *ids[1000];

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		ids[i] = mem_printf("id%zu", i);
		vaults[i] = entry_config[i % ARRAY_SIZE(entry_config)];
		vaults[i].id = ids[i];
	}
	entry.feeds[VAULT_CONFIG].vaults = vaults;
	entry.feeds[VAULT_CONFIG].count = 1000;
	assert_survives(&entry);
	for (size_t i = 0; i < 1000; i++)
		mem_free(ids[i]);
	mem_free(vaults);
}

static void every_byte_of_data_survives(void **state)
{
	struct vault vault = {.id = "i", .description = "d"};
	struct cache_entry entry = entry_bare();
	char data[128];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)i;
	vault.data = (struct str){data, sizeof(data)};
	entry.feeds[VAULT_CONFIG] = (struct cache_vaults){1, &vault, 1};
	assert_survives(&entry);
}

static void the_oldest_answer_counts(void **state)
{
	struct cache_entry entry = entry_bare();

	(void)state;
	assert_int_equal(cache_entry_fetched_at(&entry), 0);
	entry.feeds[VAULT_MONITORING].fetched_at = 7;
	assert_int_equal(cache_entry_fetched_at(&entry), 7);
	entry.feeds[VAULT_CONFIG].fetched_at = 9;
	assert_int_equal(cache_entry_fetched_at(&entry), 7);
	entry.feeds[VAULT_CONFIG].fetched_at = 5;
	assert_int_equal(cache_entry_fetched_at(&entry), 5);
}

static void times_are_no_content(void **state)
{
	_cleanup_(buf_deinit) struct buf early = BUF_INIT, late = BUF_INIT;
	struct cache_entry entry = entry_full();

	(void)state;
	cache_entry_describe(&entry, &early);
	entry.feeds[VAULT_CONFIG].fetched_at++;
	cache_entry_describe(&entry, &late);
	assert_true(str_equal(buf_str(&early), buf_str(&late)));
	entry.refused_at = 0;
	buf_deinit(&late);
	cache_entry_describe(&entry, &late);
	assert_false(str_equal(buf_str(&early), buf_str(&late)));
}

/* --- damage --- */

/* A copy of exactly that length, so that a sanitizer sees who reads on. */
static bool copy_is_read(struct str bytes)
{
	char *copy = mem_strndup(bytes.ptr, bytes.len);
	struct cache_entry entry;
	bool ok = is_read(&entry, (struct str){copy, bytes.len});

	if (ok)
		cache_entry_deinit(&entry);
	mem_free(copy);
	return ok;
}

static void no_changed_byte_is_accepted(void **state)
{
	static const unsigned char masks[] = {0x01, 0x02, 0x20, 0x80, 0xFF};
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct cache_entry entry = entry_full();
	char right;

	(void)state;
	entry_bytes(&entry, &bytes);
	for (size_t i = 0; i < bytes.len; i++) {
		right = bytes.data[i];
		for (size_t j = 0; j < ARRAY_SIZE(masks); j++) {
			bytes.data[i] = (char)(right ^ masks[j]);
			assert_false(copy_is_read(buf_str(&bytes)));
		}
		bytes.data[i] = right;
	}
	assert_true(copy_is_read(buf_str(&bytes)));
}

static void no_shorter_file_is_accepted(void **state)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct cache_entry entry = entry_full();

	(void)state;
	entry_bytes(&entry, &bytes);
	for (size_t len = 0; len < bytes.len; len++)
		assert_false(copy_is_read((struct str){bytes.data, len}));
}

static void no_longer_file_is_accepted(void **state)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct cache_entry entry = entry_full();

	(void)state;
	entry_bytes(&entry, &bytes);
	buf_putc(&bytes, '\n');
	assert_false(copy_is_read(buf_str(&bytes)));
	buf_putc(&bytes, '\0');
	assert_false(copy_is_read(buf_str(&bytes)));
}

/* Why the file is refused; the caller's. */
static char *reason_of(struct str bytes)
{
	struct diag diag = DIAG_INIT;
	struct cache_entry entry;
	char *reason;

	assert_false(cache_entry_read(&entry, NAME, bytes, &diag));
	entry_assert_complaint(&diag, NAME);
	reason = mem_strdup(diag.text);
	diag_deinit(&diag);
	return reason;
}

static void a_complaint_says_what_is_wrong(void **state)
{
	static const struct {
		const char *file, *reason;
	} rows[] = {
		{"", "does not begin as a cache"},
		{"{}", "does not begin as a cache"},
		{"clearconf-cache 2 x\n{}", "has format 2, and this clearconf "
					    "reads format 1 alone"},
		{"clearconf-cache 10 x\n", "has format 10, "},
		{"clearconf-cache 99999999999 x\n", "not as long as"},
		{"clearconf-cache  x\n", "not as long as"},
		{"clearconf-cache 1 \n", "not as long as"},
		{"clearconf-cache 1 0123456789abcdef 0000000003\n{}",
		 "not as long as"},
		{"clearconf-cache 1 0123456789abcdef 0000000002\n{}",
		 "its checksum"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(mem_freep) char *reason =
			reason_of(str_from(rows[i].file));

		assert_non_null(strstr(reason, rows[i].reason));
	}
}

/* --- well sealed nonsense --- */

static void seal(struct buf *bytes, const char *json)
{
	const int64_t never[VAULT_FEEDS] = {0};

	cache_entry_compose(bytes, STR("{"), never);
	bytes->len -= strlen("{\"fetched_at\":{}}\n");
	buf_puts(bytes, json);
	cache_entry_seal(bytes);
}

#define WHO                                                                    \
	"\"workspace\":\"w\",\"api_server\":\"s\",\"company_id\":\"c\","       \
	"\"access_key\":\"k\",\"refused_at\":0"
#define BARE WHO ",\"vaults\":{},\"fetched_at\":{}"
#define ONE(vault)                                                             \
	"{" WHO ",\"vaults\":{\"config\":[" vault "]},"                        \
	"\"fetched_at\":{\"config\":1}}"

static void nonsense_is_refused_where_it_stands(void **state)
{
	static const struct {
		const char *json, *reason;
	} rows[] = {
		{"", "\"workspace\""},
		{"{}", "\"workspace\""},
		{"[]", "must be an object"},
		{"{" BARE ",}", "at line 2, column "},
		{"{" BARE ",\n\"" ENTRY_SECRET "}", "at line 3, column "},
		{"{" BARE "}}", "expected nothing after"},
		{"{" BARE ",\"x\":[[[[1]]]]}", "nested deeper"},
		{"{\"workspace\":\"\xFF\"}", "not valid UTF-8"},
		{"\xEF\xBB\xBF[]", "must be an object"},
		{"{" BARE ",\"workspace\":1}", "\"workspace\""},
		{"{" BARE ",\"api_server\":null}", "\"api_server\""},
		{"{" BARE ",\"company_id\":[]}", "\"company_id\""},
		{"{" BARE ",\"access_key\":{}}", "\"access_key\""},
		{"{" BARE ",\"access_key\":\"a\\u0000b\"}", "\"access_key\""},
		{"{" BARE ",\"user_id\":1}", "\"user_id\""},
		{"{" BARE ",\"user_name\":null}", "\"user_name\""},
		{"{" BARE ",\"company_name\":true}", "\"company_name\""},
		{"{" BARE ",\"refused_at\":-1}", "\"refused_at\""},
		{"{" BARE ",\"refused_at\":1.0}", "\"refused_at\""},
		{"{" BARE ",\"refused_at\":99999999999999999999}",
		 "\"refused_at\""},
		{"{" BARE ",\"vaults\":[]}", "\"vaults\""},
		{"{" BARE ",\"fetched_at\":1}", "\"fetched_at\""},
		{"{" WHO ",\"vaults\":{}}", "\"fetched_at\""},
		{"{" WHO ",\"fetched_at\":{}}", "\"vaults\""},
		{"{" BARE ",\"fetched_at\":{\"config\":1}}", "\"config\""},
		{"{" BARE ",\"vaults\":{\"monitoring\":[]}}", "\"monitoring\""},
		{"{" BARE ",\"vaults\":{\"config\":[]},"
		 "\"fetched_at\":{\"config\":0}}",
		 "\"config\""},
		{ONE("1"), "\"id\""},
		{ONE("{}"), "\"id\""},
		{ONE("{\"id\":\"\"}"), "\"description\""},
		{ONE("{\"id\":\"\",\"description\":\"\",\"data\":null}"),
		 "\"data\""},
		{ONE("{\"id\":\"\",\"description\":\"\",\"format\":1}"),
		 "\"format\""},
		{ONE("{\"id\":\"\",\"description\":\"\",\"last_update\":1}"),
		 "\"last_update\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
		_cleanup_(mem_freep) char *reason = NULL;

		seal(&bytes, rows[i].json);
		reason = reason_of(buf_str(&bytes));
		if (!strstr(reason, rows[i].reason))
			fail_msg("%s: %s", rows[i].json, reason);
	}
}

/* A later clearconf of the same format may say more. */
static void keys_that_nobody_knows_do_no_harm(void **state)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct cache_entry entry;

	(void)state;
	seal(&bytes, "{" BARE ",\"new\":[{\"x\":null}]}");
	assert_true(is_read(&entry, buf_str(&bytes)));
	assert_string_equal(entry.access_key, "k");
	cache_entry_deinit(&entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_survives),
		cmocka_unit_test(what_is_not_known_stays_so),
		cmocka_unit_test(an_empty_list_is_not_a_missing_one),
		cmocka_unit_test(a_thousand_vaults_survive),
		cmocka_unit_test(every_byte_of_data_survives),
		cmocka_unit_test(the_oldest_answer_counts),
		cmocka_unit_test(times_are_no_content),
		cmocka_unit_test(no_changed_byte_is_accepted),
		cmocka_unit_test(no_shorter_file_is_accepted),
		cmocka_unit_test(no_longer_file_is_accepted),
		cmocka_unit_test(a_complaint_says_what_is_wrong),
		cmocka_unit_test(nonsense_is_refused_where_it_stands),
		cmocka_unit_test(keys_that_nobody_knows_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
