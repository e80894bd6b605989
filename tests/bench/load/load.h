#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

/*
 * What the load tools share: clocks, connections to a Unix stream socket, and
 * what /proc says of the server. Whatever goes wrong ends the tool with a
 * message: a figure of half a run is none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

_Noreturn void load_fail(const char *what);

uint64_t load_now_ns(void);

/* CPU time that process @pid has used; 0 for pid 0. */
uint64_t load_cpu_ns(pid_t pid);
uint64_t load_clock_ns(clockid_t clock);

/* Resident memory of process @pid, in bytes. */
size_t load_rss(pid_t pid);

/* As many descriptors as may be. */
void load_raise_files(void);

/* Connected to @path; -1 when nobody listens there. */
int load_try_dial(const char *path);
int load_dial(const char *path); /* or the end */
void load_set_nonblocking(int fd);

/* A request: the bytes of the file @name; with a NUL behind them unless it
 * ends with one, or with a newline as another protocol's request does. */
struct load_request {
	char *data;
	size_t len;
};

struct load_request load_read_request(const char *name);
void load_write(int fd, const struct load_request *request);

/* Counts messages in a stream: they end with NUL, or have all @fixed bytes. */
struct load_count {
	size_t fixed; /* 0: they end with NUL */
	size_t got;   /* of the message that is not whole yet */
};

unsigned int load_count(struct load_count *count, const char *data, size_t len);

/* Sorts @values. */
double load_median(double *values, size_t count);

#endif
