#include "fetch/vault.h"

#include <time.h>

#include "base/clock.h"
#include "base/fields.h"
#include "base/mem.h"
#include "fetch/backoff.h"
#include "fetch/poll_phase.h"
#include "fetch/proof.h"
#include "fetch/session.h"
#include "fetch/uv_compat.h"
#include "fetch/vault_question.h"
#include "read/doc.h"
#include "value/value.h"

/* The first release of the API that has vaults. */
#define VERSION_MIN "2.15"

enum poller_state { POLLER_WAITING, POLLER_ASKING, POLLER_CLOSING };

struct vault_poller {
	enum poller_state state;
	bool again;           /* ask once more after this answer */
	bool again_for_proof; /* and prove the key then */
	bool refused;         /* by the last answer */
	bool no_vaults;       /* only the login counts */
	struct session *session;
	uv_timer_t timer; /* the next question */
	struct session_call *call;
	enum vault_feed feed; /* the first that has had no answer yet */
	unsigned int feeds;
	struct vault_question question;
	struct backoff backoff;
	struct proof proof;
	int64_t proved_at; /* seconds since 1970; 0: not yet */
	vault_answer_fn on_answer;
	void *data;
};

/* --- answers --- */

/* A question may have to log in first, and end with the login's answer. */
static bool is_of_login(const struct api_reply *reply)
{
	const struct value *meta = value_get(reply->doc->root, STR("meta"));
	const struct value *endpoint = value_get(meta, STR("endpoint"));
	const struct value *name = value_get(endpoint, STR("name"));

	return value_is(name, VALUE_STRING) &&
	       str_is(value_text(name), "auth.login");
}

/* What a reply that brings no list means. @asked: for vaults, not just to be
 * logged in. */
static enum vault_outcome outcome_of(const struct api_reply *reply, bool asked)
{
	if (reply->outcome == API_UNREACHABLE)
		return VAULT_UNREACHABLE;
	if (api_is_refusal(reply))
		return VAULT_REFUSED;
	if (asked && reply->outcome == API_ERROR && reply->status == 404 &&
	    !is_of_login(reply))
		return VAULT_UNSUPPORTED;
	return VAULT_FAILED;
}

static char *error_of(const struct api_reply *reply)
{
	if (reply->outcome == API_OK)
		return mem_strdup(
			"the server's answer holds no list of vaults");
	if (reply->outcome == API_ERROR)
		return mem_printf("the server answers: %s (%d/%d)",
				  reply->message, reply->code, reply->subcode);
	return mem_strdup(reply->message);
}

/* --- the next question --- */

static void poller_ask(struct vault_poller *poller);

static void on_timer(uv_timer_t *timer)
{
	poller_ask(timer->data);
}

/* What only people change is not asked about often: refused credentials, and a
 * server that has no vaults. But at the pace of proofs, if that is quicker. */
static uint64_t poller_longest(const struct vault_poller *poller)
{
	uint64_t ms = backoff_longest(&poller->backoff, backoff_random());
	uint64_t prove = poller->proof.interval_ms;

	return prove && prove < ms ? prove : ms;
}

/* A server in trouble is not asked any sooner for the sake of a proof. A proof
 * that is waited for is demanded: the timer counts from the loop's time, which
 * is as old as this turn, and may come before the proof is due. */
static uint64_t until_proof(struct vault_poller *poller, uint64_t ms)
{
	uint64_t left = proof_left(&poller->proof, clock_boot_ms());

	if (poller->backoff.failures || left >= ms ||
	    !session_is_by_key(poller->session))
		return ms;
	proof_demand(&poller->proof);
	return left;
}

static uint64_t poller_delay(struct vault_poller *poller,
			     enum vault_outcome outcome, int64_t retry_after)
{
	uint64_t asked_ms = retry_after > 0 ? (uint64_t)retry_after * 1000 : 0;

	if (outcome == VAULT_FETCHED || outcome == VAULT_UNSUPPORTED)
		backoff_succeeded(&poller->backoff);
	else
		backoff_failed(&poller->backoff);
	if (outcome == VAULT_REFUSED)
		return poller_longest(poller);
	return until_proof(poller,
			   backoff_delay(&poller->backoff, poll_phase_now(),
					 backoff_random(), asked_ms));
}

/* The last thing to be done about a question: its answer goes to each feed
 * that has had none. The callback may close, or ask again. */
static void poller_wait(struct vault_poller *poller, uint64_t delay_ms,
			struct vault_answer *answer)
{
	enum vault_feed feed = poller->feed;

	poller->state = POLLER_WAITING;
	poller->refused = answer->outcome == VAULT_REFUSED;
	uv_timer_start(&poller->timer, on_timer, poller->again ? 0 : delay_ms,
		       0);
	for (; feed < poller->feeds && poller->state != POLLER_CLOSING;
	     feed++) {
		answer->feed = feed;
		poller->on_answer(poller->data, answer);
	}
}

/* --- questions --- */

/* False also before the first login: then the login comes first. */
static bool poller_gate_is_open(const struct vault_poller *poller)
{
	const struct api_claims *claims = session_claims(poller->session);

	return claims && !poller->no_vaults &&
	       strcmp(claims->feature_set, "basic") != 0 &&
	       api_version_compare(claims->api_version, VERSION_MIN) >= 0;
}

static void poller_fail(struct vault_poller *poller,
			const struct api_reply *reply, bool asked)
{
	_cleanup_(mem_freep) char *error = error_of(reply);
	enum vault_outcome outcome = outcome_of(reply, asked);
	struct vault_answer answer = {
		.outcome = outcome,
		.error = outcome == VAULT_UNSUPPORTED ? NULL : error,
		.fault = {asked ? "users.get_vaults" : "auth.login",
			  reply->status, reply->code, reply->subcode},
	};

	poller_wait(poller, poller_delay(poller, outcome, reply->retry_after),
		    &answer);
}

static void poller_ask_for_vaults(struct vault_poller *poller);

/* False after the last answer, which ends the poll, and when the callback
 * closes. */
static bool poller_hand_over(struct vault_poller *poller,
			     const struct vault_share *share)
{
	struct vault_answer answer = {
		.feed = poller->feed,
		.outcome = VAULT_FETCHED,
		.vaults = share->vaults,
		.count = share->count,
	};

	if (poller->feed + 1 == poller->feeds) {
		poller_wait(poller, poller_delay(poller, VAULT_FETCHED, -1),
			    &answer);
		return false;
	}
	poller->on_answer(poller->data, &answer);
	poller->feed++;
	return poller->state != POLLER_CLOSING;
}

static void poller_take_list(struct vault_poller *poller,
			     struct vault_list *list)
{
	struct vault_share shares[VAULT_FEEDS];
	unsigned int answered =
		vault_question_take(&poller->question, list, shares);

	while (poller->feed < answered)
		if (!poller_hand_over(poller, &shares[poller->feed]))
			return;
	poller_ask_for_vaults(poller);
}

/* Whoever was not even asked, or asks to be left alone, is not asked on. */
static bool may_ask_on(const struct api_reply *reply)
{
	return reply->retry_after <= 0 &&
	       (reply->outcome != API_ERROR || !is_of_login(reply));
}

static void poller_take_no_list(struct vault_poller *poller,
				const struct api_reply *reply)
{
	if (vault_question_fail(&poller->question) && may_ask_on(reply))
		poller_ask_for_vaults(poller);
	else
		poller_fail(poller, reply, true);
}

static void poller_take_vaults(struct vault_poller *poller,
			       const struct api_reply *reply)
{
	const struct value *vaults = value_get(reply->data, STR("vaults"));
	_cleanup_(vault_list_deinit) struct vault_list list = {0};

	if (!value_is(vaults, VALUE_LIST)) {
		poller_take_no_list(poller, reply);
		return;
	}
	vault_list_read(&list, vaults);
	poller_take_list(poller, &list);
}

static void on_vaults(void *data, const struct api_reply *reply)
{
	struct vault_poller *poller = data;

	poller->call = NULL;
	poller_take_vaults(poller, reply);
}

static void poller_ask_for_vaults(struct vault_poller *poller)
{
	const char *endpoint = vault_question_endpoint(&poller->question);

	poller->call = session_send(poller->session, endpoint, NULL, on_vaults,
				    poller);
}

/* @plain: see fetch/vault_question. */
static void poller_begin(struct vault_poller *poller, bool plain)
{
	const struct api_claims *claims = session_claims(poller->session);
	_cleanup_(mem_freep) char *version =
		mem_printf("%s %s", claims->api_version, claims->feature_set);

	vault_question_begin(&poller->question, version, plain);
	poller_ask_for_vaults(poller);
}

static void poller_note_proof(struct vault_poller *poller)
{
	proof_made(&poller->proof, clock_boot_ms(), poll_phase_now(),
		   backoff_random());
	if (session_is_by_key(poller->session))
		poller->proved_at = time(NULL);
}

/* A login proves the key, and shows whether the server has vaults by now: the
 * sooner of the two. */
static uint64_t until_next_login(const struct vault_poller *poller)
{
	uint64_t left = proof_left(&poller->proof, clock_boot_ms());
	uint64_t longest = poller_longest(poller);

	return left < longest ? left : longest;
}

static void poller_take_login(struct vault_poller *poller,
			      const struct api_reply *reply)
{
	struct vault_answer answer = {.outcome = VAULT_UNSUPPORTED};

	if (reply->outcome != API_OK) {
		poller_fail(poller, reply, false);
		return;
	}
	poller_note_proof(poller);
	if (poller_gate_is_open(poller)) {
		poller_begin(poller, true);
	} else {
		backoff_succeeded(&poller->backoff);
		poller_wait(poller, until_next_login(poller), &answer);
	}
}

static void on_login(void *data, const struct api_reply *reply)
{
	struct vault_poller *poller = data;

	poller->call = NULL;
	poller_take_login(poller, reply);
}

static bool poller_wants_proof(const struct vault_poller *poller)
{
	return session_is_by_key(poller->session) &&
	       proof_left(&poller->proof, clock_boot_ms()) == 0;
}

static void poller_ask(struct vault_poller *poller)
{
	poller->state = POLLER_ASKING;
	if (poller->again_for_proof)
		proof_demand(&poller->proof);
	poller->again = poller->again_for_proof = false;
	poller->feed = VAULT_CONFIG;
	uv_timer_stop(&poller->timer);
	if (poller_gate_is_open(poller) && !poller->refused &&
	    !poller_wants_proof(poller))
		poller_begin(poller, false);
	else
		poller->call = session_login(poller->session, on_login, poller);
}

void vault_poller_poll_now(struct vault_poller *poller)
{
	if (poller->state == POLLER_WAITING)
		poller_ask(poller);
	else
		poller->again = true;
}

void vault_poller_prove_now(struct vault_poller *poller)
{
	poller->again_for_proof = true;
	vault_poller_poll_now(poller);
}

int64_t vault_poller_proved_at(const struct vault_poller *poller)
{
	return poller->proved_at;
}

bool vault_poller_is_asking(const struct vault_poller *poller)
{
	return poller->state == POLLER_ASKING || poller->again;
}

int64_t vault_poller_next(const struct vault_poller *poller)
{
	if (poller->state != POLLER_WAITING)
		return 0;
	return time(NULL) +
	       (int64_t)(uv_timer_get_due_in(&poller->timer) / 1000);
}

/* --- beginning and end --- */

static void poller_wait_for_phase(struct vault_poller *poller)
{
	const struct backoff *backoff = &poller->backoff;

	poller->state = POLLER_WAITING;
	uv_timer_start(&poller->timer, on_timer,
		       backoff_before_first(backoff, poll_phase_now()), 0);
}

bool vault_poll_config_equal(const struct vault_poll_config *a,
			     const struct vault_poll_config *b)
{
	static const struct field items[] = {
		FIELD(struct vault_poll_config, feeds),
		FIELD(struct vault_poll_config, interval_ms),
		FIELD(struct vault_poll_config, backoff_max_ms),
		FIELD(struct vault_poll_config, prove_ms),
		FIELD(struct vault_poll_config, jitter_percent),
		FIELD(struct vault_poll_config, phase),
	};

	return fields_equal(&(struct fields){items, ARRAY_SIZE(items)}, a, b);
}

struct vault_poller *vault_poller_new(uv_loop_t *loop, struct session *session,
				      const struct vault_poll_config *config,
				      vault_answer_fn on_answer, void *data)
{
	struct vault_poller *poller = mem_alloc(sizeof(*poller));

	poller->session = session;
	poller->feeds = config->feeds;
	poller->no_vaults = config->no_vaults;
	poller->backoff = (struct backoff){
		.interval_ms = config->interval_ms,
		.jitter_percent = config->jitter_percent,
		.phase = config->phase,
		.first_ms = BACKOFF_FIRST_MS,
		.max_ms = config->backoff_max_ms,
	};
	poller->proof = (struct proof){
		.interval_ms = config->prove_ms,
		.jitter_percent = config->jitter_percent,
		.phase = config->phase,
	};
	poller->on_answer = on_answer;
	poller->data = data;
	uv_timer_init(loop, &poller->timer);
	poller->timer.data = poller;
	if (config->may_wait)
		poller_wait_for_phase(poller);
	else
		poller_ask(poller);
	return poller;
}

static void on_closed(uv_handle_t *handle)
{
	struct vault_poller *poller = handle->data;

	vault_question_deinit(&poller->question);
	mem_free(poller);
}

void vault_poller_close(struct vault_poller *poller)
{
	if (poller->state == POLLER_CLOSING)
		return;
	poller->state = POLLER_CLOSING;
	session_cancel(TAKE(poller->call));
	uv_close((uv_handle_t *)&poller->timer, on_closed);
}
