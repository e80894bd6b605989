#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "../support/docs.h"
#include "../support/scratch.h"
#include "base/seal.h"
#include "base/str.h"
#include "config/history.h"
#include "config/snapshot.h"
#include "engine/history_disk.h"

#define FOLDER "state/history/research.history"
#define OWNER  "https://api\nkey\n\n"
#define ALL    SIZE_MAX

static int enter(void **state)
{
	(void)state;
	scratch_enter();
	scratch_folder("state");
	return 0;
}

static int leave(void **state)
{
	(void)state;
	scratch_leave();
	return 0;
}

/* --- generations ---------------------------------------------------------- */

/* Of one document that is shared by all, and one of its own. */
static struct snapshot *snapshot_of(uint64_t generation, struct doc *shared,
				    const char *own)
{
	struct stack_docs docs = {0};
	struct snapshot *snapshot;

	stack_docs_insert(&docs, LAYER_FILE, doc_ref(shared))->source = "f";
	stack_docs_insert(&docs, LAYER_VAULT, docs_read(own))->source = "v";
	snapshot = snapshot_new(&docs);
	snapshot->generation = generation;
	return snapshot;
}

static struct history_disk *disk_with(size_t limit, size_t bytes_limit)
{
	const struct history_place place = {scratch_at("state"), "research",
					    limit, bytes_limit};

	return history_disk_new(&place);
}

static struct history_disk *disk_new(void)
{
	return disk_with(64, ALL);
}

/* "3 2 1": what a process finds that begins with @below, for @owner; the first
 * problem in *@why. */
static char *found(struct history_disk *disk, const char *owner, uint64_t below,
		   char **why)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct diag diag = DIAG_INIT;
	struct history_entry entry;

	if (!history_disk_open(disk, owner, below, &diag))
		buf_puts(&text, "waits");
	while (history_disk_next(disk, &entry, &diag)) {
		buf_printf(&text, "%s%d", text.len ? " " : "",
			   (int)entry.snapshot->generation);
		if (entry.until > entry.snapshot->generation)
			buf_printf(&text, "-%d", (int)entry.until);
		if (entry.again_from)
			buf_printf(&text, "+%d-%d", (int)entry.again_from,
				   (int)entry.again_until);
		snapshot_unref(entry.snapshot);
	}
	if (why)
		*why = diag.text ? mem_strdup(diag.text) : NULL;
	diag_deinit(&diag);
	return buf_take(&text);
}

static void assert_found(const char *expected)
{
	struct history_disk *disk = disk_new();
	_cleanup_(mem_freep) char *why = NULL;
	_cleanup_(mem_freep) char *what = found(disk, OWNER, 1000, &why);

	assert_string_equal(what, expected);
	if (why)
		fail_msg("%s", why);
	history_disk_free(disk);
}

/* Five generations: 10, 20, 30, 40, 50, each after the one before. */
static struct history_disk *five_written(void)
{
	_cleanup_(doc_unrefp) struct doc *shared =
		docs_read("{\"shared\":[1,2,3]}");
	struct history_disk *disk = disk_new();
	char own[32];

	mem_free(found(disk, OWNER, 10, NULL));
	for (uint64_t n = 1; n <= 5; n++) {
		struct snapshot *snapshot;

		(void)snprintf(own, sizeof(own), "{\"own\":%d}", (int)n);
		snapshot = snapshot_of(10 * n, shared, own);
		assert_int_equal(
			history_disk_write(disk, OWNER, snapshot, 10 * (n - 1)),
			0);
		snapshot_unref(snapshot);
	}
	return disk;
}

static size_t count_files(const char *ending)
{
	DIR *dir = opendir(FOLDER);
	struct dirent *each;
	size_t count = 0;

	while (dir && (each = readdir(dir)))
		count += str_ends(str_from(each->d_name), str_from(ending));
	if (dir)
		(void)closedir(dir);
	return count;
}

/* Any one that ends so. */
static char *file_like(const char *ending)
{
	DIR *dir = opendir(FOLDER);
	struct dirent *each;
	char *name = NULL;

	assert_non_null(dir);
	while (!name && (each = readdir(dir)))
		if (str_ends(str_from(each->d_name), str_from(ending)))
			name = mem_printf(FOLDER "/%s", each->d_name);
	(void)closedir(dir);
	assert_non_null(name);
	return name;
}

static void what_was_written_is_found_the_newest_first(void **state)
{
	(void)state;
	history_disk_free(five_written());
	assert_found("50 40-49 30-39 20-29 10-19");
	assert_found("50 40-49 30-39 20-29 10-19");
}

static void documents_are_written_once(void **state)
{
	(void)state;
	history_disk_free(five_written());
	assert_int_equal(count_files(".generation"), 5);
	assert_int_equal(count_files(".document"), 6);
}

static void assert_mode(const char *name, mode_t mode)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void all_of_it_is_private(void **state)
{
	_cleanup_(mem_freep) char *record = NULL;
	_cleanup_(mem_freep) char *document = NULL;

	(void)state;
	history_disk_free(five_written());
	record = file_like(".generation");
	document = file_like(".document");
	assert_mode("state/history", 0700);
	assert_mode(FOLDER, 0700);
	assert_mode(FOLDER "/owner", 0600);
	assert_mode(record, 0600);
	assert_mode(document, 0600);
}

static void what_is_too_old_goes_with_its_documents(void **state)
{
	struct history_disk *disk = five_written();

	(void)state;
	assert_int_equal(history_disk_prune(disk, 30), 0);
	assert_int_equal(count_files(".generation"), 3);
	assert_int_equal(count_files(".document"), 4);
	history_disk_free(disk);
	assert_found("50 40-49 30-39");
}

static void the_limit_of_generations_holds_at_the_start(void **state)
{
	struct history_disk *disk;
	_cleanup_(mem_freep) char *what = NULL;

	(void)state;
	history_disk_free(five_written());
	disk = disk_with(2, ALL);
	what = found(disk, OWNER, 1000, NULL);
	assert_string_equal(what, "50 40-49");
	assert_int_equal(count_files(".generation"), 2);
	assert_int_equal(count_files(".document"), 3);
	history_disk_free(disk);
}

static void the_limit_of_bytes_holds_at_the_start(void **state)
{
	struct history_disk *disk;
	_cleanup_(mem_freep) char *what = NULL;

	(void)state;
	history_disk_free(five_written());
	disk = disk_with(64, 1);
	what = found(disk, OWNER, 1000, NULL);
	assert_string_equal(what, "50");
	history_disk_free(disk);
}

/* A restart that changes nothing takes no place. */
static void several_of_the_same_values_are_one(void **state)
{
	_cleanup_(doc_unrefp) struct doc *shared =
		docs_read("{\"shared\":[1,2,3]}");
	struct history_disk *disk;

	(void)state;
	history_disk_free(five_written());
	for (uint64_t start = 100; start <= 300; start += 100) {
		struct snapshot *snapshot =
			snapshot_of(start, shared, "{\"own\":5}");

		disk = disk_new();
		mem_free(found(disk, OWNER, start, NULL));
		assert_int_equal(history_disk_write(disk, OWNER, snapshot, 0),
				 0);
		snapshot_unref(snapshot);
		history_disk_free(disk);
	}
	assert_found("50+300-300 40-49 30-39 20-29 10-19");
	assert_found("50+300-300 40-49 30-39 20-29 10-19");
}

static void what_another_process_called_newer_goes(void **state)
{
	struct history_disk *disk;
	_cleanup_(mem_freep) char *what = NULL;

	(void)state;
	history_disk_free(five_written());
	disk = disk_new();
	what = found(disk, OWNER, 35, NULL);
	assert_string_equal(what, "30 20-29 10-19");
	history_disk_free(disk);
	assert_found("30 20-29 10-19");
}

/* --- whose it is ---------------------------------------------------------- */

static void what_is_anothers_is_set_aside(void **state)
{
	struct history_disk *disk = five_written();
	_cleanup_(mem_freep) char *what = NULL;
	_cleanup_(mem_freep) char *why = NULL;

	(void)state;
	history_disk_free(disk);
	disk = disk_new();
	what = found(disk, "https://api\nother\n\n", 1000, &why);
	assert_string_equal(what, "");
	assert_string_equal(why, "was made for another server, company or key");
	assert_int_equal(access(FOLDER, F_OK), -1);
	assert_int_equal(access(FOLDER ".bad", F_OK), 0);
	history_disk_free(disk);
}

/* People look into what was set aside, and may leave something there. */
static void what_is_anothers_never_becomes_ours(void **state)
{
	_cleanup_(doc_unrefp) struct doc *shared = docs_read("{\"a\":1}");
	struct snapshot *snapshot = snapshot_of(1000, shared, "{\"b\":2}");
	static const char other[] = "https://api\nother\n\n";
	_cleanup_(mem_freep) char *what = NULL;
	_cleanup_(mem_freep) char *after = NULL;
	struct history_disk *disk;

	(void)state;
	history_disk_free(five_written());
	scratch_folder(FOLDER ".bad");
	scratch_folder(FOLDER ".bad/notes");
	disk = disk_new();
	what = found(disk, other, 1000, NULL);
	assert_string_equal(what, "");
	(void)history_disk_write(disk, other, snapshot, 0);
	snapshot_unref(snapshot);
	history_disk_free(disk);
	disk = disk_new();
	after = found(disk, other, 2000, NULL);
	assert_string_equal(after, "1000");
	history_disk_free(disk);
}

static void nothing_is_written_into_anothers(void **state)
{
	_cleanup_(doc_unrefp) struct doc *shared = docs_read("{\"a\":1}");
	struct snapshot *snapshot = snapshot_of(1000, shared, "{\"b\":2}");
	static const char other[] = "https://api\nother\n\n";
	struct history_disk *disk;

	(void)state;
	history_disk_free(five_written());
	scratch_folder(FOLDER "/notes");
	scratch_folder(FOLDER ".bad");
	scratch_folder(FOLDER ".bad/notes");
	disk = disk_new();
	mem_free(found(disk, other, 1000, NULL));
	assert_true(history_disk_write(disk, other, snapshot, 0) < 0);
	assert_int_equal(count_files(".generation"), 0);
	assert_int_equal(rmdir(scratch_at(FOLDER "/notes")), 0);
	assert_int_equal(rmdir(scratch_at(FOLDER ".bad/notes")), 0);
	assert_int_equal(history_disk_write(disk, other, snapshot, 0), 0);
	snapshot_unref(snapshot);
	history_disk_free(disk);
}

/* The folder could not be looked into at the start, and can be later. */
static void what_nobody_has_seen_is_looked_at(const char *owner,
					      const char *expected)
{
	_cleanup_(doc_unrefp) struct doc *shared = docs_read("{\"a\":1}");
	struct snapshot *snapshot = snapshot_of(1000, shared, "{\"b\":2}");
	_cleanup_(mem_freep) char *before = NULL;
	_cleanup_(mem_freep) char *after = NULL;
	struct history_disk *disk;

	history_disk_free(five_written());
	assert_int_equal(chmod(FOLDER, 0770), 0);
	disk = disk_new();
	before = found(disk, owner, 1000, NULL);
	assert_string_equal(before, "");
	assert_int_equal(history_disk_write(disk, owner, snapshot, 0), 0);
	snapshot_unref(snapshot);
	history_disk_free(disk);
	disk = disk_new();
	after = found(disk, owner, 2000, NULL);
	assert_string_equal(after, expected);
	history_disk_free(disk);
}

static void what_could_not_be_seen_stays_ours(void **state)
{
	(void)state;
	what_nobody_has_seen_is_looked_at(OWNER,
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
	history_disk_free(five_written());
	disk = disk_new();
	nobody = found(disk, "", 1000, NULL);
	assert_string_equal(nobody, "waits");
	owner = found(disk, OWNER, 1000, NULL);
	assert_string_equal(owner, "50 40-49 30-39 20-29 10-19");
	history_disk_free(disk);
}

static void another_key_of_the_same_user_takes_it_over(void **state)
{
	struct history_disk *disk = five_written();
	_cleanup_(mem_freep) char *what = NULL;

	(void)state;
	assert_int_equal(history_disk_set_owner(disk, "new"), 0);
	history_disk_free(disk);
	disk = disk_new();
	what = found(disk, "new", 1000, NULL);
	assert_string_equal(what, "50 40-49 30-39 20-29 10-19");
	history_disk_free(disk);
}

static void what_is_forgotten_is_gone(void **state)
{
	struct history_disk *disk = five_written();

	(void)state;
	scratch_folder(FOLDER ".bad");
	scratch_write(FOLDER ".bad/owner", "x");
	assert_int_equal(history_disk_clear(disk), 0);
	assert_int_equal(access(FOLDER, F_OK), -1);
	assert_int_equal(access(FOLDER ".bad", F_OK), -1);
	assert_int_equal(history_disk_clear(disk), 0);
	history_disk_free(disk);
	assert_found("");
}

/* --- damage --------------------------------------------------------------- */

static void read_whole(const char *path, struct buf *bytes)
{
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	(void)buf_reserve(bytes, 100000);
	bytes->len = fread(bytes->data, 1, 100000, file);
	assert_int_equal(fclose(file), 0);
}

static void write_whole(const char *path, struct str bytes)
{
	int fd;

	/* In place, or by a rename, the file system would make it last. */
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.ptr, bytes.len), (ssize_t)bytes.len);
	assert_int_equal(close(fd), 0);
}

/* The others are found, and somebody is told. */
static void assert_survives(const char *path, struct str bytes)
{
	struct history_disk *disk = disk_new();
	_cleanup_(mem_freep) char *why = NULL;
	_cleanup_(mem_freep) char *what = NULL;

	write_whole(path, bytes);
	(void)unlink(FOLDER "/last.generation.bad");
	(void)unlink(FOLDER "/last.document.bad");
	what = found(disk, OWNER, 1000, &why);
	if (strcmp(what, "50 30 20-29 10-19") != 0 || !why)
		fail_msg("found %s", what);
	history_disk_free(disk);
}

/* Without waiting for the disk. */
static void copy_files(const char *from, const char *to)
{
	DIR *dir = opendir(from);
	struct dirent *each;

	assert_non_null(dir);
	while ((each = readdir(dir))) {
		_cleanup_(mem_freep) char *source =
			mem_printf("%s/%s", from, each->d_name);
		_cleanup_(mem_freep) char *target =
			mem_printf("%s/%s", to, each->d_name);
		_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

		if (each->d_name[0] == '.')
			continue;
		read_whole(source, &bytes);
		write_whole(target, buf_str(&bytes));
	}
	(void)closedir(dir);
}

/* What was set aside is written anew each time. */
static void every_damage_of(const char *path)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

	scratch_folder("kept");
	copy_files(FOLDER, "kept");
	read_whole(path, &bytes);
	for (size_t i = 0; i < bytes.len; i++) {
		assert_survives(path, (struct str){bytes.data, i});
		copy_files("kept", FOLDER);
		bytes.data[i] = (char)~bytes.data[i];
		assert_survives(path, buf_str(&bytes));
		copy_files("kept", FOLDER);
		bytes.data[i] = (char)~bytes.data[i];
	}
}

static void a_damaged_generation_is_set_aside(void **state)
{
	(void)state;
	history_disk_free(five_written());
	every_damage_of(FOLDER "/00000000000000000040.generation");
	assert_int_equal(count_files(".bad"), 1);
}

/* A copy that somebody made of one. */
static void what_only_begins_like_a_generation_is_none(void **state)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

	(void)state;
	history_disk_free(five_written());
	read_whole(FOLDER "/00000000000000000030.generation", &bytes);
	write_whole(FOLDER "/00000000000000000030 copy.generation",
		    buf_str(&bytes));
	assert_found("50 40-49 30-39 20-29 10-19");
	assert_found("50 40-49 30-39 20-29 10-19");
}

static char *document_of(const char *text)
{
	DIR *dir = opendir(FOLDER);
	struct dirent *each;
	char *name = NULL;

	while (!name && (each = readdir(dir))) {
		_cleanup_(mem_freep) char *path =
			mem_printf(FOLDER "/%s", each->d_name);
		_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

		if (!str_ends(str_from(each->d_name), STR(".document")))
			continue;
		read_whole(path, &bytes);
		if (memmem(bytes.data, bytes.len, text, strlen(text)))
			name = mem_strdup(path);
	}
	(void)closedir(dir);
	return name;
}

static void a_damaged_document_costs_its_generations(void **state)
{
	_cleanup_(mem_freep) char *path = NULL;

	(void)state;
	history_disk_free(five_written());
	path = document_of("{\"own\":4}");
	every_damage_of(path);
}

static void without_the_shared_document_there_is_nothing(void **state)
{
	struct history_disk *disk;
	_cleanup_(mem_freep) char *path = NULL;
	_cleanup_(mem_freep) char *what = NULL;
	_cleanup_(mem_freep) char *why = NULL;

	(void)state;
	history_disk_free(five_written());
	path = document_of("shared");
	assert_int_equal(unlink(path), 0);
	disk = disk_new();
	what = found(disk, OWNER, 1000, &why);
	assert_string_equal(what, "");
	assert_string_equal(why, "is missing");
	history_disk_free(disk);
}

static void what_a_newer_release_wrote_is_not_believed(void **state)
{
	const struct seal newer = {"clearconf-generation", 2};
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

	(void)state;
	history_disk_free(five_written());
	seal_write(&bytes, &newer, STR("whatever"));
	assert_survives(FOLDER "/00000000000000000040.generation",
			buf_str(&bytes));
}

static void what_others_may_write_is_not_believed(void **state)
{
	struct history_disk *disk;
	_cleanup_(mem_freep) char *what = NULL;
	_cleanup_(mem_freep) char *why = NULL;

	(void)state;
	history_disk_free(five_written());
	assert_int_equal(chmod(FOLDER, 0777), 0);
	disk = disk_new();
	what = found(disk, OWNER, 1000, &why);
	assert_string_equal(what, "");
	assert_non_null(strstr(why, "its mode must be 0700"));
	history_disk_free(disk);
	assert_int_equal(chmod(FOLDER, 0700), 0);
	assert_int_equal(chmod(FOLDER "/00000000000000000040.generation", 0644),
			 0);
	disk = disk_new();
	mem_free(TAKE(what));
	mem_free(TAKE(why));
	what = found(disk, OWNER, 1000, &why);
	assert_string_equal(what, "50 30 20-29 10-19");
	history_disk_free(disk);
}

static void a_disk_that_takes_nothing_loses_nothing(void **state)
{
	_cleanup_(doc_unrefp) struct doc *shared = docs_read("{}");
	struct snapshot *snapshot = snapshot_of(60, shared, "{\"own\":6}");
	struct history_disk *disk = five_written();

	(void)state;
	assert_int_equal(rename(FOLDER, "elsewhere"), 0);
	scratch_write(FOLDER, "a file in its place");
	assert_int_equal(history_disk_write(disk, OWNER, snapshot, 50),
			 -ENOTDIR);
	assert_int_equal(unlink(FOLDER), 0);
	assert_int_equal(rename("elsewhere", FOLDER), 0);
	assert_int_equal(history_disk_write(disk, OWNER, snapshot, 50), 0);
	snapshot_unref(snapshot);
	history_disk_free(disk);
	assert_found("60 50-59 40-49 30-39 20-29 10-19");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
		TEST(what_was_written_is_found_the_newest_first),
		TEST(documents_are_written_once),
		TEST(all_of_it_is_private),
		TEST(what_is_too_old_goes_with_its_documents),
		TEST(the_limit_of_generations_holds_at_the_start),
		TEST(the_limit_of_bytes_holds_at_the_start),
		TEST(several_of_the_same_values_are_one),
		TEST(what_another_process_called_newer_goes),
		TEST(what_is_anothers_is_set_aside),
		TEST(what_is_anothers_never_becomes_ours),
		TEST(nothing_is_written_into_anothers),
		TEST(what_could_not_be_seen_stays_ours),
		TEST(what_could_not_be_seen_stays_anothers),
		TEST(what_only_begins_like_a_generation_is_none),
		TEST(a_logins_history_waits_for_a_login),
		TEST(another_key_of_the_same_user_takes_it_over),
		TEST(what_is_forgotten_is_gone),
		TEST(a_damaged_generation_is_set_aside),
		TEST(a_damaged_document_costs_its_generations),
		TEST(without_the_shared_document_there_is_nothing),
		TEST(what_a_newer_release_wrote_is_not_believed),
		TEST(what_others_may_write_is_not_believed),
		TEST(a_disk_that_takes_nothing_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
