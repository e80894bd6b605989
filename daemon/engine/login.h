#ifndef DAEMON_LOGIN_H
#define DAEMON_LOGIN_H

/*
 * Login: which server, and with what, a workspace logs in.
 *
 * A declared workspace says it in the settings, whatever the environment
 * holds; the implicit `default` one takes it from the layers below `vault` and
 * the named variables, never from a vault. Without a server there is no
 * session, and there is no default server.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct diag;
struct env;
struct settings;
struct value;
struct workspace_settings;

struct login {
	char *api_server, *web_server,
		*files_server; /* without '/' at the end */
	char *access_key, *secret_key, *token;
	bool verify;
	char *ca; /* file or folder; NULL: the system's */

	/* ClearML's settings api.auth.* and api.http.* as far as they make
	 * sense for a daemon, of the implicit workspace. 0 and NULL: unset. */
	int64_t renew_ahead, token_life; /* seconds */
	char *method;                    /* of what only reads */

	/* Where the access key came from: layer, and file or variable. */
	const char *key_layer;
	char *key_source;
};

/* The login by @root, the merge of the layers below `vault`, and the
 * environment. Where the key is a file's the caller sets its source. */
void login_from_tree(struct login *login, const struct value *root,
		     const struct env *env);

/* Does this tree have an access key? */
bool login_has_key(const struct value *root);

/* The login of a declared workspace, whose secret's file is read. False, with
 * @diag set, when that cannot be. */
bool login_from_settings(struct login *login, const struct settings *settings,
			 const struct workspace_settings *declared,
			 struct diag *diag);

/* The file of its secret key, or of both: $CREDENTIALS_DIRECTORY/secret_NAME or
 * NAME, else relative to the settings file. The caller's; NULL: it has none. */
char *login_secret_path(const struct settings *settings,
			const struct workspace_settings *declared);

/* NULL, or why others than its owner may read the secret's file: the caller's.
 * What systemd hands over is its own care. */
char *login_secret_warning(const struct settings *settings,
			   const struct workspace_settings *declared);

/* NULL when one can log in with it, else what it lacks and the cure, for
 * people. @declared: it is of a [workspace]. */
const char *login_lack(const struct login *login, bool declared);
bool login_equal(const struct login *a, const struct login *b);
void login_deinit(struct login *login);

/* The layer `workspace`: what the SDK would read as `api`, as JSON. */
void login_write_layer(const struct login *login, struct buf *json);

#endif
