/*
 * Closed-loop load on a Unix stream socket: each connection keeps DEPTH
 * requests in flight. One thread, one epoll instance. Latency is from the
 * write that carried a request to the read that completed its reply.
 *
 *	loadgen -s SOCKET -r REQUEST [-c CONNECTIONS] [-d DEPTH] [-t SECONDS]
 *		[-b REPLY_BYTES] [-P SERVER_PID]
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "load.h"

#define WARM_UP_NS UINT64_C(200000000)

/* --- latencies: log-linear, about 1.6 % of resolution --------------------- */

#define SUB_BITS 6U
#define BUCKETS  (64U << SUB_BITS)

struct histogram {
	uint64_t total, counts[BUCKETS];
};

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < 1U << SUB_BITS)
		return (unsigned int)ns;
	shift = 63U - (unsigned int)__builtin_clzll(ns) - SUB_BITS;
	return ((shift + 1) << SUB_BITS) +
	       (unsigned int)((ns >> shift) - (1U << SUB_BITS));
}

static double bucket_us(unsigned int bucket)
{
	uint64_t low = bucket & ((1U << SUB_BITS) - 1);

	if (bucket >= 1U << SUB_BITS)
		low = (low + (1U << SUB_BITS)) << ((bucket >> SUB_BITS) - 1);
	return (double)low / 1e3;
}

static void histogram_add(struct histogram *histogram, uint64_t ns)
{
	histogram->counts[bucket_of(ns)]++;
	histogram->total++;
}

/* Microseconds that the share @part of all took at most. */
static double quantile_us(const struct histogram *histogram, double part)
{
	uint64_t want = (uint64_t)(part * (double)histogram->total), seen = 0;

	for (unsigned int i = 0; i < BUCKETS; i++) {
		seen += histogram->counts[i];
		if (seen > want)
			return bucket_us(i);
	}
	return 0;
}

/* --- connections ---------------------------------------------------------- */

struct conn {
	int fd;
	struct load_count replies;
	unsigned int oldest, flying; /* in the ring of the times of sending */
	size_t unsent, offset;       /* of the endless row of requests */
	uint64_t *sent_at;
};

static struct load {
	const char *socket, *request_file;
	struct load_request request;
	char *batch; /* depth requests in a row */
	unsigned int conns, depth;
	double seconds;
	size_t reply;
	pid_t server;
	struct histogram latencies;
} load = {.conns = 1, .depth = 1, .seconds = 2};

static void push(struct conn *conn)
{
	size_t room;
	ssize_t sent;

	while (conn->unsent) {
		room = load.request.len * load.depth - conn->offset;
		sent = write(conn->fd, load.batch + conn->offset,
			     conn->unsent < room ? conn->unsent : room);
		if (sent < 0 && errno == EAGAIN)
			return;
		if (sent < 0)
			load_fail("write");
		conn->unsent -= (size_t)sent;
		conn->offset = (conn->offset + (size_t)sent) % load.request.len;
	}
}

static void ask(struct conn *conn, unsigned int count)
{
	uint64_t now = load_now_ns();

	for (unsigned int i = 0; i < count; i++)
		conn->sent_at[(conn->oldest + conn->flying++) % load.depth] =
			now;
	conn->unsent += load.request.len * count;
	push(conn);
}

static void answered(struct conn *conn, unsigned int count)
{
	uint64_t now = load_now_ns();

	if (count > conn->flying) {
		errno = EPROTO;
		load_fail("more replies than requests");
	}
	for (unsigned int i = 0; i < count; i++) {
		histogram_add(&load.latencies,
			      now - conn->sent_at[conn->oldest]);
		conn->oldest = (conn->oldest + 1) % load.depth;
	}
	conn->flying -= count;
	ask(conn, count);
}

/* Edge-triggered: a short read has drained it. */
static void receive(struct conn *conn)
{
	static char data[256 * 1024];
	unsigned int count;
	ssize_t got;

	do {
		got = read(conn->fd, data, sizeof(data));
		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0)
			load_fail("the server closed a connection");
		count = load_count(&conn->replies, data, (size_t)got);
		if (count)
			answered(conn, count);
	} while ((size_t)got == sizeof(data));
}

static void connect_one(struct conn *conn, int epoll)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLET,
		.data.ptr = conn,
	};

	conn->fd = load_dial(load.socket);
	conn->replies.fixed = load.reply;
	conn->sent_at = mem_alloc(load.depth * sizeof(uint64_t));
	load_set_nonblocking(conn->fd);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, conn->fd, &event))
		load_fail("epoll");
}

/* --- a run ---------------------------------------------------------------- */

static void wait_once(int epoll)
{
	struct epoll_event events[256];
	int count = epoll_wait(epoll, events, 256, 100);

	for (int i = 0; i < count; i++) {
		struct conn *conn = events[i].data.ptr;

		if (events[i].events & EPOLLOUT)
			push(conn);
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			receive(conn);
	}
}

static void run_for(int epoll, uint64_t ns)
{
	uint64_t end = load_now_ns() + ns;

	while (load_now_ns() < end)
		wait_once(epoll);
}

static void report(double seconds, double cpu_us)
{
	double requests = (double)load.latencies.total;

	if (!load.latencies.total) {
		errno = ETIMEDOUT;
		load_fail("no replies");
	}
	(void)printf("rps=%.0f p50_us=%.1f p99_us=%.1f max_us=%.1f",
		     requests / seconds, quantile_us(&load.latencies, .5),
		     quantile_us(&load.latencies, .99),
		     quantile_us(&load.latencies, .999999));
	(void)printf(" cpu_us=%.3f\n", cpu_us / requests);
}

static void run(void)
{
	struct conn *conns = mem_alloc(load.conns * sizeof(*conns));
	int epoll = epoll_create1(0);
	uint64_t begin, cpu;

	for (unsigned int i = 0; i < load.conns; i++)
		connect_one(&conns[i], epoll);
	for (unsigned int i = 0; i < load.conns; i++)
		ask(&conns[i], load.depth);
	run_for(epoll, WARM_UP_NS);
	memset(&load.latencies, 0, sizeof(load.latencies));
	begin = load_now_ns();
	cpu = load_cpu_ns(load.server);
	run_for(epoll, (uint64_t)(load.seconds * 1e9));
	report((double)(load_now_ns() - begin) / 1e9,
	       (double)(load_cpu_ns(load.server) - cpu) / 1e3);
}

static bool take_option(int option)
{
	switch (option) {
	case 's': load.socket = optarg; break;
	case 'r': load.request_file = optarg; break;
	case 'c': load.conns = (unsigned int)strtoul(optarg, NULL, 10); break;
	case 'd': load.depth = (unsigned int)strtoul(optarg, NULL, 10); break;
	case 't': load.seconds = strtod(optarg, NULL); break;
	case 'b': load.reply = strtoul(optarg, NULL, 10); break;
	case 'P': load.server = (pid_t)strtol(optarg, NULL, 10); break;
	default: return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	bool good = true;
	int option;

	while (good && (option = getopt(argc, argv, "s:r:c:d:t:b:P:")) != -1)
		good = take_option(option);
	if (!good || !load.socket || !load.request_file || !load.conns ||
	    !load.depth) {
		(void)fprintf(stderr, "usage: loadgen -s SOCKET -r REQUEST\n");
		return 2;
	}
	load.request = load_read_request(load.request_file);
	load.batch = mem_alloc(load.request.len * load.depth);
	for (unsigned int i = 0; i < load.depth; i++)
		memcpy(load.batch + i * load.request.len, load.request.data,
		       load.request.len);
	load_raise_files();
	run();
	return 0;
}
