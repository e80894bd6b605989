#ifndef DOCTOR_H
#define DOCTOR_H

/*
 * `clearconf doctor`: what goes wrong in practice, looked for, and what to do
 * about it. One function a subject; each says what it found, line by line:
 *
 *	ok       daemon: clearconfd 0.1.0 is ready
 *	problem  server: port 8080 is the web interface's: ...
 */

#include "base/buf.h"

struct client;
struct doc;
struct value;

enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_UNSURE,  /* could not be looked into */
	DOCTOR_ADVICE,  /* is well, and might be better */
	DOCTOR_WARNING, /* works, but */
	DOCTOR_PROBLEM,
};

struct finding {
	enum doctor_verdict verdict;
	char *text; /* "subject: what was found" */
};

struct doctor {
	const struct client *client;
	struct finding *findings;
	size_t count;
	struct doc *answer;         /* owns the status */
	const struct value *status; /* NULL: no daemon */
	unsigned int problems;
};

/* Examine everything. @doctor is zeroed but for the client. */
void doctor_examine(struct doctor *doctor);
void doctor_deinit(struct doctor *doctor);

/* The word for it. */
const char *doctor_verdict(const struct finding *finding);

/* What was found, for people and for programs. */
void doctor_write(struct buf *out, const struct doctor *doctor);
void doctor_write_json(struct buf *out, const struct doctor *doctor);

/* Print one finding: "subject: what was found". Control characters that came
 * with the text are shown as a question mark. */
void doctor_say(struct doctor *doctor, enum doctor_verdict verdict,
		const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Call @look with each workspace of the status. */
void doctor_each_workspace(struct doctor *doctor,
			   void (*look)(struct doctor *doctor,
					const struct value *workspace));

/* doctor_server.c */
void doctor_look_at_logins(struct doctor *doctor);
void doctor_look_at_ports(struct doctor *doctor);
void doctor_look_at_layers(struct doctor *doctor);
void doctor_look_at_clock(struct doctor *doctor);
void doctor_look_at_site(struct doctor *doctor);

/* doctor_hold.c */
void doctor_look_at_holds(struct doctor *doctor);
void doctor_look_at_histories(struct doctor *doctor);

/* doctor_values.c */
void doctor_look_at_keys(struct doctor *doctor);

/* doctor_clearml.c */
void doctor_look_at_defaults(struct doctor *doctor);

/* doctor_files.c */
void doctor_look_at_variables(struct doctor *doctor);
void doctor_look_at_rights(struct doctor *doctor);
void doctor_look_at_dumps(struct doctor *doctor);
void doctor_look_at_execs(struct doctor *doctor);

#endif
