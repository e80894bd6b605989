#ifndef HANDLE_H
#define HANDLE_H

/*
 * The handle behind clearconf.h: one connection, its two buffers, and the last
 * error. The states are drawn in clearconf.h; handle_set_state alone changes
 * them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

#include "bytes.h"

#define HANDLE_TIMEOUT_MS 30000
#define HANDLE_LIMIT      ((size_t)64 << 20)

enum handle_state { HANDLE_CLOSED, HANDLE_IDLE, HANDLE_BUSY };

struct clearconf {
	enum handle_state state;
	int fd;          /* -1: CLOSED */
	int epoll_fd;    /* that a watch has put `fd` in; -1: none */
	bool more;       /* the call under way asked for several replies */
	bool any_server; /* whoever serves */
	int timeout_ms;
	size_t limit;
	struct bytes workspace; /* `,"workspace":"..."` of the getters, or "" */
	struct bytes out;       /* not sent yet */
	struct bytes in;        /* received */
	size_t handed_out;      /* front of `in` that the last reply lies in */
	size_t searched; /* front of `in` that holds no end of a message */
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char error[512];
};

struct clearconf_reply;

/* A variable that is set and not empty; nothing for a setuid program. */
const char *handle_variable(const char *name);

void handle_set_state(struct clearconf *handle, enum handle_state state);

/* Text and result of a failure: `return handle_fail(handle, -EPROTO, ...);` */
int handle_fail(struct clearconf *handle, int result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The text of an error reply, by its name and parameters. */
void handle_explain(struct clearconf *handle,
		    const struct clearconf_reply *reply);

#endif
