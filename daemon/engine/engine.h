#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

/*
 * The daemon: owns the loop, the settings, the workspaces and the server, and
 * is the only place where fetch and serve meet.
 *
 *   new --start--> STARTING --all workspaces settled, or timeout--> READY
 *                      |                                              |
 *                      +---- SIGTERM, daemon_stop --> STOPPING <------+
 *
 * Without a server (daemon_resolve) it settles once and answers a question of
 * its own process.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/diag.h"
#include "base/list.h"
#include "engine/chosen.h"
#include "engine/generation.h"
#include "engine/turn_clock.h"
#include "engine/watched.h"
#include "engine/workspace.h"
#include "front/manager.h"
#include "serve/service.h"
#include "settings/options.h"
#include "settings/places.h"
#include "settings/settings.h"

struct access;
struct server;
struct site;
struct watch;

enum daemon_state {
	DAEMON_NEW,
	DAEMON_STARTING,
	DAEMON_READY,
	DAEMON_STOPPING
};

struct daemon {
	enum daemon_state state;
	const struct options *options;
	struct places places;
	char *state_dir; /* what survives a restart */
	char *socket;    /* NULL: systemd's, or none yet */
	struct settings *settings;
	struct diag settings_problem; /* of a reload that was refused */
	struct workspace_host host;
	struct workspace **workspaces;
	size_t workspace_count;
	struct workspace *active;
	uint64_t active_since; /* a generation; 0: from the start */
	struct site *site;     /* what etcd has for this host; NULL: no etcd */
	struct generation generation;
	struct chosen chosen; /* the active workspace's name, kept */
	struct list tasks;    /* struct task */
	size_t secrets_max;   /* more, and old ones are forgotten */

	uv_loop_t loop;
	struct turn_clock turn_clock;
	uv_signal_t hangup, terminate, interrupt;
	uv_timer_t recheck;  /* files, at each poll interval */
	uv_timer_t patience; /* how long READY waits for the server */
	uv_timer_t lapse;    /* when vaults may have become too old */
	struct manager manager;
	struct http *http;
	struct watch *watch;
	struct watched watched; /* what it was told */
	struct server *server;  /* NULL: none serves */
	struct service service;
	struct access *access;

	int64_t started_at, swept_at; /* milliseconds of the boot clock */
	int64_t since;                /* seconds since 1970 of the state */
	uint64_t reloads;
};

/* Settings, workspaces and the first snapshots. NULL, with @diag set, when the
 * settings are wrong. */
struct daemon *daemon_new(const struct options *options, struct diag *diag);
void daemon_free(struct daemon *daemon); /* after its loop has ended */

/* Serve until told to stop; the exit status. */
int daemon_serve(struct daemon *daemon);

/* Without a server: wait until the workspaces have settled, at most the poll
 * timeout. */
void daemon_resolve(struct daemon *daemon);

/* Where to look when the active workspace has settled and holds nothing; NULL:
 * it holds something. The caller frees it. */
char *daemon_explain_nothing(const struct daemon *daemon);

/* What SIGHUP does: settings all or nothing, layers each for itself. */
void daemon_reload(struct daemon *daemon);

void daemon_stop(struct daemon *daemon);

/* The site as the settings now say: another one, none, or the same in other
 * ways. Closed before the workspaces are. */
void daemon_open_site(struct daemon *daemon);
void daemon_close_site(struct daemon *daemon);

/* The workspaces may all have settled. */
void daemon_ready_when_settled(struct daemon *daemon);

/* The parts of a reload that engine.c does. */
void daemon_choose_active(struct daemon *daemon);
void daemon_reload_workspaces(struct daemon *daemon);

/* Look at the files and caches of this host at each poll interval: by a timer,
 * and at an answer of the server, an occasion that costs no waking up. */
void daemon_start_recheck(struct daemon *daemon);
void daemon_recheck_on_occasion(struct daemon *daemon);

/* Caches of workspaces that are no longer declared, or too old. */
void daemon_sweep_caches(struct daemon *daemon);

/* @workspace takes over from another one: with a generation of its own, so that
 * who was told of the other can see that. */
void daemon_make_active(struct daemon *daemon, struct workspace *workspace);

/* @workspace becomes the active one, now and after restarts. */
void daemon_use_workspace(struct daemon *daemon, struct workspace *workspace);

/* Does any workspace log in with @key, from elsewhere than @source (NULL: from
 * anywhere)? @data: the daemon. */
bool daemon_uses_key(void *data, const char *key, const char *source);

/* NULL name: the active one. */
struct workspace *daemon_workspace(const struct daemon *daemon,
				   const char *name);

#endif
