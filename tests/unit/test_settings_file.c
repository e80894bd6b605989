#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/scratch.h"
#include "base/diag.h"
#include "base/mem.h"
#include "settings/settings.h"

#define FILE_NAME "clearconfd.conf"

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

static void write_bytes(const char *bytes, size_t len)
{
	FILE *file = fopen(FILE_NAME, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
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

static void assert_file_refused(uint32_t line, uint32_t column,
				const char *reason)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	assert_null(settings_load(FILE_NAME, &diag));
	assert_string_equal(diag.source, FILE_NAME);
	if (!strstr(diag.text, reason))
		fail_msg("'%s' instead of '%s'", diag.text, reason);
	if (diag.pos.line != line || diag.pos.column != column)
		fail_msg("%u:%u instead of %u:%u: %s", diag.pos.line,
			 diag.pos.column, line, column, diag.text);
}

static void assert_refused(const char *text, uint32_t line, uint32_t column,
			   const char *reason)
{
	scratch_write(FILE_NAME, text);
	assert_file_refused(line, column, reason);
}

#define W "[workspace a]\napi_server = http://x\n"
static const struct {
	const char *text;
	uint32_t line, column;
	const char *reason;
} refusals[] = {
	{"[nothing]\n", 1, 1, "unknown section"},
	{"\n[nothing]", 2, 1, "unknown section"},
	{"[Daemon]\n", 1, 1, "unknown section"},
	{"[ daemon ]\n", 1, 1, "unknown section"},
	{"[]\n", 1, 1, "unknown section"},
	{"[workspace]\n", 1, 1, "unknown section"},
	{"[workspace ]\n", 1, 1, "name"},
	{"[workspace a b]\n", 1, 1, "name"},
	{"[workspace ../x]\n", 1, 1, "name"},
	{"[workspace \xc3\xa9]\n", 1, 1, "name"},
	{"[daemon\nsocket = x\n", 1, 1, "expected ']'"},
	{"[daemon] x = 1\n", 1, 10, "nothing may follow"},
	{"socket = x\n[daemon]\n", 1, 1, "before the first"},
	{"; c\n\nmode = x\n", 3, 1, "before the first"},
	{"[daemon]\nsokcet = x\n", 2, 1,
	 "unknown key: sokcet (is 'socket' meant?)"},
	{"[poll]\nintervall = 1s\n", 2, 1,
	 "unknown key: intervall (is 'interval' meant?)"},
	{"[workspace a]\naccess_kye = x\n", 2, 1,
	 "unknown key: access_kye (is 'access_key' meant?)"},
	{"[pol]\n", 1, 1, "unknown section (is 'poll' meant?)"},
	{"[daemon]\nSocket = x\n", 2, 1, "unknown key"},
	{"[daemon]\ninterval = 1s\n", 2, 1, "unknown key"},
	{"[daemon]\n= x\n", 2, 1, "unknown key"},
	{"[daemon]\n: x\n", 2, 1, "unknown key"},
	{W "interval = 1s\n", 3, 1, "unknown key"},
	{"[daemon]\nsocket\n", 2, 1, "expected `key = value`"},
	{"[daemon]\nsocket ; = x\n", 2, 1, "expected `key = value`"},
	{"[daemon]\nx\nmode = y\n", 2, 1, "expected `key = value`"},
	{"[daemon]\nmode = bogus\n", 2, 8, "mode: expected"},
	{"[daemon]\nmode=bogus\n", 2, 6, "mode: expected"},
	{"[daemon]\nmode\t:\tbogus\n", 2, 8, "mode: expected"},
	{"[daemon]\nmode =\n", 2, 7, "mode: expected"},
	{"[daemon]\r\nmode =\r\n", 2, 7, "mode: expected"},
	{"[poll]\ninterval = 60\n", 2, 12, "interval: expected"},
	{W "active = maybe\n", 3, 10, "active: expected"},
	{"[workspace a]\napi_server = localhost:8008\n", 2, 14,
	 "api_server: expected a URL with its scheme"},
	{W "secret_key = hush\n", 3, 1, "secret_key_file"},
	{"[site]\netcd = a:2379\n", 2, 8, "http:// or https://"},
	{"[site]\netcd = https://a:1 https:///\n", 2, 8, "https:// URLs"},
	{"[site]\netcd = http://a:1\netcd = ftp://a\n", 3, 8, "https:// URLs"},
	{"[site]\netcd = https://me:pw@a:1\n", 2, 8, "`password_file`"},
	{"[site]\netcd = https://a:1/v3\n", 2, 8, "ends with its port"},
	{"[site]\nprefix =\n", 2, 9, "an empty prefix"},
	{"[site]\ngroups = gpu a/b\n", 2, 10, "no '/'"},
	{"[site]\nca = nowhere.pem\n", 2, 6, "nowhere.pem: No such file"},
	{"[site]\ncert = clearconfd.conf\n[mask]\nadd = x\n", 2, 1,
	 "a `cert` needs a `key`"},
	{"[mask]\nadd = ^a|b$ (c{2}\n", 2, 7, "add: expected 64 patterns"},
	{"[mask]\nadd = a\nadd = (b)\\1\n", 3, 7, "clearconfd.conf(5)"},
	{"[mask]\nadd = a1 a2 a3 a4 a5 a6 a7 a8 a9 b1 b2 b3 b4 b5 b6 b7 b8 b9\n"
	 "add = c1 c2 c3 c4 c5 c6 c7 c8 c9 d1 d2 d3 d4 d5 d6 d7 d8 d9\n"
	 "add = e1 e2 e3 e4 e5 e6 e7 e8 e9 f1 f2 f3 f4 f5 f6 f7 f8 f9\n"
	 "add = g1 g2 g3 g4 g5 g6 g7 g8 g9 h1\nadd = h2\n",
	 6, 7, "64 patterns of keys at most"},
	{"[site]\nuser = a\n", 2, 1, "a `user` needs a `password_file`"},
	{"[site]\nprobe = 10ms\n", 2, 9, "in range: 100ms to 1h"},
	{"[poll]\nstale_limit = 9999d\n", 2, 15, "in range: 0 to 3650d"},
	{"[limits]\nmessage = 2G\n", 2, 11, "in range: 1K to 1G"},
	{"[limits]\ndepth = 0\n", 2, 9, "a whole number, in range: 1 to 1000"},
	{"[workspace]\n", 1, 1, "unknown section (is 'workspace NAME' meant?)"},
	{"[daemon]\n mode = sdk\n", 2, 1, "indented"},
	{"[daemon]\n\tmode = sdk\n", 2, 1, "indented"},
	{"[local]\nfiles = a\n  b\n", 3, 1, "indented"},
	{" [local]\n", 1, 1, "indented"},
	{"[local]\nfiles = a\n\vb\n", 3, 1, "control character"},
	{"[local]\nfiles = a\n\fb\n", 3, 1, "control character"},
	{"[local]\nfiles = a\x1b[31m\n", 2, 10, "control character"},
	{"[local]\nfiles = \xc3\xa9\x7f\n", 2, 10, "control"},
	{"[local]\nfiles = a\rdefaults = b\n", 2, 10, "control"},
	{"[local]\ndefaults = \xff\n", 2, 12, "UTF-8"},
	{"[daemon]\nmode = sdk\nmode = sdk\n", 3, 1, "twice"},
	{"[daemon]\nmode = sdk\n[poll]\n[daemon]\nmode = sdk\n", 5, 1,
	 "set twice: mode"},
	{W "api_server = http://y\n", 3, 1, "set twice"},
	{W "[workspace a]\n", 3, 1, "declared twice: a"},
	{"[workspace a]\naccess_key = x\n", 1, 1, "no api_server"},
	{"[workspace a]\n" W, 1, 1, "no api_server"},
	{"[workspace a]\n[local]\n", 1, 1, "no api_server"},
	{W "[workspace b]\napi_server =\n", 3, 1, "no api_server"},
	{W "active = yes\n[workspace b]\napi_server = http://y\n"
	   "active = yes\n[workspace c]\napi_server = http://z\n",
	 4, 1, "`active`: this one and a"},
};
#undef W

static void what_is_wrong_is_said_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		assert_refused(refusals[i].text, refusals[i].line,
			       refusals[i].column, refusals[i].reason);
}

static void what_the_site_needs_is_taken(void **state)
{
	_cleanup_(settings_freep) struct settings *settings = load(
		"[site]\netcd = https://a:1/ http://b\netcd = http://[::1]:2\n"
		"cert = clearconfd.conf\nkey = clearconfd.conf\n"
		"password_file = clearconfd.conf\nuser = me\nca =\n"
		"groups = gpu lab\nprobe = 5s\n");

	(void)state;
	assert_string_equal(settings->etcd.etcd,
			    "https://a:1/ http://b http://[::1]:2");
	assert_string_equal(settings->etcd.groups, "gpu lab");
	assert_int_equal(settings->etcd.probe, 5000);
}

static void an_empty_file_means_the_defaults(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		"; only a comment",
		"# only a comment\n",
		"   \t \n",
		" ; an indented comment\n",
		"[daemon]",
		"[daemon]\n[local]\n[daemon] ; again\n[poll] # and\n[site];x\n",
		"\r\n[limits]\r\n\r\n",
		"\xef\xbb\xbf[limits]\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(settings_freep) struct settings *settings =
			load(texts[i]);

		assert_int_equal(settings->limits.history, 64);
		assert_string_equal(settings->path, scratch_at(FILE_NAME));
	}
}

static void columns_count_no_byte_order_mark(void **state)
{
	(void)state;
	assert_refused("\xef\xbb\xbf[daemon] x\n", 1, 10, "nothing may follow");
	assert_refused("\xef\xbb\xbf\xef\xbb\xbf[daemon]\n", 1, 1, "expected");
}

static void windows_line_ends_change_nothing(void **state)
{
	_cleanup_(settings_freep) struct settings *settings =
		load("[daemon]\r\nsocket = /a b\r\nmode = sdk\r\n[local]\r\n"
		     "files = x ; y\r\nfiles = z\r");

	(void)state;
	assert_string_equal(settings->socket, "/a b");
	assert_int_equal(settings->mode, MODE_SDK);
	assert_string_equal(settings->files, "x z");
}

static void comments_begin_with_a_blank(void **state)
{
	_cleanup_(settings_freep) struct settings *settings =
		load("[daemon]\nsocket = /a;b\nstate_dir = /c ;d ; e\n"
		     "[local]\nfiles = ; nothing\ndefaults = a # b\n");

	(void)state;
	assert_string_equal(settings->socket, "/a;b");
	assert_string_equal(settings->state_dir, "/c");
	assert_string_equal(settings->files, "");
	assert_string_equal(settings->defaults, "a # b");
}

/* @len bytes without the line end, of one key whose value is long. */
static void write_line(size_t len)
{
	char line[400] = "[local]\nfiles = ";

	memset(line + 16, 'x', len - 8);
	line[8 + len] = '\0';
	scratch_write(FILE_NAME, line);
}

static void a_line_is_refused_when_inih_would_split_it(void **state)
{
	_cleanup_(settings_freep) struct settings *settings = NULL;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	(void)state;
	write_line(197);
	settings = settings_load(FILE_NAME, &diag);
	assert_non_null(settings);
	assert_int_equal(strlen(settings->files), 197 - 8);
	write_line(198);
	assert_file_refused(2, 1, "197 bytes");
	write_line(300);
	assert_file_refused(2, 1, "197 bytes");
}

static void a_long_comment_is_a_long_line(void **state)
{
	char text[302] = ";";

	(void)state;
	memset(text + 1, ' ', 300);
	assert_refused(text, 1, 1, "197 bytes");
}

/* A workspace whose name has @len bytes. */
static void write_section(size_t len)
{
	char name[64] = "", text[128];

	assert_true(len < sizeof(name));
	memset(name, 'n', len);
	(void)snprintf(text, sizeof(text),
		       "[workspace %s]\napi_server = http://x\n", name);
	scratch_write(FILE_NAME, text);
}

static void a_section_name_has_49_bytes(void **state)
{
	_cleanup_(settings_freep) struct settings *settings = NULL;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	(void)state;
	write_section(39);
	settings = settings_load(FILE_NAME, &diag);
	assert_non_null(settings);
	assert_int_equal(strlen(settings->workspaces[0].name), 39);
	write_section(40);
	assert_file_refused(1, 1, "49 bytes");
}

static void a_nul_is_refused(void **state)
{
	static const char text[] = "[local]\nfiles = a\0b\n";

	(void)state;
	write_bytes(text, sizeof(text) - 1);
	assert_file_refused(2, 10, "control character");
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	(void)unlink(FILE_NAME);
	assert_file_refused(0, 0, "not there");
	assert_int_equal(mkdir(FILE_NAME, 0700), 0);
	assert_file_refused(0, 0, "no file");
	assert_int_equal(rmdir(FILE_NAME), 0);
	scratch_link("nowhere", FILE_NAME);
	assert_file_refused(0, 0, "not there");
	assert_int_equal(unlink(FILE_NAME), 0);
	assert_int_equal(mkfifo(FILE_NAME, 0600), 0);
	assert_file_refused(0, 0, "no file");
	assert_int_equal(unlink(FILE_NAME), 0);
}

static void two_megabytes_are_too_much(void **state)
{
	size_t len = (size_t)2 << 20;
	_cleanup_(mem_freep) char *bytes = mem_alloc(len);

	(void)state;
	memset(bytes, '\n', len);
	write_bytes(bytes, len);
	assert_file_refused(0, 0, "larger than the limit");
}

/* Kubernetes swaps the folder behind the link: what is relative to the file is
 * meant relative to where the user put it. */
static void the_path_is_the_one_that_was_given(void **state)
{
	_cleanup_(settings_freep) struct settings *settings = NULL;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	(void)state;
	scratch_folder("real");
	scratch_write("real/x.conf", "[daemon]\n");
	scratch_link("real/x.conf", "link.conf");
	settings = settings_load("link.conf", &diag);
	assert_non_null(settings);
	assert_string_equal(settings->path, scratch_at("link.conf"));
}

static void no_message_quotes_a_value(void **state)
{
	static const char *const texts[] = {
		"[daemon]\nmode = hunter2\n",
		"[workspace a]\naccess_key = hunter2\naccess_key = hunter2\n",
		"[workspace a]\nactive = hunter2\n",
		"[poll]\ninterval = hunter2\n",
		"[daemon]\n hunter2\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

		scratch_write(FILE_NAME, texts[i]);
		assert_null(settings_load(FILE_NAME, &diag));
		assert_null(strstr(diag.text, "hunter2"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
		cmocka_unit_test(what_the_site_needs_is_taken),
		cmocka_unit_test(an_empty_file_means_the_defaults),
		cmocka_unit_test(columns_count_no_byte_order_mark),
		cmocka_unit_test(windows_line_ends_change_nothing),
		cmocka_unit_test(comments_begin_with_a_blank),
		cmocka_unit_test(a_line_is_refused_when_inih_would_split_it),
		cmocka_unit_test(a_long_comment_is_a_long_line),
		cmocka_unit_test(a_section_name_has_49_bytes),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(two_megabytes_are_too_much),
		cmocka_unit_test(the_path_is_the_one_that_was_given),
		cmocka_unit_test(no_message_quotes_a_value),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
