#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "../support/cache_entries.h"
#include "../support/scratch.h"
#include "../support/skipping.h"
#include "fetch/cache_file.h"

#define FILE_NAME "state/cache/research.cache"
#define ASIDE     FILE_NAME ".bad"
#define DAY       INT64_C(86400)

static int enter(void **state)
{
	(void)state;
	scratch_enter();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	(void)umask(022);
	scratch_leave();
	return 0;
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static unsigned int mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(name, &st), 0);
	return st.st_mode & 07777;
}

/* As the workspace @name. */
static void keep_as(const char *name)
{
	_cleanup_(mem_freep) char *file = cache_file_name(name);
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct cache_entry entry = entry_full();

	entry.workspace = name;
	entry_bytes(&entry, &bytes);
	assert_int_equal(
		cache_file_write(scratch_at("state"), file, buf_str(&bytes)),
		0);
}

static void keep(void)
{
	keep_as("research");
}

static struct cache_query query_for(const char *workspace)
{
	return (struct cache_query){
		.state_dir = scratch_at("state"),
		.workspace = workspace,
	};
}

/* What asking comes to; a complaint is checked, and dropped. */
static int outcome_of(const struct cache_query *query, const char *where)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct cache_entry entry = {0};
	int r = cache_file_read(&entry, query, &diag);

	if (r == CACHE_E_DAMAGED || r == CACHE_E_FOREIGN)
		entry_assert_complaint(&diag, scratch_at(where));
	else
		assert_false(diag_failed(&diag));
	cache_entry_deinit(&entry);
	return r;
}

static int outcome(void)
{
	const struct cache_query query = query_for("research");

	return outcome_of(&query, FILE_NAME);
}

/* The file is not served, and now lies beside its place. */
static void assert_set_aside(int expected)
{
	assert_int_equal(outcome(), expected);
	assert_false(exists(FILE_NAME));
	assert_true(exists(ASIDE));
	assert_int_equal(outcome(), CACHE_E_ABSENT);
}

/* --- there and back --- */

static void what_is_kept_is_found(void **state)
{
	const struct cache_query query = {
		.state_dir = scratch_at("state"),
		.workspace = "research",
		.api_server = "https://api.example.com/x?y=\"z\"",
		.company_id = "c1",
		.access_key = "KEY",
	};
	struct cache_entry kept = entry_full(), found;

	(void)state;
	keep();
	assert_int_equal(cache_file_read(&found, &query, NULL), 0);
	entry_assert_same(&kept, &found);
	cache_entry_deinit(&found);
}

static void nothing_is_no_failure(void **state)
{
	(void)state;
	assert_int_equal(outcome(), CACHE_E_ABSENT);
	scratch_folder("state");
	assert_int_equal(outcome(), CACHE_E_ABSENT);
	scratch_folder("state/cache");
	assert_int_equal(outcome(), CACHE_E_ABSENT);
}

static void nobody_else_may_look(void **state)
{
	static const mode_t masks[] = {0, 077, 022};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		(void)umask(masks[i]);
		keep();
		assert_int_equal(mode_of("state"), 0700);
		assert_int_equal(mode_of("state/cache"), 0700);
		assert_int_equal(mode_of(FILE_NAME), 0600);
		assert_int_equal(outcome(), 0);
		scratch_remove("state");
	}
}

static void a_folder_that_was_opened_is_closed_again(void **state)
{
	(void)state;
	keep();
	assert_int_equal(chmod("state/cache", 0777), 0);
	keep();
	assert_int_equal(mode_of("state/cache"), 0700);
	assert_int_equal(outcome(), 0);
}

/* --- names --- */

static const char *const names[] = {
	"default",
	"research",
	"Research",
	"RESEARCH",
	"research.cache",
	"research.cache.bad",
	"",
	".",
	"..",
	"../x",
	"..%2fx",
	"a/b",
	"a%2fb",
	"a_b",
	"a b",
	"a\nb",
	"%",
	"%%",
	".hidden",
	"hidden",
	"Zo\xC3\xAB",
	"\x7F",
	"-rf",
};

/* Names of @len bytes of @c; the last is another. */
static void long_names(char *one, char *other, size_t len, char c)
{
	memset(one, c, len);
	one[len] = '\0';
	memcpy(other, one, len + 1);
	other[len - 1] = '~';
}

static void assert_is_safe(const char *name)
{
	_cleanup_(mem_freep) char *file = cache_file_name(name);

	assert_true(strlen(file) < 200);
	assert_null(strchr(file, '/'));
	assert_true(file[0] != '.');
	assert_true(str_ends(str_from(file), STR(".cache")));
	for (const char *c = file; *c; c++)
		assert_true(*c > ' ' && *c < 127);
}

static void assert_differ(const char *a, const char *b)
{
	_cleanup_(mem_freep) char *one = cache_file_name(a);
	_cleanup_(mem_freep) char *other = cache_file_name(b);

	assert_true(strcasecmp(one, other) != 0);
}

static void every_name_has_a_file_of_its_own(void **state)
{
	char one[301], other[301];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_is_safe(names[i]);
		for (size_t j = 0; j < i; j++)
			assert_differ(names[i], names[j]);
	}
	for (size_t len = 1; len <= 300; len++) {
		long_names(one, other, len, len % 2 ? 'a' : '/');
		assert_is_safe(one);
		assert_differ(one, other);
	}
}

static void a_plain_name_can_be_read(void **state)
{
	_cleanup_(mem_freep) char *file = cache_file_name("team-2_eu.west");

	(void)state;
	assert_string_equal(file, "team-2_eu.west.cache");
}

static void any_name_is_kept_and_found(void **state)
{
	char name[301], other[301];
	struct cache_query query;

	(void)state;
	long_names(name, other, 300, '/');
	keep_as(name);
	keep_as(other);
	query = query_for(name);
	assert_int_equal(outcome_of(&query, ""), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		keep_as(names[i]);
		query = query_for(names[i]);
		assert_int_equal(outcome_of(&query, ""), 0);
	}
}

/* --- whose it is --- */

static void another_identity_is_never_served(void **state)
{
	struct cache_query query;

	(void)state;
	for (int i = 0; i < 3; i++) {
		query = query_for("research");
		query.api_server = i == 0 ? "https://other" : NULL;
		query.company_id = i == 1 ? "c2" : NULL;
		query.access_key = i == 2 ? "" : NULL;
		keep();
		assert_int_equal(outcome_of(&query, FILE_NAME),
				 CACHE_E_FOREIGN);
		assert_true(exists(ASIDE));
		assert_int_equal(outcome_of(&query, FILE_NAME), CACHE_E_ABSENT);
	}
}

static void a_file_of_another_workspace_is_never_served(void **state)
{
	(void)state;
	keep_as("other");
	scratch_rename("state/cache/other.cache", FILE_NAME);
	assert_set_aside(CACHE_E_FOREIGN);
}

static void a_reader_who_may_not_write_moves_nothing(void **state)
{
	struct cache_query query = query_for("research");

	(void)state;
	keep();
	query.access_key = "OTHER";
	query.read_only = true;
	assert_int_equal(outcome_of(&query, FILE_NAME), CACHE_E_FOREIGN);
	assert_true(exists(FILE_NAME));
	assert_int_equal(outcome(), 0);
}

/* --- what is not believed --- */

static void a_damaged_file_replaces_an_older_one(void **state)
{
	(void)state;
	keep();
	scratch_write(ASIDE, "older");
	assert_int_equal(truncate(FILE_NAME, 100), 0);
	assert_set_aside(CACHE_E_DAMAGED);
	assert_int_equal(truncate(ASIDE, 100), 0);
	keep();
	assert_int_equal(outcome(), 0);
}

static void the_complaint_names_the_place_it_went_to(void **state)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	const struct cache_query query = query_for("research");
	struct cache_entry entry;

	(void)state;
	keep();
	assert_int_equal(truncate(FILE_NAME, 100), 0);
	assert_int_equal(cache_file_read(&entry, &query, &diag),
			 CACHE_E_DAMAGED);
	assert_string_equal(diag.text,
			    "is damaged: it is not as long as its first line "
			    "says; it is not used, and renamed to "
			    "research.cache.bad");
}

static void links_are_not_followed(void **state)
{
	(void)state;
	keep();
	scratch_rename(FILE_NAME, "state/cache/real");
	scratch_link("real", FILE_NAME);
	assert_set_aside(CACHE_E_DAMAGED);
	assert_true(exists("state/cache/real"));
	scratch_link("/nonexistent", FILE_NAME);
	assert_set_aside(CACHE_E_DAMAGED);
	keep();
	assert_int_equal(link(FILE_NAME, "elsewhere"), 0);
	assert_set_aside(CACHE_E_DAMAGED);
}

static void rights_of_others_are_not_believed(void **state)
{
	static const mode_t modes[] = {0640, 0620, 0604, 0602, 0666, 0610};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		keep();
		assert_int_equal(chmod(FILE_NAME, modes[i]), 0);
		assert_set_aside(CACHE_E_DAMAGED);
	}
}

/* Only root can give a file away. */
static void a_file_of_another_user_is_not_believed(void **state)
{
	struct cache_query query;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root can be somebody else");
	keep();
	assert_int_equal(chown(FILE_NAME, 65533, (gid_t)-1), 0);
	assert_set_aside(CACHE_E_DAMAGED);
	keep();
	assert_int_equal(chown("state/cache", 65533, (gid_t)-1), 0);
	query = query_for("research");
	assert_int_equal(outcome_of(&query, "state/cache"), CACHE_E_DAMAGED);
	assert_int_equal(
		cache_file_write(scratch_at("state"), "x.cache", STR("")),
		-EPERM);
}

static void bind_socket(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strncpy(address.sun_path, name, sizeof(address.sun_path) - 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	assert_int_equal(close(fd), 0);
}

static void what_is_no_file_is_not_read(void **state)
{
	(void)state;
	keep();
	assert_int_equal(unlink(FILE_NAME), 0);
	assert_int_equal(mkfifo(FILE_NAME, 0600), 0);
	assert_set_aside(CACHE_E_DAMAGED);
	bind_socket(FILE_NAME);
	assert_set_aside(CACHE_E_DAMAGED);
	assert_int_equal(unlink(ASIDE), 0);
	scratch_folder(FILE_NAME);
	assert_set_aside(CACHE_E_DAMAGED);
}

/* A folder cannot be put over a file. */
static void what_cannot_be_renamed_is_not_used_either(void **state)
{
	(void)state;
	keep();
	scratch_rename(FILE_NAME, ASIDE);
	scratch_folder(FILE_NAME "/full");
	assert_int_equal(outcome(), CACHE_E_DAMAGED);
	assert_int_equal(outcome(), CACHE_E_DAMAGED);
	assert_true(exists(FILE_NAME));
}

/* A file of holes: nothing of it is read. */
static void a_file_of_any_size_is_survived(void **state)
{
	(void)state;
	keep();
	assert_int_equal(truncate(FILE_NAME, (off_t)CACHE_BYTES_MAX + 1), 0);
	assert_set_aside(CACHE_E_DAMAGED);
	keep();
	assert_int_equal(truncate(FILE_NAME, 0), 0);
	assert_set_aside(CACHE_E_DAMAGED);
}

static void a_folder_that_others_write_to_is_not_believed(void **state)
{
	const struct cache_query query = query_for("research");

	(void)state;
	keep();
	assert_int_equal(chmod("state/cache", 0720), 0);
	assert_int_equal(outcome_of(&query, "state/cache"), CACHE_E_DAMAGED);
	assert_int_equal(chmod("state/cache", 0700), 0);
	scratch_rename("state/cache", "state/real");
	scratch_link("real", "state/cache");
	assert_int_equal(outcome_of(&query, "state/cache"), CACHE_E_DAMAGED);
	assert_int_equal(unlink("state/cache"), 0);
	scratch_write("state/cache", "");
	assert_int_equal(outcome_of(&query, "state/cache"), CACHE_E_DAMAGED);
}

/* --- removing --- */

static void removing_takes_what_was_set_aside_too(void **state)
{
	(void)state;
	keep();
	scratch_write(ASIDE, "");
	keep_as("other");
	for (int i = 0; i < 2; i++)
		assert_int_equal(cache_file_remove(scratch_at("state"),
						   "research.cache"),
				 0);
	assert_false(exists(FILE_NAME));
	assert_false(exists(ASIDE));
	assert_true(exists("state/cache/other.cache"));
	assert_int_equal(cache_file_remove(scratch_at("none"), "x.cache"), 0);
}

/* --- sweeping --- */

static void age(const char *name, int64_t seconds)
{
	const struct timespec times[2] = {
		{.tv_sec = time(NULL) - seconds},
		{.tv_sec = time(NULL) - seconds},
	};

	assert_int_equal(utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW),
			 0);
}

static void make(const char *file, int64_t seconds)
{
	_cleanup_(mem_freep) char *path = mem_printf("state/cache/%s", file);

	scratch_write(path, "");
	age(path, seconds);
}

static size_t sweep(int64_t max_age)
{
	static const char *const workspaces[] = {"research", "a/b"};
	const struct cache_sweep sweep = {scratch_at("state"), workspaces,
					  ARRAY_SIZE(workspaces), max_age};

	return cache_file_sweep(&sweep);
}

static void old_files_of_nobody_go(void **state)
{
	static const struct {
		const char *file;
		int64_t age;
		bool goes;
	} rows[] = {
		{"research.cache", 9 * DAY, false},
		{"a%2fb.cache", 9 * DAY, false},
		{"research.cache.bad", 9 * DAY, true},
		{"a%2fb.cache.bad", DAY, false},
		{"gone.cache", 9 * DAY, true},
		{"new.cache", DAY, false},
		{"future.cache", -9 * DAY, false},
		{".research.cache.0123456789abcdef", DAY, true},
		{".gone.cache.0123456789abcdef", 60, false},
		{".0123456789abcdef", DAY, false},
		{".x.0123456789abcdeg", DAY, false},
		{"x.0123456789abcdef", DAY, false},
		{"notes.txt", 9 * DAY, false},
	};
	char path[300];

	(void)state;
	scratch_folder("state/cache");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		make(rows[i].file, rows[i].age);
	scratch_folder("state/cache/folder.cache");
	age("state/cache/folder.cache", 9 * DAY);
	scratch_link("/", "state/cache/link.cache");
	age("state/cache/link.cache", 9 * DAY);
	assert_int_equal(sweep(7 * DAY), 4);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)snprintf(path, sizeof(path), "state/cache/%s",
			       rows[i].file);
		if (exists(path) == rows[i].goes)
			fail_msg("%s", path);
	}
	assert_false(exists("state/cache/link.cache"));
	assert_true(exists("state/cache/folder.cache"));
}

static void without_a_limit_only_the_dead_go(void **state)
{
	(void)state;
	assert_int_equal(sweep(0), 0);
	scratch_folder("state/cache");
	make("gone.cache", 9999 * DAY);
	make("gone.cache.bad", 9999 * DAY);
	make(".gone.cache.0123456789abcdef", 9999 * DAY);
	assert_int_equal(sweep(0), 1);
	assert_true(exists("state/cache/gone.cache"));
	assert_true(exists("state/cache/gone.cache.bad"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(what_is_kept_is_found),
		TEST(nothing_is_no_failure),
		TEST(nobody_else_may_look),
		TEST(a_folder_that_was_opened_is_closed_again),
		TEST(every_name_has_a_file_of_its_own),
		TEST(a_plain_name_can_be_read),
		TEST(any_name_is_kept_and_found),
		TEST(another_identity_is_never_served),
		TEST(a_file_of_another_workspace_is_never_served),
		TEST(a_reader_who_may_not_write_moves_nothing),
		TEST(a_damaged_file_replaces_an_older_one),
		TEST(the_complaint_names_the_place_it_went_to),
		TEST(links_are_not_followed),
		TEST(rights_of_others_are_not_believed),
		TEST(a_file_of_another_user_is_not_believed),
		TEST(what_is_no_file_is_not_read),
		TEST(what_cannot_be_renamed_is_not_used_either),
		TEST(a_file_of_any_size_is_survived),
		TEST(a_folder_that_others_write_to_is_not_believed),
		TEST(removing_takes_what_was_set_aside_too),
		TEST(old_files_of_nobody_go),
		TEST(without_a_limit_only_the_dead_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
