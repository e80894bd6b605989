#ifndef SERVE_CALL_H
#define SERVE_CALL_H

/*
 * A call: one request of a client, parsed, with typed access to its parameters.
 *
 * Which parameters a method takes is said by a table. Once call_check has
 * passed, whatever the getters find has the type that the table gives it; null
 * is the same as absent.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "wire.h"

struct interface;
struct method;
struct parameter;

struct call {
	json_t *message;    /* owns everything below */
	json_t *parameters; /* an object; NULL: none */
	/* An int that is too small or too large, of several the last in the
	 * table, as call_check found; NULL: none. */
	const struct parameter *out_of_range;
	struct str method;
	bool more, oneway;

	/* What methods found for it; no interface: it has not looked yet, or
	 * there is none. */
	const struct interface *interface;
	const struct method *row;
	const char *wrong; /* the parameter that is; NULL: none */
};

#define CALL_INIT ((struct call){0})

enum parameter_type {
	PARAMETER_STRING,
	PARAMETER_INT,
	PARAMETER_BOOL,
	PARAMETER_STRINGS,   /* [string] */
	PARAMETER_VARIABLES, /* {name: string} */
	PARAMETER_VIEW,      /* a projection's name */
};

struct parameter {
	const char *name; /* NULL ends the table */
	enum parameter_type type;
	bool optional;
	int64_t min, max; /* of an int; both 0: any */
};

/* No method takes more than that: what is longer, or made of more parts, is
 * not parsed, because others would wait for it. The longest there are, are an
 * environment and the text of a vault. */
#define CALL_BYTES_MAX WIRE_CALL_MAX
#define CALL_PARTS_MAX 4200
#define CALL_LONG      ((size_t)4 * 1024) /* most are not */

/* Is @text too much? *about: the parameter that is likely why; NULL: none. */
bool call_is_too_much(struct str text, const char **about);

/* Once, before the first call: what jansson reads lies in memory of ours, which
 * is wiped, and ends the daemon when there is none. Its own reads on behind the
 * end of a string that it could not keep. */
void call_init(void);

/* NULL, or the name of what is wrong with @text: "message" when it is no JSON
 * object, else the field. */
const char *call_parse(struct call *call, struct str text);
void call_deinit(struct call *call);

/* The same call once more, to be kept: both are to be ended. */
struct call call_ref(const struct call *call);

/* The last call that was read: agents ask the same again and again, and what is
 * the same to the byte need not be parsed again. */
struct call_memo {
	struct buf text; /* empty: nothing to be remembered */
	struct call call;
};

/* As call_parse, of the memo's call. What @look_up finds for a call is
 * remembered with it. */
const char *call_memo_read(struct call_memo *memo, struct str text,
			   void (*look_up)(struct call *call));

/* The call has been answered: forget it if it is not to be kept. */
void call_memo_release(struct call_memo *memo);
void call_memo_deinit(struct call_memo *memo);

/* NULL, or the name of the first parameter that is unknown, missing or of the
 * wrong type. @table NULL: there are none. Also finds what is out of range. */
const char *call_check(struct call *call, const struct parameter *table);

/* The slow part of call_get. */
json_t *call_look_for(const struct call *call, const char *name);

/* NULL when it is absent. */
static inline json_t *call_get(const struct call *call, const char *name)
{
	return call->parameters ? call_look_for(call, name) : NULL;
}

struct str call_string(const struct call *call, const char *name);
int64_t call_int(const struct call *call, const char *name, int64_t otherwise);
bool call_bool(const struct call *call, const char *name, bool otherwise);

/* The text of a JSON string; it ends in a NUL that is not counted. */
struct str call_text(const json_t *string);

#endif
