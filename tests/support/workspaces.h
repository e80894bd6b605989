#ifndef SUPPORT_WORKSPACES_H
#define SUPPORT_WORKSPACES_H

/*
 * A workspace for tests, with all that its host has but an engine: files in a
 * scratch folder, a ClearML server on the test's own loop, and a count of what
 * the host was told. Include it after cmocka.h.
 */

#include "base/arena.h"
#include "base/diag.h"
#include "clearml.h"
#include "config/lock.h"
#include "config/secrets.h"
#include "config/vault_env.h"
#include "engine/workspace.h"
#include "envs.h"
#include "read/variables.h"
#include "scratch.h"
#include "settings/places.h"
#include "settings/settings.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

struct fixture {
	uv_loop_t loop;
	struct http *http;
	struct clearml server;
	struct settings *settings;
	struct places places;
	struct workspace_host host;
	struct workspace *workspace;
	uint64_t generation;
	unsigned int snapshots, states, answers, logouts, saves, holds;
	bool answered; /* and nothing is asked any more */
	bool key_is_used;
};

static inline uint64_t fixture_next_generation(void *data)
{
	struct fixture *fixture = data;

	return ++fixture->generation;
}

static inline void fixture_on_snapshot(void *data, struct workspace *workspace)
{
	struct fixture *fixture = data;

	(void)workspace;
	fixture->snapshots++;
}

static inline void fixture_on_state(void *data, struct workspace *workspace)
{
	struct fixture *fixture = data;

	(void)workspace;
	fixture->states++;
}

static inline void fixture_on_answer(void *data, struct workspace *workspace)
{
	struct fixture *fixture = data;

	fixture->answers++;
	fixture->answered = !workspace_is_asking(workspace);
}

static inline void fixture_on_logout(void *data, struct workspace *workspace)
{
	struct fixture *fixture = data;

	(void)workspace;
	fixture->logouts++;
}

static inline void fixture_on_saved(void *data, struct workspace *workspace)
{
	struct fixture *fixture = data;

	(void)workspace;
	fixture->saves++;
}

static inline void fixture_on_hold(void *data, struct workspace *workspace)
{
	struct fixture *fixture = data;

	(void)workspace;
	fixture->holds++;
}

static inline bool fixture_uses_key(void *data, const char *key,
				    const char *source)
{
	const struct fixture *fixture = data;

	(void)key;
	(void)source;
	return fixture->key_is_used;
}

/* The settings file is @text and what lets the tests' files be found. */
static inline void set_settings(struct fixture *fixture, const char *text)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(mem_freep) char *whole = mem_printf(
		"[local]\nfiles = %s\n%s", scratch_at("clearml.conf"), text);

	scratch_write("clearconfd.conf", whole);
	settings_free(fixture->settings);
	fixture->settings = settings_load(scratch_at("clearconfd.conf"), &diag);
	assert_non_null(fixture->settings);
	fixture->host.settings = fixture->settings;
	fixture->host.upstream.settings = fixture->settings;
}

static inline void set_env(struct fixture *fixture, const char *variables)
{
	struct workspace_host *host = &fixture->host;

	env_unref(host->env);
	env_unref(host->vault_env);
	host->env = envs_of(variables);
	host->vault_env = env_for_vaults(host->env, "HOME", true);
}

static inline int enter(void **state)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));

	assert_int_equal(setenv("no_proxy", "*", 1), 0);
	scratch_enter();
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	fixture->http = http_new(&fixture->loop);
	clearml_start(&fixture->server, &fixture->loop);
	fixture->server.data = fixture;
	fixture->host = (struct workspace_host){
		.upstream = {.loop = &fixture->loop, .http = fixture->http},
		.places = &fixture->places,
		.secrets = secrets_new(NULL),
		.locks = locks_new(true, NULL),
		.state_dir = scratch_root,
		.data = fixture,
		.next_generation = fixture_next_generation,
		.on_snapshot = fixture_on_snapshot,
		.on_state = fixture_on_state,
		.on_answer = fixture_on_answer,
		.on_rotation = fixture_on_state,
		.on_hold = fixture_on_hold,
		.uses_key = fixture_uses_key,
		.on_logout = fixture_on_logout,
		.on_saved = fixture_on_saved,
	};
	fixture->host.upstream.secrets = fixture->host.secrets;
	set_settings(fixture, "");
	set_env(fixture, "");
	*state = fixture;
	return 0;
}

static inline void close_workspace(struct fixture *fixture)
{
	workspace_close(fixture->workspace);
	fixture->workspace = NULL;
}

static inline int leave(void **state)
{
	struct fixture *fixture = *state;

	close_workspace(fixture);
	http_close(fixture->http);
	responder_stop(&fixture->server.responder);
	responder_end_loop(&fixture->loop);
	secrets_free(fixture->host.secrets);
	locks_unref(fixture->host.locks);
	env_unref(fixture->host.env);
	env_unref(fixture->host.vault_env);
	settings_free(fixture->settings);
	mem_free(fixture);
	scratch_leave();
	return 0;
}

/* The implicit workspace, whose login is in ~/clearml.conf. */
static inline void write_login(struct fixture *fixture, const char *key,
			       const char *more)
{
	_cleanup_(mem_freep) char *text = mem_printf(
		"api { api_server: \"%s\", credentials { access_key: \"%s\", "
		"secret_key: \"secret-of-the-key\" } }\n%s\n",
		fixture->server.responder.url, key, more);

	scratch_write("clearml.conf", text);
}

static inline void start(struct fixture *fixture)
{
	const struct workspace_settings *declared =
		fixture->settings->workspace_count
			? &fixture->settings->workspaces[0]
			: NULL;

	fixture->workspace = workspace_new(&fixture->host, declared);
	workspace_start(fixture->workspace);
}

/* What the first one saved is on disk by then. */
static inline void start_again(struct fixture *fixture)
{
	uv_handle_t *listener =
		(uv_handle_t *)&fixture->server.responder.listener;

	close_workspace(fixture);
	uv_unref(listener);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	uv_ref(listener);
	start(fixture);
}

/* Until the server has answered all that is asked. */
static inline void wait_for_answer(struct fixture *fixture)
{
	fixture->answered = false;
	responder_run(&fixture->loop, &fixture->answered);
}

/* What somebody would get who asks for @path now: JSON, the caller's; NULL:
 * there is none. */
static inline char *get(const struct fixture *fixture, const char *path)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct buf json = BUF_INIT;
	const struct value *value;
	struct path_error error;
	struct path keys;

	assert_true(path_parse(&keys, &arena, str_from(path), &error));
	value = path_find(fixture->workspace->snapshot->root, &keys);
	if (!value)
		return NULL;
	json_write(&json, value);
	return buf_take(&json);
}

/* @json NULL: there is none. */
static inline void assert_value(const struct fixture *fixture, const char *path,
				const char *json)
{
	_cleanup_(mem_freep) char *got = get(fixture, path);

	if (!str_same(got, json))
		fail_msg("%s is %s instead of %s", path, got ? got : "absent",
			 json ? json : "absent");
}

#define VAULT(id, text)                                                        \
	"{\"id\":\"" id "\",\"description\":\"" id "\",\"format\":\"hocon\","  \
	"\"type\":\"config\",\"data\":\"" text "\"}"

/* The implicit workspace has its vault, `team`, by the key KEYOFONE. */
static inline void log_in(struct fixture *fixture)
{
	fixture->server.vaults = VAULT("v1", "team: 1");
	write_login(fixture, "KEYOFONE", "a: 1");
	start(fixture);
	assert_int_equal(fixture->workspace->state, WORKSPACE_STARTING);
	assert_value(fixture, "team", NULL);
	wait_for_answer(fixture);
	assert_value(fixture, "team", "1");
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
}

static inline void poll_again(struct fixture *fixture)
{
	workspace_prove_now(fixture->workspace);
	wait_for_answer(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

#endif
