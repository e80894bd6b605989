#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../support/skipping.h"
#include "serve_fixture.h"

static int make_server(void **state)
{
	struct fixture *fixture = fixture_new();

	fixture_start(fixture);
	*state = fixture;
	return 0;
}

static int make_fixture(void **state)
{
	*state = fixture_new();
	return 0;
}

static int free_fixture(void **state)
{
	fixture_free(*state);
	return 0;
}

static unsigned int count_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	(void)closedir(folder);
	return count;
}

static void a_thousand_connections_leave_no_descriptor(void **state)
{
	struct fixture *fixture = *state;
	unsigned int before;
	struct client client = client_connect(fixture);

	client_exchange(&client, GET("a"), GOT("1", "1"));
	client_close(&client);
	fixture_settle(fixture);
	before = count_fds();
	for (int i = 0; i < 1000; i++) {
		client = client_connect(fixture);
		if (i % 2)
			client_exchange(&client, i % 4 == 1 ? GET("a") : WATCH,
					i % 4 == 1 ? GOT("1", "1")
						   : TOLD("1", ""));
		client_close(&client);
	}
	fixture_settle(fixture);
	assert_int_equal(count_fds(), before);
	assert_int_equal(server_connections(fixture->server), 0);
}

static void a_connection_too_many_is_told_so(void **state)
{
	struct fixture *fixture = *state;
	struct client first, second;

	fixture->limits.connections_per_user = 1;
	server_set_limits(fixture->server, &fixture->limits);
	first = client_connect(fixture);
	client_exchange(&first, GET("a"), GOT("1", "1"));
	second = client_connect(fixture);
	client_expect(&second,
		      "{\"error\":\"io.clearconf.QuotaExceeded\","
		      "\"parameters\":{\"quota\":\"connections_per_user\","
		      "\"limit\":1}}");
	assert_null(client_receive(&second));
	client_exchange(&first, GET("a"), GOT("1", "1"));
	client_close(&first);
	client_close(&second);
	fixture_settle(fixture);
	first = client_connect(fixture);
	client_exchange(&first, GET("a"), GOT("1", "1"));
	client_close(&first);
}

/* No descriptor from the lowest free one on. */
static struct rlimit use_up_descriptors(void)
{
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct rlimit old, none;

	assert_true(lowest >= 0);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){(rlim_t)lowest, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	return old;
}

static void without_descriptors_who_comes_is_dropped(void **state)
{
	struct fixture *fixture = *state;
	struct client served = client_connect(fixture), late;
	struct rlimit old;

	client_exchange(&served, GET("a"), GOT("1", "1"));
	late = client_connect(fixture);
	old = use_up_descriptors();
	assert_null(client_receive(&late));
	client_exchange(&served, GET("a"), GOT("1", "1"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	client_close(&late);
	late = client_connect(fixture);
	client_exchange(&late, GET("a"), GOT("1", "1"));
	client_close(&late);
	client_close(&served);
}

/* Below what is open already: the reserve does not help either. */
static void without_a_reserve_who_comes_waits(void **state)
{
	struct fixture *fixture = *state;
	struct client served = client_connect(fixture), late;
	struct rlimit old, none;

	if (is_under_valgrind()) {
		client_close(&served);
		skip_because("valgrind has limits and a pace of its own");
	}
	client_exchange(&served, GET("a"), GOT("1", "1"));
	late = client_connect(fixture);
	old = use_up_descriptors();
	none = (struct rlimit){3, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	client_call(&late, GET("a"));
	client_exchange(&served, GET("a"), GOT("1", "1"));
	assert_true(client_hears_nothing(&late));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	client_expect(&late, GOT("1", "1"));
	client_close(&late);
	client_close(&served);
}

static void everybody_may_connect(void **state)
{
	struct fixture *fixture = *state;
	struct stat st;

	assert_int_equal(stat(fixture->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0666);
}

/* Another server of the same loop. */
static int try_listen(struct fixture *fixture, const char *path)
{
	struct server *second =
		server_new(&fixture->loop, &fixture->service, &fixture->limits);
	int r = server_listen(second, path);

	server_stop(second, 0, NULL, NULL);
	fixture_settle(fixture);
	return r;
}

static void a_second_server_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	assert_int_equal(try_listen(fixture, fixture->path), -EADDRINUSE);
	client = client_connect(fixture);
	client_exchange(&client, GET("a"), GOT("1", "1"));
	client_close(&client);
}

/* A socket file at @path; the descriptor if it listens, else -1. */
static int make_socket(const char *path, bool listening)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	if (listening) {
		assert_int_equal(listen(fd, 1), 0);
		return fd;
	}
	close(fd);
	return -1;
}

static void what_stands_in_the_place_decides(void **state)
{
	struct fixture *fixture = *state;
	char path[64], lock[80];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/other", fixture->folder);
	(void)snprintf(lock, sizeof(lock), "%s.lock", path);
	make_socket(path, false);
	assert_int_equal(try_listen(fixture, path), 0);
	assert_int_equal(access(path, F_OK), -1);
	/* One that listens without our lock. */
	fd = make_socket(path, true);
	assert_int_equal(try_listen(fixture, path), -EADDRINUSE);
	assert_int_equal(access(path, F_OK), 0);
	close(fd);
	assert_int_equal(unlink(path), 0);
	/* No socket at all. */
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(try_listen(fixture, path), -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(lock), 0);
}

static void a_place_that_cannot_be_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	char path[300];

	assert_int_equal(try_listen(fixture, "/nonexistent/clearconf/sock"),
			 -ENOENT);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(try_listen(fixture, path), -ENAMETOOLONG);
}

static void a_socket_that_is_not_ours_any_more_stays(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(unlink(fixture->path), 0);
	make_socket(fixture->path, false);
	fixture_stop(fixture, 0);
	fixture_settle(fixture);
	assert_null(fixture->server);
	assert_int_equal(unlink(fixture->path), 0);
}

static void a_passed_socket_is_served(void **state)
{
	struct fixture *fixture = *state;
	struct server *server =
		server_new(&fixture->loop, &fixture->service, &fixture->limits);
	struct client client;

	(void)snprintf(fixture->path, sizeof(fixture->path),
		       "/tmp/clearconf-passed.%d", (int)getpid());
	assert_int_equal(
		server_listen_fd(server, make_socket(fixture->path, true)), 0);
	client = client_connect(fixture);
	client_exchange(&client, GET("a"), GOT("1", "1"));
	client_close(&client);
	server_stop(server, 0, NULL, NULL);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	/* It is whoever passed it who removes it. */
	assert_int_equal(unlink(fixture->path), 0);
}

static void stopping_finishes_what_is_being_written(void **state)
{
	struct fixture *fixture = *state;
	struct client writing, idle, watching;
	const char *reply;

	fixture_publish_big(fixture);
	writing = client_connect(fixture);
	idle = client_connect(fixture);
	watching = client_connect(fixture);
	client_exchange(&idle, GET("a"), GOT("3", "1"));
	client_exchange(&watching, WATCH, TOLD("3", ""));
	client_call(&writing, GET_ALL);
	fixture_settle(fixture);
	fixture_stop(fixture, 600000);
	assert_null(client_receive(&idle));
	assert_null(client_receive(&watching));
	assert_non_null(fixture->server);
	reply = client_receive(&writing);
	assert_non_null(reply);
	assert_int_equal(strlen(reply),
			 FIXTURE_BIG +
				 strlen(GOT("3", "{\"a\":1,\"big\":\"\"}")));
	assert_null(client_receive(&writing));
	fixture_settle(fixture);
	assert_null(fixture->server);
	client_close(&writing);
	client_close(&idle);
	client_close(&watching);
}

static void stopping_does_not_wait_for_ever(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	fixture_publish_big(fixture);
	client = client_connect(fixture);
	client_call(&client, GET_ALL);
	fixture_settle(fixture);
	fixture_stop(fixture, 10);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_null(fixture->server);
	client_close(&client);
}

static void stopping_twice_is_stopping_once(void **state)
{
	struct fixture *fixture = *state;

	fixture_stop(fixture, 10);
	fixture_stop(fixture, 10);
	fixture_settle(fixture);
	assert_null(fixture->server);
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, make_server, free_fixture)
	static const struct CMUnitTest tests[] = {
		TEST(a_thousand_connections_leave_no_descriptor),
		TEST(a_connection_too_many_is_told_so),
		TEST(without_descriptors_who_comes_is_dropped),
		TEST(without_a_reserve_who_comes_waits),
		TEST(everybody_may_connect),
		TEST(a_second_server_is_refused),
		TEST(what_stands_in_the_place_decides),
		TEST(a_place_that_cannot_be_is_an_error),
		TEST(a_socket_that_is_not_ours_any_more_stays),
		TEST(stopping_finishes_what_is_being_written),
		TEST(stopping_does_not_wait_for_ever),
		TEST(stopping_twice_is_stopping_once),
		cmocka_unit_test_setup_teardown(a_passed_socket_is_served,
						make_fixture, free_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
