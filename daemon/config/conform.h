#ifndef CONFIG_CONFORM_H
#define CONFIG_CONFORM_H

/*
 * Whether a document's keys and types are those that ClearML knows, and what
 * follows when they are not: [resolve] types.
 */

struct diag;
struct doc;

/* How the problem of a document ends that its types alone have broken. */
#define CONFORM_REFUSED "([resolve] types = refuse)"

enum conform_policy {
	CONFORM_OFF,
	CONFORM_WARN,   /* a warning each */
	CONFORM_REFUSE, /* and an ill-typed key breaks the document */
};

/* Look at a document that nobody else has yet. 0, or READ_E_BROKEN with @diag
 * set. */
int conform_check(struct doc *doc, enum conform_policy policy,
		  struct diag *diag);

#endif
