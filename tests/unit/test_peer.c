#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/skipping.h"
#include "serve/abode.h"
#include "serve/peer.h"

#define OTHER 4100000 /* no user of any machine */

static int init(struct peer *peer, int fd)
{
	struct abode *here = abode_new("/proc/self");
	int r = peer_init(peer, fd, here);

	abode_free(here);
	return r;
}

static void a_peer_is_who_made_the_socket(void **state)
{
	struct peer peer;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(init(&peer, fds[0]), 0);
	assert_int_equal(peer.user.uid, geteuid());
	assert_int_equal(peer.user.groups[0], getegid());
	assert_int_equal(peer.user.group_count, getgroups(0, NULL) + 1);
	peer_deinit(&peer);
	close(fds[0]);
	close(fds[1]);
}

static void what_is_no_socket_has_no_peer(void **state)
{
	struct peer peer;

	(void)state;
	assert_int_equal(init(&peer, -1), -EBADF);
	peer_deinit(&peer);
}

/* In a child: become @uid with @groups, and look at oneself. */
static int look_as(uid_t uid, const gid_t *groups, size_t count,
		   struct peer *peer)
{
	int fds[2];

	if (setgroups(count, groups) || setgid(OTHER) || setuid(uid) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		return 1;
	return init(peer, fds[0]) || peer_add_groups(peer);
}

static int many_groups(void)
{
	enum { COUNT = 1000 };
	gid_t groups[COUNT];
	struct peer peer;

	for (gid_t i = 0; i < COUNT; i++)
		groups[i] = OTHER + 1 + i;
	if (look_as(OTHER, groups, COUNT, &peer))
		return 1;
	if (peer.user.uid != OTHER || peer.user.group_count != COUNT + 1 ||
	    peer.user.groups[0] != OTHER ||
	    peer.user.groups[COUNT] != OTHER + COUNT)
		return 2;
	peer_deinit(&peer);
	return 0;
}

static void run_in_child(int (*work)(void))
{
	pid_t pid;
	int status;

	if (geteuid() != 0)
		skip_because("only root can be somebody else");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(work());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void all_of_many_groups_are_known(void **state)
{
	(void)state;
	run_in_child(many_groups);
}

static void the_overflow_uid_is_the_kernels(void **state)
{
	FILE *file = fopen("/proc/sys/kernel/overflowuid", "re");
	char line[32];

	(void)state;
	if (!file)
		skip_because("there is no /proc");
	assert_non_null(fgets(line, sizeof(line), file));
	assert_int_equal(fclose(file), 0);
	assert_int_equal(peer_overflow_uid(), strtoul(line, NULL, 10));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_is_who_made_the_socket),
		cmocka_unit_test(what_is_no_socket_has_no_peer),
		cmocka_unit_test(all_of_many_groups_are_known),
		cmocka_unit_test(the_overflow_uid_is_the_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
