#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pwd.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/envs.h"
#include "../support/scratch.h"
#include "../support/skipping.h"
#include "settings/places.h"

static void assert_user_places(const char *variables, const char *socket,
			       const char *settings, const char *state_dir)
{
	_cleanup_(env_unrefp) struct env *env = envs_of(variables);
	_cleanup_(places_deinit) struct places places;

	places_init(&places, INSTANCE_USER, env);
	assert_false(places.system);
	assert_string_equal(places.socket, socket);
	assert_string_equal(places.settings, settings);
	assert_string_equal(places.state_dir, state_dir);
}

static void the_user_has_its_xdg_folders(void **state)
{
	(void)state;
	assert_user_places("HOME=/h|XDG_RUNTIME_DIR=/run/user/7|"
			   "XDG_CONFIG_HOME=/c|XDG_STATE_HOME=/s",
			   "/run/user/7/clearconf/clearconf.sock",
			   "/c/clearconf/clearconfd.conf", "/s/clearconf");
}

static void without_them_they_are_in_the_home(void **state)
{
	(void)state;
	assert_user_places("HOME=/h",
			   "/h/.local/state/clearconf/clearconf.sock",
			   "/h/.config/clearconf/clearconfd.conf",
			   "/h/.local/state/clearconf");
}

static void without_a_runtime_folder_the_socket_is_with_the_state(void **state)
{
	(void)state;
	assert_user_places(
		"HOME=/h|XDG_STATE_HOME=/s", "/s/clearconf/clearconf.sock",
		"/h/.config/clearconf/clearconfd.conf", "/s/clearconf");
}

static void relative_and_empty_xdg_variables_are_ignored(void **state)
{
	(void)state;
	assert_user_places("HOME=/h|XDG_RUNTIME_DIR=run|XDG_CONFIG_HOME=./c|"
			   "XDG_STATE_HOME=",
			   "/h/.local/state/clearconf/clearconf.sock",
			   "/h/.config/clearconf/clearconfd.conf",
			   "/h/.local/state/clearconf");
}

static void without_a_home_the_password_file_has_one(void **state)
{
	static const char *const variables[] = {"", "HOME=", "HOME=relative"};
	const struct passwd *user = getpwuid(getuid());

	(void)state;
	for (size_t i = 0; user && i < ARRAY_SIZE(variables); i++) {
		_cleanup_(env_unrefp) struct env *env = envs_of(variables[i]);
		_cleanup_(places_deinit) struct places places;

		places_init(&places, INSTANCE_USER, env);
		assert_string_equal(places.home, user->pw_dir);
	}
}

/* As in a container that runs as any uid. */
static void who_has_no_home_lacks_what_no_variable_says(void **state)
{
	static const struct {
		const char *variables;
		bool no_socket, no_state_dir;
	} cases[] = {
		{"", true, true},
		{"XDG_RUNTIME_DIR=/r", false, true},
		{"XDG_STATE_HOME=/s", false, false},
		{"HOME=/", false, false},
	};
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		bool fine = setuid(4100000) == 0;

		for (size_t i = 0; fine && i < ARRAY_SIZE(cases); i++) {
			struct env *env = envs_of(cases[i].variables);
			struct places places;

			places_init(&places, INSTANCE_USER, env);
			fine = places.no_socket == cases[i].no_socket &&
			       places.no_state_dir == cases[i].no_state_dir &&
			       strncmp(places.state_dir, "//", 2) != 0;
			places_deinit(&places);
			env_unref(env);
		}
		_exit(!fine);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (geteuid() != 0)
		skip_because("only root can be somebody else");
	assert_int_equal(status, 0);
}

static void the_system_has_its_own_and_no_home(void **state)
{
	_cleanup_(env_unrefp) struct env *env =
		envs_of("HOME=/root|XDG_RUNTIME_DIR=/run/user/0|"
			"XDG_CONFIG_HOME=/c|XDG_STATE_HOME=/s");
	_cleanup_(places_deinit) struct places places;

	(void)state;
	places_init(&places, INSTANCE_SYSTEM, env);
	assert_true(places.system);
	assert_null(places.home);
	assert_string_equal(places.socket, "/run/clearconf/clearconf.sock");
	assert_string_equal(places.settings, "/etc/clearconf/clearconfd.conf");
	assert_string_equal(places.state_dir, "/var/lib/clearconf");
}

static void which_instance_follows_from_root_and_state_folder(void **state)
{
	static const struct {
		const char *variables;
		bool system; /* not run by root */
	} cases[] = {
		{"HOME=/h", false},
		{"HOME=/h|STATE_DIRECTORY=/var/lib/clearconf", true},
		{"HOME=/h|STATE_DIRECTORY=/var/library/clearconf", false},
		{"HOME=/h|STATE_DIRECTORY=/h/.local/state/clearconf", false},
		{"HOME=/h|STATE_DIRECTORY=", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(env_unrefp) struct env *env =
			envs_of(cases[i].variables);
		_cleanup_(places_deinit) struct places places;

		places_init(&places, INSTANCE_AUTO, env);
		assert_int_equal(places.system,
				 cases[i].system || geteuid() == 0);
	}
}

static void assert_expands(const char *path, const char *home,
			   const char *folder, const char *expected)
{
	_cleanup_(mem_freep) char *expanded = places_expand(path, home, folder);

	assert_string_equal(expanded, expected);
}

static void paths_expand_to_absolute_ones(void **state)
{
	(void)state;
	assert_expands("/a/b", "/h", "/f", "/a/b");
	assert_expands("~/a", "/h", "/f", "/h/a");
	assert_expands("~", "/h", "/f", "/h");
	assert_expands("~user/a", "/h", "/f", "/f/~user/a");
	assert_expands("~/a", NULL, "/f", "/f/~/a");
	assert_expands("a", "/h", "/f", "/f/a");
	assert_expands("../a", NULL, "/f", "/f/../a");
}

static void without_a_folder_it_is_the_working_folder(void **state)
{
	(void)state;
	scratch_enter();
	assert_expands("a/b", "/h", NULL, scratch_at("a/b"));
	scratch_leave();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_user_has_its_xdg_folders),
		cmocka_unit_test(without_them_they_are_in_the_home),
		cmocka_unit_test(
			without_a_runtime_folder_the_socket_is_with_the_state),
		cmocka_unit_test(relative_and_empty_xdg_variables_are_ignored),
		cmocka_unit_test(without_a_home_the_password_file_has_one),
		cmocka_unit_test(who_has_no_home_lacks_what_no_variable_says),
		cmocka_unit_test(the_system_has_its_own_and_no_home),
		cmocka_unit_test(
			which_instance_follows_from_root_and_state_folder),
		cmocka_unit_test(paths_expand_to_absolute_ones),
		cmocka_unit_test(without_a_folder_it_is_the_working_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
