#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

#define REQUEST_MAX ((size_t)1 << 20)

void load_fail(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t load_clock_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		load_fail("clock");
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

uint64_t load_now_ns(void)
{
	return load_clock_ns(CLOCK_MONOTONIC);
}

uint64_t load_cpu_ns(pid_t pid)
{
	clockid_t clock;

	if (!pid)
		return 0;
	if (clock_getcpuclockid(pid, &clock))
		load_fail("CPU clock of the server");
	return load_clock_ns(clock);
}

size_t load_rss(pid_t pid)
{
	_cleanup_(mem_freep) char *name = mem_printf("/proc/%d/status", pid);
	FILE *file = fopen(name, "r");
	char line[256];
	size_t kib = 0;

	if (!file)
		load_fail(name);
	while (!kib && fgets(line, sizeof(line), file))
		if (!strncmp(line, "VmRSS:", 6))
			kib = strtoul(line + 6, NULL, 10);
	(void)fclose(file);
	return kib * 1024;
}

void load_raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		load_fail("RLIMIT_NOFILE");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		load_fail("RLIMIT_NOFILE");
}

int load_try_dial(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		load_fail("socket");
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	(void)close(fd);
	return -1;
}

int load_dial(const char *path)
{
	int fd = load_try_dial(path);

	if (fd < 0)
		load_fail(path);
	return fd;
}

void load_set_nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		load_fail("O_NONBLOCK");
}

struct load_request load_read_request(const char *name)
{
	struct load_request request = {.data = mem_alloc(REQUEST_MAX + 1)};
	FILE *file = fopen(name, "r");

	if (!file)
		load_fail(name);
	request.len = fread(request.data, 1, REQUEST_MAX, file);
	(void)fclose(file);
	if (!request.len)
		load_fail("an empty request");
	if (request.data[request.len - 1] &&
	    request.data[request.len - 1] != '\n')
		request.len++; /* the block is zeroed */
	return request;
}

void load_write(int fd, const struct load_request *request)
{
	if (write(fd, request->data, request->len) != (ssize_t)request->len)
		load_fail("write");
}

static unsigned int count_ends(const char *data, size_t len)
{
	const char *end = data + len;
	unsigned int count = 0;

	while ((data = memchr(data, '\0', (size_t)(end - data)))) {
		count++;
		data++;
	}
	return count;
}

unsigned int load_count(struct load_count *count, const char *data, size_t len)
{
	unsigned int whole;

	if (!count->fixed)
		return count_ends(data, len);
	count->got += len;
	whole = (unsigned int)(count->got / count->fixed);
	count->got %= count->fixed;
	return whole;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double load_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[count / 2];
}
