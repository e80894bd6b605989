#ifndef DAEMON_SETTINGS_SITE_H
#define DAEMON_SETTINGS_SITE_H

/*
 * What can be wrong with [site] of the settings beyond the type of a value:
 * URLs that are none, files that are not there, halves without the other half;
 * and what is meant by a value that has more than one spelling.
 */

#include "settings/settings.h"

/* NULL, or what is wrong with the value of the setting @name, which has just
 * been set; the caller's. */
char *settings_site_problem(const struct settings *settings, const char *name);

/* NULL, or which setting lacks its other half, when all are set. Static. */
const char *settings_site_gap(const struct site_settings *site);

/* @prefix, which may lack it, with a '/' at its end; the caller's. */
char *settings_site_prefix(const char *prefix);

#endif
