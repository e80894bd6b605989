#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

/*
 * Settings: clearconfd.conf(5) -> struct settings, by one table of keys.
 *
 * inih parses; a reader of our own feeds it line by line and refuses what inih
 * would silently take apart (long lines, long section names, indented lines).
 * Whatever is wrong is a diagnostic with file and line, and then there are no
 * settings: loading is all or nothing.
 *
 * Precedence of a value: command line, then this file, then the environment,
 * then the default. The struct holds what file and defaults say; keys that the
 * file does not have and that have no default are NULL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "config/limits.h"

enum settings_mode { MODE_AGENT, MODE_SDK };
enum settings_root { ROOT_HOST, ROOT_NONE }; /* whose has every right */

struct workspace_settings {
	char *name;
	char *api_server, *web_server, *files_server;
	char *access_key;
	char *secret_key_file;
	char *credentials_file;   /* in place of the two: see pair_file.h */
	char *verify_certificate; /* true, false or a CA's path */
	bool active, inject;
	char *callers;                /* `for`: whose own it is */
	char *read, *secrets, *admin; /* NULL: those of [access] */
	size_t secrets_at;            /* offset of its line in the file */
};

struct settings {
	char *path; /* of the file, absolute; NULL: there is none */

	char *socket, *state_dir;
	int64_t mode;      /* enum settings_mode */
	int64_t log_level; /* enum log_level */

	char *files, *defaults, *site; /* separated by blanks */
	char *vault_environment;       /* the same, shell patterns */

	int64_t dialect; /* enum read_dialect */
	int64_t types;   /* enum conform_policy */

	/* A part of the hosts takes new vaults at once, the others later. */
	struct stage_settings {
		int64_t share; /* of SHARE_WHOLE, which is: all at once */
		int64_t wait;  /* milliseconds */
	} stage;

	int64_t interval, timeout, backoff_max; /* milliseconds */
	int64_t stale_limit, revoked_grace;     /* milliseconds; 0: none */
	int64_t prove;                          /* milliseconds; 0: never */
	int64_t jitter;                         /* percent */

	char *read, *secrets, *admin; /* who may; see config/access.h */
	int64_t root;                 /* enum settings_root */
	size_t secrets_at;            /* offset of its line in the file */
	char *mask_add;               /* more patterns, separated by blanks */
	char *lock_keys;              /* more paths, separated by blanks */

	struct limits limits;

	struct site_settings {
		char *etcd; /* URLs, separated by blanks; NULL: none */
		char *prefix;
		char *ca, *cert, *key; /* files, see places_file */
		char *user, *password_file;
		char *groups;         /* of this host, separated by blanks */
		int64_t probe;        /* milliseconds */
		bool report;          /* what this host has, to etcd */
		char *report_key;     /* a file; NULL: none */
		int64_t report_lease; /* milliseconds */
	} etcd;

	struct workspace_settings *workspaces; /* as declared, in order */
	size_t workspace_count;

	struct diag_list warnings; /* of what is no error, but hardly meant */
};

/* Settings as they are without a file. */
struct settings *settings_new(void);

/* Defaults and what @path says. NULL with @diag set when there is something
 * wrong in it; an absent file is an error too. */
struct settings *settings_load(const char *path, struct diag *diag);

void settings_free(struct settings *settings);
void settings_freep(struct settings **settings);

/* Why @key of @section, which there is, does not take @value: "expected agent
 * or sdk". The caller frees it. NULL: it takes it. */
char *settings_refusal(const char *section, const char *key, const char *value);

/* One value as the file would have it, for the command line. False when @key
 * of @section does not take @value. */
bool settings_set(struct settings *settings, const char *section,
		  const char *key, const char *value);

/* Does @new differ in what is read at the start alone? */
bool settings_need_restart(const struct settings *old,
			   const struct settings *new);

#endif
