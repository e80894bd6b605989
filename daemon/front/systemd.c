#include "front/systemd.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#define FIRST_PASSED_FD 3

static void send_text(const char *path, const char *text)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	_cleanup_(file_closep) int fd =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* the abstract namespace */
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		   (struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) <
	    0)
		log_debug("notify-failed", LOG_TEXT("socket", path));
}

void systemd_notify(const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	char text[512];
	va_list ap;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	send_text(path, text);
}

static long long number_in(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoll(text, NULL, 10) : 0;
}

/* Unlike those of a passed socket the variables stay: there are no children
 * that could heed them. */
uint64_t systemd_watchdog_ms(void)
{
	long long usec = number_in("WATCHDOG_USEC");
	long long pid = number_in("WATCHDOG_PID");

	if (usec <= 0 || (getenv("WATCHDOG_PID") && pid != (long long)getpid()))
		return 0;
	return (uint64_t)(usec + 999) / 1000;
}

int systemd_take_socket(void)
{
	bool ours = number_in("LISTEN_PID") == (long long)getpid() &&
		    number_in("LISTEN_FDS") > 0;

	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	if (!ours || fcntl(FIRST_PASSED_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return FIRST_PASSED_FD;
}
