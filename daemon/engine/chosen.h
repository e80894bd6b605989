#ifndef DAEMON_CHOSEN_H
#define DAEMON_CHOSEN_H

/*
 * Chosen: the workspace that somebody has made the active one, kept in the
 * state folder over restarts. Without a folder, or a word in it, the settings
 * decide.
 *
 * Writing goes on the thread pool; of several choices the last one stands.
 */

#include <uv.h>

struct chosen {
	uv_loop_t *loop;
	char *folder; /* NULL: not kept */
	char *next;   /* a name that waits to be written; NULL: none */
	struct chosen_write *write; /* under way; NULL: none */
};

void chosen_init(struct chosen *chosen, uv_loop_t *loop, const char *folder);

/* What is under way is waited for: not from within the loop. */
void chosen_deinit(struct chosen *chosen);

/* The name, the caller's; NULL: nobody has chosen, or it cannot be read. */
char *chosen_read(const struct chosen *chosen);
void chosen_write(struct chosen *chosen, const char *name);

#endif
