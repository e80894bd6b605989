/* What goes wrong on the way to the daemon, as exit statuses; and commands
 * that --exec runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "../support/quiet.h"
#include "../support/scratch.h"
#include "base/mem.h"
#include "call/channel.h"
#include "call/command.h"
#include "commands/hook.h"
#include "read/doc.h"
#include "text/exit_status.h"
#include "text/owner.h"

#define SOCKET "daemon.sock"

static struct client client = {.socket = SOCKET, .timeout_ms = 10000};

static int setup(void **state)
{
	(void)state;
	scratch_enter();
	quiet_begin();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	quiet_end();
	scratch_leave();
	return 0;
}

static void answer_once(int listener, const char *reply)
{
	int fd = accept(listener, NULL, NULL);
	char c = 'x';

	while (c && read(fd, &c, 1) == 1)
		;
	_exit(reply && write(fd, reply, strlen(reply) + 1) < 0);
}

/* A daemon of one connection that answers any call with @reply, or hangs up
 * when that is NULL. */
static pid_t daemon_start(const char *reply)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX,
				      .sun_path = SOCKET};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	(void)unlink(SOCKET);
	assert_int_equal(
		bind(listener, (struct sockaddr *)&address, sizeof(address)),
		0);
	assert_int_equal(listen(listener, 1), 0);
	pid = fork();
	if (pid == 0)
		answer_once(listener, reply);
	(void)close(listener);
	return pid;
}

static int status_of(const char *reply)
{
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	pid_t pid = daemon_start(reply);
	int status = channel_open(&channel, &client);

	assert_int_equal(status, EXIT_DONE);
	buf_puts(&parameters, "{}");
	status = channel_call(&channel, "Get", &parameters, &answer);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return status;
}

static void every_error_has_its_exit_status(void **state)
{
	static const struct {
		const char *name;
		int status;
	} errors[] = {
		{"io.clearconf.PathNotFound", EXIT_NO_PATH},
		{"io.clearconf.InvalidPath", EXIT_USAGE},
		{"io.clearconf.UnknownWorkspace", EXIT_USAGE},
		{"io.clearconf.UnknownGeneration", EXIT_NO_PATH},
		{"io.clearconf.AccessDenied", EXIT_DENIED},
		{"io.clearconf.NotReady", EXIT_SERVER},
		{"io.clearconf.ServerError", EXIT_SERVER},
		{"io.clearconf.QuotaExceeded", EXIT_FAILED},
		{"org.varlink.service.MethodNotFound", EXIT_FAILED},
		{"some.other.Error", EXIT_FAILED},
	};
	char reply[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		(void)snprintf(reply, sizeof(reply), "{\"error\":\"%s\"}",
			       errors[i].name);
		assert_int_equal(status_of(reply), errors[i].status);
	}
}

static void an_answer_is_a_tree(void **state)
{
	(void)state;
	assert_int_equal(status_of("{\"parameters\":{\"value\":1}}"),
			 EXIT_DONE);
	assert_int_equal(status_of("{\"parameters\":{\"value\":01x}}"),
			 EXIT_FAILED);
	assert_int_equal(status_of("not varlink"), EXIT_FAILED);
}

static void a_daemon_that_goes_away_is_none(void **state)
{
	(void)state;
	assert_int_equal(status_of(NULL), EXIT_NO_DAEMON);
}

static void no_daemon_is_an_exit_status_of_its_own(void **state)
{
	_cleanup_(channel_deinit) struct channel channel = {0};

	(void)state;
	(void)unlink(SOCKET);
	assert_int_equal(channel_open(&channel, &client), EXIT_NO_DAEMON);
	scratch_write(SOCKET, "no socket");
	assert_int_equal(channel_open(&channel, &client), EXIT_NO_DAEMON);
}

/* --- commands of --exec --------------------------------------------------- */

static void a_command_is_run_by_the_shell(void **state)
{
	(void)state;
	assert_int_equal(hook_run("echo x > ran && true", 60000), EXIT_DONE);
	assert_int_equal(access("ran", F_OK), 0);
	assert_int_equal(hook_run("exit 3", 60000), EXIT_FAILED);
	assert_int_equal(hook_run("kill -9 $$", 60000), EXIT_FAILED);
}

/* With all that it has started: the pipe ends when the last writer is gone. */
static void a_command_that_takes_too_long_is_ended(void **state)
{
	int ends[2];
	char c;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(hook_run("sleep 1000 & sleep 1000", 50), EXIT_FAILED);
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &c, 1), 0);
	(void)close(ends[0]);
}

static void owners_are_names_or_numbers(void **state)
{
	uid_t uid;
	gid_t gid;

	(void)state;
	assert_true(owner_parse("root", &uid, &gid));
	assert_int_equal(uid, 0);
	assert_int_equal(gid, 0);
	assert_true(owner_parse("12345:54321", &uid, &gid));
	assert_int_equal(uid, 12345);
	assert_int_equal(gid, 54321);
	assert_true(owner_parse(":0", &uid, &gid));
	assert_int_equal(uid, (uid_t)-1);
	assert_false(owner_parse("", &uid, &gid));
	assert_false(owner_parse(":", &uid, &gid));
	assert_false(owner_parse("no-such-user-here", &uid, &gid));
	assert_false(owner_parse("root:no-such-group-here", &uid, &gid));
	assert_false(owner_parse("4294967295", &uid, &gid));
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(every_error_has_its_exit_status),
		IN_A_FOLDER(an_answer_is_a_tree),
		IN_A_FOLDER(a_daemon_that_goes_away_is_none),
		IN_A_FOLDER(no_daemon_is_an_exit_status_of_its_own),
		IN_A_FOLDER(a_command_is_run_by_the_shell),
		IN_A_FOLDER(a_command_that_takes_too_long_is_ended),
		IN_A_FOLDER(owners_are_names_or_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
