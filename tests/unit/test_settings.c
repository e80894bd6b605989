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
#include "read/reader.h"
#include "settings.h"

#define FILE_NAME "clearconfd.conf"
#define SECOND    INT64_C(1000)
#define MIB       (INT64_C(1) << 20)

/* The section "Settings file" of INTERFACE.md, as users are told. */
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

static void every_default_is_the_documented_one(void **state)
{
	_cleanup_(settings_freep) struct settings *s = settings_new();
	const struct {
		int64_t is, should_be;
	} numbers[] = {
		{s->mode,                 MODE_AGENT             },
		{s->log_level,            LOG_LEVEL_INFO         },
		{s->dialect,              READ_CLEARML           },
		{s->interval,             60 * SECOND            },
		{s->jitter,               20                     },
		{s->timeout,              10 * SECOND            },
		{s->backoff_max,          15 * 60 * SECOND       },
		{s->stale_limit,          30 * 24 * 3600 * SECOND},
		{s->revoked_grace,        10 * 60 * SECOND       },
		{s->connections_per_user, 1024                   },
		{s->watchers_per_user,    1024                   },
		{s->bytes_per_user,       16 * MIB               },
		{s->environment_calls,    20                     },
		{s->message,              1 * MIB                },
		{s->document,             16 * MIB               },
		{s->response,             64 * MIB               },
		{s->depth,                128                    },
		{s->history,              64                     },
	};
	const char *const texts[] = {
		s->path,     s->socket, s->state_dir,         s->files,
		s->defaults, s->site,   s->vault_environment, s->read,
		s->secrets,  s->admin,  s->mask_add,          s->etcd,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_true(numbers[i].is == numbers[i].should_be);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_null(texts[i]);
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
	assert_true(a->connections_per_user == b->connections_per_user);
	assert_true(a->watchers_per_user == b->watchers_per_user);
	assert_true(a->bytes_per_user == b->bytes_per_user);
	assert_true(a->environment_calls == b->environment_calls);
	assert_true(a->message == b->message && a->document == b->document);
	assert_true(a->response == b->response && a->depth == b->depth);
	assert_true(a->history == b->history);
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
	assert_string_equal(stated->etcd, "https://a.example.com:2379");
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
		{"interval",    "100ms",                 100         },
		{"interval",    "2s",                    2000        },
		{"interval",    "3m",                    180000      },
		{"interval",    "1h",                    3600000     },
		{"interval",    "7d",                    604800000   },
		{"interval",    "1w",                    604800000   },
		{"interval",    "007s",                  7000        },
		{"interval",    "99ms",                  -1          },
		{"interval",    "8d",                    -1          },
		{"interval",    "0",                     -1          },
		{"interval",    "60",                    -1          },
		{"interval",    "60 s",                  -1          },
		{"interval",    "60S",                   -1          },
		{"interval",    "1.5m",                  -1          },
		{"interval",    "-1s",                   -1          },
		{"interval",    "+1s",                   -1          },
		{"interval",    "0x10s",                 -1          },
		{"interval",    "s",                     -1          },
		{"interval",    "",                      -1          },
		{"interval",    "60s # no comment",      -1          },
		{"interval",    "99999999999999999999s", -1          },
		{"interval",    "9223372036854775807w",  -1          },
		{"stale_limit", "0",                     0           },
		{"stale_limit", "0s",                    0           },
		{"stale_limit", "3650d",                 315360000000},
		{"stale_limit", "3651d",                 -1          },
		{"jitter",      "0%",                    0           },
		{"jitter",      "100%",                  100         },
		{"jitter",      "5",                     5           },
		{"jitter",      "101%",                  -1          },
		{"jitter",      "5s",                    -1          },
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

static void sizes_and_counts_have_limits(void **state)
{
	static const struct {
		const char *key, *value;
		bool good;
	} cases[] = {
		{"message", "1024",  true },
                {"message", "1023",  false},
		{"message", "1K",    true },
                {"message", "1G",    true },
		{"message", "1025M", false},
                {"message", "1k",    false},
		{"message", "1MB",   false},
                {"message", "0",     false},
		{"depth",   "1",     true },
                {"depth",   "1000",  true },
		{"depth",   "1001",  false},
                {"depth",   "0",     false},
		{"depth",   "1K",    false},
                {"history", "1",     true },
		{"history", "0",     false},
                {"history", "64.0",  false},
		{"nothing", "1",     false},
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

static void what_is_wrong_is_said_with_its_place(void **state)
{
#define W "[workspace a]\napi_server = x\n"
	static const struct {
		const char *text;
		uint32_t line, column;
		const char *reason;
	} cases[] = {
		{"[nothing]\n",						      1, 1,  "unknown section"         },
		{"\n[nothing]",						      2, 1,  "unknown section"         },
		{"[Daemon]\n",						       1, 1,  "unknown section"         },
		{"[ daemon ]\n",						     1, 1,  "unknown section"         },
		{"[]\n",							     1, 1,  "unknown section"         },
		{"[workspace]\n",						    1, 1,  "unknown section"         },
		{"[workspace ]\n",						   1, 1,  "name"                    },
		{"[workspace a b]\n",						1, 1,  "name"                    },
		{"[workspace ../x]\n",					       1, 1,  "name"                    },
		{"[workspace \xc3\xa9]\n",					   1, 1,  "name"                    },
		{"[daemon\nsocket = x\n",					    1, 1,  "expected ']'"            },
		{"[daemon] x = 1\n",						 1, 10, "nothing may follow"      },
		{"socket = x\n[daemon]\n",					   1, 1,  "before the first"        },
		{"; c\n\nmode = x\n",						3, 1,  "before the first"        },
		{"[daemon]\nsokcet = x\n",					   2, 1,  "unknown key: sokcet"     },
		{"[daemon]\nSocket = x\n",					   2, 1,  "unknown key"             },
		{"[daemon]\ninterval = 1s\n",                                        2, 1,  "unknown key"             },
		{"[daemon]\n= x\n",						  2, 1,  "unknown key"             },
		{"[daemon]\n: x\n",						  2, 1,  "unknown key"             },
		{W "interval = 1s\n",						3, 1,  "unknown key"             },
		{"[daemon]\nsocket\n",					       2, 1,  "expected `key = value`"  },
		{"[daemon]\nsocket ; = x\n",                                         2, 1,  "expected `key = value`"  },
		{"[daemon]\nx\nmode = y\n",                                          2, 1,  "expected `key = value`"  },
		{"[daemon]\nmode = bogus\n",                                         2, 8,  "mode: expected"          },
		{"[daemon]\nmode=bogus\n",					   2, 6,  "mode: expected"          },
		{"[daemon]\nmode\t:\tbogus\n",                                       2, 8,  "mode: expected"          },
		{"[daemon]\nmode =\n",					       2, 7,  "mode: expected"          },
		{"[daemon]\r\nmode =\r\n",					   2, 7,  "mode: expected"          },
		{"[poll]\ninterval = 60\n",                                          2, 12, "interval: expected"      },
		{W "active = maybe\n",					       3, 10, "active: expected"        },
		{"[daemon]\n mode = sdk\n",                                          2, 1,  "indented"                },
		{"[daemon]\n\tmode = sdk\n",                                         2, 1,  "indented"                },
		{"[local]\nfiles = a\n  b\n",                                        3, 1,  "indented"                },
		{" [local]\n",						       1, 1,  "indented"                },
		{"[local]\nfiles = a\n\vb\n",                                        3, 1,  "control character"       },
		{"[local]\nfiles = a\n\fb\n",                                        3, 1,  "control character"       },
		{"[local]\nfiles = a\x1b[31m\n",                                     2, 10, "control character"       },
		{"[local]\nfiles = \xc3\xa9\x7f\n",                                  2, 10, "control"                 },
		{"[local]\nfiles = a\rdefaults = b\n",                               2, 10, "control"                 },
		{"[local]\ndefaults = \xff\n",                                       2, 12, "UTF-8"                   },
		{"[daemon]\nmode = sdk\nmode = sdk\n",                               3, 1,  "twice"                   },
		{"[daemon]\nmode = sdk\n[poll]\n[daemon]\nmode = sdk\n",             5, 1,
		 "set twice: mode"										    },
		{W "api_server = y\n",					       3, 1,  "set twice"               },
		{W "[workspace a]\n",						3, 1,  "declared twice: a"       },
		{"[workspace a]\naccess_key = x\n",                                  1, 1,  "no api_server"           },
		{"[workspace a]\n" W,						1, 1,  "no api_server"           },
		{"[workspace a]\n[local]\n",                                         1, 1,  "no api_server"           },
		{W "[workspace b]\napi_server =\n",                                  3, 1,  "no api_server"           },
		{W "active = yes\n[workspace b]\napi_server = y\n"
		   "active = yes\n[workspace c]\napi_server = z\n", 4, 1,  "`active`: this one and a"},
	};
#undef W

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].text, cases[i].line, cases[i].column,
			       cases[i].reason);
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
	_cleanup_(settings_freep) struct settings *defaults = settings_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(settings_freep) struct settings *settings =
			load(texts[i]);

		assert_numbers_equal(settings, defaults);
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

static void lists_grow_over_lines_and_sections(void **state)
{
	_cleanup_(settings_freep) struct settings *settings =
		load("[local]\nfiles =\nfiles = a b\nfiles = c\n[mask]\n"
		     "add = ^x$\n[local]\nfiles = d\n");

	(void)state;
	assert_string_equal(settings->files, "a b c d");
	assert_string_equal(settings->mask_add, "^x$");
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

static void a_section_name_has_49_bytes(void **state)
{
	char text[128] = "[workspace ";
	_cleanup_(settings_freep) struct settings *settings = NULL;

	(void)state;
	memset(text + 11, 'n', 39);
	strcpy(text + 50, "]\napi_server = x\n");
	settings = load(text);
	assert_int_equal(strlen(settings->workspaces[0].name), 39);
	strcpy(text + 50, "n]\napi_server = x\n");
	assert_refused(text, 1, 1, "49 bytes");
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
		cmocka_unit_test(every_default_is_the_documented_one),
		cmocka_unit_test(the_documented_file_states_the_defaults),
		cmocka_unit_test(a_workspace_is_read_whole),
		cmocka_unit_test(numbers_take_their_units),
		cmocka_unit_test(sizes_and_counts_have_limits),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
		cmocka_unit_test(an_empty_file_means_the_defaults),
		cmocka_unit_test(columns_count_no_byte_order_mark),
		cmocka_unit_test(windows_line_ends_change_nothing),
		cmocka_unit_test(comments_begin_with_a_blank),
		cmocka_unit_test(lists_grow_over_lines_and_sections),
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
