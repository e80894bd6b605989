#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

/*
 * The engine: files, servers and etcd in, snapshots out. It owns the loop, the
 * settings and the workspaces.
 *
 * It knows nothing of clients. Who serves them listens to its events; whoever
 * only prints or checks (engine_resolve) does not, and lets it settle once.
 *
 *   NEW --start--> STARTING --all workspaces settled, or timeout--> READY
 *                      |                                              |
 *                      +-------------- engine_stop --> STOPPING <-----+
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/diag.h"
#include "base/machine.h"
#include "engine/turn_clock.h"
#include "engine/watch_paths.h"
#include "engine/workspace.h"
#include "settings/options.h"
#include "settings/places.h"
#include "settings/settings.h"
#include "state/active_workspace.h"
#include "state/generation.h"

struct access;
struct callers;
struct local_rule;
struct report;
struct site;
struct watch;

enum engine_state {
	ENGINE_NEW,
	ENGINE_STARTING,
	ENGINE_READY,
	ENGINE_STOPPING
};

/* What the engine tells who listens, all from within its loop. */
struct engine_events {
	void *data;

	/* @workspace has published a snapshot. */
	void (*on_snapshot)(void *data, struct workspace *workspace);

	/* Something that a status shows has changed. */
	void (*on_state)(void *data);

	/* Polls have been answered, or a rotation has got further: who waits
	 * for that may look. */
	void (*on_progress)(void *data);

	/* The login of @workspace is about to go. */
	void (*on_logout)(void *data, struct workspace *workspace);

	/* Limits, rights or workspaces may have changed, or which one is
	 * active. */
	void (*on_settings)(void *data);

	/* A reload begins. */
	void (*on_reload)(void *data);

	/* All workspaces have settled; or a reload is through. */
	void (*on_ready)(void *data);

	/* Time to look at what nobody tells us of, at each poll interval. */
	void (*on_recheck)(void *data);
};

struct engine {
	enum engine_state state;
	struct engine_events events;
	const struct options *options;
	struct places places;
	char *state_dir; /* what survives a restart */
	struct settings *settings;
	struct diag settings_problem; /* of a reload that was refused */
	struct access *access;        /* of workspaces without their own */
	struct callers *callers;      /* whose own the workspaces are */
	struct machine machine;       /* this one; empty: not asked for yet */
	struct workspace_host host;
	struct workspace **workspaces;
	size_t workspace_count;
	struct workspace *active;
	uint64_t active_since; /* a generation: who names no workspace may have
				* had another before; 0: from the start */
	struct site *site;     /* what etcd has for this host; NULL: no etcd */
	struct report *report; /* what it is told of us; NULL: nothing */
	struct generation generation;
	struct active_workspace
		kept_active; /* the active workspace's name, kept */
	size_t secrets_max;  /* more, and old ones are forgotten */

	uv_loop_t loop;
	struct turn_clock turn_clock;
	uv_timer_t recheck;  /* files, at each poll interval */
	uv_timer_t patience; /* how long READY waits for the server */
	uv_timer_t lapse;    /* when vaults may have become too old */
	struct http *http;
	struct watch *watch;
	struct watch_paths watched; /* what it was told */

	int64_t started_at, swept_at; /* milliseconds of the boot clock */
	int64_t since;                /* seconds since 1970 of the state */
	uint64_t reloads;
};

/* Settings and workspaces. NULL, with @diag set, when the settings are wrong.
 */
struct engine *engine_new(const struct options *options, struct diag *diag);

/* Runs the loop until all of its handles are closed, others' too. */
void engine_free(struct engine *engine);

/* Tell @events (NULL: nobody) from here on; copied. */
void engine_listen(struct engine *engine, const struct engine_events *events);

/* Make the first snapshots, log in and go on from there, as the loop runs. */
void engine_start(struct engine *engine);

/* Instead of that: run the loop until the workspaces have settled, at most the
 * poll timeout. */
void engine_resolve(struct engine *engine);

/* No reload after this, and it never becomes ready. False: it was called
 * before. */
bool engine_stop(struct engine *engine);

/* Where to look when the active workspace has settled and holds nothing; NULL:
 * it holds something. The caller frees it. */
char *engine_explain_nothing(const struct engine *engine);

/* The rule by which the local layers are found; borrowed. */
struct local_rule engine_local_rule(const struct engine *engine);

/* What SIGHUP does: settings all or nothing, layers each for itself. */
void engine_reload(struct engine *engine);

/* @workspace becomes the active one, now and after restarts. */
void engine_use_workspace(struct engine *engine, struct workspace *workspace);

/* A program says that the newest configuration is bad: it has @left with
 * failure while it ran on @generation, or its check has said no. Rollouts that
 * have come lately are told to be bad for it. */
void engine_complain(struct engine *engine, bool left, uint64_t generation,
		     const char *reason);

/* Does any workspace log in with @key, from elsewhere than @source (NULL: from
 * anywhere)? @data: the engine. */
bool engine_uses_key(void *data, const char *key, const char *source);

/* The workspace called @name (NULL: the active one); NULL: there is none. */
struct workspace *engine_workspace(const struct engine *engine,
				   const char *name);

#endif
