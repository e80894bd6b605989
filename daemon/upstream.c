#include "upstream.h"

#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "fetch/session.h"
#include "settings.h"

bool upstream_is_well(const struct upstream *upstream)
{
	return upstream->answered && (upstream->outcome == VAULT_FETCHED ||
				      upstream->outcome == VAULT_UNSUPPORTED);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Logged when it begins, changes or ends, not at each poll. */
static void set_error(struct upstream *upstream, const char *error)
{
	bool changed = !same(upstream->last_error, error);

	if (changed && error)
		log_warning("server-failed",
			    LOG_TEXT("server", upstream->login.api_server),
			    LOG_TEXT("error", error));
	else if (changed)
		log_info("server-recovered",
			 LOG_TEXT("server", upstream->login.api_server));
	if (!changed)
		return;
	mem_free(upstream->last_error);
	upstream->last_error = error ? mem_strdup(error) : NULL;
}

static void on_vaults(void *data, const struct vault_answer *answer)
{
	struct upstream *upstream = data;

	upstream->answered = true;
	upstream->outcome = answer->outcome;
	if (upstream_is_well(upstream))
		upstream->last_success = time(NULL);
	set_error(upstream, upstream_is_well(upstream) ? NULL : answer->error);
	upstream->on_answer(upstream->data, upstream, answer);
}

static struct vault_poll_config poll_config(const struct settings *settings)
{
	return (struct vault_poll_config){
		.interval_ms = (uint64_t)settings->interval,
		.backoff_max_ms = (uint64_t)settings->backoff_max,
		.jitter_percent = (unsigned int)settings->jitter,
	};
}

static struct session_config session_config(const struct settings *settings,
					    const struct login *login)
{
	return (struct session_config){
		.api_server = login->api_server,
		.access_key = login->access_key,
		.secret_key = login->secret_key,
		.token = login->token,
		.tls = {login->verify, login->ca},
		.timeout_ms = (uint64_t)settings->timeout,
		.response_limit = (size_t)settings->response,
	};
}

bool upstream_is_for(const struct upstream *upstream,
		     const struct upstream_config *config,
		     const struct login *login)
{
	struct vault_poll_config poll = poll_config(config->settings);
	struct session_config session = session_config(config->settings, login);

	return login_equal(&upstream->login, login) &&
	       poll.interval_ms == upstream->poll.interval_ms &&
	       poll.backoff_max_ms == upstream->poll.backoff_max_ms &&
	       poll.jitter_percent == upstream->poll.jitter_percent &&
	       session.timeout_ms == upstream->timeout_ms &&
	       session.response_limit == upstream->response_limit;
}

struct upstream *upstream_new(const struct upstream_config *config,
			      struct login *login, upstream_answer_fn on_answer,
			      void *data)
{
	struct upstream *upstream = mem_alloc(sizeof(*upstream));
	struct session_config session = session_config(config->settings, login);

	upstream->login = *login;
	*login = (struct login){0};
	upstream->poll = poll_config(config->settings);
	upstream->timeout_ms = session.timeout_ms;
	upstream->response_limit = session.response_limit;
	upstream->on_answer = on_answer;
	upstream->data = data;
	upstream->session = session_new(config->http, &session);
	upstream->poller =
		vault_poller_new(config->loop, upstream->session,
				 &upstream->poll, on_vaults, upstream);
	return upstream;
}

void upstream_close(struct upstream *upstream)
{
	if (!upstream)
		return;
	vault_poller_close(upstream->poller);
	session_close(upstream->session);
	login_deinit(&upstream->login);
	mem_free(upstream->last_error);
	mem_free(upstream);
}

void upstream_poll_now(struct upstream *upstream)
{
	vault_poller_poll_now(upstream->poller);
}
