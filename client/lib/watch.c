/*
 * The connection's descriptor and a timer, both in one epoll descriptor, which
 * is what users poll, and stays when connections come and go.
 *
 *             connect, send           first reply
 *    AWAY ------------------> ASKED --------------> FOLLOWING
 *     ^                         |                       |
 *     +-- a failure, an error, the last reply, or ------+
 *         nothing in time while ASKED
 *
 * The timer runs while AWAY (until the next try) and while ASKED (for how long
 * the first reply may take).
 */

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "clearconf.h"
#include "handle.h"
#include "json_scan.h"
#include "wire.h"

#define FIRST_PAUSE_MS 100
#define MAX_PAUSE_MS   5000

#define WATCH_METHOD WIRE_INTERFACE ".Watch"

enum watch_state { WATCH_AWAY, WATCH_ASKED, WATCH_FOLLOWING };

struct clearconf_watch {
	struct clearconf *handle;
	enum watch_state state;
	int epoll_fd, timer_fd;
	uint32_t polled; /* for what the connection is in epoll_fd */
	int pause_ms;    /* before the next try; 0: at once */
	bool told;       /* that the daemon is away */
	int64_t since;   /* generation of the last reply; negative: none */
	char *socket;    /* NULL: to be chosen; then `chosen` is */
	char *method, *parameters;
	char chosen[sizeof(((struct clearconf *)0)->socket)];
};

/* --- the timer ------------------------------------------------------------ */

/* Negative: never. 0 is now, which would disarm the timer. */
static void set_timer(struct clearconf_watch *watch, int milliseconds)
{
	struct itimerspec when = {0};

	when.it_value.tv_sec = milliseconds / 1000;
	when.it_value.tv_nsec = milliseconds % 1000 * 1000000L;
	if (milliseconds == 0)
		when.it_value.tv_nsec = 1;
	if (milliseconds < 0)
		when = (struct itimerspec){0};
	(void)timerfd_settime(watch->timer_fd, 0, &when, NULL);
}

/* Has it gone off since it was set? Asking resets it. */
static bool timer_is_over(struct clearconf_watch *watch)
{
	uint64_t times;

	return read(watch->timer_fd, &times, sizeof(times)) == sizeof(times);
}

/* A quarter more or less, so that those whom one restart has cut off come back
 * one after the other. */
static int jittered(int milliseconds)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return milliseconds * 3 / 4 +
	       (int)(now.tv_nsec / 1000 % (milliseconds / 2 + 1));
}

/* --- states --------------------------------------------------------------- */

static int next_pause(int pause_ms)
{
	if (!pause_ms)
		return FIRST_PAUSE_MS;
	return pause_ms * 2 > MAX_PAUSE_MS ? MAX_PAUSE_MS : pause_ms * 2;
}

static void set_state(struct clearconf_watch *watch, enum watch_state state)
{
	watch->state = state;
	switch (state) {
	case WATCH_AWAY:
		watch->polled = 0;
		watch->pause_ms = next_pause(watch->pause_ms);
		set_timer(watch, jittered(watch->pause_ms));
		break;
	case WATCH_ASKED: set_timer(watch, watch->handle->timeout_ms); break;
	case WATCH_FOLLOWING:
		set_timer(watch, -1);
		watch->pause_ms = 0;
		watch->told = false;
		break;
	}
}

/* What the handle's error text already tells. An outage is told once: while it
 * lasts there is just nothing to hand out. */
static int retreat(struct clearconf_watch *watch, int result)
{
	bool told = watch->told;

	clearconf_disconnect(watch->handle);
	set_state(watch, WATCH_AWAY);
	watch->told = true;
	return told && result != -ENOMEM ? CLEARCONF_E_AGAIN : result;
}

/* --- connecting ----------------------------------------------------------- */

/* Have the connection polled for what the handle waits for. */
static int poll_connection(struct clearconf_watch *watch)
{
	struct clearconf *handle = watch->handle;
	uint32_t wanted = EPOLLIN;
	struct epoll_event event = {0};

	if (clearconf_get_events(handle) & POLLOUT)
		wanted |= EPOLLOUT;
	if (watch->polled == wanted)
		return 0;
	event.events = wanted;
	if (epoll_ctl(watch->epoll_fd,
		      watch->polled ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
		      clearconf_get_fd(handle), &event) < 0)
		return handle_fail(handle, -errno, "cannot wait: %s",
				   strerror(errno));
	watch->polled = wanted;
	return 0;
}

/* The caller's parameters, with `since` in front of them once there has been a
 * reply. */
static int write_parameters(const struct clearconf_watch *watch,
			    struct bytes *out)
{
	const char *rest = watch->parameters;
	char front[48];
	int len = 1;

	(void)snprintf(front, sizeof(front), "{");
	rest += strspn(rest, " \t\r\n") + 1;
	rest += strspn(rest, " \t\r\n");
	if (watch->since >= 0)
		len = snprintf(front, sizeof(front), "{\"since\":%lld%s",
			       (long long)watch->since,
			       *rest == '}' ? "" : ",");
	if (bytes_add(out, front, (size_t)len) < 0)
		return -ENOMEM;
	return bytes_add(out, rest, strlen(rest) + 1);
}

static int send_question(struct clearconf_watch *watch)
{
	struct bytes parameters = {0};
	int r = write_parameters(watch, &parameters);

	if (r < 0)
		r = handle_fail(watch->handle, r, "out of memory");
	else
		r = clearconf_send(watch->handle, watch->method,
				   parameters.data, true);
	bytes_deinit(&parameters);
	return r;
}

/* Who has answered once is the one to wait for: another daemon would tell of
 * another configuration. */
static const char *socket_of(const struct clearconf_watch *watch)
{
	return *watch->chosen ? watch->chosen : watch->socket;
}

/* Without waiting, also when the daemon's queue is full. */
static int connect_now(struct clearconf_watch *watch)
{
	struct clearconf *handle = watch->handle;
	int timeout_ms = handle->timeout_ms, r;

	handle->timeout_ms = 0;
	r = clearconf_connect(handle, socket_of(watch));
	handle->timeout_ms = timeout_ms;
	return r;
}

static int try_again(struct clearconf_watch *watch)
{
	int r = connect_now(watch);

	if (r == 0)
		r = send_question(watch);
	if (r == 0)
		r = poll_connection(watch);
	if (r < 0)
		return retreat(watch, r);
	set_state(watch, WATCH_ASKED);
	return 0;
}

/* --- replies -------------------------------------------------------------- */

static void note_generation(struct clearconf_watch *watch,
			    const struct clearconf_reply *reply)
{
	struct json_member member = {"generation", {0}};

	if (strcmp(watch->method, WATCH_METHOD) != 0)
		return;
	(void)json_scan_object(
		(struct json_slice){reply->parameters, reply->parameters_len},
		&member, 1);
	if (member.value.ptr)
		watch->since = strtoll(member.value.ptr, NULL, 10);
}

/* A reply that is the last one ends the call, not the connection: the next
 * turn finds it idle. */
static int accept_reply(struct clearconf_watch *watch,
			const struct clearconf_reply *reply)
{
	note_generation(watch, reply);
	if (watch->state == WATCH_ASKED)
		set_state(watch, WATCH_FOLLOWING);
	memcpy(watch->chosen, watch->handle->socket, sizeof(watch->chosen));
	return 0;
}

/* The reply of an error lies in the handle's buffer, so the connection stays
 * until the pause is over. */
static int accept_error(struct clearconf_watch *watch)
{
	(void)epoll_ctl(watch->epoll_fd, EPOLL_CTL_DEL,
			clearconf_get_fd(watch->handle), NULL);
	set_state(watch, WATCH_AWAY);
	watch->told = true;
	return CLEARCONF_E_ERROR;
}

static int process(struct clearconf_watch *watch, struct clearconf_reply *reply)
{
	struct clearconf *handle = watch->handle;
	int r;

	if (handle->state == HANDLE_IDLE)
		return retreat(watch, handle_fail(handle, -ECONNRESET,
						  "the daemon ended the call"));
	r = clearconf_process(handle, reply);
	if (r == 0)
		return accept_reply(watch, reply);
	if (r == CLEARCONF_E_ERROR)
		return accept_error(watch);
	if (r == CLEARCONF_E_AGAIN)
		r = poll_connection(watch);
	else
		return retreat(watch, r);
	return r < 0 ? retreat(watch, r) : CLEARCONF_E_AGAIN;
}

int clearconf_watch_next(struct clearconf_watch *watch,
			 struct clearconf_reply *reply)
{
	bool over = timer_is_over(watch);
	bool late = over && watch->state == WATCH_ASKED;
	int r = 0;

	if (watch->state == WATCH_AWAY && watch->pause_ms && !over)
		return CLEARCONF_E_AGAIN;
	if (watch->state == WATCH_AWAY)
		r = try_again(watch);
	if (r == 0)
		r = process(watch, reply);
	if (r == CLEARCONF_E_AGAIN && late && watch->state == WATCH_ASKED)
		r = retreat(watch, handle_fail(watch->handle, -ETIMEDOUT,
					       "no answer in time from %s",
					       watch->handle->socket));
	return r;
}

static long long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int clearconf_watch_wait(struct clearconf_watch *watch, int milliseconds,
			 struct clearconf_reply *reply)
{
	long long deadline = now_ms() + milliseconds, left = -1;
	struct pollfd ready = {watch->epoll_fd, POLLIN, 0};
	int r;

	for (;;) {
		r = clearconf_watch_next(watch, reply);
		if (r != CLEARCONF_E_AGAIN)
			return r;
		if (milliseconds >= 0)
			left = deadline - now_ms();
		if (milliseconds >= 0 && left <= 0)
			return r;
		if (poll(&ready, 1, (int)left) < 0 && errno != EINTR)
			return handle_fail(watch->handle, -errno,
					   "cannot wait: %s", strerror(errno));
	}
}

/* --- life ----------------------------------------------------------------- */

void clearconf_watch_free(struct clearconf_watch *watch)
{
	if (!watch)
		return;
	clearconf_free(watch->handle);
	if (watch->epoll_fd >= 0)
		(void)close(watch->epoll_fd);
	if (watch->timer_fd >= 0)
		(void)close(watch->timer_fd);
	free(watch->socket);
	free(watch->method);
	free(watch->parameters);
	free(watch);
}

static int copy(char **out, const char *text)
{
	size_t size = strlen(text) + 1;

	*out = malloc(size);
	if (!*out)
		return -ENOMEM;
	memcpy(*out, text, size);
	return 0;
}

static int open_descriptors(struct clearconf_watch *watch)
{
	struct epoll_event event = {.events = EPOLLIN};

	watch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	watch->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (watch->epoll_fd < 0 || watch->timer_fd < 0 ||
	    epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, watch->timer_fd, &event) <
		    0)
		return -errno;
	watch->handle->epoll_fd = watch->epoll_fd;
	set_timer(watch, 0);
	return 0;
}

static int fill(struct clearconf_watch *watch, const char *socket,
		const char *method, const char *parameters)
{
	int r = clearconf_new(&watch->handle);

	if (r == 0 && socket)
		r = copy(&watch->socket, socket);
	if (r == 0)
		r = copy(&watch->method, method ? method : WATCH_METHOD);
	if (r == 0)
		r = copy(&watch->parameters, parameters ? parameters : "{}");
	return r == 0 ? open_descriptors(watch) : r;
}

/* `since` is ours to say. */
static bool is_question(const char *parameters)
{
	struct json_member since = {"since", {0}};
	struct json_slice text = {parameters, strlen(parameters)};

	return json_scan_object(text, &since, 1) && !since.value.ptr;
}

int clearconf_watch_new(struct clearconf_watch **watch, const char *socket,
			const char *method, const char *parameters)
{
	struct clearconf_watch *fresh;
	int r;

	*watch = NULL;
	if (parameters && !is_question(parameters))
		return -EINVAL;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	fresh->epoll_fd = fresh->timer_fd = -1;
	fresh->since = -1;
	r = fill(fresh, socket, method, parameters);
	if (r < 0) {
		clearconf_watch_free(fresh);
		return r;
	}
	*watch = fresh;
	return 0;
}

void clearconf_watch_set_since(struct clearconf_watch *watch,
			       int64_t generation)
{
	watch->since = generation;
}

int clearconf_watch_get_fd(const struct clearconf_watch *watch)
{
	return watch->epoll_fd;
}

struct clearconf *clearconf_watch_get_handle(struct clearconf_watch *watch)
{
	return watch->handle;
}
