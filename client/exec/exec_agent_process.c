#include "exec/exec_agent_process.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "exec/exec_agent.h"

#define WORDS_MAX 256

/* Whoever holds a worker's id holds a file of this name open, whose first line
 * is the id. */
#define ID_FILE ".clearmlagent_"

/* Read at most @size - 1 bytes and add a NUL. How many bytes; 0: there is
 * nothing to be seen. */
static size_t read_file(pid_t pid, const char *name, char *text, size_t size)
{
	_cleanup_(file_closep) int fd = -1;
	char path[64];
	ssize_t n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* --- what it is ----------------------------------------------------------- */

enum exec_agent_process_kind exec_agent_process_kind(char *const *argv)
{
	if (!exec_agent_is(argv))
		return WORKER_NONE;
	if (!exec_agent_is_worker(argv) || exec_agent_is_services(argv))
		return WORKER_NEVER_IDLE;
	return WORKER_OF_QUEUES;
}

enum exec_agent_process_kind exec_agent_process_kind_of(pid_t pid)
{
	char text[8192], *argv[WORDS_MAX + 1];
	size_t len = read_file(pid, "cmdline", text, sizeof(text)), count = 0;

	for (char *at = text; at < text + len && count < WORDS_MAX;
	     at += strlen(at) + 1)
		argv[count++] = at;
	argv[count] = NULL;
	return exec_agent_process_kind(argv);
}

/* --- what it does --------------------------------------------------------- */

/* The ways to sleep: all of them, or select(2) of no descriptors. */
static const struct {
	long number;
	bool of_nothing;
} sleeps[] = {
	{SYS_clock_nanosleep, false},
	{SYS_pselect6, true},
#ifdef SYS_nanosleep
	{SYS_nanosleep, false},
#endif
#ifdef SYS_select
	{SYS_select, true},
#endif
};

/* "230 0x0 0x1 ...": a call and its arguments; "running" when it is in none. */
bool exec_agent_process_is_asleep(pid_t pid)
{
	char text[256], *rest;
	long number;

	if (!read_file(pid, "syscall", text, sizeof(text)) ||
	    !isdigit((unsigned char)text[0]))
		return false;
	number = strtol(text, &rest, 10);
	for (size_t i = 0; i < ARRAY_SIZE(sleeps); i++)
		if (number == sleeps[i].number)
			return !sleeps[i].of_nothing ||
			       strtoul(rest, NULL, 0) == 0;
	return false;
}

/* --- who it is ------------------------------------------------------------ */

/* Is /proc/PID/fd/@name the file? */
static bool is_id_file(int folder, const char *name)
{
	char path[512];
	ssize_t n = readlinkat(folder, name, path, sizeof(path) - 1);
	const char *base;

	if (n <= 0)
		return false;
	path[n] = '\0';
	base = strrchr(path, '/');
	return base && !strncmp(base + 1, ID_FILE, sizeof(ID_FILE) - 1);
}

static char *read_id(pid_t pid, const char *descriptor)
{
	char name[32], text[512];
	size_t len;

	(void)snprintf(name, sizeof(name), "fd/%.16s", descriptor);
	len = read_file(pid, name, text, sizeof(text));
	len = len ? strcspn(text, "\n") : 0;
	return len ? mem_strndup(text, len) : NULL;
}

char *exec_agent_process_id(pid_t pid)
{
	char path[64];
	DIR *folder;
	struct dirent *entry;
	char *id = NULL;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	while (folder && !id && (entry = readdir(folder)))
		if (is_id_file(dirfd(folder), entry->d_name))
			id = read_id(pid, entry->d_name);
	if (folder)
		(void)closedir(folder);
	return id;
}

/* --- signals -------------------------------------------------------------- */

/* Python ignores the last two; what only tells is not listened to. */
static const int harmless[] = {
	SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGPIPE, SIGXFSZ,
};

bool exec_agent_process_dies_of(int signal)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (signal == harmless[i])
			return false;
	return true;
}
