#ifndef SITE_SITE_H
#define SITE_SITE_H

/*
 * Site: the documents that etcd has for this host, and how it stands with
 * etcd. They are the stronger part of the layer `site` of every workspace.
 *
 * It owns its feed (fetch/etcd), the documents and their file in the cache.
 * What it serves outlives its feed: etcd's bad days are borne as the ClearML
 * server's are (last_good.h). The daemon puts the documents into the stacks,
 * and tells what was read of them.
 *
 *   site_new --from the cache--> SERVING <--news, lapse--+
 *                                   |                    |
 *                 site_set_settings +--------------------+
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "config/snapshot.h"
#include "site/site_docs.h"
#include "site/site_feed.h"
#include "state/last_good.h"

struct buf;
struct http;
struct secrets;
struct settings;
struct stack;

struct site_host {
	uv_loop_t *loop;
	struct http *http;
	const char *state_dir; /* NULL: there is no cache */
	bool read_only;        /* and it is not written */
	bool offline;          /* never touch the network */
	const char *machine;   /* this one, see base/machine.h */

	void *data;
	void (*on_documents)(void *data, enum snapshot_cause cause);
	void (*on_health)(void *data);
	void (*on_save)(void *data); /* time for site_save */
};

struct site {
	struct site_host host;
	const struct settings *settings;
	struct site_docs docs;
	struct site_feed feed;
	struct etcd *etcd; /* NULL: offline */
	struct last_good last_good;
	enum etcd_health health; /* as was last told */
	uv_timer_t timer;        /* what only time brings */
	uv_timer_t saving;       /* to the next site_save */
	uv_timer_t confirming;   /* to the next question about a rollout */
	struct etcd_ask *ask;    /* that is asked; NULL: not yet */
	char *asked;             /* the key it is about; NULL: none is */
	unsigned int open_handles;
};

/* Do @settings name an etcd? */
bool site_is_named(const struct settings *settings);

/* NULL when @settings name no etcd. They must outlive it, or be replaced. Calls
 * nothing back before it returns. */
struct site *site_new(const struct site_host *host,
		      const struct settings *settings);
void site_close(struct site *site); /* NULL is allowed */

/* Other settings, which name an etcd too. */
void site_set_settings(struct site *site, const struct settings *settings);

/* Remove the file of documents; none is written any more. */
void site_forget(struct site *site);

/* Soon: whoever puts a hundred documents makes one file of them, and the file
 * keeps nobody waiting. */
void site_save_soon(struct site *site);

/* Keep what @stack could read of the documents, for the next start. */
void site_save(struct site *site, const struct stack *stack);

/* Read everything again, soon. */
void site_refresh(struct site *site);

/* Ask etcd about rollouts that are to be taken, soon. It must have a feed. */
void site_confirm(struct site *site);

/* No more; the feed may go. */
void site_confirm_end(struct site *site);

/* NULL is allowed below, and means that all is well. */

/* Is nothing known yet, not even of an earlier day? */
bool site_is_starting(const struct site *site);

/* Is what is served what etcd holds? */
bool site_is_well(const struct site *site);

/* Has all of etcd been asked once, well or not, since the start? */
bool site_has_asked(const struct site *site);

bool site_is_asking(const struct site *site);

/* What is wrong, for people; NULL: nothing. */
const char *site_problem(const struct site *site);

/* Age in seconds of the documents when they may not be etcd's any more; else
 * -1. */
int64_t site_stale(const struct site *site);

/* How many seconds ago the documents were last known to be etcd's: 0 while they
 * are watched; -1: they never were. */
int64_t site_lag(const struct site *site);

/* As it stands with etcd: the name that a status tells. */
const char *site_state_name(const struct site *site);

/* The token that it is logged in to etcd with; NULL: none. */
const char *site_token(const struct site *site);

/* Look at what @stack could read of the rollouts that this host has taken;
 * true when one is bad that was not, or the other way round. @since: the first
 * generation, of any workspace, that can have those that are new. */
bool site_judge_rollouts(struct site *site, const struct stack *stack,
			 uint64_t since);

/* A program that ran on @generation has @left with failure, or its check said
 * no to the newest: that is by the rollouts which have come in the last
 * minutes. True when that is news of one. */
bool site_blame_rollouts(struct site *site, bool left, uint64_t generation,
			 const char *reason);

/* The object Site of io.clearconf, without its braces; @problem: site_problem
 * as it may be told. */
void site_write_status(const struct site *site, const char *problem,
		       struct buf *json);

/* The list of Rollout, with `reason` as @secrets let it be told. */
void site_write_rollouts(const struct site *site, const struct secrets *secrets,
			 struct buf *json);

/* The name of its file among those of workspaces, of which none is called so.
 */
extern const char *const site_cache_name;

#endif
