/*
 * What many hosts' reports cost an etcd: each host is the real code that keeps
 * one key under a lease (fetch/etcd/etcd_keep), all of them on one loop. Ten
 *share a client, and so connections: a process may not have enough of them.
 *
 *	reporters URL HOSTS LEASE_S REPORT_FILE
 *
 * The report is a real daemon's; each host puts its name and a word into it.
 * Commands come by lines, and are answered by one:
 *
 *	set WORD   the reports change; until etcd has all of them
 *	rest S     nothing happens for S seconds
 *	back       until etcd has all of them again
 *
 * with: seconds, questions asked, the most of them in one second, leases that
 * have run out so far.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/source.h"
#include "fetch/etcd/etcd_keep.h"

#define REPORT_MAX ((size_t)65536)
#define TICK_MS    100

#define HOSTS_A_CLIENT 10

struct host {
	char *name, *key;
	struct etcd_keep *keep;
};

struct bench {
	uv_loop_t loop;
	struct host *hosts;
	size_t count;
	struct str report;
	uv_timer_t tick;
	struct http **clients;
	size_t client_count;
	uint64_t until;        /* of the loop; 0: until all is written */
	uint64_t second_begun; /* when, and how much had been asked */
	uint64_t second_asked, most;
	bool over;
};

/* --- what a host does not need here --- */

static enum etcd_keep_whose whose(void *data, struct str value)
{
	(void)data;
	(void)value;
	return ETCD_KEEP_EARLIER;
}

static bool mark(void *data, struct str value, struct buf *marked)
{
	(void)data;
	(void)value;
	(void)marked;
	return false;
}

static void on_mark(void *data, const struct str *marked)
{
	(void)data;
	(void)marked;
}

static void on_state(void *data)
{
	(void)data;
}

static const char *token(void *data)
{
	(void)data;
	return NULL;
}

/* --- hosts --- */

static void set_report(const struct bench *bench, const struct host *host,
		       const char *word)
{
	_cleanup_(buf_deinit) struct buf value = BUF_INIT;

	buf_printf(&value, "{\"word\":\"%s %s\",", word, host->name);
	buf_add_str(&value, str_from_offset(bench->report, 1));
	etcd_keep_set(host->keep, buf_str(&value));
}

static void open_host(struct bench *bench, struct host *host,
		      struct etcd_keep_config *config)
{
	host->name = mem_printf("host-%zu", (size_t)(host - bench->hosts));
	host->key = mem_printf("/clearconf/site.state/%s", host->name);
	config->key = str_from(host->key);
	host->keep = etcd_keep_new(
		&bench->loop,
		bench->clients[(host - bench->hosts) / HOSTS_A_CLIENT], config);
}

static void close_host(struct host *host)
{
	etcd_keep_close(host->keep);
	mem_free(host->name);
	mem_free(host->key);
}

static uint64_t asked(const struct bench *bench)
{
	uint64_t calls = 0;

	for (size_t i = 0; i < bench->client_count; i++)
		calls += http_counts(bench->clients[i]).calls;
	return calls;
}

static unsigned int lapses(const struct bench *bench)
{
	unsigned int count = 0;

	for (size_t i = 0; i < bench->count; i++)
		count += etcd_keep_lapses(bench->hosts[i].keep);
	return count;
}

static bool all_are_written(const struct bench *bench)
{
	for (size_t i = 0; i < bench->count; i++)
		if (!etcd_keep_is_written(bench->hosts[i].keep) ||
		    etcd_keep_state(bench->hosts[i].keep) != ETCD_KEEP_KEPT)
			return false;
	return true;
}

/* --- commands --- */

static void count_second(struct bench *bench)
{
	uint64_t now = uv_now(&bench->loop), total;

	if (now - bench->second_begun < 1000)
		return;
	total = asked(bench);
	if (total - bench->second_asked > bench->most)
		bench->most = total - bench->second_asked;
	bench->second_asked = total;
	bench->second_begun = now;
}

static void on_tick(uv_timer_t *tick)
{
	struct bench *bench = tick->data;

	count_second(bench);
	bench->over = bench->until ? uv_now(&bench->loop) >= bench->until
				   : all_are_written(bench);
	if (bench->over)
		uv_stop(&bench->loop);
}

/* Until what is waited for; then say what that took. */
static void wait_and_tell(struct bench *bench, uint64_t ms)
{
	uint64_t begun, before = asked(bench);

	uv_update_time(&bench->loop);
	begun = uv_now(&bench->loop);
	bench->until = ms ? begun + ms : 0;
	bench->most = 0;
	bench->second_begun = begun;
	bench->second_asked = before;
	(void)uv_timer_start(&bench->tick, on_tick, TICK_MS, TICK_MS);
	(void)uv_run(&bench->loop, UV_RUN_DEFAULT);
	(void)uv_timer_stop(&bench->tick);
	uv_update_time(&bench->loop);
	printf("%.2f %llu %llu %u\n",
	       (double)(uv_now(&bench->loop) - begun) / 1000,
	       (unsigned long long)(asked(bench) - before),
	       (unsigned long long)bench->most, lapses(bench));
	(void)fflush(stdout);
}

static void obey(struct bench *bench, const char *line)
{
	uint64_t ms = 0;

	if (!strncmp(line, "set ", 4))
		for (size_t i = 0; i < bench->count; i++)
			set_report(bench, &bench->hosts[i], line + 4);
	if (!strncmp(line, "rest ", 5))
		ms = strtoull(line + 5, NULL, 10) * 1000;
	wait_and_tell(bench, ms);
}

static void open_hosts(struct bench *bench, const char *const *url,
		       const char *lease)
{
	struct etcd_keep_config config = {
		.nodes = {.endpoints = url,
			  .endpoint_count = 1,
			  .tls.verify = true,
			  .timeout_ms = 10000},
		.ttl_ms = strtoull(lease, NULL, 10) * 1000,
		.every_ms = 1000,
		.spread_ms = 1000,
		.whose = whose,
		.mark = mark,
		.on_mark = on_mark,
		.on_state = on_state,
		.token = token,
	};

	bench->hosts = mem_alloc(bench->count * sizeof(*bench->hosts));
	bench->client_count = bench->count / HOSTS_A_CLIENT + 1;
	bench->clients = mem_alloc(bench->client_count * sizeof(struct http *));
	for (size_t i = 0; i < bench->client_count; i++)
		bench->clients[i] = http_new(&bench->loop);
	for (size_t i = 0; i < bench->count; i++)
		open_host(bench, &bench->hosts[i], &config);
}

/* Each host has a connection. */
static void make_room_for_files(void)
{
	struct rlimit files;

	(void)getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct bench bench = {0};
	struct source source;
	char line[128];

	mem_init();
	log_set_level(LOG_LEVEL_ERROR);
	make_room_for_files();
	if (argc != 5 ||
	    source_from_file(&source, &arena, argv[4], REPORT_MAX, NULL))
		return 2;
	(void)uv_loop_init(&bench.loop);
	(void)uv_timer_init(&bench.loop, &bench.tick);
	bench.tick.data = &bench;
	bench.report = source.text;
	bench.count = strtoull(argv[2], NULL, 10);
	open_hosts(&bench, (const char *const *)&argv[1], argv[3]);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		obey(&bench, line);
	}
	for (size_t i = 0; i < bench.count; i++)
		close_host(&bench.hosts[i]);
	for (size_t i = 0; i < bench.client_count; i++)
		http_close(bench.clients[i]);
	uv_close((uv_handle_t *)&bench.tick, NULL);
	(void)uv_run(&bench.loop, UV_RUN_DEFAULT);
	mem_free(bench.clients);
	mem_free(bench.hosts);
	return 0;
}
