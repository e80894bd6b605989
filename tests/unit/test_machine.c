#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../support/quiet.h"
#include "../support/scratch.h"
#include "base/machine.h"
#include "base/mem.h"

static int enter(void **state)
{
	(void)state;
	scratch_enter();
	quiet_begin();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	quiet_end();
	scratch_leave();
	return 0;
}

static void assert_id(const char *path, const char *state_dir, const char *id)
{
	struct machine machine = {{0}};

	machine_learn(&machine, path, state_dir, true);
	assert_string_equal(machine.id, id);
}

/* What systemd-id128 prints with --app-specific, of this machine id. */
static void it_is_systemds_id_for_an_application(void **state)
{
	(void)state;
	scratch_write("id", "0123456789abcdef0123456789abcdef\n");
	assert_id("id", NULL, "d4a1a944945f4f97bbd4961fb5f3cf5c");
	scratch_write("id", "0123456789ABCDEF0123456789ABCDEF");
	assert_id("id", NULL, "d4a1a944945f4f97bbd4961fb5f3cf5c");
}

static void each_way_to_have_none_is_told(void **state)
{
	static const struct {
		const char *text, *lack;
	} files[] = {
		{"", "it is empty"},
		{" \n", "it is empty"},
		{"uninitialized\n", "it is not initialized yet"},
		{"0123456789abcdef0123456789abcde\n",
		 "it is not 32 hexadecimal digits"},
		{"0123456789abcdef0123456789abcdefa\n",
		 "it is not 32 hexadecimal digits"},
		{"0123456789abcdef0123456789abcdeg\n",
		 "it is not 32 hexadecimal digits"},
		{"00000000000000000000000000000000\n",
		 "it is not 32 hexadecimal digits"},
		{"\xff\n", "it cannot be read"},
	};
	struct machine machine;
	const char *lack;

	(void)state;
	assert_false(machine_from_file(&machine, "absent", &lack));
	assert_string_equal(lack, "there is no such file");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		scratch_write("id", files[i].text);
		assert_false(machine_from_file(&machine, "id", &lack));
		assert_string_equal(lack, files[i].lack);
	}
}

static void without_one_an_own_one_is_kept(void **state)
{
	struct machine first = {{0}}, second = {{0}};
	struct stat st;

	(void)state;
	scratch_folder("state");
	scratch_folder("other");
	machine_learn(&first, "absent", scratch_at("state"), true);
	assert_int_equal(strlen(first.id), 32);
	assert_int_equal(stat("state/machine-id", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_id("absent", scratch_at("state"), first.id);
	scratch_link("state", "link");
	assert_id("absent", scratch_at("link"), first.id);
	machine_learn(&second, "absent", scratch_at("other"), true);
	assert_string_not_equal(first.id, second.id);
}

static void a_damaged_one_is_made_anew(void **state)
{
	struct machine machine = {{0}};

	(void)state;
	scratch_folder("state");
	scratch_write("state/machine-id", "torn");
	assert_int_equal(chmod("state/machine-id", 0600), 0);
	machine_learn(&machine, "absent", scratch_at("state"), true);
	assert_int_equal(strlen(machine.id), 32);
	assert_id("absent", scratch_at("state"), machine.id);
}

static void who_may_not_write_leaves_no_id_behind(void **state)
{
	struct machine machine = {{0}};

	(void)state;
	scratch_folder("state");
	machine_learn(&machine, "absent", scratch_at("state"), false);
	assert_int_equal(strlen(machine.id), 32);
	assert_int_equal(access("state/machine-id", F_OK), -1);
	assert_id("absent", NULL, machine.id);
}

/* Who could choose the id could choose when this host goes. */
static void one_that_others_may_have_written_is_not_believed(void **state)
{
	static const char foreign[] = "0123456789abcdef0123456789abcdef\n";
	struct machine machine = {{0}};

	(void)state;
	scratch_folder("state");
	scratch_write("state/machine-id", foreign);
	assert_int_equal(chmod("state/machine-id", 0666), 0);
	machine_learn(&machine, "absent", scratch_at("state"), true);
	assert_memory_not_equal(machine.id, foreign, 32);
	scratch_write("elsewhere", foreign);
	assert_int_equal(unlink("state/machine-id"), 0);
	scratch_link("../elsewhere", "state/machine-id");
	machine_learn(&machine, "absent", scratch_at("state"), true);
	assert_memory_not_equal(machine.id, foreign, 32);
	assert_id("absent", scratch_at("state"), machine.id);
}

static void where_none_can_be_kept_the_name_has_to_do(void **state)
{
	struct machine machine = {{0}};

	(void)state;
	machine_learn(&machine, "absent", NULL, true);
	assert_int_equal(strlen(machine.id), 32);
	assert_id("absent", NULL, machine.id);
	assert_id("absent", scratch_at("nowhere"), machine.id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			it_is_systemds_id_for_an_application, enter, leave),
		cmocka_unit_test_setup_teardown(each_way_to_have_none_is_told,
						enter, leave),
		cmocka_unit_test_setup_teardown(without_one_an_own_one_is_kept,
						enter, leave),
		cmocka_unit_test_setup_teardown(a_damaged_one_is_made_anew,
						enter, leave),
		cmocka_unit_test_setup_teardown(
			who_may_not_write_leaves_no_id_behind, enter, leave),
		cmocka_unit_test_setup_teardown(
			one_that_others_may_have_written_is_not_believed, enter,
			leave),
		cmocka_unit_test_setup_teardown(
			where_none_can_be_kept_the_name_has_to_do, enter,
			leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
