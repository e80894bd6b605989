#ifndef BASE_PROC_H
#define BASE_PROC_H

/*
 * Processes of this host as proc(5) shows them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_NAME 16 /* bytes of a name, its NUL included */

struct proc {
	pid_t pid, parent;
	char state; /* R, S, D, T, Z ... */
	char name[PROC_NAME];
	unsigned long long started; /* with pid: never the same twice */
};

/* False when there is no such process, or none that may be seen. */
bool proc_read(pid_t pid, struct proc *proc);

/* When it started: milliseconds of the boot clock, rounded down to a tick of
 * the kernel's, which is a hundredth of a second. */
int64_t proc_started_ms(const struct proc *proc);

/* All processes that may be seen, in *list by rising pid; the caller frees it
 * by mem_free. */
size_t proc_list(struct proc **list);

#endif
