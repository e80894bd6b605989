#include "base/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define STARTED_AT 22 /* the field's number, from 1 */

/* The text of /proc/@pid/stat, its NUL included; false: there is none. */
static bool read_stat(pid_t pid, char *text, size_t size)
{
	_cleanup_(file_closep) int fd = -1;
	char path[64];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return true;
}

static void copy_name(struct proc *proc, const char *from, const char *to)
{
	size_t len = (size_t)(to - from);

	if (len >= sizeof(proc->name))
		len = sizeof(proc->name) - 1;
	memcpy(proc->name, from, len);
	proc->name[len] = '\0';
}

/* Where field @number begins, from the state on, which is the third. */
static const char *field_at(const char *state, int number)
{
	for (int i = 3; state && i < number; i++) {
		state = strchr(state, ' ');
		state = state ? state + 1 : NULL;
	}
	return state;
}

/* "pid (name) S ppid ...": the name may hold blanks and parentheses. */
bool proc_read(pid_t pid, struct proc *proc)
{
	char text[1024];
	const char *open, *close, *started;

	if (!read_stat(pid, text, sizeof(text)))
		return false;
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close || close < open || strlen(close) < 4)
		return false;
	started = field_at(close + 2, STARTED_AT);
	if (!started)
		return false;
	*proc = (struct proc){.pid = pid, .state = close[2]};
	copy_name(proc, open + 1, close);
	proc->parent = (pid_t)strtol(close + 4, NULL, 10);
	proc->started = strtoull(started, NULL, 10);
	return true;
}

int64_t proc_started_ms(const struct proc *proc)
{
	long ticks = sysconf(_SC_CLK_TCK);

	return (int64_t)proc->started * 1000 / ticks;
}

static int by_pid(const void *a, const void *b)
{
	const struct proc *one = a, *other = b;

	return (one->pid > other->pid) - (one->pid < other->pid);
}

static void add(struct proc **list, size_t *count, const struct proc *proc)
{
	/* The list grows at 0, 64, 128, 256 ... */
	if (*count == 0 || (*count >= 64 && !(*count & (*count - 1))))
		*list = mem_grow(*list,
				 (*count ? *count * 2 : 64) * sizeof(**list));
	(*list)[(*count)++] = *proc;
}

size_t proc_list(struct proc **list)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	struct proc proc;
	size_t count = 0;

	*list = NULL;
	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    proc_read((pid_t)strtol(entry->d_name, NULL, 10), &proc))
			add(list, &count, &proc);
	if (folder)
		(void)closedir(folder);
	if (count)
		qsort(*list, count, sizeof(**list), by_pid);
	return count;
}
