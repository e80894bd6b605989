#include <assert.h>

#include "base/fields.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetch/etcd/etcd_parts.h"
#include "fetch/poll_phase.h"

/* Waits between rounds of nodes: somebody counts on a second, so not the long
 * ones of polling. */
#define WAIT_FIRST_MS 250
#define WAIT_MAX_MS   30000

/* Without another node to go to nobody needs to know so soon. */
#define PATIENCE 10

/* A page after the other, besides the probes. */
#define PAGES_PER_MINUTE 600

#define PROBE_BYTES ((size_t)64 * 1024)

static const char *endpoint_now(const struct etcd *etcd)
{
	return etcd->config.nodes.endpoints[etcd->at];
}

static uint64_t probe_ms(const struct etcd *etcd)
{
	return etcd->config.probe_ms *
	       (etcd->config.nodes.endpoint_count == 1 ? PATIENCE : 1);
}

void etcd_enter(struct etcd *etcd, enum etcd_state state)
{
	assert(etcd->state != ETCD_CLOSING);
	etcd->state = state;
	etcd->since = uv_now(etcd->pulse.loop);
}

/* --- health --- */

static void set_health(struct etcd *etcd, enum etcd_health health, char *error)
{
	mem_free(etcd->error);
	etcd->error = error;
	etcd->health = health;
	etcd->config.on_health(etcd->config.data);
}

void etcd_be_well(struct etcd *etcd)
{
	etcd->tried = 0;
	etcd->backoff.failures = 0;
	etcd->logged_in = false;
	etcd->worst = ETCD_STARTING;
	log_info("etcd-watched", LOG_TEXT("endpoint", endpoint_now(etcd)),
		 LOG_INT("revision", etcd_revision(etcd)));
	set_health(etcd, ETCD_WELL, NULL);
}

/* Of a round's faults the one that says most is told. */
static void note_fault(struct etcd *etcd, enum etcd_health health, char *error)
{
	if (health < etcd->worst) {
		mem_free(error);
		return;
	}
	mem_free(etcd->worst_error);
	etcd->worst_error = error;
	etcd->worst = health;
}

/* --- one node after the other --- */

static void hang_up(struct etcd *etcd)
{
	http_cancel(TAKE(etcd->call));
	http_cancel(TAKE(etcd->stream));
	http_cancel(TAKE(etcd->probe));
	(void)uv_timer_stop(&etcd->pulse);
	etcd_load_clear(&etcd->load);
}

static void knock(struct etcd *etcd);

static void on_wait_end(uv_timer_t *timer)
{
	knock(timer->data);
}

/* Not from here: who called us may be in the middle of something. */
static void try_next(struct etcd *etcd, uint64_t ms)
{
	etcd_enter(etcd, ETCD_WAITING);
	etcd->round_open = ms == 0;
	(void)uv_timer_start(&etcd->wait, on_wait_end, ms, 0);
}

static void end_round(struct etcd *etcd)
{
	etcd->tried = 0;
	backoff_failed(&etcd->backoff);
	try_next(etcd, backoff_delay(&etcd->backoff, poll_phase_now(),
				     backoff_random(), 0));
	log_warning("etcd-failed", LOG_TEXT("endpoint", endpoint_now(etcd)),
		    LOG_TEXT("error", etcd->worst_error));
	set_health(etcd, etcd->worst, TAKE(etcd->worst_error));
	etcd->worst = ETCD_STARTING;
}

void etcd_fail(struct etcd *etcd, enum etcd_health health, char *error)
{
	log_info("etcd-left", LOG_TEXT("endpoint", endpoint_now(etcd)),
		 LOG_TEXT("error", error));
	hang_up(etcd);
	note_fault(etcd, health, error);
	etcd->logged_in = false;
	etcd->at = (etcd->at + 1) % etcd->config.nodes.endpoint_count;
	if (++etcd->tried < etcd->config.nodes.endpoint_count)
		try_next(etcd, 0);
	else
		end_round(etcd);
}

static void log_in(struct etcd *etcd);

void etcd_fail_by(struct etcd *etcd, const struct etcd_reply *reply,
		  const struct http_reply *http)
{
	bool again = reply->kind == ETCD_TOKEN_OVER &&
		     etcd->config.nodes.user && !etcd->logged_in;

	if (again) {
		http_cancel(TAKE(etcd->stream));
		log_in(etcd);
	} else if (reply->kind == ETCD_COMPACTED) {
		http_cancel(TAKE(etcd->stream));
		etcd_range(etcd);
	} else {
		etcd_fail(etcd, etcd_node_health(reply),
			  etcd_node_describe(&etcd->config.nodes,
					     endpoint_now(etcd), reply, http));
	}
}

static void forget_revisions(struct etcd *etcd)
{
	for (size_t i = 0; i < etcd->config.span_count; i++)
		etcd->spans[i].next = 0;
}

/* Revisions of one cluster mean nothing in another. */
bool etcd_is_other_cluster(struct etcd *etcd, const struct etcd_reply *reply)
{
	bool known = etcd->cluster != NULL;

	if (!reply->cluster.len ||
	    (known && str_is(reply->cluster, etcd->cluster)))
		return false;
	mem_free(etcd->cluster);
	etcd->cluster = mem_strdup(reply->cluster.ptr);
	if (known) {
		log_warning("etcd-is-another",
			    LOG_TEXT("endpoint", endpoint_now(etcd)));
		forget_revisions(etcd);
	}
	return known;
}

struct http_call *etcd_post(struct etcd *etcd, const char *method,
			    struct buf *body, http_lines_fn on_lines,
			    http_done_fn done)
{
	const struct etcd_post post = {
		.endpoint = endpoint_now(etcd),
		.method = method,
		.token = etcd->token,
		.body = buf_str(body),
		.on_lines = on_lines,
		.done = done,
		.data = etcd,
	};

	return etcd_node_post(etcd->http, &etcd->config.nodes, &post);
}

/* --- login --- */

static bool has_next(const struct etcd *etcd)
{
	for (size_t i = 0; i < etcd->config.span_count; i++)
		if (!etcd->spans[i].next)
			return false;
	return true;
}

static void go_on(struct etcd *etcd)
{
	if (has_next(etcd))
		etcd_watch(etcd);
	else
		etcd_range(etcd);
}

static void take_login(struct etcd *etcd, const struct etcd_reply *reply,
		       const struct http_reply *http)
{
	mem_free(etcd->token);
	etcd->token = NULL;
	etcd->logged_in = true;
	if (reply->kind == ETCD_DONE && reply->token.len)
		etcd->token = mem_strdup(reply->token.ptr);
	if (etcd->token || reply->kind == ETCD_NO_AUTH)
		go_on(etcd);
	else
		etcd_fail_by(etcd, reply, http);
}

static void on_login(void *data, const struct http_reply *http)
{
	struct etcd *etcd = data;

	etcd->call = NULL;
	if (http->error) {
		etcd_fail(etcd, ETCD_AWAY, mem_strdup(http->error));
		return;
	}
	take_login(etcd, http->content, http);
}

static void log_in(struct etcd *etcd)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	char *problem = etcd_node_write_login(&etcd->config.nodes, &body);

	etcd_enter(etcd, ETCD_LOGGING_IN);
	mem_free(etcd->token);
	etcd->token = NULL;
	if (problem)
		etcd_fail(etcd, ETCD_REJECTED, problem);
	else
		etcd->call = etcd_post(etcd, "auth/authenticate", &body, NULL,
				       on_login);
}

/* --- the pulse --- */

static void start_after_knock(struct etcd *etcd)
{
	if (etcd->config.nodes.user && !etcd->token)
		log_in(etcd);
	else
		go_on(etcd);
}

/* Anything that came while the probe was under way shows that it lives. */
static bool was_heard(const struct etcd *etcd, uint64_t ms)
{
	return (etcd->call && http_silence(etcd->call) < ms) ||
	       (etcd->stream && http_silence(etcd->stream) < ms);
}

/* What it says does not matter, only that it says something. */
static void on_probe(void *data, const struct http_reply *reply)
{
	struct etcd *etcd = data;

	etcd->probe = NULL;
	if (reply->error && !was_heard(etcd, probe_ms(etcd)))
		etcd_fail(etcd, ETCD_AWAY, mem_strdup(reply->error));
	else if (etcd->state == ETCD_KNOCKING)
		start_after_knock(etcd);
}

static void probe(struct etcd *etcd)
{
	_cleanup_(mem_freep) char *url =
		mem_printf("%s/version", endpoint_now(etcd));
	const struct http_request request = {
		.url = url,
		.peer = &etcd_site_words.peer,
		.tls = etcd->config.nodes.tls,
		.timeout_ms = probe_ms(etcd),
		.limit = PROBE_BYTES,
		.keep = true,
	};

	etcd->probe = http_send(etcd->http, &request, on_probe, etcd);
}

static bool is_opening_too_long(const struct etcd *etcd)
{
	return etcd->state == ETCD_OPENING &&
	       uv_now(etcd->pulse.loop) - etcd->since >
		       etcd->config.nodes.timeout_ms;
}

static void beat(struct etcd *etcd)
{
	if (is_opening_too_long(etcd))
		etcd_fail(etcd, ETCD_AWAY,
			  mem_printf("%s lives, but sets up no watch",
				     endpoint_now(etcd)));
	else if (!etcd->probe && !was_heard(etcd, probe_ms(etcd)))
		probe(etcd);
}

static void on_pulse(uv_timer_t *timer)
{
	beat(timer->data);
}

static void knock(struct etcd *etcd)
{
	etcd_enter(etcd, ETCD_KNOCKING);
	(void)uv_timer_start(&etcd->pulse, on_pulse, probe_ms(etcd),
			     probe_ms(etcd));
	probe(etcd);
}

/* --- what is asked from outside --- */

void etcd_refresh(struct etcd *etcd)
{
	bool busy = etcd->state == ETCD_OPENING || etcd->state == ETCD_WATCHING;

	forget_revisions(etcd);
	if (etcd->state == ETCD_WAITING) {
		etcd->tried = 0;
		try_next(etcd, 0);
	} else if (busy) {
		http_cancel(TAKE(etcd->stream));
		etcd_range(etcd);
	}
}

bool etcd_is_asking(const struct etcd *etcd)
{
	return etcd->state == ETCD_WAITING ? etcd->round_open
					   : etcd->state != ETCD_WATCHING;
}

enum etcd_health etcd_health(const struct etcd *etcd)
{
	return etcd->health;
}

const char *etcd_error(const struct etcd *etcd)
{
	return etcd->error;
}

const char *etcd_endpoint(const struct etcd *etcd)
{
	return endpoint_now(etcd);
}

const char *etcd_token(const struct etcd *etcd)
{
	return etcd->token;
}

int64_t etcd_revision(const struct etcd *etcd)
{
	int64_t newest = 0;

	for (size_t i = 0; i < etcd->config.span_count; i++)
		if (etcd->spans[i].next > newest)
			newest = etcd->spans[i].next;
	return newest ? newest - 1 : 0;
}

/* --- beginning and end --- */

static const struct field config_fields[] = {
	FIELD(struct etcd_config, probe_ms),
	FIELD(struct etcd_config, backoff_max_ms),
	FIELD(struct etcd_config, keys_max),
	FIELD(struct etcd_config, bytes_max),
	FIELD(struct etcd_config, span_count),
};

bool etcd_config_equal(const struct etcd_config *a, const struct etcd_config *b)
{
	const struct fields fields = {config_fields, ARRAY_SIZE(config_fields)};
	bool equal = fields_equal(&fields, a, b) &&
		     etcd_nodes_equal(&a->nodes, &b->nodes);

	for (size_t i = 0; equal && i < a->span_count; i++)
		equal = str_equal(a->spans[i].key, b->spans[i].key) &&
			str_equal(a->spans[i].end, b->spans[i].end);
	return equal;
}

static void make_spans(struct etcd *etcd)
{
	size_t count = etcd->config.span_count;

	etcd->spans = mem_alloc(count * sizeof(*etcd->spans));
	for (size_t i = 0; i < count; i++)
		etcd->spans[i].span = etcd->config.spans[i];
}

static unsigned int calls_per_minute(const struct etcd *etcd)
{
	return (unsigned int)(60000 / probe_ms(etcd)) + PAGES_PER_MINUTE;
}

static void reserve(struct etcd *etcd,
		    void (*reserve_or_release)(struct http *http,
					       const char *url,
					       unsigned int per_minute))
{
	for (size_t i = 0; i < etcd->config.nodes.endpoint_count; i++)
		reserve_or_release(etcd->http, etcd->config.nodes.endpoints[i],
				   calls_per_minute(etcd));
}

struct etcd *etcd_new(uv_loop_t *loop, struct http *http,
		      const struct etcd_config *config)
{
	struct etcd *etcd = mem_alloc(sizeof(*etcd));
	uint64_t max = config->backoff_max_ms;

	assert(config->nodes.endpoint_count && config->span_count);
	etcd->http = http;
	etcd->config = *config;
	make_spans(etcd);
	etcd->at = config->nodes.first % config->nodes.endpoint_count;
	etcd->backoff = (struct backoff){
		.first_ms = WAIT_FIRST_MS,
		.max_ms = max < WAIT_MAX_MS ? max : WAIT_MAX_MS,
	};
	(void)uv_timer_init(loop, &etcd->wait);
	(void)uv_timer_init(loop, &etcd->pulse);
	etcd->wait.data = etcd->pulse.data = etcd;
	etcd->open_handles = 2;
	reserve(etcd, http_reserve);
	try_next(etcd, 0);
	return etcd;
}

static void on_closed(uv_handle_t *handle)
{
	struct etcd *etcd = handle->data;

	if (--etcd->open_handles)
		return;
	mem_free(etcd->spans);
	buf_deinit(&etcd->from);
	mem_free(etcd->token);
	mem_free(etcd->cluster);
	mem_free(etcd->error);
	mem_free(etcd->worst_error);
	mem_free(etcd);
}

void etcd_close(struct etcd *etcd)
{
	if (!etcd || etcd->state == ETCD_CLOSING)
		return;
	hang_up(etcd);
	reserve(etcd, http_release);
	etcd_enter(etcd, ETCD_CLOSING);
	uv_close((uv_handle_t *)&etcd->wait, on_closed);
	uv_close((uv_handle_t *)&etcd->pulse, on_closed);
}
