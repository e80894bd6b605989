/* Files of the cache: the input as it is, and the input under a first line that
 * is right. What is accepted is written and read to the same again. */

#include "fetch/cache_entry.h"
#include "fetch/vault.h"
#include "fuzz_text.h"

static void rewrite(const struct cache_entry *entry, struct buf *bytes)
{
	_cleanup_(buf_deinit) struct buf content = BUF_INIT;
	int64_t times[VAULT_FEEDS];

	for (size_t i = 0; i < VAULT_FEEDS; i++)
		times[i] = entry->feeds[i].fetched_at;
	cache_entry_describe(entry, &content);
	cache_entry_compose(bytes, buf_str(&content), times);
	cache_entry_seal(bytes);
}

static void check_accepted(const struct cache_entry *entry)
{
	_cleanup_(buf_deinit) struct buf once = BUF_INIT, twice = BUF_INIT;
	_cleanup_(cache_entry_deinit) struct cache_entry again = {0};

	rewrite(entry, &once);
	assert(cache_entry_read(&again, "again", buf_str(&once), NULL));
	rewrite(&again, &twice);
	assert(str_equal(buf_str(&once), buf_str(&twice)));
}

static void check(struct str bytes)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};

	if (cache_entry_read(&entry, "input", bytes, &diag))
		check_accepted(&entry);
	else
		assert(diag_failed(&diag) && !diag.excerpt);
}

static void test(struct str input)
{
	_cleanup_(buf_deinit) struct buf sealed = BUF_INIT;
	const int64_t never[VAULT_FEEDS] = {0};

	check(input);
	cache_entry_compose(&sealed, STR("{"), never);
	sealed.len -= strlen("{\"fetched_at\":{}}\n");
	buf_add_str(&sealed, input);
	cache_entry_seal(&sealed);
	check(buf_str(&sealed));
}

FUZZ_TARGET("cache", test)
