#ifndef STATE_ACTIVE_WORKSPACE_H
#define STATE_ACTIVE_WORKSPACE_H

/*
 * Active workspace: which one somebody has chosen (UseWorkspace), kept in the
 * state folder over restarts. Without a folder, or a word in it, the settings
 * decide.
 *
 * Writing goes on the thread pool; of several choices the last one stands.
 */

#include <uv.h>

struct active_workspace {
	uv_loop_t *loop;
	char *folder; /* NULL: not kept */
	char *next;   /* a name that waits to be written; NULL: none */
	struct active_workspace_write *write; /* under way; NULL: none */
};

void active_workspace_init(struct active_workspace *kept, uv_loop_t *loop,
			   const char *folder);

/* Waits for a write that is under way, so it must not be called from within the
 * loop. */
void active_workspace_deinit(struct active_workspace *kept);

/* The name of the workspace, the caller's; NULL: nobody has chosen one, or the
 * file cannot be read. */
char *active_workspace_read(const struct active_workspace *kept);
void active_workspace_write(struct active_workspace *kept, const char *name);

#endif
