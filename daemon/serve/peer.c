#include "serve/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "config/callers.h"
#include "config/cgroup.h"
#include "serve/abode.h"
#include "serve/pidfd.h"

#define OVERFLOW_UID 65534
#define CGROUP_MAX   ((size_t)16 * 1024)

/* What a container maps at least that has users of its own; PrivateUsers=, and
 * whoever is root by `unshare` only, map one or two. */
#define UIDS_MIN 65536

uid_t peer_overflow_uid(void)
{
	FILE *file = fopen("/proc/sys/kernel/overflowuid", "re");
	char line[32] = "", *end = line;
	uid_t uid = OVERFLOW_UID;

	if (!file)
		return uid;
	if (fgets(line, sizeof(line), file))
		uid = (uid_t)strtoul(line, &end, 10);
	(void)fclose(file);
	return end > line ? uid : OVERFLOW_UID;
}

/* A line is: first uid inside, first uid outside, how many. */
static unsigned long last_number(const char *line)
{
	const char *last = strrchr(line, ' ');

	return last ? strtoul(last, NULL, 10) : 0;
}

bool peer_users_are_hidden(void)
{
	FILE *file = fopen("/proc/self/uid_map", "re");
	unsigned long named = 0;
	char line[128];

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		named += last_number(line);
	(void)fclose(file);
	return named < UIDS_MIN;
}

/* Asked at once: later somebody else might have its PID. */
static void note_abode(struct peer *peer, const struct abode *here)
{
	const char *why = abode_of_peer(here, peer->fd, peer->pid);

	peer->user.elsewhere = why;
	if (why)
		log_debug("root-from-elsewhere", LOG_INT("pid", peer->pid),
			  LOG_TEXT("reason", why));
}

int peer_init(struct peer *peer, int fd, const struct abode *here)
{
	struct access_user *user = &peer->user;
	struct ucred ucred;
	socklen_t size = sizeof(ucred);

	*peer = (struct peer){.fd = fd, .since = clock_boot_ms()};
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &size) < 0)
		return -errno;
	user->uid = ucred.uid;
	peer->pid = ucred.pid;
	if (user->uid == 0)
		note_abode(peer, here);
	user->groups = mem_alloc(sizeof(gid_t));
	user->groups[0] = ucred.gid;
	user->group_count = 1;
	return 0;
}

int peer_add_groups(struct peer *peer)
{
	struct access_user *user = &peer->user;
	socklen_t size = 0;

	if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 &&
	    errno != ERANGE)
		return -errno;
	user->groups = mem_grow(user->groups, sizeof(gid_t) + size);
	if (size && getsockopt(peer->fd, SOL_SOCKET, SO_PEERGROUPS,
			       user->groups + 1, &size) < 0)
		return -errno;
	user->group_count += size / sizeof(gid_t);
	return 0;
}

bool peer_has_ended(const struct peer *peer)
{
	_cleanup_(file_closep) int held = pidfd_of_peer(peer->fd, peer->pid);

	return pidfd_has_ended(held);
}

/* --- its workspace -------------------------------------------------------- */

/* What is longer is cut. */
static void read_cgroup(pid_t pid, struct buf *text)
{
	_cleanup_(file_closep) int fd = -1;
	char path[64];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%ld/cgroup", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	do {
		n = fd < 0 ? 0 : read(fd, buf_reserve(text, 4096), 4096);
		text->len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && text->len < CGROUP_MAX);
}

/* Who has the PID now, and had it before the connection was accepted, had it
 * all the time in between. */
static bool still_has_pid(const struct peer *peer, int held)
{
	struct proc proc;

	return !pidfd_has_ended(held) && proc_read(peer->pid, &proc) &&
	       proc_started_ms(&proc) <= peer->since;
}

static char *find_cgroup(const struct peer *peer)
{
	_cleanup_(file_closep) int held = pidfd_of_peer(peer->fd, peer->pid);
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct str path = {0};

	if (peer->pid <= 0)
		return mem_strdup("");
	read_cgroup(peer->pid, &text);
	if (still_has_pid(peer, held))
		path = cgroup_path(buf_str(&text));
	return path.len ? mem_strndup(path.ptr, path.len) : mem_strdup("");
}

const struct caller_rule *peer_own(struct peer *peer,
				   const struct callers *callers)
{
	if (!callers->count)
		return NULL;
	if (peer->own_serial == callers->serial)
		return peer->own;
	if (callers->need_cgroup && !peer->cgroup)
		peer->cgroup = find_cgroup(peer);
	peer->own = callers_find(callers, &peer->user,
				 str_from(peer->cgroup ? peer->cgroup : ""));
	peer->own_serial = callers->serial;
	return peer->own;
}

void peer_deinit(struct peer *peer)
{
	mem_free(peer->cgroup);
	mem_free(peer->user.groups);
	*peer = (struct peer){0};
}
