#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/clearml.h"
#include "../support/quiet.h"
#include "../support/scratch.h"
#include "base/diag.h"
#include "config/access.h"
#include "engine/engine.h"
#include "value/value.h"

#define STRANGER 4100000 /* no user of any machine */

/* An engine, what it tells, and a server that its workspaces log in at. */
struct fixture {
	struct engine *engine;
	struct clearml server;
	int fd; /* of the server, until it listens */
	unsigned int snapshots, states, logouts, settings, reloads, readies;
	bool ready, answered;
};

static void on_snapshot(void *data, struct workspace *workspace)
{
	struct fixture *fixture = data;

	assert_non_null(workspace->snapshot);
	fixture->snapshots++;
}

static void on_state(void *data)
{
	struct fixture *fixture = data;

	fixture->states++;
}

static void on_progress(void *data)
{
	struct fixture *fixture = data;
	const struct engine *engine = fixture->engine;

	fixture->answered = true;
	for (size_t i = 0; i < engine->workspace_count; i++)
		if (workspace_is_asking(engine->workspaces[i]))
			fixture->answered = false;
}

static void on_logout(void *data, struct workspace *workspace)
{
	struct fixture *fixture = data;

	(void)workspace;
	fixture->logouts++;
}

static void on_settings(void *data)
{
	struct fixture *fixture = data;

	fixture->settings++;
}

static void on_reload(void *data)
{
	struct fixture *fixture = data;

	fixture->reloads++;
}

static void on_ready(void *data)
{
	struct fixture *fixture = data;

	fixture->readies++;
	fixture->ready = true;
}

static void on_recheck(void *data)
{
	(void)data;
}

static int enter(void **state)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));

	assert_int_equal(setenv("no_proxy", "*", 1), 0);
	scratch_enter();
	assert_int_equal(setenv("HOME", scratch_root, 1), 0);
	assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
	scratch_write("secret", "secret-of-the-key");
	assert_int_equal(chmod("secret", 0600), 0);
	fixture->fd = clearml_bind(&fixture->server);
	fixture->server.data = fixture;
	fixture->server.vaults = "{\"id\":\"v1\",\"data\":\"team: 1\"}";
	*state = fixture;
	return 0;
}

/* What the server was asked stays; it listens no more. */
static void end(struct fixture *fixture)
{
	responder_stop(&fixture->server.responder);
	engine_free(fixture->engine);
	fixture->engine = NULL;
}

static int leave(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->engine)
		end(fixture);
	mem_free(fixture);
	scratch_leave();
	return 0;
}

/* --- settings ------------------------------------------------------------- */

static void write_settings(const char *text)
{
	_cleanup_(mem_freep) char *whole = mem_printf(
		"[local]\nfiles = %s\n%s", scratch_at("clearml.conf"), text);

	scratch_write("clearconfd.conf", whole);
}

/* Workspaces of these names, each with a key of its own. */
static void declare(const struct fixture *fixture, const char *names,
		    const char *more)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	buf_puts(&text, more);
	for (const char *name = names; *name; name++)
		buf_printf(&text,
			   "[workspace %c]\napi_server = %s\n"
			   "access_key = KEYOF%c\nsecret_key_file = %s\n",
			   *name, fixture->server.responder.url, *name,
			   scratch_at("secret"));
	write_settings(buf_str(&text).ptr);
}

/* --- the engine ----------------------------------------------------------- */

static void make(struct fixture *fixture, enum options_action action)
{
	static struct options options;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	options = (struct options){
		.action = action,
		.instance = INSTANCE_USER,
		.config = scratch_at("clearconfd.conf"),
		.state_dir = scratch_root,
	};
	fixture->engine = engine_new(&options, &diag);
	assert_non_null(fixture->engine);
	responder_listen(&fixture->server.responder, &fixture->engine->loop,
			 fixture->fd);
}

static void start(struct fixture *fixture)
{
	const struct engine_events events = {
		.data = fixture,
		.on_snapshot = on_snapshot,
		.on_state = on_state,
		.on_progress = on_progress,
		.on_logout = on_logout,
		.on_settings = on_settings,
		.on_reload = on_reload,
		.on_ready = on_ready,
		.on_recheck = on_recheck,
	};

	make(fixture, ACTION_SERVE);
	engine_listen(fixture->engine, &events);
	engine_start(fixture->engine);
}

static void become_ready(struct fixture *fixture)
{
	start(fixture);
	responder_run(&fixture->engine->loop, &fixture->ready);
}

static void wait_for_answers(struct fixture *fixture)
{
	fixture->answered = false;
	responder_run(&fixture->engine->loop, &fixture->answered);
}

/* As another process, at another port. */
static void start_again(struct fixture *fixture, const char *names)
{
	end(fixture);
	fixture->fd = clearml_bind(&fixture->server);
	declare(fixture, names, "");
	fixture->ready = false;
	become_ready(fixture);
}

static bool has(const struct workspace *workspace, const char *key)
{
	return value_get(workspace->snapshot->root, str_from(key)) != NULL;
}

/* --- beginning ------------------------------------------------------------ */

static void it_is_ready_once_vaults_are_in(void **state)
{
	struct fixture *fixture = *state;

	declare(fixture, "a", "");
	start(fixture);
	assert_int_equal(fixture->engine->state, ENGINE_STARTING);
	assert_int_equal(fixture->readies, 0);
	assert_non_null(fixture->engine->active->snapshot);
	responder_run(&fixture->engine->loop, &fixture->ready);
	assert_true(has(fixture->engine->active, "team"));
	assert_int_equal(fixture->engine->state, ENGINE_READY);
	assert_int_equal(fixture->readies, 1);
}

static void a_first_attempt_that_failed_is_enough(void **state)
{
	struct fixture *fixture = *state;

	declare(fixture, "a", "");
	fixture->server.mood = CLEARML_FAILS;
	become_ready(fixture);
	assert_false(has(fixture->engine->active, "team"));
	assert_int_equal(fixture->engine->active->state, WORKSPACE_DEGRADED);
}

static void with_nobody_listening_it_settles_and_answers(void **state)
{
	struct fixture *fixture = *state;

	declare(fixture, "a", "");
	make(fixture, ACTION_PRINT);
	engine_resolve(fixture->engine);
	assert_true(has(fixture->engine->active, "team"));
	end(fixture);
	assert_int_equal(access("cache", F_OK), -1);
}

static void who_listens_no_more_is_told_nothing(void **state)
{
	struct fixture *fixture = *state;
	unsigned int settings;

	declare(fixture, "a", "");
	become_ready(fixture);
	settings = fixture->settings;
	engine_listen(fixture->engine, NULL);
	engine_reload(fixture->engine);
	assert_int_equal(fixture->settings, settings);
}

/* --- reload --------------------------------------------------------------- */

static void a_reload_tells_that_it_begins_and_is_through(void **state)
{
	struct fixture *fixture = *state;

	declare(fixture, "a", "");
	become_ready(fixture);
	fixture->settings = 0;
	engine_reload(fixture->engine);
	assert_int_equal(fixture->reloads, 1);
	assert_int_equal(fixture->settings, 1);
	assert_int_equal(fixture->readies, 2);
	wait_for_answers(fixture);
	assert_int_equal(fixture->server.logins, 2); /* it proves the key */
}

static void settings_that_are_wrong_change_nothing(void **state)
{
	struct fixture *fixture = *state;
	const struct settings *before;

	declare(fixture, "a", "");
	become_ready(fixture);
	before = fixture->engine->settings;
	write_settings("[pol]\n");
	quiet_begin();
	engine_reload(fixture->engine);
	quiet_end();
	assert_ptr_equal(fixture->engine->settings, before);
	assert_true(diag_failed(&fixture->engine->settings_problem));
	assert_true(has(fixture->engine->active, "team"));
	assert_int_equal(fixture->logouts, 0);
	declare(fixture, "a", "");
	engine_reload(fixture->engine);
	assert_false(diag_failed(&fixture->engine->settings_problem));
}

static void reload_meanwhile(void *data)
{
	struct fixture *fixture = data;

	engine_reload(fixture->engine);
	assert_int_equal(fixture->engine->state, ENGINE_STARTING);
}

static void a_reload_before_the_first_answer_makes_nothing_ready(void **state)
{
	struct fixture *fixture = *state;

	declare(fixture, "a", "");
	fixture->server.meanwhile = reload_meanwhile;
	become_ready(fixture);
	assert_int_equal(fixture->reloads, 0);
	assert_int_equal(fixture->readies, 1);
	assert_true(has(fixture->engine->active, "team"));
}

static void undeclare_meanwhile(void *data)
{
	struct fixture *fixture = data;

	declare(fixture, "b", "");
	fixture->server.vaults = "{\"id\":\"v2\",\"data\":\"other: 2\"}";
	engine_reload(fixture->engine);
}

static void the_answer_for_a_workspace_that_is_gone_is_nobodys(void **state)
{
	struct fixture *fixture = *state;

	declare(fixture, "a", "");
	fixture->server.meanwhile = undeclare_meanwhile;
	become_ready(fixture);
	assert_int_equal(fixture->engine->workspace_count, 1);
	assert_string_equal(fixture->engine->active->name, "b");
	assert_false(has(fixture->engine->active, "team"));
	assert_true(has(fixture->engine->active, "other"));
}

static void a_workspace_that_comes_has_a_snapshot_at_once(void **state)
{
	struct fixture *fixture = *state;
	const struct workspace *first, *second;

	scratch_write("clearml.conf", "local: 1");
	declare(fixture, "a", "");
	become_ready(fixture);
	first = fixture->engine->active;
	declare(fixture, "ab", "");
	engine_reload(fixture->engine);
	second = engine_workspace(fixture->engine, "b");
	assert_true(has(second, "local"));
	assert_ptr_equal(fixture->engine->active, first);
	assert_true(has(first, "team"));
	assert_int_equal(fixture->logouts, 0);
	wait_for_answers(fixture);
	assert_true(has(second, "team"));
}

static void rights_are_those_of_the_newest_settings(void **state)
{
	struct fixture *fixture = *state;
	const struct access_user user = {.uid = STRANGER};

	declare(fixture, "a", "");
	become_ready(fixture);
	assert_int_equal(access_rights(fixture->engine->access, &user), 0);
	declare(fixture, "a", "[access]\nread = *\n");
	engine_reload(fixture->engine);
	assert_int_equal(access_rights(fixture->engine->access, &user),
			 ACCESS_READ);
}

static void who_stops_neither_reloads_nor_becomes_ready(void **state)
{
	struct fixture *fixture = *state;

	declare(fixture, "a", "");
	start(fixture);
	assert_true(engine_stop(fixture->engine));
	assert_false(engine_stop(fixture->engine));
	engine_reload(fixture->engine);
	assert_int_equal(fixture->engine->reloads, 0);
	wait_for_answers(fixture);
	assert_int_equal(fixture->readies, 0);
}

/* --- switch --------------------------------------------------------------- */

static void a_switch_takes_a_generation_and_is_kept(void **state)
{
	struct fixture *fixture = *state;
	struct engine *engine;
	uint64_t before;

	declare(fixture, "ab", "");
	become_ready(fixture);
	engine = fixture->engine;
	assert_string_equal(engine->active->name, "a");
	before = engine->active->snapshot->generation;
	/* Of which one an earlier process told is not known. */
	assert_in_range(engine->active_since, 1, before);
	fixture->settings = 0;
	engine_use_workspace(engine, engine_workspace(engine, "b"));
	assert_string_equal(engine->active->name, "b");
	assert_true(engine->active->snapshot->generation > before);
	assert_int_equal(engine->active_since,
			 engine->active->snapshot->generation);
	assert_int_equal(engine->active->snapshot->cause, CAUSE_WORKSPACE);
	assert_int_equal(fixture->settings, 1);
	start_again(fixture, "ab");
	assert_string_equal(fixture->engine->active->name, "b");
}

static void a_switch_to_the_active_one_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct engine *engine;
	uint64_t before;

	declare(fixture, "ab", "");
	become_ready(fixture);
	engine = fixture->engine;
	before = engine->active->snapshot->generation;
	fixture->settings = 0;
	engine_use_workspace(engine, engine->active);
	assert_int_equal(engine->active->snapshot->generation, before);
	assert_int_equal(fixture->settings, 0);
}

static void when_the_active_one_goes_another_takes_over(void **state)
{
	struct fixture *fixture = *state;
	struct engine *engine;
	uint64_t before;

	declare(fixture, "ab", "");
	become_ready(fixture);
	engine = fixture->engine;
	engine_use_workspace(engine, engine_workspace(engine, "b"));
	before = engine->active->snapshot->generation;
	declare(fixture, "a", "");
	engine_reload(engine);
	assert_string_equal(engine->active->name, "a");
	assert_true(engine->active->snapshot->generation > before);
	assert_true(engine->active_since > before);
	assert_int_equal(fixture->logouts, 1);
	assert_null(engine_workspace(engine, "b"));
}

static void a_choice_that_is_no_longer_declared_is_none(void **state)
{
	struct fixture *fixture = *state;

	declare(fixture, "ab", "");
	become_ready(fixture);
	engine_use_workspace(fixture->engine,
			     engine_workspace(fixture->engine, "b"));
	start_again(fixture, "ac");
	assert_string_equal(fixture->engine->active->name, "a");
}

static void a_key_in_use_is_known_with_where_it_is_from(void **state)
{
	struct fixture *fixture = *state;
	const char *source;

	declare(fixture, "a", "");
	become_ready(fixture);
	source = fixture->engine->active->upstream->login.key_source;
	assert_true(engine_uses_key(fixture->engine, "KEYOFa", NULL));
	assert_false(engine_uses_key(fixture->engine, "KEYOFa", source));
	assert_true(engine_uses_key(fixture->engine, "KEYOFa", "elsewhere"));
	assert_false(engine_uses_key(fixture->engine, "KEYOFb", NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(it_is_ready_once_vaults_are_in),
		TEST(a_first_attempt_that_failed_is_enough),
		TEST(with_nobody_listening_it_settles_and_answers),
		TEST(who_listens_no_more_is_told_nothing),
		TEST(a_reload_tells_that_it_begins_and_is_through),
		TEST(settings_that_are_wrong_change_nothing),
		TEST(a_reload_before_the_first_answer_makes_nothing_ready),
		TEST(the_answer_for_a_workspace_that_is_gone_is_nobodys),
		TEST(a_workspace_that_comes_has_a_snapshot_at_once),
		TEST(rights_are_those_of_the_newest_settings),
		TEST(who_stops_neither_reloads_nor_becomes_ready),
		TEST(a_switch_takes_a_generation_and_is_kept),
		TEST(a_switch_to_the_active_one_changes_nothing),
		TEST(when_the_active_one_goes_another_takes_over),
		TEST(a_choice_that_is_no_longer_declared_is_none),
		TEST(a_key_in_use_is_known_with_where_it_is_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
