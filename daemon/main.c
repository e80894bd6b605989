/*
 * clearconfd(8): what the process is before it is a daemon, and what the daemon
 * is made of: the engine, and the front that serves what it makes.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/mem.h"
#include "check.h"
#include "engine/engine.h"
#include "front/front.h"
#include "print.h"
#include "serve/peer.h"
#include "settings/options.h"

/* Room for this many descriptors is made at the start: 8 bytes of the kernel's
 * memory each. */
#define FILES_ROOM 16384

/* No core dump and no debugger of the same user gets at the keys; files are
 * private unless somebody says otherwise. */
static void harden(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* write(2) says EFBIG */
}

/* Each client needs a descriptor. The kernel's table of them grows by doubling,
 * and once there are threads the one that needs it waits for all processors (an
 * RCU grace period, 10 to 20 ms); so it is grown before. */
static void make_room_for_files(void)
{
	struct rlimit files;
	int last;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	last = files.rlim_cur < FILES_ROOM ? (int)files.rlim_cur : FILES_ROOM;
	last = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, last - 1);
	file_closep(&last);
}

static bool can_tell_users(void)
{
	if (!peer_users_are_hidden())
		return true;
	(void)fprintf(stderr,
		      "clearconfd: this user namespace hides the host's users, "
		      "so that nobody's rights can be told: take PrivateUsers= "
		      "out of the unit, or start it without unshare(1)\n");
	return false;
}

/* What serves, and who tells it to stop or to read everything again. */
struct daemon {
	struct engine *engine;
	struct front front;
	uv_signal_t hangup, terminate, interrupt;
};

static void on_hangup(uv_signal_t *signal, int number)
{
	struct daemon *daemon = signal->data;

	(void)number;
	engine_reload(daemon->engine);
}

static void on_terminate(uv_signal_t *signal, int number)
{
	struct daemon *daemon = signal->data;

	(void)number;
	front_stop(&daemon->front);
}

static void init(struct daemon *daemon, struct engine *engine)
{
	daemon->engine = engine;
	front_init(&daemon->front, engine);
	(void)uv_signal_init(&engine->loop, &daemon->hangup);
	(void)uv_signal_init(&engine->loop, &daemon->terminate);
	(void)uv_signal_init(&engine->loop, &daemon->interrupt);
	daemon->hangup.data = daemon->terminate.data = daemon;
	daemon->interrupt.data = daemon;
}

static void start(struct daemon *daemon)
{
	(void)uv_signal_start(&daemon->hangup, on_hangup, SIGHUP);
	(void)uv_signal_start(&daemon->terminate, on_terminate, SIGTERM);
	(void)uv_signal_start(&daemon->interrupt, on_terminate, SIGINT);
	engine_start(daemon->engine);
}

/* The exit status. */
static int run(struct daemon *daemon)
{
	bool listening = front_open(&daemon->front);

	if (listening)
		start(daemon);
	else
		front_stop(&daemon->front);
	(void)uv_run(&daemon->engine->loop, UV_RUN_DEFAULT);
	return listening ? 0 : 1;
}

static void deinit(struct daemon *daemon)
{
	uv_close((uv_handle_t *)&daemon->hangup, NULL);
	uv_close((uv_handle_t *)&daemon->terminate, NULL);
	uv_close((uv_handle_t *)&daemon->interrupt, NULL);
	front_close(&daemon->front);
	engine_free(daemon->engine);
}

static int serve(const struct options *options)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct daemon daemon;
	struct engine *engine;
	int status;

	if (!can_tell_users())
		return 1;
	make_room_for_files();
	engine = engine_new(options, &diag);
	if (!engine) {
		(void)fprintf(stderr, "clearconfd: ");
		diag_print(&diag, stderr);
		return 1;
	}
	init(&daemon, engine);
	status = run(&daemon);
	deinit(&daemon);
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	int status;

	file_guard_standard();
	mem_init();
	harden();
	if (!options_parse(&options, argc, argv, &status))
		return status;
	switch (options.action) {
	case ACTION_CHECK: return check_configuration(&options);
	case ACTION_PRINT: return print_configuration(&options);
	case ACTION_SCHEMA: return print_schema();
	case ACTION_SERVE: break;
	}
	return serve(&options);
}
