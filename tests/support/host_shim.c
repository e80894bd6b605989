/*
 * Preloaded into a daemon under test: a host whose clock and names can be
 * changed while it runs, and whose calls can be made to fail. The folder
 * $HOST_SHIM holds
 *
 *   clock     seconds that the wall clock is ahead of the machine's
 *   slept     seconds that the boot clock is, as after a sleep
 *   no-names  exists: no name can be resolved
 *   names-take  seconds until a look-up ends
 *   name      what the host is called
 *   machine-id  stands for /etc/machine-id, which is not there without it
 *   fail-CALL the errno with which CALL fails: write (to files), fsync, create
 *             (openat(2) of a new file), getrandom, inotify_add_watch,
 *             inotify_init1, pidfd_open, SO_PEERPIDFD (getsockopt(2) of that)
 *
 * Every name under .invalid is this machine. Clocks that nobody can set are
 * left alone.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static FILE *shim_open(const char *name)
{
	const char *folder = getenv("HOST_SHIM");
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "", name);
	return fopen(path, "re");
}

/* 0 without such a file. */
static long number_in(const char *name)
{
	FILE *file = shim_open(name);
	long number = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%ld", &number) != 1)
		number = 0;
	fclose(file);
	return number;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int r = (int)syscall(SYS_clock_gettime, clock, now);

	if (!r && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += number_in("clock");
	if (!r && clock == CLOCK_BOOTTIME)
		now->tv_sec += number_in("slept");
	return r;
}

time_t time(time_t *seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (seconds)
		*seconds = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec precise;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &precise);
	now->tv_sec = precise.tv_sec;
	now->tv_usec = precise.tv_nsec / 1000;
	return 0;
}

int gethostname(char *name, size_t size)
{
	int (*real)(char *, size_t) = NULL;
	FILE *file = shim_open("name");
	char given[256];

	*(void **)&real = dlsym(RTLD_NEXT, "gethostname");
	if (!file)
		return real(name, size);
	if (fscanf(file, "%255s", given) != 1)
		given[0] = '\0';
	fclose(file);
	snprintf(name, size, "%s", given);
	return 0;
}

static int names_are_off(void)
{
	FILE *file = shim_open("no-names");

	if (file)
		fclose(file);
	return file != NULL;
}

static int is_invalid(const char *name)
{
	size_t length = name ? strlen(name) : 0;

	return length > 8 && !strcmp(name + length - 8, ".invalid");
}

int getaddrinfo(const char *restrict name, const char *restrict service,
		const struct addrinfo *restrict hints,
		struct addrinfo **restrict found)
{
	int (*real)(const char *, const char *, const struct addrinfo *,
		    struct addrinfo **) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (!is_invalid(name))
		return real(name, service, hints, found);
	sleep((unsigned int)number_in("names-take"));
	return names_are_off() ? EAI_NONAME
			       : real("127.0.0.1", service, hints, found);
}

/* True, with errno set, when @call is to fail. */
static int is_to_fail(const char *call)
{
	int before = errno;
	char name[64];
	long error;

	snprintf(name, sizeof(name), "fail-%s", call);
	error = number_in(name);
	errno = error ? (int)error : before;
	return error != 0;
}

static int is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Logs may be files too, and are to be written. */
ssize_t write(int fd, const void *bytes, size_t count)
{
	if (fd > STDERR_FILENO && is_file(fd) && is_to_fail("write"))
		return -1;
	return syscall(SYS_write, fd, bytes, count);
}

int fsync(int fd)
{
	return is_to_fail("fsync") ? -1 : (int)syscall(SYS_fsync, fd);
}

static int makes_file(int flags)
{
	return (flags & O_CREAT) || (flags & __O_TMPFILE) == __O_TMPFILE;
}

static mode_t mode_of(int flags, va_list ap)
{
	return makes_file(flags) ? va_arg(ap, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	const char *folder = getenv("HOST_SHIM");
	char own[4096];
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	if (folder && !strcmp(path, "/etc/machine-id")) {
		snprintf(own, sizeof(own), "%s/machine-id", folder);
		path = own;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	if (makes_file(flags) && is_to_fail("create"))
		return -1;
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

ssize_t getrandom(void *bytes, size_t count, unsigned int flags)
{
	if (is_to_fail("getrandom"))
		return -1;
	return syscall(SYS_getrandom, bytes, count, flags);
}

int inotify_init1(int flags)
{
	if (is_to_fail("inotify_init1"))
		return -1;
	return (int)syscall(SYS_inotify_init1, flags);
}

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	if (is_to_fail("inotify_add_watch"))
		return -1;
	return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

int getsockopt(int fd, int level, int option, void *restrict value,
	       socklen_t *restrict size)
{
	enum { PEERPIDFD = 77 };

	if (level == SOL_SOCKET && option == PEERPIDFD &&
	    is_to_fail("SO_PEERPIDFD"))
		return -1;
	return (int)syscall(SYS_getsockopt, fd, level, option, value, size);
}

/* No call has more arguments; those that are not there are not looked at. */
long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long arguments[6];
	va_list ap;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_pidfd_open && is_to_fail("pidfd_open"))
		return -1;
	return real(number, arguments[0], arguments[1], arguments[2],
		    arguments[3], arguments[4], arguments[5]);
}
