#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/mem.h"
#include "config/access.h"

#define OTHER 4100000 /* no user of any machine */
#define ALL   (ACCESS_READ | ACCESS_SECRETS | ACCESS_ADMIN)

static void a_list_grants_its_right_to_those_it_names(void **state)
{
	static gid_t groups[] = {5000, 6000};
	static const struct {
		const char *read, *secrets, *admin;
		unsigned int rights;
	} cases[] = {
		{NULL, NULL, NULL, 0},
		{"", "  ", "", 0},
		{"4100000", "", "", ACCESS_READ},
		{"", "4100000", "", ACCESS_SECRETS},
		{"", "", "4100000", ACCESS_ADMIN},
		{"4100000", "", "4100000", ACCESS_READ | ACCESS_ADMIN},
		{"1 4100000 2", "", "", ACCESS_READ},
		{"4100001", "", "", 0},
		{"group:5000", "", "", ACCESS_READ},
		{"group:6000", "group:7000", "", ACCESS_READ},
		{"group:4100000", "", "", 0},
		{"5000", "", "", 0},
		{"*", "", "", ACCESS_READ},
		{"*", "*", "*", ALL},
		{"root", "group:root", "", 0},
		{"no-such-user-here group:no-such-group", "4100000", "",
		 ACCESS_SECRETS},
		{"-1", "4294967295 18446744073709551615", "4100000x", 0},
	};
	struct access_user user = {OTHER, groups, ARRAY_SIZE(groups)};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct access *access = access_new(
			cases[i].read, cases[i].secrets, cases[i].admin, true);

		assert_int_equal(access_rights(access, &user), cases[i].rights);
		access_free(access);
	}
}

static void names_are_looked_up(void **state)
{
	static gid_t groups[] = {0};
	struct access_user user = {OTHER, groups, 1};
	struct access *access = access_new("group:root", NULL, NULL, true);

	(void)state;
	assert_int_equal(access_rights(access, &user), ACCESS_READ);
	access_free(access);
}

static void root_and_the_daemon_have_every_right(void **state)
{
	struct access *access = access_new("", "", "", true);
	struct access_user root = {0}, own = {.uid = geteuid()};

	(void)state;
	assert_int_equal(access_rights(access, &root), ALL);
	assert_int_equal(access_rights(access, &own), ALL);
	access_free(access);
}

/* The daemon may run as root itself: that is no way around. */
static void root_of_a_container_has_what_lists_give(void **state)
{
	struct access *access = access_new("root", "", "0", true);
	struct access_user root = {.uid = 0, .elsewhere = true};

	(void)state;
	assert_int_equal(access_rights(access, &root),
			 ACCESS_READ | ACCESS_ADMIN);
	root.elsewhere = false;
	assert_int_equal(access_rights(access, &root), ALL);
	access_free(access);
}

static void root_may_have_nothing_of_its_own(void **state)
{
	struct access *access = access_new("root", "", "", false);
	struct access_user root = {0}, own = {.uid = geteuid()};

	(void)state;
	assert_int_equal(access_rights(access, &root), ACCESS_READ);
	assert_int_equal(access_rights(access, &own),
			 own.uid ? ALL : ACCESS_READ);
	access_free(access);
}

static void rights_have_names(void **state)
{
	(void)state;
	assert_string_equal(access_right_name(ACCESS_READ), "read");
	assert_string_equal(access_right_name(ACCESS_SECRETS), "secrets");
	assert_string_equal(access_right_name(ACCESS_ADMIN), "admin");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_grants_its_right_to_those_it_names),
		cmocka_unit_test(names_are_looked_up),
		cmocka_unit_test(root_and_the_daemon_have_every_right),
		cmocka_unit_test(root_of_a_container_has_what_lists_give),
		cmocka_unit_test(root_may_have_nothing_of_its_own),
		cmocka_unit_test(rights_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
