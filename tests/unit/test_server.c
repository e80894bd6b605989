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

#include "base/mem.h"
#include "config/snapshot.h"
#include "serve_fixture.h"

#define GET(path)                                                              \
	"{\"method\":\"io.clearconf.Get\",\"parameters\":{\"path\":\"" path    \
	"\"}}"
#define GET_ALL "{\"method\":\"io.clearconf.Get\"}"
#define WATCH   "{\"method\":\"io.clearconf.Watch\",\"more\":true}"
#define GOT(generation, value)                                                 \
	"{\"parameters\":{\"generation\":" generation                          \
	",\"state\":\"ready\",\"masked\":false,\"value\":" value "}}"
#define TOLD(generation, changes)                                              \
	"{\"parameters\":{\"generation\":" generation                          \
	",\"state\":\"ready\",\"resync\":false,\"skipped\":0,\"changes\":"     \
	"[" changes "]},\"continues\":true}"
#define CHANGED(path) "{\"path\":\"" path "\",\"kind\":\"changed\"}"
#define INVALID(name)                                                          \
	"{\"error\":\"org.varlink.service.InvalidParameter\","                 \
	"\"parameters\":{\"parameter\":\"" name "\"}}"
#define BIG ((size_t)3 * 1024 * 1024)

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

static void check_exchange(struct client *client, const char *call,
			   const char *reply)
{
	const char *received;

	client_call(client, call);
	received = client_receive(client);
	assert_non_null(received);
	assert_string_equal(received, reply);
}

static void check_heard(struct client *client, const char *reply)
{
	const char *received = client_receive(client);

	assert_non_null(received);
	assert_string_equal(received, reply);
}

/* The configuration becomes {"a": 1, "big": "xxx..."}. */
static void publish_big(struct fixture *fixture)
{
	_cleanup_(mem_freep) char *filler = mem_alloc(BIG + 1);
	_cleanup_(mem_freep) char *json = NULL;

	memset(filler, 'x', BIG);
	json = mem_printf("{\"a\":1,\"big\":\"%s\"}", filler);
	fixture_publish(fixture, 0, json);
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

static void a_call_is_answered(void **state)
{
	struct client client = client_connect(*state);

	check_exchange(&client, GET("a"), GOT("1", "1"));
	check_exchange(&client, GET_ALL, GOT("1", "{\"a\":1}"));
	client_close(&client);
}

static void calls_are_answered_in_their_order(void **state)
{
	static const char calls[] =
		GET("a") "\0" GET_ALL "\0nonsense\0" GET("a");
	struct client client = client_connect(*state);

	assert_true(client_send(&client, calls, sizeof(calls)));
	check_heard(&client, GOT("1", "1"));
	check_heard(&client, GOT("1", "{\"a\":1}"));
	check_heard(&client, INVALID("message"));
	check_heard(&client, GOT("1", "1"));
	client_close(&client);
}

static void a_call_may_come_in_pieces(void **state)
{
	static const char call[] = GET("a");
	struct client client = client_connect(*state);

	for (size_t i = 0; i < sizeof(call); i++) {
		assert_true(client_hears_nothing(&client));
		assert_true(client_send(&client, call + i, 1));
	}
	check_heard(&client, GOT("1", "1"));
	client_close(&client);
}

static void a_thousand_calls_at_once_are_all_answered(void **state)
{
	_cleanup_(buf_deinit) struct buf calls = BUF_INIT;
	struct client client = client_connect(*state);

	for (int i = 0; i < 1000; i++)
		buf_add(&calls, GET_ALL, sizeof(GET_ALL));
	assert_true(client_send(&client, calls.data, calls.len));
	for (int i = 0; i < 1000; i++)
		check_heard(&client, GOT("1", "{\"a\":1}"));
	assert_true(client_hears_nothing(&client));
	client_close(&client);
}

static void a_bad_message_does_not_end_the_connection(void **state)
{
	static const struct {
		const char *message, *parameter;
	} cases[] = {
		{"", INVALID("message")},
		{"{", INVALID("message")},
		{"\xff\xfe", INVALID("message")},
		{"{\"method\":1}", INVALID("method")},
		{"{\"method\":\"x\",\"parameters\":3}", INVALID("parameters")},
	};
	struct client client = client_connect(*state);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_exchange(&client, cases[i].message, cases[i].parameter);
	check_exchange(&client, GET("a"), GOT("1", "1"));
	client_close(&client);
}

static void a_message_over_the_limit_ends_the_connection(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *message =
		mem_alloc(fixture->limits.message + 1);
	struct client client = client_connect(fixture);
	struct client other = client_connect(fixture);

	memset(message, ' ', fixture->limits.message);
	check_exchange(&client, message, INVALID("message"));
	check_exchange(&client, GET("a"), GOT("1", "1"));
	memset(message, ' ', fixture->limits.message + 1);
	assert_true(client_send(&client, message, fixture->limits.message + 1));
	check_heard(&client, INVALID("message"));
	assert_null(client_receive(&client));
	check_exchange(&other, GET("a"), GOT("1", "1"));
	client_close(&client);
	client_close(&other);
}

static void a_flood_without_an_end_is_cut_off(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *flood = mem_alloc(BIG);
	struct client client = client_connect(fixture);
	struct client other = client_connect(fixture);

	memset(flood, 'x', BIG);
	assert_false(client_send(&client, flood, BIG));
	check_exchange(&other, GET("a"), GOT("1", "1"));
	assert_int_equal(server_connections(fixture->server), 1);
	client_close(&client);
	client_close(&other);
}

/* Seeded: every run throws the same. */
static void random_bytes_harm_nobody(void **state)
{
	struct fixture *fixture = *state;
	struct client other = client_connect(fixture);
	unsigned int seed = 42;
	char bytes[512];

	for (int i = 0; i < 200; i++) {
		struct client client = client_connect(fixture);

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (char)(rand_r(&seed) >> 7);
		(void)client_send(&client, bytes, sizeof(bytes));
		fixture_settle(fixture);
		client_close(&client);
	}
	check_exchange(&other, GET("a"), GOT("1", "1"));
	client_close(&other);
}

static void a_large_answer_arrives_whole(void **state)
{
	struct fixture *fixture = *state;
	struct client client;
	const char *reply;

	publish_big(fixture);
	client = client_connect(fixture);
	for (int i = 0; i < 3; i++) {
		client_call(&client, GET_ALL);
		reply = client_receive(&client);
		assert_non_null(reply);
		assert_int_equal(strlen(reply),
				 BIG + strlen(GOT("3", "{\"a\":1,"
						       "\"big\":\"\"}")));
	}
	client_close(&client);
}

static void a_large_part_arrives_whole(void **state)
{
	struct fixture *fixture = *state;
	struct client client;
	const char *reply;

	publish_big(fixture);
	client = client_connect(fixture);
	client_call(&client, GET("big"));
	client_call(&client, GET("a"));
	reply = client_receive(&client);
	assert_non_null(reply);
	assert_int_equal(strlen(reply), BIG + strlen(GOT("3", "\"\"")));
	check_heard(&client, GOT("3", "1"));
	client_close(&client);
}

/* A snapshot that is being sent outlives the next ones. */
static void an_answer_is_of_one_generation(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	publish_big(fixture);
	client = client_connect(fixture);
	client_call(&client, GET_ALL);
	fixture_settle(fixture);
	for (int i = 0; i <= FIXTURE_HISTORY; i++)
		fixture_publish(fixture, 0, "{\"a\":7}");
	assert_int_equal(strlen(client_receive(&client)),
			 BIG + strlen(GOT("3", "{\"a\":1,\"big\":\"\"}")));
	check_exchange(&client, GET("a"), GOT("8", "7"));
	client_close(&client);
}

/* Only what sockets hold was taken: the rest waits in the client. */
static void who_does_not_read_is_not_read_from(void **state)
{
	struct fixture *fixture = *state;
	struct client client;
	size_t sent = 0;
	ssize_t n = 0;

	publish_big(fixture);
	client = client_connect(fixture);
	while (n >= 0 && sent < BIG) {
		for (int i = 0; i < 10; i++)
			fixture_settle(fixture);
		n = send(client.fd, GET_ALL, sizeof(GET_ALL), MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(errno, EAGAIN);
	assert_true(sent < BIG);
	/* One answer is being written and holds its snapshot. */
	assert_int_equal(fixture->workspaces[0].snapshot->refs, 3);
	client_close(&client);
	fixture_settle(fixture);
	assert_int_equal(fixture->workspaces[0].snapshot->refs, 2);
}

static void who_dies_during_an_answer_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct client client, other;

	publish_big(fixture);
	client = client_connect(fixture);
	other = client_connect(fixture);
	client_call(&client, GET_ALL);
	fixture_settle(fixture);
	client_close(&client);
	check_exchange(&other, GET("a"), GOT("3", "1"));
	fixture_settle(fixture);
	assert_int_equal(server_connections(fixture->server), 1);
	client_close(&other);
}

static void who_dies_in_a_message_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct client client = client_connect(fixture);

	assert_true(client_send(&client, "{\"meth", 7));
	fixture_settle(fixture);
	client_close(&client);
	fixture_settle(fixture);
	assert_int_equal(server_connections(fixture->server), 0);
}

static void who_has_said_all_still_gets_its_answers(void **state)
{
	static const char calls[] = GET("big") "\0" GET("a");
	struct fixture *fixture = *state;
	struct client client;

	publish_big(fixture);
	client = client_connect(fixture);
	assert_true(client_send(&client, calls, sizeof(calls)));
	shutdown(client.fd, SHUT_WR);
	assert_int_equal(strlen(client_receive(&client)),
			 BIG + strlen(GOT("3", "\"\"")));
	check_heard(&client, GOT("3", "1"));
	assert_null(client_receive(&client));
	client_close(&client);
}

static void a_half_sent_call_has_its_time(void **state)
{
	struct fixture *fixture = *state;
	struct client half, idle, whole;

	fixture->limits.half_sent_ms = 50;
	server_set_limits(fixture->server, &fixture->limits);
	half = client_connect(fixture);
	idle = client_connect(fixture);
	whole = client_connect(fixture);
	check_exchange(&whole, GET("a"), GOT("1", "1"));
	assert_true(client_send(&half, "{", 1));
	assert_null(client_receive(&half));
	check_exchange(&idle, GET("a"), GOT("1", "1"));
	check_exchange(&whole, GET("a"), GOT("1", "1"));
	client_close(&half);
	client_close(&idle);
	client_close(&whole);
}

static void each_change_reaches_a_watcher(void **state)
{
	struct fixture *fixture = *state;
	struct client client = client_connect(fixture);

	check_exchange(&client, WATCH, TOLD("1", ""));
	fixture_publish(fixture, 0, "{\"a\":5}");
	check_heard(&client, TOLD("3", CHANGED("a")));
	assert_true(client_hears_nothing(&client));
	fixture_publish(fixture, 0, "{\"a\":6}");
	check_heard(&client, TOLD("4", CHANGED("a")));
	client_close(&client);
}

static void calls_behind_a_watch_wait(void **state)
{
	static const char calls[] =
		"{\"method\":\"io.clearconf.Watch\"}\0" GET("a") "\0" WATCH
								 "\0" GET("a");
	struct fixture *fixture = *state;
	struct client client = client_connect(fixture);

	assert_true(client_send(&client, calls, sizeof(calls)));
	assert_true(client_hears_nothing(&client));
	fixture_publish(fixture, 0, "{\"a\":5}");
	check_heard(&client,
		    "{\"parameters\":{\"generation\":3,\"state\":\"ready\","
		    "\"resync\":false,\"skipped\":0,\"changes\":[" CHANGED(
			    "a") "]}}");
	check_heard(&client, GOT("3", "5"));
	check_heard(&client, TOLD("3", ""));
	assert_true(client_hears_nothing(&client));
	client_close(&client);
	fixture_settle(fixture);
	assert_int_equal(server_watchers(fixture->server), 0);
}

static void too_much_behind_a_watch_ends_it(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *flood = mem_alloc(BIG);
	struct client client = client_connect(fixture);

	check_exchange(&client, WATCH, TOLD("1", ""));
	assert_false(client_send(&client, flood, BIG));
	check_heard(&client, INVALID("message"));
	assert_null(client_receive(&client));
	assert_int_equal(server_watchers(fixture->server), 0);
	client_close(&client);
}

static void a_dead_watcher_is_noticed(void **state)
{
	struct fixture *fixture = *state;
	struct client client = client_connect(fixture);

	check_exchange(&client, WATCH, TOLD("1", ""));
	assert_int_equal(server_watchers(fixture->server), 1);
	client_close(&client);
	fixture_settle(fixture);
	assert_int_equal(server_watchers(fixture->server), 0);
	fixture_publish(fixture, 0, "{\"a\":5}");
	fixture_settle(fixture);
}

/* Publish generations until the client's socket is full, and some more. */
static uint64_t overrun(struct fixture *fixture, struct client *client)
{
	_cleanup_(mem_freep) char *filler = mem_alloc(20001);

	memset(filler, 'x', 20000);
	client_call(client, "{\"method\":\"io.clearconf.Watch\",\"more\":true,"
			    "\"parameters\":{\"values\":true}}");
	for (int i = 0; i < 100; i++) {
		_cleanup_(mem_freep) char *json = mem_printf(
			"{\"a\":%d,\"filler\":\"%d%s\"}", i, i, filler);

		fixture_publish(fixture, 0, json);
		fixture_settle(fixture);
	}
	return fixture->generation;
}

static void a_slow_watcher_gets_the_newest_state(void **state)
{
	struct fixture *fixture = *state;
	struct client client = client_connect(fixture);
	uint64_t newest = overrun(fixture, &client);
	_cleanup_(mem_freep) char *expected = mem_printf(
		"{\"parameters\":{\"generation\":%llu,\"state\":\"ready\","
		"\"resync\":true,\"skipped\":3,\"changes\":[],"
		"\"value\":{\"a\":99,",
		(unsigned long long)newest);
	const char *reply = "";
	unsigned int replies = 0;

	while (strncmp(reply, expected, strlen(expected)) != 0) {
		reply = client_receive(&client);
		assert_non_null(reply);
		replies++;
	}
	assert_true(replies < 50);
	assert_true(client_hears_nothing(&client));
	fixture_publish(fixture, 0, "{\"a\":5}");
	assert_non_null(strstr(client_receive(&client), "\"resync\":false"));
	client_close(&client);
}

static void a_slow_watcher_holds_no_old_generation(void **state)
{
	struct fixture *fixture = *state;
	struct client client = client_connect(fixture);
	struct snapshot *first = snapshot_ref(fixture->workspaces[0].snapshot);

	(void)overrun(fixture, &client);
	assert_int_equal(first->refs, 1);
	snapshot_unref(first);
	client_close(&client);
}

static void many_watchers_are_all_told(void **state)
{
	enum { COUNT = 1200 };
	static struct client clients[COUNT];
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT; i++) {
		clients[i] = client_connect(fixture);
		check_exchange(&clients[i], WATCH, TOLD("1", ""));
	}
	assert_int_equal(server_watchers(fixture->server), COUNT);
	fixture_publish(fixture, 0, "{\"a\":5}");
	for (size_t i = 0; i < COUNT; i++)
		check_heard(&clients[i], TOLD("3", CHANGED("a")));
	for (size_t i = 0; i < COUNT; i++)
		client_close(&clients[i]);
	fixture_settle(fixture);
	assert_int_equal(server_watchers(fixture->server), 0);
}

static void a_thousand_connections_leave_no_descriptor(void **state)
{
	struct fixture *fixture = *state;
	unsigned int before;
	struct client client = client_connect(fixture);

	check_exchange(&client, GET("a"), GOT("1", "1"));
	client_close(&client);
	fixture_settle(fixture);
	before = count_fds();
	for (int i = 0; i < 1000; i++) {
		client = client_connect(fixture);
		if (i % 2)
			check_exchange(&client, i % 4 == 1 ? GET("a") : WATCH,
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

	fixture->limits.connections = 1;
	server_set_limits(fixture->server, &fixture->limits);
	first = client_connect(fixture);
	check_exchange(&first, GET("a"), GOT("1", "1"));
	second = client_connect(fixture);
	check_heard(&second,
		    "{\"error\":\"io.clearconf.QuotaExceeded\","
		    "\"parameters\":{\"quota\":\"connections_per_user\","
		    "\"limit\":1}}");
	assert_null(client_receive(&second));
	check_exchange(&first, GET("a"), GOT("1", "1"));
	client_close(&first);
	client_close(&second);
	fixture_settle(fixture);
	first = client_connect(fixture);
	check_exchange(&first, GET("a"), GOT("1", "1"));
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

	check_exchange(&served, GET("a"), GOT("1", "1"));
	late = client_connect(fixture);
	old = use_up_descriptors();
	assert_null(client_receive(&late));
	check_exchange(&served, GET("a"), GOT("1", "1"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	client_close(&late);
	late = client_connect(fixture);
	check_exchange(&late, GET("a"), GOT("1", "1"));
	client_close(&late);
	client_close(&served);
}

/* Below what is open already: the reserve does not help either. */
static void without_a_reserve_who_comes_waits(void **state)
{
	struct fixture *fixture = *state;
	struct client served = client_connect(fixture), late;
	struct rlimit old, none;

	check_exchange(&served, GET("a"), GOT("1", "1"));
	late = client_connect(fixture);
	old = use_up_descriptors();
	none = (struct rlimit){3, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	client_call(&late, GET("a"));
	check_exchange(&served, GET("a"), GOT("1", "1"));
	assert_true(client_hears_nothing(&late));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	check_heard(&late, GOT("1", "1"));
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
	check_exchange(&client, GET("a"), GOT("1", "1"));
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
	check_exchange(&client, GET("a"), GOT("1", "1"));
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

	publish_big(fixture);
	writing = client_connect(fixture);
	idle = client_connect(fixture);
	watching = client_connect(fixture);
	check_exchange(&idle, GET("a"), GOT("3", "1"));
	check_exchange(&watching, WATCH, TOLD("3", ""));
	client_call(&writing, GET_ALL);
	fixture_settle(fixture);
	fixture_stop(fixture, 600000);
	assert_null(client_receive(&idle));
	assert_null(client_receive(&watching));
	assert_non_null(fixture->server);
	reply = client_receive(&writing);
	assert_non_null(reply);
	assert_int_equal(strlen(reply),
			 BIG + strlen(GOT("3", "{\"a\":1,\"big\":\"\"}")));
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

	publish_big(fixture);
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
		TEST(a_call_is_answered),
		TEST(calls_are_answered_in_their_order),
		TEST(a_call_may_come_in_pieces),
		TEST(a_thousand_calls_at_once_are_all_answered),
		TEST(a_bad_message_does_not_end_the_connection),
		TEST(a_message_over_the_limit_ends_the_connection),
		TEST(a_flood_without_an_end_is_cut_off),
		TEST(random_bytes_harm_nobody),
		TEST(a_large_answer_arrives_whole),
		TEST(a_large_part_arrives_whole),
		TEST(an_answer_is_of_one_generation),
		TEST(who_does_not_read_is_not_read_from),
		TEST(who_dies_during_an_answer_leaves_nothing),
		TEST(who_dies_in_a_message_leaves_nothing),
		TEST(who_has_said_all_still_gets_its_answers),
		TEST(a_half_sent_call_has_its_time),
		TEST(each_change_reaches_a_watcher),
		TEST(calls_behind_a_watch_wait),
		TEST(too_much_behind_a_watch_ends_it),
		TEST(a_dead_watcher_is_noticed),
		TEST(a_slow_watcher_gets_the_newest_state),
		TEST(a_slow_watcher_holds_no_old_generation),
		TEST(many_watchers_are_all_told),
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
