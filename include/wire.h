#ifndef WIRE_H
#define WIRE_H

/*
 * What daemon, library and command line have to agree on besides the
 * interface description: names and places of clearconf(1) and clearconfd(8).
 * Private: not installed.
 */

#define WIRE_INTERFACE "io.clearconf"

/* The system instance's socket, and the user's below $XDG_RUNTIME_DIR, or
 * below the state folder ($XDG_STATE_HOME, ~/.local/state) without one. */
#define WIRE_SYSTEM_SOCKET   "/run/clearconf/clearconf.sock"
#define WIRE_SOCKET_NAME     "clearconf/clearconf.sock"
#define WIRE_STATE_HOME      ".local/state"
#define WIRE_SOCKET_VARIABLE "CLEARCONF_SOCKET"

/* Names the workspace for who names none. */
#define WIRE_WORKSPACE_VARIABLE "CLEARCONF_WORKSPACE"

/* Bytes of a call: no method takes more. */
#define WIRE_CALL_MAX ((size_t)192 * 1024)

/* The first line of every HOCON and YAML dump: a local file that begins with
 * it is our own output, and reading it would be a loop. */
#define WIRE_DUMP_COMMENT "# written by clearconf"

/* What stands in for a secret. */
#define WIRE_MASK "****"

/* The seconds of life that a ClearML server gives a token. */
#define WIRE_TOKEN_LIFE_MIN 60
#define WIRE_TOKEN_LIFE_MAX 31536000

#endif
