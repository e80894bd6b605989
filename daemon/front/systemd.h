#ifndef DAEMON_SYSTEMD_H
#define DAEMON_SYSTEMD_H

/*
 * What systemd says to us and hears from us, without libsystemd: both are a
 * few environment variables, and one datagram (sd_notify(3)).
 */

#include <stdint.h>

/* Send @format as one notification ("READY=1"); nothing without
 * $NOTIFY_SOCKET. */
void systemd_notify(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* The descriptor of the socket that systemd listens on for us; -1: none. Its
 * variables leave the environment, so that no child takes it for its own. */
int systemd_take_socket(void);

/* Milliseconds within which systemd wants to be told that we are alive; 0:
 * it does not. */
uint64_t systemd_watchdog_ms(void);

#endif
