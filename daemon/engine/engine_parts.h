#ifndef ENGINE_ENGINE_PARTS_H
#define ENGINE_ENGINE_PARTS_H

/*
 * The inside of engine: what its files share.
 *
 *   engine.c       beginning, events, end
 *   engine_site.c  the documents of etcd go into every workspace
 *   reload.c       new settings
 *   recheck.c      what nobody tells us of
 */

#include "engine/engine.h"

/* The site as the settings now say: another one, none, or the same in other
 * ways; and which machine this is, if they need to know. Closed before the
 * workspaces are. */
void engine_open_site(struct engine *engine);
void engine_close_site(struct engine *engine);

/* What was read of the documents may be another: are rollouts bad here? No
 * generation before @since has what was taken since it was asked last. */
void engine_judge_rollouts(struct engine *engine, uint64_t since);

/* The workspaces may all have settled. */
void engine_ready_when_settled(struct engine *engine);

/* The parts of a reload that engine.c does. */
void engine_choose_active(struct engine *engine);
void engine_reload_workspaces(struct engine *engine);

/* Whose own the workspaces are, as the settings say. */
struct callers *engine_make_callers(const struct engine *engine);

/* Who names no workspace may get another one from here on: each has a
 * generation of its own, so that who was told of another can see that. */
void engine_renew_workspaces(struct engine *engine);

/* @workspace takes over from another one: with a generation of its own, so that
 * who was told of the other can see that. */
void engine_make_active(struct engine *engine, struct workspace *workspace);

/* Look at the files and caches of this host at each poll interval: by a timer,
 * and at an answer of the server, an occasion that costs no waking up. */
void engine_start_recheck(struct engine *engine);
void engine_recheck_on_occasion(struct engine *engine);

/* Set the timer to the moment when the first vaults may be too old, or a hold
 * is over. */
void engine_expect_lapse(struct engine *engine);

/* Caches of workspaces that are no longer declared, or too old. */
void engine_sweep_caches(struct engine *engine);

#endif
