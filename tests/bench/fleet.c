/*
 * What one server hears from ten thousand daemons: requests a second while all
 * is well, after an outage, after a mass restart, in a maintenance.
 *
 * The daemons are the real arithmetic (fetch/backoff, phase, bucket, proof) on
 * a clock that is only a number, the server answers at once, and chance is
 * drawn from a fixed seed: every run prints the same. A daemon has two feeds
 * and one login, as in mode agent. Prints a line a row; judges nothing.
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fetch/backoff.h"
#include "fetch/bucket.h"
#include "fetch/poll_phase.h"
#include "fetch/proof.h"

#define DAEMONS     10000
#define FEEDS       2
#define SECONDS     3600
#define INTERVAL_MS 60000
#define PROVE_MS    900000
#define NEVER       UINT64_MAX

/* A morning in 2026, in milliseconds since 1970. */
#define DAWN UINT64_C(1795487474000)

struct feed {
	struct backoff backoff;
	bool well;
};

struct host {
	uint32_t phase;
	bool logged_in;
	struct bucket bucket;
	struct proof proof;
	struct feed feeds[FEEDS];
};

struct event {
	uint64_t at_ms;
	unsigned int feed; /* of all feeds of all hosts */
};

/* What happens; times in seconds from the beginning. */
struct story {
	const char *name;
	bool cached;    /* the daemons have something to serve */
	bool phaseless; /* for comparison: jitter alone */
	bool proves;    /* the keys too; else the polls alone */
	bool together;  /* all start in the same second; else over an hour */
	unsigned int bad_from, bad_to;
	int64_t retry_after;   /* of a 503; 0: the connection is refused */
	unsigned int from, to; /* what is measured */
};

struct fleet {
	const struct story *story;
	struct host *hosts;
	struct event *heap;
	size_t events;
	unsigned int requests[SECONDS];
	unsigned int held_back, unwell;
	uint64_t all_well_ms; /* when the last feed came back */
	uint64_t chance;
};

/* --- chance: splitmix64 --- */

static uint32_t draw(struct fleet *fleet)
{
	uint64_t x = fleet->chance += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((x ^ x >> 31) >> 32);
}

/* --- a heap of what comes next --- */

static void swap(struct event *a, struct event *b)
{
	struct event c = *a;

	*a = *b;
	*b = c;
}

static void heap_add(struct fleet *fleet, uint64_t at_ms, unsigned int feed)
{
	struct event *heap = fleet->heap;
	size_t i = fleet->events++;

	heap[i] = (struct event){at_ms, feed};
	for (; i && heap[i].at_ms < heap[(i - 1) / 2].at_ms; i = (i - 1) / 2)
		swap(&heap[i], &heap[(i - 1) / 2]);
}

static struct event heap_take(struct fleet *fleet)
{
	struct event *heap = fleet->heap, first = heap[0];
	size_t i = 0, next;

	heap[0] = heap[--fleet->events];
	for (; (next = 2 * i + 1) < fleet->events; i = next) {
		if (next + 1 < fleet->events &&
		    heap[next + 1].at_ms < heap[next].at_ms)
			next++;
		if (heap[i].at_ms <= heap[next].at_ms)
			break;
		swap(&heap[i], &heap[next]);
	}
	return first;
}

/* --- server --- */

/* Counts one request, or that the daemon's own bucket was empty. */
static void request(struct fleet *fleet, struct host *host, uint64_t at_ms)
{
	if (bucket_take(&host->bucket, at_ms))
		fleet->requests[at_ms / 1000]++;
	else
		fleet->held_back++;
}

static bool is_bad(const struct story *story, uint64_t at_ms)
{
	return at_ms >= story->bad_from * UINT64_C(1000) &&
	       at_ms < story->bad_to * UINT64_C(1000);
}

/* --- daemons --- */

static void set_well(struct fleet *fleet, struct feed *feed, bool well,
		     uint64_t at_ms)
{
	if (feed->well == well)
		return;
	feed->well = well;
	fleet->unwell += well ? -1U : 1U;
	if (!fleet->unwell)
		fleet->all_well_ms = at_ms;
}

/* A wait without a phase is one whose phase is an interval from now. */
static uint64_t next_wait(struct fleet *fleet, struct feed *feed,
			  uint64_t at_ms, uint64_t asked_ms)
{
	if (fleet->story->phaseless)
		feed->backoff.phase =
			(uint32_t)(((DAWN + at_ms) % INTERVAL_MS << 32) /
				   INTERVAL_MS);
	return backoff_delay(&feed->backoff, DAWN + at_ms, draw(fleet),
			     asked_ms);
}

/* A login, the list of credentials, and the other feed, which is asked for
 * with it. */
static void prove(struct fleet *fleet, struct host *host, uint64_t at_ms)
{
	uint64_t left = proof_left(&host->proof, (int64_t)at_ms);

	if (left && left != PROOF_NEVER)
		return;
	for (unsigned int i = 0; !left && i < 3; i++)
		request(fleet, host, at_ms);
	proof_made(&host->proof, (int64_t)at_ms, DAWN + at_ms, draw(fleet));
}

static uint64_t ask(struct fleet *fleet, struct host *host, struct feed *feed,
		    uint64_t at_ms)
{
	bool bad = is_bad(fleet->story, at_ms);
	uint64_t wait, left;

	request(fleet, host, at_ms);
	set_well(fleet, feed, !bad, at_ms);
	if (bad) {
		backoff_failed(&feed->backoff);
		return next_wait(fleet, feed, at_ms,
				 (uint64_t)fleet->story->retry_after * 1000);
	}
	if (!host->logged_in)
		request(fleet, host, at_ms);
	host->logged_in = true;
	backoff_succeeded(&feed->backoff);
	wait = next_wait(fleet, feed, at_ms, 0);
	if (!fleet->story->proves || feed != host->feeds)
		return wait;
	prove(fleet, host, at_ms);
	left = proof_left(&host->proof, (int64_t)at_ms);
	return left < wait ? left : wait;
}

static uint64_t first_question(struct fleet *fleet, const struct feed *feed,
			       uint64_t start_ms)
{
	if (!fleet->story->cached)
		return start_ms;
	return start_ms + backoff_before_first(&feed->backoff, DAWN + start_ms);
}

static void host_start(struct fleet *fleet, unsigned int number)
{
	struct host *host = &fleet->hosts[number];
	char name[32];
	struct poll_phase_id id = {
		STR("one image for all"), {name, 0}, STR("default")};
	uint64_t start_ms = poll_phase_part(
		draw(fleet), fleet->story->together ? 1000 : INTERVAL_MS);

	(void)snprintf(name, sizeof(name), "node-%05u", number);
	id.host = str_from(name);
	host->bucket = BUCKET_INIT;
	host->proof = (struct proof){PROVE_MS, 20, poll_phase_of(&id)};
	for (unsigned int i = 0; i < FEEDS; i++) {
		host->feeds[i].well = true;
		host->feeds[i].backoff = (struct backoff){
			.interval_ms = INTERVAL_MS,
			.jitter_percent = 20,
			.phase = poll_phase_of(&id),
			.first_ms = BACKOFF_FIRST_MS,
			.max_ms = 900000,
		};
		heap_add(fleet,
			 first_question(fleet, &host->feeds[i], start_ms),
			 number * FEEDS + i);
	}
}

static void fleet_run(struct fleet *fleet)
{
	for (unsigned int i = 0; i < DAEMONS; i++)
		host_start(fleet, i);
	while (fleet->heap[0].at_ms < SECONDS * UINT64_C(1000)) {
		struct event event = heap_take(fleet);
		struct host *host = &fleet->hosts[event.feed / FEEDS];
		struct feed *feed = &host->feeds[event.feed % FEEDS];

		heap_add(fleet,
			 event.at_ms + ask(fleet, host, feed, event.at_ms),
			 event.feed);
	}
}

/* --- what it comes to --- */

static int compare(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return (x > y) - (x < y);
}

static void report(struct fleet *fleet)
{
	const struct story *story = fleet->story;
	unsigned int seconds = story->to - story->from;
	unsigned int *window = &fleet->requests[story->from];
	double sum = 0;

	for (unsigned int i = 0; i < seconds; i++)
		sum += window[i];
	qsort(window, seconds, sizeof(*window), compare);
	printf("%-52s %5u s %7.0f %7u %7u", story->name, seconds, sum / seconds,
	       window[(seconds * 99 - 1) / 100], window[seconds - 1]);
	if (story->bad_to)
		printf(" %8.0f s",
		       (double)fleet->all_well_ms / 1000 - story->bad_to);
	if (fleet->held_back)
		printf(" %u held back", fleet->held_back);
	printf("\n");
}

static void tell(const struct story *story)
{
	struct fleet *fleet = mem_alloc(sizeof(*fleet));

	fleet->story = story;
	fleet->chance = 1;
	fleet->hosts = mem_alloc(DAEMONS * sizeof(*fleet->hosts));
	fleet->heap = mem_alloc((DAEMONS * FEEDS + 1) * sizeof(*fleet->heap));
	fleet_run(fleet);
	report(fleet);
	mem_free(fleet->hosts);
	mem_free(fleet->heap);
	mem_free(fleet);
}

static const struct story stories[] = {
	{"all is well", .from = 600, .to = 1200},
	{"  keys proved each 15 minutes too", .proves = true, .from = 900,
	 .to = 3600},
	{"  after a start all at once", .proves = true, .together = true,
	 .from = 60, .to = 3600},
	{"a 10-minute outage, while it lasts", .bad_from = 600, .bad_to = 1200,
	 .from = 600, .to = 1200},
	{"after it", .bad_from = 600, .bad_to = 1200, .from = 1200, .to = 2100},
	{"mass restart with last known good", .together = true, .cached = true,
	 .from = 0, .to = 600},
	{"mass restart without", .together = true, .from = 0, .to = 600},
	{"  from its second second on", .together = true, .from = 1, .to = 600},
	{"  the same, were there no phases", .together = true,
	 .phaseless = true, .from = 1, .to = 600},
	{"a minute of 503, Retry-After 30, and the next", .retry_after = 30,
	 .bad_from = 600, .bad_to = 660, .from = 600, .to = 720},
	{"  at a mass restart, from its second second on", .together = true,
	 .retry_after = 30, .bad_from = 0, .bad_to = 60, .from = 1, .to = 180},
	{"  the same, were there no phases", .together = true,
	 .phaseless = true, .retry_after = 30, .bad_from = 0, .bad_to = 60,
	 .from = 1, .to = 180},
};

int main(void)
{
	printf("%d daemons of two feeds, each asked for once in 60 s +- 20 %%; "
	       "requests a second\n",
	       DAEMONS);
	printf("%-52s %7s %7s %7s %7s %10s\n", "", "over", "mean", "p99", "max",
	       "all back");
	for (size_t i = 0; i < ARRAY_SIZE(stories); i++)
		tell(&stories[i]);
	return 0;
}
