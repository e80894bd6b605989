#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "../support/histories.h"
#include "base/seal.h"

/* Any one that ends so. */
static char *file_like(const char *ending)
{
	DIR *dir = opendir(HISTORIES_FOLDER);
	struct dirent *each;
	char *name = NULL;

	assert_non_null(dir);
	while (!name && (each = readdir(dir)))
		if (str_ends(str_from(each->d_name), str_from(ending)))
			name = mem_printf(HISTORIES_FOLDER "/%s", each->d_name);
	(void)closedir(dir);
	assert_non_null(name);
	return name;
}

static void what_was_written_is_found_the_newest_first(void **state)
{
	(void)state;
	history_disk_free(histories_five());
	histories_assert_found("50 40-49 30-39 20-29 10-19");
	histories_assert_found("50 40-49 30-39 20-29 10-19");
}

static void documents_are_written_once(void **state)
{
	(void)state;
	history_disk_free(histories_five());
	assert_int_equal(histories_count_files(".generation"), 5);
	assert_int_equal(histories_count_files(".document"), 6);
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
	history_disk_free(histories_five());
	record = file_like(".generation");
	document = file_like(".document");
	assert_mode("state/history", 0700);
	assert_mode(HISTORIES_FOLDER, 0700);
	assert_mode(HISTORIES_FOLDER "/owner", 0600);
	assert_mode(record, 0600);
	assert_mode(document, 0600);
}

static void what_is_too_old_goes_with_its_documents(void **state)
{
	struct history_disk *disk = histories_five();

	(void)state;
	assert_int_equal(history_disk_prune(disk, 30), 0);
	assert_int_equal(histories_count_files(".generation"), 3);
	assert_int_equal(histories_count_files(".document"), 4);
	history_disk_free(disk);
	histories_assert_found("50 40-49 30-39");
}

static void the_limit_of_generations_holds_at_the_start(void **state)
{
	struct history_disk *disk;
	_cleanup_(mem_freep) char *what = NULL;

	(void)state;
	history_disk_free(histories_five());
	disk = histories_open_with(2, SIZE_MAX);
	what = histories_found(disk, HISTORIES_OWNER, 1000, NULL);
	assert_string_equal(what, "50 40-49");
	assert_int_equal(histories_count_files(".generation"), 2);
	assert_int_equal(histories_count_files(".document"), 3);
	history_disk_free(disk);
}

static void the_limit_of_bytes_holds_at_the_start(void **state)
{
	struct history_disk *disk;
	_cleanup_(mem_freep) char *what = NULL;

	(void)state;
	history_disk_free(histories_five());
	disk = histories_open_with(64, 1);
	what = histories_found(disk, HISTORIES_OWNER, 1000, NULL);
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
	history_disk_free(histories_five());
	for (uint64_t start = 100; start <= 300; start += 100) {
		struct snapshot *snapshot =
			histories_snapshot(start, shared, "{\"own\":5}");

		disk = histories_open();
		mem_free(histories_found(disk, HISTORIES_OWNER, start, NULL));
		assert_int_equal(
			history_disk_write(disk, HISTORIES_OWNER, snapshot, 0),
			0);
		snapshot_unref(snapshot);
		history_disk_free(disk);
	}
	histories_assert_found("50+300-300 40-49 30-39 20-29 10-19");
	histories_assert_found("50+300-300 40-49 30-39 20-29 10-19");
}

static void what_another_process_called_newer_goes(void **state)
{
	struct history_disk *disk;
	_cleanup_(mem_freep) char *what = NULL;

	(void)state;
	history_disk_free(histories_five());
	disk = histories_open();
	what = histories_found(disk, HISTORIES_OWNER, 35, NULL);
	assert_string_equal(what, "30 20-29 10-19");
	history_disk_free(disk);
	histories_assert_found("30 20-29 10-19");
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
	struct history_disk *disk = histories_open();
	_cleanup_(mem_freep) char *why = NULL;
	_cleanup_(mem_freep) char *what = NULL;

	write_whole(path, bytes);
	(void)unlink(HISTORIES_FOLDER "/last.generation.bad");
	(void)unlink(HISTORIES_FOLDER "/last.document.bad");
	what = histories_found(disk, HISTORIES_OWNER, 1000, &why);
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
	copy_files(HISTORIES_FOLDER, "kept");
	read_whole(path, &bytes);
	for (size_t i = 0; i < bytes.len; i++) {
		assert_survives(path, (struct str){bytes.data, i});
		copy_files("kept", HISTORIES_FOLDER);
		bytes.data[i] = (char)~bytes.data[i];
		assert_survives(path, buf_str(&bytes));
		copy_files("kept", HISTORIES_FOLDER);
		bytes.data[i] = (char)~bytes.data[i];
	}
}

static void a_damaged_generation_is_set_aside(void **state)
{
	(void)state;
	history_disk_free(histories_five());
	every_damage_of(HISTORIES_FOLDER "/00000000000000000040.generation");
	assert_int_equal(histories_count_files(".bad"), 1);
}

/* A copy that somebody made of one. */
static void what_only_begins_like_a_generation_is_none(void **state)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

	(void)state;
	history_disk_free(histories_five());
	read_whole(HISTORIES_FOLDER "/00000000000000000030.generation", &bytes);
	write_whole(HISTORIES_FOLDER "/00000000000000000030 copy.generation",
		    buf_str(&bytes));
	histories_assert_found("50 40-49 30-39 20-29 10-19");
	histories_assert_found("50 40-49 30-39 20-29 10-19");
}

static char *document_of(const char *text)
{
	DIR *dir = opendir(HISTORIES_FOLDER);
	struct dirent *each;
	char *name = NULL;

	while (!name && (each = readdir(dir))) {
		_cleanup_(mem_freep) char *path =
			mem_printf(HISTORIES_FOLDER "/%s", each->d_name);
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
	history_disk_free(histories_five());
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
	history_disk_free(histories_five());
	path = document_of("shared");
	assert_int_equal(unlink(path), 0);
	disk = histories_open();
	what = histories_found(disk, HISTORIES_OWNER, 1000, &why);
	assert_string_equal(what, "");
	assert_string_equal(why, "is missing");
	history_disk_free(disk);
}

static void what_a_newer_release_wrote_is_not_believed(void **state)
{
	const struct seal newer = {"clearconf-generation", 2};
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

	(void)state;
	history_disk_free(histories_five());
	seal_write(&bytes, &newer, STR("whatever"));
	assert_survives(HISTORIES_FOLDER "/00000000000000000040.generation",
			buf_str(&bytes));
}

static void what_others_may_write_is_not_believed(void **state)
{
	struct history_disk *disk;
	_cleanup_(mem_freep) char *what = NULL;
	_cleanup_(mem_freep) char *why = NULL;

	(void)state;
	history_disk_free(histories_five());
	assert_int_equal(chmod(HISTORIES_FOLDER, 0777), 0);
	disk = histories_open();
	what = histories_found(disk, HISTORIES_OWNER, 1000, &why);
	assert_string_equal(what, "");
	assert_non_null(strstr(why, "its mode must be 0700"));
	history_disk_free(disk);
	assert_int_equal(chmod(HISTORIES_FOLDER, 0700), 0);
	assert_int_equal(chmod(HISTORIES_FOLDER
			       "/00000000000000000040.generation",
			       0644),
			 0);
	disk = histories_open();
	mem_free(TAKE(what));
	mem_free(TAKE(why));
	what = histories_found(disk, HISTORIES_OWNER, 1000, &why);
	assert_string_equal(what, "50 30 20-29 10-19");
	history_disk_free(disk);
}

static void a_disk_that_takes_nothing_loses_nothing(void **state)
{
	_cleanup_(doc_unrefp) struct doc *shared = docs_read("{}");
	struct snapshot *snapshot =
		histories_snapshot(60, shared, "{\"own\":6}");
	struct history_disk *disk = histories_five();

	(void)state;
	assert_int_equal(rename(HISTORIES_FOLDER, "elsewhere"), 0);
	scratch_write(HISTORIES_FOLDER, "a file in its place");
	assert_int_equal(
		history_disk_write(disk, HISTORIES_OWNER, snapshot, 50),
		-ENOTDIR);
	assert_int_equal(unlink(HISTORIES_FOLDER), 0);
	assert_int_equal(rename("elsewhere", HISTORIES_FOLDER), 0);
	assert_int_equal(
		history_disk_write(disk, HISTORIES_OWNER, snapshot, 50), 0);
	snapshot_unref(snapshot);
	history_disk_free(disk);
	histories_assert_found("60 50-59 40-49 30-39 20-29 10-19");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, histories_enter, histories_leave)
		TEST(what_was_written_is_found_the_newest_first),
		TEST(documents_are_written_once),
		TEST(all_of_it_is_private),
		TEST(what_is_too_old_goes_with_its_documents),
		TEST(the_limit_of_generations_holds_at_the_start),
		TEST(the_limit_of_bytes_holds_at_the_start),
		TEST(several_of_the_same_values_are_one),
		TEST(what_another_process_called_newer_goes),
		TEST(what_only_begins_like_a_generation_is_none),
		TEST(a_damaged_generation_is_set_aside),
		TEST(a_damaged_document_costs_its_generations),
		TEST(without_the_shared_document_there_is_nothing),
		TEST(what_a_newer_release_wrote_is_not_believed),
		TEST(what_others_may_write_is_not_believed),
		TEST(a_disk_that_takes_nothing_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
