#ifndef DAEMON_STARTUP_H
#define DAEMON_STARTUP_H

/*
 * Startup: from command line and settings file to the settings in force; used
 * at the start and again by each reload.
 */

struct diag;
struct options;
struct places;
struct settings;

/* The file that the user named must be there; the instance's own may be
 * absent. What the command line says goes over what the file says. NULL with
 * @diag set when something is wrong. */
struct settings *startup_settings(const struct options *options,
				  const struct places *places,
				  struct diag *diag);

#endif
