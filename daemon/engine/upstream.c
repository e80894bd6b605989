#include "engine/upstream.h"

#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "config/mask.h"
#include "config/secrets.h"
#include "fetch/poll_phase.h"
#include "fetch/session.h"
#include "settings/settings.h"
#include "state/pair_file.h"

#define PROVE_MIN_MS 100

static bool is_well(const struct feed *feed)
{
	return feed->answered && (feed->outcome == VAULT_FETCHED ||
				  feed->outcome == VAULT_UNSUPPORTED);
}

/* The first feed in use for which @claim does not hold; NULL: it holds for
 * all. */
static const struct feed *exception(const struct upstream *upstream,
				    bool (*claim)(const struct feed *feed))
{
	for (size_t i = 0; i < upstream->poll.feeds; i++)
		if (!claim(&upstream->feeds[i]))
			return &upstream->feeds[i];
	return NULL;
}

static bool is_answered(const struct feed *feed)
{
	return feed->answered;
}

bool upstream_is_answered(const struct upstream *upstream)
{
	return !exception(upstream, is_answered);
}

bool upstream_is_well(const struct upstream *upstream)
{
	return !exception(upstream, is_well);
}

enum vault_outcome upstream_outcome(const struct upstream *upstream)
{
	const struct feed *worst = exception(upstream, is_well);

	return worst ? worst->outcome : upstream->feeds[VAULT_CONFIG].outcome;
}

const char *upstream_error(const struct upstream *upstream)
{
	const struct feed *worst = exception(upstream, is_well);

	return worst ? worst->error : NULL;
}

const struct vault_fault *upstream_fault(const struct upstream *upstream)
{
	const struct feed *worst = exception(upstream, is_well);

	return worst && worst->error ? &worst->fault : NULL;
}

bool upstream_is_asking(const struct upstream *upstream)
{
	return vault_poller_is_asking(upstream->poller);
}

int64_t upstream_next_poll(const struct upstream *upstream)
{
	return vault_poller_next(upstream->poller);
}

/* Each feed meets what is wrong with the server: said once, and that it is over
 * when it is for all of them. */
static bool is_news(const struct upstream *upstream, const struct feed *feed,
		    const char *error)
{
	const struct feed *other = upstream->feeds;

	for (size_t i = 0; i < VAULT_FEEDS; i++, other++)
		if (other != feed && other->error &&
		    (!error || str_same(other->error, error)))
			return false;
	return true;
}

/* An error is logged when it begins, changes or ends, not at each poll. */
static void set_error(struct upstream *upstream, struct feed *feed,
		      const char *error)
{
	const char *server = upstream->server;
	bool news = is_news(upstream, feed, error);

	if (str_same(feed->error, error))
		return;
	if (news && error)
		log_warning("server-failed", LOG_TEXT("server", server),
			    LOG_TEXT("error", error));
	else if (news)
		log_info("server-recovered", LOG_TEXT("server", server));
	mem_free(feed->error);
	feed->error = error ? mem_strdup(error) : NULL;
}

/* The words may be the server's, who knows secrets of ours. */
static void take_error(struct upstream *upstream, struct feed *feed,
		       const char *error)
{
	_cleanup_(mem_freep) char *shown =
		error ? mask_text(upstream->secrets, error) : NULL;

	set_error(upstream, feed, shown);
}

static void on_vaults(void *data, const struct vault_answer *answer)
{
	struct upstream *upstream = data;
	struct feed *feed = &upstream->feeds[answer->feed];

	feed->answered = true;
	feed->outcome = answer->outcome;
	feed->fault = answer->fault;
	if (is_well(feed) && answer->feed == VAULT_CONFIG) {
		upstream->last_success = time(NULL);
		principal_learn(&upstream->principal);
	}
	if (is_well(feed))
		key_expiry_learn(&upstream->key_expiry,
				 upstream_proved_at(upstream));
	take_error(upstream, feed, is_well(feed) ? NULL : answer->error);
	upstream->on_answer(upstream->data, upstream, answer);
}

/* Proofs come no more often than vaults can be asked for. */
static uint64_t prove_ms(const struct settings *settings)
{
	uint64_t ms = (uint64_t)settings->prove;

	return ms && ms < PROVE_MIN_MS ? PROVE_MIN_MS : ms;
}

/* A workspace of a host is known by its key, or else its server. */
static uint32_t phase_of_login(const struct login *login)
{
	return poll_phase_here(login->access_key ? login->access_key
						 : login->api_server);
}

/* The SDK knows no monitoring vaults. */
static struct vault_poll_config poll_config(const struct settings *settings,
					    const struct login *login)
{
	return (struct vault_poll_config){
		.feeds = settings->mode == MODE_SDK ? VAULT_MONITORING
						    : VAULT_FEEDS,
		.interval_ms = (uint64_t)settings->interval,
		.backoff_max_ms = (uint64_t)settings->backoff_max,
		.prove_ms = prove_ms(settings),
		.jitter_percent = (unsigned int)settings->jitter,
		.phase = phase_of_login(login),
	};
}

/* So that no settings make polling wait for its turn: each feed may ask, log in
 * and ask again, twice in the shortest wait there is. */
static unsigned int calls_per_minute(const struct settings *settings)
{
	int64_t shortest = settings->interval < settings->backoff_max
				   ? settings->interval
				   : settings->backoff_max;

	int64_t prove = (int64_t)prove_ms(settings);

	if (prove && prove < shortest)
		shortest = prove;

	return (unsigned int)(INT64_C(60000) * VAULT_FEEDS * 6 / shortest + 1);
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
		.response_limit = (size_t)settings->limits.response,
		.renew_ahead = login->renew_ahead,
		.token_life = login->token_life,
		.method = login->method,
		.calls_per_minute = calls_per_minute(settings),
	};
}

void upstream_learn_secrets(const struct upstream *upstream,
			    struct secrets *secrets)
{
	secrets_learn_text(secrets, upstream->login.access_key);
	secrets_learn_text(secrets, upstream->login.secret_key);
	secrets_learn_text(secrets, upstream->login.token);
}

bool upstream_is_for(const struct upstream *upstream,
		     const struct upstream_config *config,
		     const struct login *login)
{
	struct vault_poll_config poll = poll_config(config->settings, login);
	struct session_config session = session_config(config->settings, login);

	return login_equal(&upstream->login, login) &&
	       vault_poll_config_equal(&upstream->poll, &poll) &&
	       session_config_equal(&upstream->session_config, &session);
}

struct upstream *upstream_new(const struct upstream_config *config,
			      struct login *login, upstream_answer_fn on_answer,
			      void *data)
{
	struct upstream *upstream = mem_alloc(sizeof(*upstream));

	upstream->login = *login;
	*login = (struct login){0};
	upstream->session_config =
		session_config(config->settings, &upstream->login);
	upstream->poll = poll_config(config->settings, &upstream->login);
	upstream->poll.may_wait = config->may_wait;
	upstream->poll.no_vaults = config->no_vaults;
	upstream_learn_secrets(upstream, config->secrets);
	upstream->secrets = config->secrets;
	upstream->server =
		mask_text(config->secrets, upstream->login.api_server);
	upstream->on_answer = on_answer;
	upstream->data = data;
	upstream->session =
		session_new(config->http, &upstream->session_config);
	principal_init(&upstream->principal, upstream->session);
	key_expiry_init(&upstream->key_expiry, upstream->session,
			upstream->login.access_key);
	upstream->poller =
		vault_poller_new(config->loop, upstream->session,
				 &upstream->poll, on_vaults, upstream);
	return upstream;
}

struct session *upstream_try(const struct upstream *upstream,
			     const struct upstream_config *config,
			     const struct pair *pair)
{
	struct session_config session =
		session_config(config->settings, &upstream->login);

	session.access_key = pair->access_key;
	session.secret_key = pair->secret_key;
	session.token = NULL;
	return session_new(config->http, &session);
}

void upstream_close(struct upstream *upstream)
{
	if (!upstream)
		return;
	vault_poller_close(upstream->poller);
	for (size_t i = 0; i < VAULT_FEEDS; i++)
		mem_free(upstream->feeds[i].error);
	key_expiry_deinit(&upstream->key_expiry);
	principal_deinit(&upstream->principal);
	session_close(upstream->session);
	mem_free(upstream->server);
	login_deinit(&upstream->login);
	mem_free(upstream);
}

void upstream_prove_now(struct upstream *upstream)
{
	vault_poller_prove_now(upstream->poller);
}

int64_t upstream_proved_at(const struct upstream *upstream)
{
	int64_t at = vault_poller_proved_at(upstream->poller);

	return at ? at : -1;
}
