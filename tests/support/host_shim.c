/*
 * Preloaded into a daemon under test: a host whose clock and names can be
 * changed while it runs. The folder $HOST_SHIM holds
 *
 *   clock    seconds that the wall clock is ahead of the machine's
 *   no-names exists: no name can be resolved
 *
 * Every name under .invalid is this machine. Clocks that nobody can set are
 * left alone.
 */

#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static long seconds_ahead(void)
{
	FILE *file = shim_open("clock");
	long seconds = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%ld", &seconds) != 1)
		seconds = 0;
	fclose(file);
	return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int r = (int)syscall(SYS_clock_gettime, clock, now);

	if (!r && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += seconds_ahead();
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
	return names_are_off() ? EAI_NONAME
			       : real("127.0.0.1", service, hints, found);
}
