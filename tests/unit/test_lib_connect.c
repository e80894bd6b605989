/* Which socket a client asks, and that it never falls back to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../support/scratch.h"
#include "../support/skipping.h"
#include "base/mem.h"
#include "clearconf.h"

#define STRANGER 12345

struct place {
	const char *user; /* where the user's daemon would listen */
	const char *other;
	struct clearconf *handle;
};

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_return_code(
		bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
	assert_return_code(listen(fd, 0), errno);
	return fd;
}

static int setup(void **state)
{
	static struct place place;

	scratch_enter();
	scratch_folder("clearconf");
	place.user = scratch_at("clearconf/clearconf.sock");
	place.other = scratch_at("other");
	(void)setenv("XDG_RUNTIME_DIR", scratch_root, 1);
	(void)unsetenv("CLEARCONF_SOCKET");
	*state = &place;
	return clearconf_new(&place.handle);
}

static int teardown(void **state)
{
	struct place *place = *state;

	clearconf_free(place->handle);
	scratch_leave();
	return 0;
}

static void the_users_own_socket_is_found(void **state)
{
	struct place *place = *state;
	int fd = listen_at(place->user);

	assert_int_equal(clearconf_connect(place->handle, NULL), 0);
	assert_string_equal(clearconf_socket(place->handle), place->user);
	(void)close(fd);
}

static void without_a_runtime_folder_it_is_below_the_state(void **state)
{
	struct place *place = *state;
	int fd = listen_at(place->user);

	(void)unsetenv("XDG_RUNTIME_DIR");
	(void)setenv("XDG_STATE_HOME", scratch_root, 1);
	assert_int_equal(clearconf_connect(place->handle, NULL), 0);
	assert_string_equal(clearconf_socket(place->handle), place->user);
	(void)unsetenv("XDG_STATE_HOME");
	(void)close(fd);
}

static void the_variable_wins_over_the_places(void **state)
{
	struct place *place = *state;
	int user = listen_at(place->user), other = listen_at(place->other);

	(void)setenv("CLEARCONF_SOCKET", place->other, 1);
	assert_int_equal(clearconf_connect(place->handle, NULL), 0);
	assert_string_equal(clearconf_socket(place->handle), place->other);
	assert_int_equal(clearconf_connect(place->handle, place->user), 0);
	assert_string_equal(clearconf_socket(place->handle), place->user);
	(void)close(user);
	(void)close(other);
}

static void an_empty_variable_is_none(void **state)
{
	struct place *place = *state;
	int fd = listen_at(place->user);

	(void)setenv("CLEARCONF_SOCKET", "", 1);
	assert_int_equal(clearconf_connect(place->handle, NULL), 0);
	(void)close(fd);
}

static void the_chosen_one_that_refuses_is_the_end(void **state)
{
	struct place *place = *state;
	int user = listen_at(place->user);

	(void)close(listen_at(place->other)); /* nobody listens any more */
	(void)setenv("CLEARCONF_SOCKET", place->other, 1);
	assert_int_equal(clearconf_connect(place->handle, NULL), -ECONNREFUSED);
	assert_non_null(
		strstr(clearconf_strerror(place->handle), place->other));
	assert_int_equal(clearconf_get_fd(place->handle), -1);
	(void)close(user);
}

static void a_path_too_long_for_a_socket_is_refused(void **state)
{
	struct place *place = *state;
	char path[200];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(clearconf_connect(place->handle, path), -ENAMETOOLONG);
	assert_non_null(strstr(clearconf_strerror(place->handle), path));
	assert_non_null(strstr(clearconf_strerror(place->handle), "107 bytes"));
}

static void a_daemon_that_accepts_nobody_is_waited_for_in_vain(void **state)
{
	struct place *place = *state;
	int fd = listen_at(place->user), r = 0;
	struct clearconf *handles[8] = {0};

	for (size_t i = 0; i < 8 && r == 0; i++) {
		assert_int_equal(clearconf_new(&handles[i]), 0);
		clearconf_set_timeout(handles[i], 20);
		r = clearconf_connect(handles[i], place->user);
	}
	assert_int_equal(r, -ETIMEDOUT);
	for (size_t i = 0; i < 8; i++)
		clearconf_free(handles[i]);
	(void)close(fd);
}

/* The kernel remembers who made it listen. */
static int listen_as(uid_t uid, const char *path)
{
	int fd = listen_at(path);

	assert_return_code(seteuid(uid), errno);
	assert_return_code(listen(fd, 1), errno);
	assert_return_code(seteuid(0), errno);
	return fd;
}

static void who_is_root_or_the_same_user_may_serve(void **state)
{
	struct place *place = *state;
	int fd;

	if (geteuid() != 0)
		skip_because("only root can be somebody else");
	fd = listen_as(0, place->user);
	assert_return_code(chmod(place->user, 0666), errno);
	assert_return_code(chmod(scratch_root, 0755), errno);
	assert_return_code(seteuid(STRANGER), errno);
	assert_int_equal(clearconf_connect(place->handle, place->user), 0);
	assert_return_code(seteuid(0), errno);
	(void)close(fd);
	fd = listen_as(STRANGER, place->other);
	assert_return_code(chmod(place->other, 0666), errno);
	assert_return_code(seteuid(STRANGER), errno);
	assert_int_equal(clearconf_connect(place->handle, place->other), 0);
	assert_return_code(seteuid(0), errno);
	(void)close(fd);
}

static void somebody_else_may_not(void **state)
{
	struct place *place = *state;
	int fd;

	if (geteuid() != 0)
		skip_because("only root can be somebody else");
	fd = listen_as(STRANGER, place->user);
	assert_int_equal(clearconf_connect(place->handle, NULL), -EPERM);
	assert_non_null(strstr(clearconf_strerror(place->handle),
			       "is served by uid 12345, who is neither"));
	assert_int_equal(clearconf_get_fd(place->handle), -1);
	clearconf_allow_any_server(place->handle, true);
	assert_int_equal(clearconf_connect(place->handle, NULL), 0);
	(void)close(fd);
}

static void somebody_elses_folder_makes_no_difference(void **state)
{
	struct place *place = *state;
	int fd;

	if (geteuid() != 0)
		skip_because("only root can be somebody else");
	fd = listen_as(STRANGER, place->user);
	assert_return_code(chown(scratch_at("clearconf"), STRANGER, 0), errno);
	assert_int_equal(clearconf_connect(place->handle, NULL), -EPERM);
	(void)close(fd);
}

/* A /run of this process alone; false where that cannot be had. */
static bool enter_a_run_of_our_own(void)
{
	return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", "/run", "tmpfs", 0, "mode=0755") == 0;
}

static const struct {
	uid_t owner, server;
	mode_t mode, run;
	int result;
} systems[] = {
	{STRANGER, STRANGER, 0755, 0755, 0},
	{STRANGER, 0, 0755, 0755, 0},
	{STRANGER, STRANGER + 1, 0755, 0755, -EPERM},
	{0, STRANGER, 0755, 0755, -EPERM},
	{STRANGER, STRANGER, 0775, 0755, -EPERM},
	{STRANGER, STRANGER, 0777, 0755, -EPERM},
	{STRANGER, STRANGER, 0755, 01777, -EPERM},
};

static void on_the_systems_socket_the_owner_of_its_folder_may(void **state)
{
	static const char path[] = "/run/clearconf/clearconf.sock";
	struct place *place = *state;

	if (!enter_a_run_of_our_own())
		skip_because("only root can make another mount namespace");
	assert_return_code(mkdir("/run/clearconf", 0755), errno);
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
		int fd = listen_as(systems[i].server, path);

		assert_return_code(chown("/run/clearconf", systems[i].owner, 0),
				   errno);
		assert_return_code(chmod("/run/clearconf", systems[i].mode),
				   errno);
		assert_return_code(chmod("/run", systems[i].run), errno);
		assert_int_equal(clearconf_connect(place->handle, path),
				 systems[i].result);
		(void)unlink(path);
		(void)close(fd);
	}
}

#define AT_A_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_PLACE(the_users_own_socket_is_found),
		AT_A_PLACE(without_a_runtime_folder_it_is_below_the_state),
		AT_A_PLACE(the_variable_wins_over_the_places),
		AT_A_PLACE(an_empty_variable_is_none),
		AT_A_PLACE(the_chosen_one_that_refuses_is_the_end),
		AT_A_PLACE(a_path_too_long_for_a_socket_is_refused),
		AT_A_PLACE(who_is_root_or_the_same_user_may_serve),
		AT_A_PLACE(somebody_else_may_not),
		AT_A_PLACE(somebody_elses_folder_makes_no_difference),
		AT_A_PLACE(on_the_systems_socket_the_owner_of_its_folder_may),
		AT_A_PLACE(a_daemon_that_accepts_nobody_is_waited_for_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
