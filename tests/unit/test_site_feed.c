#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "settings/settings.h"
#include "settings/settings_table.h"
#include "site/site_docs.h"
#include "site/site_feed.h"

static struct settings *some_settings(void)
{
	struct settings *settings = settings_new();

	settings->path = mem_strdup("/etc/clearconf/clearconfd.conf");
	assert_true(settings_set(settings, "site", "etcd", "http://a:1"));
	assert_true(settings_set(settings, "site", "user", "root"));
	assert_true(settings_set(settings, "site", "password_file", "/f"));
	return settings;
}

/* Another value than the default or that of some_settings. */
static const char *another_value(const struct settings_key *key)
{
	static const char *const values[] = {
		[TEXT] = "/other",  [WORDS] = "http://b:2/",
		[NAMES] = "root",   [PATHS] = "a.b",
		[DURATION] = "7s",  [PERCENT] = "1%",
		[SIZE] = "64K",     [COUNT] = "2",
		[PATTERNS] = "^x$", [STAGE] = "1 % for 1m",
		[BOOL] = "yes",
	};

	return key->type == CHOICE ? key->choices[1] : values[key->type];
}

static bool is_same_feed(struct settings *a, struct settings *b)
{
	_cleanup_(site_docs_deinit) struct site_docs docs_a, docs_b;
	_cleanup_(site_feed_deinit) struct site_feed feed_a, feed_b;

	site_docs_init(&docs_a, a->etcd.prefix, a->etcd.groups, "");
	site_docs_init(&docs_b, b->etcd.prefix, b->etcd.groups, "");
	site_feed_init(&feed_a, a, &docs_a);
	site_feed_init(&feed_b, b, &docs_b);
	return etcd_config_equal(&feed_a.config, &feed_b.config);
}

static void what_is_made_from_equal_settings_is_equal(void **state)
{
	_cleanup_(settings_freep) struct settings *a = some_settings();
	_cleanup_(settings_freep) struct settings *b = some_settings();

	(void)state;
	assert_true(is_same_feed(a, b));
	assert_true(settings_set(b, "site", "prefix", "/clearconf/site"));
	assert_true(is_same_feed(a, b));
}

static bool makes_the_feed(const struct settings_key *key)
{
	static const char *const names[] = {
		"poll.timeout",
		"poll.backoff_max",
		"limits.response",
	};
	_cleanup_(mem_freep) char *name =
		mem_printf("%s.%s", key->section, key->name);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strcmp(key->section, "site") &&
	       !str_starts(str_from(key->name), STR("report"));
}

static void each_setting_of_the_feed_makes_another(void **state)
{
	_cleanup_(settings_freep) struct settings *old = some_settings();

	(void)state;
	for (size_t i = 0; i < settings_table.count; i++) {
		const struct settings_key *key = &settings_table.keys[i];
		_cleanup_(settings_freep) struct settings *new =
			some_settings();

		assert_true(settings_set(new, key->section, key->name,
					 another_value(key)));
		if (is_same_feed(old, new) == makes_the_feed(key))
			fail_msg("[%s] %s", key->section, key->name);
	}
}

static void addresses_have_no_slash_at_their_end(void **state)
{
	_cleanup_(settings_freep) struct settings *settings = some_settings();
	_cleanup_(site_docs_deinit) struct site_docs docs;
	_cleanup_(site_feed_deinit) struct site_feed feed;

	(void)state;
	assert_true(settings_set(settings, "site", "etcd", "https://b:2/"));
	site_docs_init(&docs, settings->etcd.prefix, settings->etcd.groups, "");
	site_feed_init(&feed, settings, &docs);
	assert_int_equal(feed.config.nodes.endpoint_count, 2);
	assert_string_equal(feed.config.nodes.endpoints[0], "http://a:1");
	assert_string_equal(feed.config.nodes.endpoints[1], "https://b:2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_from_equal_settings_is_equal),
		cmocka_unit_test(each_setting_of_the_feed_makes_another),
		cmocka_unit_test(addresses_have_no_slash_at_their_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
