#include "serve/abode.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "serve/pidfd.h"

#define FACT_MAX     ((size_t)8 * 1024) /* of each file; longer ones are cut */
#define PATH_ROOM    64
#define CONTAINER_ID 64 /* digits */

/* How the paths of cgroups name containers. */
static const char *const container_marks[] = {
	"/docker-",       /* Docker under systemd */
	"/docker/",       /* Docker without */
	"/libpod",        /* podman */
	"/kubepods",      /* kubelet, whatever runs its containers */
	"/cri-",          /* containerd of Kubernetes */
	"/crio-",         /* CRI-O */
	"/lxc/",          /* LXC and Incus */
	"/lxc.payload",   /* newer ones */
	"/machine.slice", /* systemd-nspawn, libvirt */
	"/garden/",       /* Cloud Foundry */
	"/ecs/",          /* Amazon */
	"/../",           /* beside the container that we are in */
};

struct abode {
	char folder[PATH_ROOM];
	bool shown;   /* users and status, which every process has */
	bool grouped; /* cgroup, which a kernel may not know */
	char users[FACT_MAX], status[FACT_MAX], cgroup[FACT_MAX];
};

static bool read_fact(const char *folder, const char *name, char *text)
{
	char path[PATH_ROOM + 16];
	_cleanup_(file_closep) int fd = -1;
	size_t len = 0;
	ssize_t n = 1;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n > 0 && len < FACT_MAX - 1) {
		n = read(fd, text + len, FACT_MAX - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	text[len] = '\0';
	return fd >= 0 && n >= 0;
}

static void look(struct abode *abode, const char *folder)
{
	(void)snprintf(abode->folder, sizeof(abode->folder), "%s", folder);
	abode->shown = read_fact(folder, "uid_map", abode->users) &&
		       read_fact(folder, "status", abode->status);
	abode->grouped = read_fact(folder, "cgroup", abode->cgroup);
}

static bool look_at(const struct abode *abode, const char *name,
		    struct stat *info)
{
	char path[PATH_ROOM + 16];

	(void)snprintf(path, sizeof(path), "%s/%s", abode->folder, name);
	return stat(path, info) == 0;
}

/* Who has no privilege sees the namespaces of its own user's processes only. */
static bool namespaces_differ(const struct abode *mine,
			      const struct abode *theirs, const char *name)
{
	struct stat a, b;

	return look_at(mine, name, &a) && look_at(theirs, name, &b) &&
	       (a.st_ino != b.st_ino || a.st_dev != b.st_dev);
}

/* A PID for each PID namespace, from that of /proc down; 0: cannot be told. */
static size_t count_pids(const char *status)
{
	const char *line = strstr(status, "\nNSpid:");
	size_t count = 0;

	if (!line)
		return 0;
	for (line++; *line && *line != '\n'; line++)
		count += *line == '\t';
	return count;
}

/* The name that an engine gives a container, wherever the path puts it. */
static bool has_container_id(struct str line)
{
	size_t digits = 0;

	for (size_t i = 0; i < line.len && digits < CONTAINER_ID; i++)
		digits = isxdigit((unsigned char)line.ptr[i]) ? digits + 1 : 0;
	return digits == CONTAINER_ID;
}

static bool names_container(struct str line)
{
	if (has_container_id(line))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(container_marks); i++)
		if (memmem(line.ptr, line.len, container_marks[i],
			   strlen(container_marks[i])))
			return true;
	return false;
}

/* The first line of @text, which goes on behind it. */
static struct str take_line(const char **text)
{
	struct str line = {*text, strcspn(*text, "\n")};

	*text += line.len + ((*text)[line.len] == '\n');
	return line;
}

/* The containers that lines of @text name must be named by @other, too. */
static bool has_containers_of(const char *other, const char *text)
{
	while (*text) {
		struct str line = take_line(&text);
		const char *rest = other;
		bool found = !names_container(line);

		while (*rest && !found)
			found = str_equal(take_line(&rest), line);
		if (!found)
			return false;
	}
	return true;
}

struct abode *abode_new(const char *folder)
{
	struct abode *abode = mem_alloc(sizeof(*abode));

	look(abode, folder);
	return abode;
}

void abode_free(struct abode *abode)
{
	mem_free(abode);
}

const char *abode_compare(const struct abode *here, const char *theirs)
{
	struct abode there;

	look(&there, theirs);
	if (!here->shown || !there.shown || here->grouped != there.grouped)
		return "/proc does not show it";
	if (strcmp(here->users, there.users) != 0 ||
	    namespaces_differ(here, &there, "ns/user"))
		return "another user namespace";
	if (!count_pids(here->status) ||
	    count_pids(here->status) != count_pids(there.status) ||
	    namespaces_differ(here, &there, "ns/pid"))
		return "another PID namespace";
	if (!has_containers_of(here->cgroup, there.cgroup) ||
	    !has_containers_of(there.cgroup, here->cgroup))
		return "the cgroup of a container";
	return NULL;
}

const char *abode_of_peer(const struct abode *here, int fd, pid_t pid)
{
	_cleanup_(file_closep) int held = -1;
	char theirs[PATH_ROOM];
	const char *why;

	if (pid <= 0)
		return "a PID namespace that cannot be seen";
	held = pidfd_of_peer(fd, pid);
	(void)snprintf(theirs, sizeof(theirs), "/proc/%ld", (long)pid);
	why = abode_compare(here, theirs);
	return !why && pidfd_has_ended(held) ? "it has ended" : why;
}
