#ifndef SUPPORT_VAULT_POLLS_H
#define SUPPORT_VAULT_POLLS_H

/*
 * Vault polls for tests: a poller and a responder on one loop, and what came of
 * its questions. Include it after cmocka.h.
 */

#include <time.h>

#include "jwt.h"
#include "responder.h"

#include "fetch/poll_phase.h"
#include "fetch/session.h"
#include "fetch/vault.h"

#define HOUR_MS UINT64_C(3600000)

struct fixture {
	uv_loop_t loop;
	struct http *http;
	struct responder server;
	struct session *session;
	struct vault_poller *poller;
	struct vault_poll_config config;

	bool answered;
	unsigned int answers;
	enum vault_outcome outcome;
	char *error;
	struct buf seen;    /* the vaults, a line each */
	unsigned int feeds; /* a bit for each that has had an answer */
	void (*then)(struct fixture *fixture);
};

/* The phase whose moment comes @ms from now, of an interval that it divides. */
static inline uint32_t phase_in(uint64_t ms, uint64_t interval_ms)
{
	uint64_t at = (poll_phase_now() + ms) % interval_ms;

	return (uint32_t)((at << 32) / interval_ms);
}

static inline int enter(void **state)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));
	struct session_config config = {.access_key = "key",
					.secret_key = "secret",
					.timeout_ms = 20000,
					.response_limit = 1000000};

	assert_int_equal(setenv("no_proxy", "*", 1), 0);
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	fixture->http = http_new(&fixture->loop);
	responder_start(&fixture->server, &fixture->loop);
	config.api_server = fixture->server.url;
	fixture->session = session_new(fixture->http, &config);
	fixture->config = (struct vault_poll_config){
		.feeds = 1,
		.interval_ms = HOUR_MS,
		.backoff_max_ms = 4 * HOUR_MS,
		.jitter_percent = 20,
		.phase = phase_in(0, HOUR_MS),
	};
	*state = fixture;
	return 0;
}

static inline int leave(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->poller)
		vault_poller_close(fixture->poller);
	session_close(fixture->session);
	http_close(fixture->http);
	responder_stop(&fixture->server);
	responder_end_loop(&fixture->loop);
	mem_free(fixture->error);
	buf_deinit(&fixture->seen);
	mem_free(fixture);
	return 0;
}

static inline const char *or_none(const char *text)
{
	return text ? text : "-";
}

static inline void see(struct buf *seen, const struct vault *vault)
{
	buf_printf(seen, "%s|%s|%s|%s|%s|", vault->id, vault->description,
		   or_none(vault->format), or_none(vault->type),
		   or_none(vault->scope));
	if (vault->data.ptr)
		buf_add_str(seen, vault->data);
	else
		buf_puts(seen, "-");
	if (vault->last_update)
		buf_printf(seen, " of %s", vault->last_update);
	if (vault->owner)
		buf_printf(seen, " by %s", vault->owner);
	buf_putc(seen, '\n');
}

static inline void on_answer(void *data, const struct vault_answer *answer)
{
	struct fixture *fixture = data;

	fixture->answered = ++fixture->answers % fixture->config.feeds == 0;
	fixture->feeds |= 1U << answer->feed;
	fixture->outcome = answer->outcome;
	mem_free(fixture->error);
	fixture->error = answer->error ? mem_strdup(answer->error) : NULL;
	buf_deinit(&fixture->seen);
	for (size_t i = 0; i < answer->count; i++)
		see(&fixture->seen, &answer->vaults[i]);
	if (fixture->then)
		fixture->then(fixture);
}

static inline void start(struct fixture *fixture)
{
	fixture->poller =
		vault_poller_new(&fixture->loop, fixture->session,
				 &fixture->config, on_answer, fixture);
	assert_false(fixture->answered);
}

static inline void wait_for_answer(struct fixture *fixture)
{
	fixture->answered = false;
	responder_run(&fixture->loop, &fixture->answered);
}

static inline void plan_login(struct fixture *fixture, const char *claims)
{
	_cleanup_(mem_freep) char *token = jwt_make(claims);
	_cleanup_(mem_freep) char *data =
		mem_printf("{\"token\":\"%s\"}", token);

	responder_plan_data(&fixture->server, data);
}

#define ENTERPRISE "{\"api_version\":\"2.31\",\"feature_set\":\"advanced\"}"
#define BASIC      "{\"api_version\":\"2.31\",\"feature_set\":\"basic\"}"

/* A login finds no ClearML server. */
#define NO_LOGIN                                                               \
	"{\"meta\":{\"endpoint\":{\"name\":\"auth.login\"},"                   \
	"\"result_code\":404,\"result_subcode\":0,\"result_msg\":\"why\"},"    \
	"\"data\":{}}"

/* Log in to a server that has vaults, and take its answer. */
static inline void fetch(struct fixture *fixture, const char *data)
{
	plan_login(fixture, ENTERPRISE);
	responder_plan_data(&fixture->server, data);
	start(fixture);
	wait_for_answer(fixture);
}

static inline void assert_next_within(struct fixture *fixture,
				      uint64_t least_ms, uint64_t most_ms)
{
	int64_t left = vault_poller_next(fixture->poller) - time(NULL);

	assert_true(left >= (int64_t)(least_ms / 1000) - 60);
	assert_true(left <= (int64_t)(most_ms / 1000));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

#endif
