/*
 * clearconfd(8): what the process is before it is a daemon.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/mem.h"
#include "check.h"
#include "engine/engine.h"
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

static int serve(const struct options *options)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct daemon *daemon;
	int status;

	if (!can_tell_users())
		return 1;
	make_room_for_files();
	daemon = daemon_new(options, &diag);
	if (!daemon) {
		(void)fprintf(stderr, "clearconfd: ");
		diag_print(&diag, stderr);
		return 1;
	}
	status = daemon_serve(daemon);
	daemon_free(daemon);
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
	case ACTION_SERVE: break;
	}
	return serve(&options);
}
