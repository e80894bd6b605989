#include "exec/exec_descendants.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

#define DEPTH_MAX 1024

struct processes {
	const struct proc *list; /* by rising pid */
	size_t count;
};

static int by_pid(const void *a, const void *b)
{
	const pid_t *pid = a;
	const struct proc *proc = b;

	return (*pid > proc->pid) - (*pid < proc->pid);
}

static const struct proc *find(const struct processes *all, pid_t pid)
{
	return bsearch(&pid, all->list, all->count, sizeof(*all->list), by_pid);
}

static bool is_apart(pid_t pid, const pid_t apart[EXEC_HELPERS])
{
	for (size_t i = 0; i < EXEC_HELPERS; i++)
		if (pid == apart[i])
			return true;
	return false;
}

/* The list was not taken at one moment: a chain of parents may be broken, or
 * closed. */
static bool is_below(const struct processes *all, const struct proc *proc,
		     const pid_t apart[EXEC_HELPERS])
{
	pid_t self = getpid();

	for (int i = 0; proc && i < DEPTH_MAX; i++) {
		if (is_apart(proc->pid, apart))
			return false;
		if (proc->parent == self)
			return true;
		proc = find(all, proc->parent);
	}
	return false;
}

/* Zombies of our own are reaped soon. */
static bool is_dead(const struct proc *proc)
{
	return proc->state == 'X' ||
	       (proc->state == 'Z' && proc->parent == getpid());
}

static int by_age(const void *a, const void *b)
{
	const struct proc *one = a, *other = b;

	if (one->started != other->started)
		return one->started < other->started ? -1 : 1;
	return (one->pid > other->pid) - (one->pid < other->pid);
}

void exec_descendants_list(struct exec_descendants *descendants,
			   const pid_t apart[EXEC_HELPERS])
{
	_cleanup_(mem_freep) struct proc *list = NULL;
	struct processes all = {.count = proc_list(&list)};

	all.list = list;
	*descendants = (struct exec_descendants){0};
	for (size_t i = 0; i < all.count; i++) {
		if (is_dead(&list[i]) || !is_below(&all, &list[i], apart))
			continue;
		descendants->list =
			mem_grow(descendants->list,
				 (descendants->count + 1) * sizeof(*list));
		descendants->list[descendants->count++] = list[i];
	}
	if (descendants->count)
		qsort(descendants->list, descendants->count, sizeof(*list),
		      by_age);
}

void exec_descendants_deinit(struct exec_descendants *descendants)
{
	mem_free(descendants->list);
	*descendants = (struct exec_descendants){0};
}
