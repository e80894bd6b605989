#ifndef BASE_MACHINE_H
#define BASE_MACHINE_H

/*
 * Which machine this is: an id that lasts, and that may be shown.
 *
 * /etc/machine-id itself is not to be shown (machine-id(5)), so what goes out
 * is an id of our own of it, from which it cannot be found: what
 * sd_id128_get_machine_app_specific() makes, so that
 * `systemd-id128 machine-id --app-specific=...` says the same. A machine that
 * has none, as many containers, is given an id of chance, once, that is kept in
 * the state folder.
 */

#include <stdbool.h>

#define MACHINE_ID_FILE "/etc/machine-id"

struct machine {
	char id[33]; /* 32 lower-case digits */
};

/* What the file @path holds for us; false, with *@lack (static, for people),
 * when that is no machine id. */
bool machine_from_file(struct machine *machine, const char *path,
		       const char **lack);

/* This machine, by the file @path, which is MACHINE_ID_FILE; else by the file
 * `machine-id` of @state_dir, which is made if need be and @may_write; with
 * NULL, or where that cannot be, by the host's name. The log says what is not
 * there. It blocks on the disk. */
void machine_learn(struct machine *machine, const char *path,
		   const char *state_dir, bool may_write);

#endif
