#ifndef SUPPORT_HOLDS_H
#define SUPPORT_HOLDS_H

/* Holds of the fixture's workspace. Include it after cmocka.h. */

#include <unistd.h>

#include "config/snapshot.h"
#include "engine/hold.h"
#include "workspaces.h"

#define HOLD_FILE "default.hold"

static inline struct hold *hold_of(struct fixture *fixture)
{
	return &fixture->workspace->hold;
}

static inline void ask(struct fixture *fixture, uint64_t generation,
		       int64_t duration)
{
	struct workspace *workspace = fixture->workspace;
	const struct hold_wish wish = {
		.snapshot =
			generation ? history_at(&workspace->history, generation)
				   : workspace->snapshot,
		.generation = generation ? generation
					 : workspace->snapshot->generation,
		.duration = duration,
		.reason = "a test",
		.uid = 4711,
	};

	assert_null(hold_why_not(&workspace->hold));
	assert_non_null(wish.snapshot);
	workspace_hold(workspace, &wish);
}

static inline void wait_for_disk(struct fixture *fixture)
{
	while (hold_of(fixture)->work)
		uv_run(&fixture->loop, UV_RUN_ONCE);
}

/* @generation 0: the current one. */
static inline void hold(struct fixture *fixture, uint64_t generation)
{
	ask(fixture, generation, 0);
	wait_for_disk(fixture);
	assert_int_equal(hold_of(fixture)->state, HOLD_ON);
}

static inline void release(struct fixture *fixture)
{
	hold_release(hold_of(fixture));
	wait_for_disk(fixture);
}

static inline void save(struct fixture *fixture, const char *text)
{
	scratch_write("clearml.conf", text);
	workspace_reload(fixture->workspace, CAUSE_FILE);
}

static inline void start_with(struct fixture *fixture, const char *text)
{
	scratch_write("clearml.conf", text);
	start(fixture);
}

static inline bool has_file(void)
{
	return access(scratch_at(HOLD_FILE), F_OK) == 0;
}

static inline bool is_set_aside(void)
{
	return !has_file() && access(scratch_at(HOLD_FILE ".bad"), F_OK) == 0;
}

static inline char *bytes_of(const struct fixture *fixture)
{
	struct str json = fixture->workspace->snapshot->plain->json;

	return mem_strndup(json.ptr, json.len);
}

#endif
