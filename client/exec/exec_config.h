#ifndef EXEC_CONFIG_H
#define EXEC_CONFIG_H

/*
 * The configuration of the command that `exec` runs: asked of the daemon with
 * this process's environment, kept current in a private file, and with it the
 * environment that the command gets.
 *
 * Vaults are merged: the file holds them, and ClearML does not read its own;
 * or live: the file holds what is below, and ClearML lays variables and vaults
 * over it, each time that it starts. In both cases a change of what they come
 * to is one that the command must hear of.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "exec/exec_check.h"
#include "exec/exec_daemon.h"
#include "exec/exec_env.h"
#include "exec/exec_feed.h"
#include "exec/exec_folder.h"

struct exec_config {
	const struct client *client;
	bool live; /* vaults */
	enum exec_login login;
	bool require_vaults;
	bool files; /* write those of the section `files`, too */

	struct exec_daemon daemon;
	struct exec_folder folder;
	struct exec_feed feed;
	struct exec_check check; /* exec_check_init is the caller's */
	struct exec_answers now;
	struct exec_answers candidate; /* that is being checked; none */
	struct buf text;               /* of the file */
	struct buf state; /* what there is to know: the file, and the whole */
};

/* What --vaults says: "live" or "merged"; NULL: live for ClearML's agent, and
 * merged for any other command. False when it is none of them. */
bool exec_config_choose(struct exec_config *config, const char *vaults,
			char *const *argv);

/* Ask for what there is. An exit status, complained about. */
int exec_config_ask(struct exec_config *config);

/* Make the file, and follow what changes from now on. An exit status,
 * complained about. */
int exec_config_begin(struct exec_config *config);

/* End following, and remove the file. */
void exec_config_end(struct exec_config *config);

/* For poll(2), and until when; see exec_feed.h. */
void exec_config_poll(const struct exec_config *config,
		      struct pollfd fds[EXEC_FEED_FDS]);
long long exec_config_moment(const struct exec_config *config);

/* Go on, after a poll; true when the file, or what it comes to, is another. */
bool exec_config_step(struct exec_config *config);

/* The generation that the file has. */
long long exec_config_generation(const struct exec_config *config);

/* The environment for execve(2); exec_env_freep frees it. */
char **exec_config_environment(const struct exec_config *config);

#endif
