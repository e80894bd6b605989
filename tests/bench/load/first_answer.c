/*
 * How long a program takes from its start to its first answer: starts it, asks
 * at its socket until somebody listens there, and ends it when an answer has
 * come. Prints milliseconds, and the CPU time that the program used.
 *
 *	first_answer SOCKET REQUEST COMMAND [ARG...]
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

#define PATIENCE_NS UINT64_C(20000000000)

static pid_t start(char **command)
{
	pid_t pid = fork();

	if (pid < 0)
		load_fail("fork");
	if (pid)
		return pid;
	(void)execv(command[0], command);
	load_fail(command[0]);
}

static int dial_when_there(const char *path, uint64_t end)
{
	int fd;

	while ((fd = load_try_dial(path)) < 0) {
		if (load_now_ns() > end)
			load_fail("nobody answers");
		(void)usleep(100);
	}
	return fd;
}

static void ask(int fd, const struct load_request *request)
{
	char first;

	load_write(fd, request);
	if (read(fd, &first, 1) != 1)
		load_fail("no answer");
}

/* Milliseconds of CPU time that @pid, which is ended, has used. */
static double end(pid_t pid)
{
	struct rusage usage;

	if (kill(pid, SIGKILL) || wait4(pid, NULL, 0, &usage) != pid)
		load_fail("wait");
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

int main(int argc, char **argv)
{
	struct load_request request;
	uint64_t begin;
	double ms;
	pid_t pid;
	int fd;

	if (argc < 4) {
		(void)fprintf(stderr, "usage: first_answer SOCKET REQUEST "
				      "COMMAND [ARG...]\n");
		return 2;
	}
	request = load_read_request(argv[2]);
	(void)unlink(argv[1]);
	begin = load_now_ns();
	pid = start(argv + 3);
	fd = dial_when_there(argv[1], begin + PATIENCE_NS);
	ask(fd, &request);
	ms = (double)(load_now_ns() - begin) / 1e6;
	(void)printf("ms=%.3f cpu_ms=%.3f\n", ms, end(pid));
	return 0;
}
