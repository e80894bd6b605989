#ifndef CONFIG_CGROUP_H
#define CONFIG_CGROUP_H

/*
 * The cgroup of a process, as /proc/PID/cgroup tells it, and the systemd units
 * that its path names. Version 1, 2 and both at once (hybrid).
 *
 * The path is that of systemd's own hierarchy, `name=systemd` or version 2's;
 * where that says nothing (`/`), that of the first controller that does. Seen
 * from another cgroup namespace it may begin with `/..`.
 */

#include <stdbool.h>

#include "base/str.h"

/* The path in @text, of which it is a part; empty: it has none. What follows
 * the last line end is not looked at: @text may have been cut. */
struct str cgroup_path(struct str text);

/* Is @path a unit, or in one, whose name matches the shell pattern @pattern?
 * That is the unit of the system's manager, or, below `user@UID.service`, that
 * of a user's; what a unit makes below itself is named by nobody. */
bool cgroup_is_in_unit(struct str path, const char *pattern);

/* Is @path what the shell pattern @pattern, component by component, matches, or
 * below it? */
bool cgroup_is_below(struct str path, const char *pattern);

#endif
