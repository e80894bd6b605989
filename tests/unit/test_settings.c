#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/scratch.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/share.h"
#include "read/reader.h"
#include "settings/settings.h"

#define FILE_NAME "clearconfd.conf"
#define SECOND    INT64_C(1000)
#define MIB       (INT64_C(1) << 20)

/* What clearconfd.conf(5) tells users. */
static const char documented[] =
	"[daemon]\n"
	";socket = /run/clearconf/clearconf.sock\n"
	";state_dir = /var/lib/clearconf\n"
	";mode = agent\n"
	";log_level = info\n"
	"\n"
	"[local]\n"
	";files =                 ; repeat the key or separate by blanks\n"
	";defaults =\n"
	";site = /etc/clearconf/site.d\n"
	";vault_environment = HOME USER LOGNAME HOSTNAME LANG   ; and *\n"
	"\n"
	"[resolve]\n"
	";dialect = clearml       ; or strict\n"
	"\n"
	"[change]\n"
	";stage = off            ; or 10 % for 10m\n"
	"\n"
	"[poll]\n"
	";interval = 60s          ; vaults and profile\n"
	";jitter = 20%\n"
	";timeout = 10s\n"
	";backoff_max = 15m\n"
	";stale_limit = 30d       ; 0 = no limit\n"
	";revoked_grace = 10m     ; after the server starts refusing\n"
	"\n"
	"[access]\n"
	";read = group:clearml\n"
	";secrets = group:clearml-secrets\n"
	";admin =\n"
	"\n"
	"[mask]\n"
	";add =\n"
	"\n"
	"[limits]\n"
	";connections_per_user = 1024    ; root is charged too\n"
	";watchers_per_user = 1024\n"
	";bytes_per_user = 16M\n"
	";environment_calls = 20         ; a second and user\n"
	";message = 1M\n"
	";document = 16M\n"
	";response = 64M                 ; decoded\n"
	";depth = 128\n"
	";history = 64\n"
	";history_bytes = 32M\n"
	"\n"
	"[workspace research]\n"
	"api_server = https://api.example.com\n"
	"web_server = https://app.example.com\n"
	"files_server = https://files.example.com\n"
	"access_key = ...\n"
	"secret_key_file = research       ; $CREDENTIALS_DIRECTORY\n"
	"active = yes\n"
	"inject = yes                     ; merge these as `api.*`\n"
	"\n"
	"[site]\n"
	";etcd = https://a.example.com:2379\n";

static int set_up(void **state)
{
	(void)state;
	scratch_enter();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_leave();
	return 0;
}

/* The caller's; it must be fine. */
static struct settings *load(const char *text)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct settings *settings;

	scratch_write(FILE_NAME, text);
	settings = settings_load(FILE_NAME, &diag);
	if (!settings)
		fail_msg("%s:%u:%u: %s", diag.source, diag.pos.line,
			 diag.pos.column, diag.text);
	return settings;
}

static void every_default_is_the_documented_one(void **state)
{
	_cleanup_(settings_freep) struct settings *s = settings_new();
	const struct {
		int64_t is, should_be;
	} numbers[] = {
		{s->mode, MODE_AGENT},
		{s->log_level, LOG_LEVEL_INFO},
		{s->dialect, READ_CLEARML},
		{s->stage.share, SHARE_WHOLE},
		{s->interval, 60 * SECOND},
		{s->jitter, 20},
		{s->timeout, 10 * SECOND},
		{s->backoff_max, 900 * SECOND},
		{s->stale_limit, 2592000 * SECOND},
		{s->revoked_grace, 600 * SECOND},
		{s->limits.connections_per_user, 1024},
		{s->limits.watchers_per_user, 1024},
		{s->limits.bytes_per_user, 16 * MIB},
		{s->limits.environment_calls, 20},
		{s->limits.message, 1 * MIB},
		{s->limits.document, 16 * MIB},
		{s->limits.response, 64 * MIB},
		{s->limits.depth, 128},
		{s->limits.history, 64},
		{s->limits.history_bytes, 32 << 20},
		{s->etcd.probe, 400},
	};
	const char *const texts[] = {
		s->path,
		s->socket,
		s->state_dir,
		s->files,
		s->defaults,
		s->site,
		s->vault_environment,
		s->read,
		s->secrets,
		s->admin,
		s->mask_add,
		s->etcd.etcd,
		s->etcd.ca,
		s->etcd.cert,
		s->etcd.key,
		s->etcd.user,
		s->etcd.password_file,
		s->etcd.groups,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_true(numbers[i].is == numbers[i].should_be);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_null(texts[i]);
	assert_string_equal(s->etcd.prefix, "/clearconf/site/");
	assert_int_equal(s->workspace_count, 0);
	assert_null(s->workspaces);
}

/* All that is no text and depends on no host. */
static void assert_numbers_equal(const struct settings *a,
				 const struct settings *b)
{
	assert_true(a->mode == b->mode && a->log_level == b->log_level);
	assert_true(a->dialect == b->dialect && a->interval == b->interval);
	assert_true(a->timeout == b->timeout && a->jitter == b->jitter);
	assert_true(a->backoff_max == b->backoff_max);
	assert_true(a->stale_limit == b->stale_limit);
	assert_true(a->revoked_grace == b->revoked_grace);
	assert_true(a->limits.connections_per_user ==
		    b->limits.connections_per_user);
	assert_true(a->limits.watchers_per_user == b->limits.watchers_per_user);
	assert_true(a->limits.bytes_per_user == b->limits.bytes_per_user);
	assert_true(a->limits.environment_calls == b->limits.environment_calls);
	assert_true(a->limits.message == b->limits.message &&
		    a->limits.document == b->limits.document);
	assert_true(a->limits.response == b->limits.response &&
		    a->limits.depth == b->limits.depth);
	assert_true(a->limits.history == b->limits.history);
}

/* With the keys that the documentation shows commented out, or without. */
static void the_documented_file_states_the_defaults(void **state)
{
	_cleanup_(settings_freep) struct settings *defaults = settings_new();
	_cleanup_(settings_freep) struct settings *commented = load(documented);
	_cleanup_(settings_freep) struct settings *stated = NULL;
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	(void)state;
	for (const char *c = documented; *c; c++)
		if (*c != ';' || (c > documented && c[-1] != '\n'))
			buf_putc(&text, *c);
	stated = load(buf_str(&text).ptr);
	assert_numbers_equal(commented, defaults);
	assert_numbers_equal(stated, defaults);
	assert_null(commented->socket);
	assert_string_equal(stated->socket, "/run/clearconf/clearconf.sock");
	assert_string_equal(stated->state_dir, "/var/lib/clearconf");
	assert_string_equal(stated->files, "");
	assert_string_equal(stated->vault_environment,
			    "HOME USER LOGNAME HOSTNAME LANG");
	assert_string_equal(stated->read, "group:clearml");
	assert_string_equal(stated->admin, "");
	assert_string_equal(stated->etcd.etcd, "https://a.example.com:2379");
}

static void a_workspace_is_read_whole(void **state)
{
	_cleanup_(settings_freep) struct settings *settings =
		load("[workspace a.b_C-1]\n"
		     "api_server : https://api.example.com:8008/x?y=z\n"
		     "[workspace other] ; a comment\n"
		     "api_server=https://b\n"
		     "web_server=https://w\n"
		     "files_server=https://f\n"
		     "access_key = A=B:C\n"
		     "secret_key_file = key ; not this\n"
		     "verify_certificate = /etc/ca.pem\n"
		     "active = ON\n"
		     "inject = no\n"
		     "read = user:x\n"
		     "read = group:y group:z\n"
		     "secrets =\n");
	const struct workspace_settings *first = settings->workspaces;
	const struct workspace_settings *other = first + 1;

	(void)state;
	assert_int_equal(settings->workspace_count, 2);
	assert_string_equal(first->name, "a.b_C-1");
	assert_string_equal(first->api_server,
			    "https://api.example.com:8008/x?y=z");
	assert_false(first->active);
	assert_true(first->inject);
	assert_null(first->read);
	assert_string_equal(other->name, "other");
	assert_string_equal(other->access_key, "A=B:C");
	assert_string_equal(other->secret_key_file, "key");
	assert_string_equal(other->verify_certificate, "/etc/ca.pem");
	assert_true(other->active);
	assert_false(other->inject);
	assert_string_equal(other->read, "user:x group:y group:z");
	assert_string_equal(other->secrets, "");
	assert_null(other->admin);
}

static void numbers_take_their_units(void **state)
{
	static const struct {
		const char *key, *value;
		int64_t number; /* -1: refused */
	} cases[] = {
		{"interval", "100ms", 100},
		{"interval", "2s", 2000},
		{"interval", "3m", 180000},
		{"interval", "1h", 3600000},
		{"interval", "7d", 604800000},
		{"interval", "1w", 604800000},
		{"interval", "007s", 7000},
		{"interval", "99ms", -1},
		{"interval", "8d", -1},
		{"interval", "0", -1},
		{"interval", "60", -1},
		{"interval", "60 s", -1},
		{"interval", "60S", -1},
		{"interval", "1.5m", -1},
		{"interval", "-1s", -1},
		{"interval", "+1s", -1},
		{"interval", "0x10s", -1},
		{"interval", "s", -1},
		{"interval", "", -1},
		{"interval", "60s # no comment", -1},
		{"interval", "99999999999999999999s", -1},
		{"interval", "9223372036854775807w", -1},
		{"stale_limit", "0", 0},
		{"stale_limit", "0s", 0},
		{"stale_limit", "3650d", 315360000000},
		{"stale_limit", "3651d", -1},
		{"jitter", "0%", 0},
		{"jitter", "100%", 100},
		{"jitter", "5", 5},
		{"jitter", "101%", -1},
		{"jitter", "5s", -1},
	};
	_cleanup_(settings_freep) struct settings *settings = settings_new();
	int64_t is;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool good = settings_set(settings, "poll", cases[i].key,
					 cases[i].value);

		if (good != (cases[i].number >= 0))
			fail_msg("%s = %s", cases[i].key, cases[i].value);
		is = cases[i].key[0] == 'i'   ? settings->interval
		     : cases[i].key[0] == 'j' ? settings->jitter
					      : settings->stale_limit;
		if (good && is != cases[i].number)
			fail_msg("%s = %s", cases[i].key, cases[i].value);
	}
}

static void a_stage_is_a_share_and_a_time(void **state)
{
	static const struct {
		const char *text;
		int64_t share, wait; /* 0: it is refused */
	} cases[] = {
		{"off", SHARE_WHOLE, 0},
		{"10 % for 10m", 1000, 600 * SECOND},
		{"10% for 10m", 1000, 600 * SECOND},
		{"  0.5 %  for  1h ", 50, 3600 * SECOND},
		{"0.01 % for 1s", 1, SECOND},
		{"12.34% for 100ms", 1234, 100},
		{"100 % for 30d", SHARE_WHOLE, 2592000 * SECOND},
		{"", 0, 0},
		{"on", 0, 0},
		{"10%for", 0, 0},
		{"10%for 10m", 0, 0},
		{"10 % for", 0, 0},
		{"10 % for ", 0, 0},
		{"10 % for 10", 0, 0},
		{"10 for 10m", 0, 0},
		{"% for 10m", 0, 0},
		{"0 % for 10m", 0, 0},
		{"0.00 % for 10m", 0, 0},
		{"0.001 % for 10m", 0, 0},
		{"1. % for 10m", 0, 0},
		{".5 % for 10m", 0, 0},
		{"1.2.3 % for 10m", 0, 0},
		{"-1 % for 10m", 0, 0},
		{"+1 % for 10m", 0, 0},
		{"100.01 % for 10m", 0, 0},
		{"110 % for 10m", 0, 0},
		{"18446744073709551617 % for 10m", 0, 0},
		{"10 % for 99ms", 0, 0},
		{"10 % for 31d", 0, 0},
		{"10 % for 10m for 10m", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(settings_freep) struct settings *s = settings_new();

		if (settings_set(s, "change", "stage", cases[i].text) !=
		    (cases[i].share != 0))
			fail_msg("stage = %s", cases[i].text);
		if (cases[i].share && (s->stage.share != cases[i].share ||
				       s->stage.wait != cases[i].wait))
			fail_msg("stage = %s", cases[i].text);
	}
}

static void sizes_and_counts_have_limits(void **state)
{
	static const struct {
		const char *key, *value;
		bool good;
	} cases[] = {
		{"message", "1024", true},   {"message", "1023", false},
		{"message", "1K", true},     {"message", "1G", true},
		{"message", "1025M", false}, {"message", "1k", false},
		{"message", "1MB", false},   {"message", "0", false},
		{"depth", "1", true},        {"depth", "1000", true},
		{"depth", "1001", false},    {"depth", "0", false},
		{"depth", "1K", false},      {"history", "1", true},
		{"history", "0", false},     {"history", "64.0", false},
		{"nothing", "1", false},
	};
	_cleanup_(settings_freep) struct settings *settings = settings_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (settings_set(settings, "limits", cases[i].key,
				 cases[i].value) != cases[i].good)
			fail_msg("%s = %s", cases[i].key, cases[i].value);
	assert_false(settings_set(settings, "limits", "message", "2G"));
	assert_true(settings_set(settings, "daemon", "mode", "sdk"));
	assert_int_equal(settings->mode, MODE_SDK);
	assert_false(settings_set(settings, "daemon", "mode", "SDK"));
	assert_false(settings_set(settings, "daemon", "mode", ""));
	assert_true(settings_set(settings, "daemon", "log_level", "debug"));
	assert_int_equal(settings->log_level, LOG_LEVEL_DEBUG);
	assert_true(settings_set(settings, "resolve", "dialect", "strict"));
	assert_int_equal(settings->dialect, READ_STRICT);
}

static void lists_grow_over_lines_and_sections(void **state)
{
	_cleanup_(settings_freep) struct settings *settings =
		load("[local]\nfiles =\nfiles = a b\nfiles = c\n[mask]\n"
		     "add = ^x$\n[local]\nfiles = d\n");

	(void)state;
	assert_string_equal(settings->files, "a b c d");
	assert_string_equal(settings->mask_add, "^x$");
}

static void assert_refused(struct buf *text, const char *problem)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	scratch_write(FILE_NAME, buf_str(text).ptr);
	assert_null(settings_load(FILE_NAME, &diag));
	assert_string_equal(diag.text, problem);
}

/* Each of them looks at those before it. */
static void lists_and_workspaces_have_an_end(void **state)
{
	_cleanup_(buf_deinit) struct buf list = BUF_INIT, declared = BUF_INIT;

	(void)state;
	buf_puts(&list, "[local]\n");
	for (int i = 0; i < 70000; i++)
		buf_printf(&list, "files = %d\n", i);
	assert_refused(&list, "this list is longer than 64 KiB: files");
	for (int i = 0; i < 20000; i++)
		buf_printf(&declared, "[workspace %d]\napi_server = http://h\n",
			   i);
	assert_refused(&declared, "there are more than 1000 workspaces");
}

static void what_is_read_at_the_start_alone_needs_a_restart(void **state)
{
	static const struct {
		const char *section, *key, *value;
		bool restart;
	} cases[] = {
		{"daemon", "socket", "/s", true},
		{"daemon", "state_dir", "/d", true},
		{"daemon", "mode", "sdk", true},
		{"daemon", "log_level", "debug", false},
		{"limits", "history", "7", true},
		{"limits", "history_bytes", "7M", true},
		{"limits", "message", "7M", false},
		{"local", "files", "/f", false},
		{"poll", "interval", "7s", false},
		{"site", "etcd", "http://e:1", false},
	};
	_cleanup_(settings_freep) struct settings *old = settings_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(settings_freep) struct settings *new = settings_new();

		assert_false(settings_need_restart(old, new));
		assert_true(settings_set(new, cases[i].section, cases[i].key,
					 cases[i].value));
		assert_int_equal(settings_need_restart(old, new),
				 cases[i].restart);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_default_is_the_documented_one),
		cmocka_unit_test(the_documented_file_states_the_defaults),
		cmocka_unit_test(a_workspace_is_read_whole),
		cmocka_unit_test(numbers_take_their_units),
		cmocka_unit_test(a_stage_is_a_share_and_a_time),
		cmocka_unit_test(sizes_and_counts_have_limits),
		cmocka_unit_test(lists_grow_over_lines_and_sections),
		cmocka_unit_test(lists_and_workspaces_have_an_end),
		cmocka_unit_test(
			what_is_read_at_the_start_alone_needs_a_restart),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
