#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "../support/histories.h"

static void what_is_anothers_is_set_aside(void **state)
{
	struct history_disk *disk = histories_five();
	_cleanup_(mem_freep) char *what = NULL;
	_cleanup_(mem_freep) char *why = NULL;

	(void)state;
	history_disk_free(disk);
	disk = histories_open();
	what = histories_found(disk, "https://api\nother\n\n", 1000, &why);
	assert_string_equal(what, "");
	assert_string_equal(why, "was made for another server, company or key");
	assert_int_equal(access(HISTORIES_FOLDER, F_OK), -1);
	assert_int_equal(access(HISTORIES_FOLDER ".bad", F_OK), 0);
	history_disk_free(disk);
}

/* People look into what was set aside, and may leave something there. */
static void what_is_anothers_never_becomes_ours(void **state)
{
	_cleanup_(doc_unrefp) struct doc *shared = docs_read("{\"a\":1}");
	struct snapshot *snapshot =
		histories_snapshot(1000, shared, "{\"b\":2}");
	static const char other[] = "https://api\nother\n\n";
	_cleanup_(mem_freep) char *what = NULL;
	_cleanup_(mem_freep) char *after = NULL;
	struct history_disk *disk;

	(void)state;
	history_disk_free(histories_five());
	scratch_folder(HISTORIES_FOLDER ".bad");
	scratch_folder(HISTORIES_FOLDER ".bad/notes");
	disk = histories_open();
	what = histories_found(disk, other, 1000, NULL);
	assert_string_equal(what, "");
	(void)history_disk_write(disk, other, snapshot, 0);
	snapshot_unref(snapshot);
	history_disk_free(disk);
	disk = histories_open();
	after = histories_found(disk, other, 2000, NULL);
	assert_string_equal(after, "1000");
	history_disk_free(disk);
}

static void nothing_is_written_into_anothers(void **state)
{
	_cleanup_(doc_unrefp) struct doc *shared = docs_read("{\"a\":1}");
	struct snapshot *snapshot =
		histories_snapshot(1000, shared, "{\"b\":2}");
	static const char other[] = "https://api\nother\n\n";
	struct history_disk *disk;

	(void)state;
	history_disk_free(histories_five());
	scratch_folder(HISTORIES_FOLDER "/notes");
	scratch_folder(HISTORIES_FOLDER ".bad");
	scratch_folder(HISTORIES_FOLDER ".bad/notes");
	disk = histories_open();
	mem_free(histories_found(disk, other, 1000, NULL));
	assert_true(history_disk_write(disk, other, snapshot, 0) < 0);
	assert_int_equal(histories_count_files(".generation"), 0);
	assert_int_equal(rmdir(scratch_at(HISTORIES_FOLDER "/notes")), 0);
	assert_int_equal(rmdir(scratch_at(HISTORIES_FOLDER ".bad/notes")), 0);
	assert_int_equal(history_disk_write(disk, other, snapshot, 0), 0);
	snapshot_unref(snapshot);
	history_disk_free(disk);
}

/* The folder could not be looked into at the start, and can be later. */
static void what_nobody_has_seen_is_looked_at(const char *owner,
					      const char *expected)
{
	_cleanup_(doc_unrefp) struct doc *shared = docs_read("{\"a\":1}");
	struct snapshot *snapshot =
		histories_snapshot(1000, shared, "{\"b\":2}");
	_cleanup_(mem_freep) char *before = NULL;
	_cleanup_(mem_freep) char *after = NULL;
	struct history_disk *disk;

	history_disk_free(histories_five());
	assert_int_equal(chmod(HISTORIES_FOLDER, 0770), 0);
	disk = histories_open();
	before = histories_found(disk, owner, 1000, NULL);
	assert_string_equal(before, "");
	assert_int_equal(history_disk_write(disk, owner, snapshot, 0), 0);
	snapshot_unref(snapshot);
	history_disk_free(disk);
	disk = histories_open();
	after = histories_found(disk, owner, 2000, NULL);
	assert_string_equal(after, expected);
	history_disk_free(disk);
}

static void what_could_not_be_seen_stays_ours(void **state)
{
	(void)state;
	what_nobody_has_seen_is_looked_at(HISTORIES_OWNER,
					  "1000 50 40-49 30-39 20-29 10-19");
}

static void what_could_not_be_seen_stays_anothers(void **state)
{
	(void)state;
	what_nobody_has_seen_is_looked_at("https://api\nother\n\n", "1000");
}

static void a_logins_history_waits_for_a_login(void **state)
{
	struct history_disk *disk;
	_cleanup_(mem_freep) char *nobody = NULL;
	_cleanup_(mem_freep) char *owner = NULL;

	(void)state;
	history_disk_free(histories_five());
	disk = histories_open();
	nobody = histories_found(disk, "", 1000, NULL);
	assert_string_equal(nobody, "waits");
	owner = histories_found(disk, HISTORIES_OWNER, 1000, NULL);
	assert_string_equal(owner, "50 40-49 30-39 20-29 10-19");
	history_disk_free(disk);
}

static void another_key_of_the_same_user_takes_it_over(void **state)
{
	struct history_disk *disk = histories_five();
	_cleanup_(mem_freep) char *what = NULL;

	(void)state;
	assert_int_equal(history_disk_set_owner(disk, "new"), 0);
	history_disk_free(disk);
	disk = histories_open();
	what = histories_found(disk, "new", 1000, NULL);
	assert_string_equal(what, "50 40-49 30-39 20-29 10-19");
	history_disk_free(disk);
}

static void what_is_forgotten_is_gone(void **state)
{
	struct history_disk *disk = histories_five();

	(void)state;
	scratch_folder(HISTORIES_FOLDER ".bad");
	scratch_write(HISTORIES_FOLDER ".bad/owner", "x");
	assert_int_equal(history_disk_clear(disk), 0);
	assert_int_equal(access(HISTORIES_FOLDER, F_OK), -1);
	assert_int_equal(access(HISTORIES_FOLDER ".bad", F_OK), -1);
	assert_int_equal(history_disk_clear(disk), 0);
	history_disk_free(disk);
	histories_assert_found("");
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, histories_enter, histories_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_anothers_is_set_aside),
		TEST(what_is_anothers_never_becomes_ours),
		TEST(nothing_is_written_into_anothers),
		TEST(what_could_not_be_seen_stays_ours),
		TEST(what_could_not_be_seen_stays_anothers),
		TEST(a_logins_history_waits_for_a_login),
		TEST(another_key_of_the_same_user_takes_it_over),
		TEST(what_is_forgotten_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
