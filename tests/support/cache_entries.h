#ifndef SUPPORT_CACHE_ENTRIES_H
#define SUPPORT_CACHE_ENTRIES_H

/*
 * Entries of the cache for tests: one that has everything, and what two of them
 * have in common. Include it after cmocka.h.
 */

#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"
#include "fetch/cache_entry.h"
#include "fetch/vault.h"

/* The secret that no complaint may show. */
#define ENTRY_SECRET "swordfish"

static const struct vault entry_config[] = {
	{"b1", "team", "hocon", "config", "group", "2026-11-24T07:48:56",
	 STR("a: 1\n# \xC3\xA9 \xF0\x9F\x98\x80 \"quoted\" \\ \x01\x7F\n")},
	{"a2", "", NULL, NULL, NULL, NULL, {0}},
	{"a2", "again", "json", NULL, "user", NULL, STR("")},
	{"", "NUL", "yaml", "config", "organization", "",
	 STR("x\0y\0" ENTRY_SECRET), "gpu"},
};

static const struct vault entry_monitoring[] = {
	{"m", "monitor", "hocon", "monitoring", "user", NULL, STR("b: 2")},
};

#define ENTRY_REVISION(c) c c c c
#define ENTRY_WAITS                                                            \
	{                                                                      \
		ENTRY_REVISION("0123abcd"), ENTRY_REVISION("4567cdef"),        \
			1795498000, true                                       \
	}

static inline struct cache_entry entry_full(void)
{
	return (struct cache_entry){
		.workspace = "research",
		.api_server = "https://api.example.com/x?y=\"z\"",
		.company_id = "c1",
		.access_key = "KEY",
		.user_id = "u1",
		.user_name = "Zo\xC3\xAB",
		.company_name = "Example",
		.refused_at = 1795500000,
		.feeds = {{1795499000, entry_config, ARRAY_SIZE(entry_config),
			   ENTRY_WAITS},
			  {1795499001, entry_monitoring,
			   ARRAY_SIZE(entry_monitoring)}},
	};
}

static inline struct cache_entry entry_bare(void)
{
	return (struct cache_entry){
		.workspace = "w",
		.api_server = "s",
		.company_id = "",
		.access_key = "",
	};
}

static inline void entry_bytes(const struct cache_entry *entry,
			       struct buf *bytes)
{
	_cleanup_(buf_deinit) struct buf content = BUF_INIT;
	int64_t times[VAULT_FEEDS];

	for (size_t i = 0; i < VAULT_FEEDS; i++)
		times[i] = entry->feeds[i].fetched_at;
	cache_entry_describe(entry, &content);
	cache_entry_compose(bytes, buf_str(&content), times);
	cache_entry_seal(bytes);
}

static inline void entry_assert_text(const char *a, const char *b)
{
	if (a && b)
		assert_string_equal(a, b);
	else
		assert_true(a == b);
}

static inline void entry_assert_same_vault(const struct vault *a,
					   const struct vault *b)
{
	entry_assert_text(a->id, b->id);
	entry_assert_text(a->description, b->description);
	entry_assert_text(a->format, b->format);
	entry_assert_text(a->type, b->type);
	entry_assert_text(a->scope, b->scope);
	entry_assert_text(a->owner, b->owner);
	entry_assert_text(a->last_update, b->last_update);
	if (a->data.ptr && b->data.ptr)
		assert_true(str_equal(a->data, b->data));
	else
		assert_true(a->data.ptr == b->data.ptr);
}

static inline void entry_assert_same(const struct cache_entry *a,
				     const struct cache_entry *b)
{
	entry_assert_text(a->workspace, b->workspace);
	entry_assert_text(a->api_server, b->api_server);
	entry_assert_text(a->company_id, b->company_id);
	entry_assert_text(a->access_key, b->access_key);
	entry_assert_text(a->user_id, b->user_id);
	entry_assert_text(a->user_name, b->user_name);
	entry_assert_text(a->company_name, b->company_name);
	assert_int_equal(a->refused_at, b->refused_at);
	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		assert_int_equal(a->feeds[i].fetched_at,
				 b->feeds[i].fetched_at);
		assert_int_equal(a->feeds[i].count, b->feeds[i].count);
		assert_memory_equal(&a->feeds[i].arrival, &b->feeds[i].arrival,
				    sizeof(a->feeds[i].arrival));
		for (size_t j = 0; j < a->feeds[i].count; j++)
			entry_assert_same_vault(&a->feeds[i].vaults[j],
						&b->feeds[i].vaults[j]);
	}
}

/* Refused, with a reason that is one line and shows nothing. */
static inline void entry_assert_complaint(const struct diag *diag,
					  const char *where)
{
	assert_true(diag_failed(diag));
	assert_string_equal(diag->source, where);
	assert_null(diag->excerpt);
	assert_true(strlen(diag->text) > 10);
	assert_null(strstr(diag->text, ENTRY_SECRET));
	assert_null(strchr(diag->text, '\n'));
}

#endif
