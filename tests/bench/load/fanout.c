/*
 * Many subscribers of one event: how far apart the first and the last of them
 * are told, and what it costs the server.
 *
 *	fanout -s SOCKET -r SUBSCRIBE -N SUBSCRIBERS [-T TRIGGER] [-X COMMAND]
 *	       [-R ROUNDS] [-b EVENT_BYTES] [-a FIRST_BYTES] [-P SERVER_PID]
 *
 * Each of -N connections sends the request of the file SUBSCRIBE and takes one
 * reply. Then, -R times, the event is caused: by the request TRIGGER on another
 * connection, or by a shell command that finds its round in $ROUND. Time zero
 * is the first receipt: what comes before it is not telling.
 *
 *	fanout ... -S -X COMMAND -m TEXT
 *
 * The same with subscribers that read nothing until all rounds are over; then
 * each is to be told TEXT within little time.
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "load.h"

#define PATIENCE_MS 30000
#define REST_US     100000

struct subscriber {
	int fd;
	struct load_count messages;
	unsigned int told; /* the round it was told last; 1: its first reply */
	bool found;        /* -m was in what it was told */
};

static struct fanout {
	const char *socket, *subscribe_file, *trigger_file, *command, *text;
	struct load_request trigger;
	unsigned int count, rounds;
	size_t first, event;
	pid_t server;
	bool stalled;

	int epoll, trigger_fd;
	struct subscriber *subscribers;
	double last_ms[1024], cpu_us[1024];
	size_t rss, rss_before;
} fanout = {.count = 1000, .rounds = 5, .trigger_fd = -1};

static void set_found(struct subscriber *subscriber, const char *data,
		      size_t len)
{
	if (fanout.text && memmem(data, len, fanout.text, strlen(fanout.text)))
		subscriber->found = true;
}

/* Whole messages that are there. */
static unsigned int drain(struct subscriber *subscriber)
{
	static char data[256 * 1024];
	unsigned int count = 0;
	ssize_t got;

	do {
		got = read(subscriber->fd, data, sizeof(data));
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return count;
		if (got <= 0)
			load_fail("the server closed a subscriber");
		set_found(subscriber, data, (size_t)got);
		count += load_count(&subscriber->messages, data, (size_t)got);
	} while ((size_t)got == sizeof(data));
	return count;
}

/* Wait for events and call @take with each subscriber that has some, until it
 * has said yes @count times. */
static void gather(unsigned int count, bool (*take)(struct subscriber *))
{
	struct epoll_event events[512];
	unsigned int done = 0;
	int ready;

	while (done < count) {
		ready = epoll_wait(fanout.epoll, events, 512, PATIENCE_MS);
		if (ready <= 0) {
			(void)fprintf(stderr, "only %u of %u were told\n", done,
				      count);
			exit(1);
		}
		for (int i = 0; i < ready; i++)
			done += take(events[i].data.ptr);
	}
}

static unsigned int current_round = 1;
static uint64_t first_receipt;

static bool take_message(struct subscriber *subscriber)
{
	if (!drain(subscriber) || subscriber->told >= current_round)
		return false;
	if (!first_receipt)
		first_receipt = load_now_ns();
	subscriber->told = current_round;
	return true;
}

static bool take_text(struct subscriber *subscriber)
{
	bool before = subscriber->found;

	(void)drain(subscriber);
	return subscriber->found && !before;
}

static void subscribe(struct subscriber *subscriber,
		      const struct load_request *request)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLET,
		.data.ptr = subscriber,
	};

	subscriber->fd = load_dial(fanout.socket);
	subscriber->messages.fixed = fanout.first;
	load_write(subscriber->fd, request);
	load_set_nonblocking(subscriber->fd);
	if (epoll_ctl(fanout.epoll, EPOLL_CTL_ADD, subscriber->fd, &event))
		load_fail("epoll");
}

static void subscribe_all(void)
{
	struct load_request request = load_read_request(fanout.subscribe_file);

	fanout.rss_before = fanout.server ? load_rss(fanout.server) : 0;
	assert(fanout.subscribers);
	for (unsigned int i = 0; i < fanout.count; i++)
		subscribe(&fanout.subscribers[i], &request);
	gather(fanout.count, take_message);
	for (unsigned int i = 0; i < fanout.count; i++)
		fanout.subscribers[i].messages.fixed = fanout.event;
	(void)usleep(REST_US);
	fanout.rss = fanout.server ? load_rss(fanout.server) : 0;
}

static void cause(unsigned int round)
{
	_cleanup_(mem_freep) char *number = mem_printf("%u", round);
	char sink[4096];

	if (fanout.command) {
		(void)setenv("ROUND", number, 1);
		/* NOLINTNEXTLINE(bugprone-command-processor,cert-env33-c) */
		if (system(fanout.command))
			load_fail("the command failed");
	}
	if (fanout.trigger_fd < 0)
		return;
	load_write(fanout.trigger_fd, &fanout.trigger);
	if (read(fanout.trigger_fd, sink, sizeof(sink)) <= 0)
		load_fail("the trigger was not answered");
}

static void play_round(unsigned int round)
{
	uint64_t cpu = load_cpu_ns(fanout.server);

	(void)usleep(REST_US);
	current_round = round + 2;
	first_receipt = 0;
	cause(round);
	gather(fanout.count, take_message);
	fanout.last_ms[round] = (double)(load_now_ns() - first_receipt) / 1e6;
	(void)usleep(REST_US); /* until the server has finished */
	fanout.cpu_us[round] =
		(double)(load_cpu_ns(fanout.server) - cpu) / 1e3 / fanout.count;
}

static void play(void)
{
	for (unsigned int i = 0; i < fanout.rounds; i++)
		play_round(i);
	(void)printf("last_ms=%.3f cpu_us=%.3f rss_each=%.0f\n",
		     load_median(fanout.last_ms, fanout.rounds),
		     load_median(fanout.cpu_us, fanout.rounds),
		     ((double)fanout.rss - (double)fanout.rss_before) /
			     fanout.count);
}

/* What their readers' sloth costs the server, and what they are told after. */
static void play_stalled(void)
{
	size_t before = fanout.rss;

	for (unsigned int i = 0; i < fanout.rounds; i++)
		cause(i);
	fanout.rss = load_rss(fanout.server);
	gather(fanout.count, take_text);
	(void)printf("grown_each=%.0f\n",
		     ((double)fanout.rss - (double)before) / fanout.count);
}

static bool take_option(int option)
{
	switch (option) {
	case 's': fanout.socket = optarg; break;
	case 'r': fanout.subscribe_file = optarg; break;
	case 'T': fanout.trigger_file = optarg; break;
	case 'X': fanout.command = optarg; break;
	case 'm': fanout.text = optarg; break;
	case 'S': fanout.stalled = true; break;
	case 'N': fanout.count = (unsigned int)strtoul(optarg, NULL, 10); break;
	case 'R':
		fanout.rounds = (unsigned int)strtoul(optarg, NULL, 10);
		break;
	case 'a': fanout.first = strtoul(optarg, NULL, 10); break;
	case 'b': fanout.event = strtoul(optarg, NULL, 10); break;
	case 'P': fanout.server = (pid_t)strtol(optarg, NULL, 10); break;
	default: return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	bool good = true;
	int option;

	while (good &&
	       (option = getopt(argc, argv, "s:r:T:X:m:SN:R:a:b:P:")) != -1)
		good = take_option(option);
	if (!good || !fanout.socket || !fanout.subscribe_file ||
	    !fanout.count || fanout.rounds > (fanout.stalled ? 100000 : 1024)) {
		(void)fprintf(stderr, "usage: fanout -s SOCKET -r SUBSCRIBE\n");
		return 2;
	}
	load_raise_files();
	fanout.epoll = epoll_create1(0);
	fanout.subscribers =
		mem_alloc(fanout.count * sizeof(*fanout.subscribers));
	if (fanout.trigger_file) {
		fanout.trigger = load_read_request(fanout.trigger_file);
		fanout.trigger_fd = load_dial(fanout.socket);
	}
	subscribe_all();
	if (fanout.stalled)
		play_stalled();
	else
		play();
	return 0;
}
