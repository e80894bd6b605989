#ifndef SUPPORT_WATCHER_CALLS_H
#define SUPPORT_WATCHER_CALLS_H

/*
 * Watches as peers ask for them, and what they are told. Include it after
 * cmocka.h.
 */

#include "../unit/serve_fixture.h"

#define READ    ACCESS_READ
#define SECRETS (ACCESS_READ | ACCESS_SECRETS)

#define MORE(parameters)                                                       \
	"{\"method\":\"io.clearconf.Watch\",\"more\":true,"                    \
	"\"parameters\":" parameters "}"
#define ONCE(parameters)                                                       \
	"{\"method\":\"io.clearconf.Watch\",\"parameters\":" parameters "}"
#define STATUS "{\"method\":\"io.clearconf.GetStatus\",\"more\":true}"

/* The reply that goes on: generation, resync, skipped, and the rest. */
#define SAID(generation, resync, skipped, rest)                                \
	"{\"parameters\":{\"generation\":" generation                          \
	",\"state\":\"ready\",\"resync\":" resync ",\"skipped\":" skipped      \
	"," rest "},\"continues\":true}"
#define CHANGES(generation, changes)                                           \
	SAID(generation, "false", "0", "\"changes\":[" changes "]")
#define LAST(generation, rest)                                                 \
	"{\"parameters\":{\"generation\":" generation                          \
	",\"state\":\"ready\",\"resync\":false,\"skipped\":0," rest "}}"

#define ADDED(path)   "{\"path\":\"" path "\",\"kind\":\"added\"," ORIGIN "}"
#define REMOVED(path) "{\"path\":\"" path "\",\"kind\":\"removed\"," ORIGIN "}"

static inline int make_fixture(void **state)
{
	*state = fixture_new();
	return 0;
}

static inline int free_fixture(void **state)
{
	fixture_free(*state);
	return 0;
}

/* A watcher by @call of a peer that has @rights, acknowledged by @reply. */
static inline struct watcher *start(struct fixture *fixture,
				    unsigned int rights, const char *call,
				    const char *reply)
{
	struct watcher *watcher;

	assert_string_equal(fixture_call(fixture, rights, call, &watcher),
			    reply);
	assert_non_null(watcher);
	return watcher;
}

static inline void check_told(struct fixture *fixture, struct watcher *watcher,
			      const char *reply)
{
	assert_string_equal(fixture_tell(fixture, watcher, SECRETS, NULL),
			    reply);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, make_fixture, free_fixture)

#endif
