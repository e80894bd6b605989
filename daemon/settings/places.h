#ifndef DAEMON_PLACES_H
#define DAEMON_PLACES_H

/*
 * Places: where this instance of the daemon keeps and finds things.
 *
 * The system's instance lives under /run, /etc and /var/lib and never looks
 * into a home; a user's follows the XDG variables (clearconfd(8), "FILES").
 * Pure: environment in, paths out.
 */

#include <stdbool.h>

struct env;

enum places_instance { INSTANCE_AUTO, INSTANCE_SYSTEM, INSTANCE_USER };

struct places {
	bool system;
	char *home; /* NULL for the system's instance, and who has none */
	/* There is no home to have it in, nor a variable that says where. */
	bool no_socket, no_state_dir;
	char *socket, *settings, *state_dir;
};

/* AUTO: the system's when run by root or with $STATE_DIRECTORY under /var/lib.
 */
void places_init(struct places *places, enum places_instance instance,
		 const struct env *env);
void places_deinit(struct places *places);

/* @path with a leading ~ as @home (NULL: unchanged), and a relative one below
 * @folder (NULL: the working folder). The caller's. */
char *places_expand(const char *path, const char *home, const char *folder);

/* @named, a place that the settings may name (NULL or "": they do not), else
 * this instance's own @standard. The caller's. */
char *places_choose(const struct places *places, const char *named,
		    const char *standard);

/* The file that the settings in the file @settings call @name: systemd's
 * credential secret_NAME or NAME if there is one, else relative to @settings.
 * The caller's. */
char *places_file(const char *name, const char *settings);

/* Is @name, which ought to be that of a file, more likely the secret that
 * should be in it? No message may tell it then. @settings as above. */
bool places_is_pasted_secret(const char *name, const char *settings);

#endif
