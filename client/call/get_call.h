#ifndef GET_CALL_H
#define GET_CALL_H

/*
 * Ask the daemon for the configuration: the call Get, as `get` and `dump` use
 * it.
 */

#include <stdbool.h>

#include "base/str.h"

struct buf;
struct channel;
struct doc;
struct value;

enum get_secrets {
	GET_ALLOWED, /* real values if this user may have them */
	GET_REAL,    /* or be refused */
	GET_MASKED,
};

struct get_question {
	const char *path;      /* NULL: everything */
	const char *workspace; /* NULL: the active one */
	bool environment;      /* resolve with this process's variables */
	enum get_secrets secrets;
	const char *view; /* one of these; NULL: the resolved configuration */
	bool require_vaults; /* or be refused, until they are in */
};

/* What ClearML is to read as its file: all of it, its own reading of vaults
 * being off; or what is below, which it lays variables and vaults over. */
#define GET_VIEW_MERGED "merged"
#define GET_VIEW_LIVE   "live"

/* Is @name one of them, or NULL? */
bool get_call_is_view(const char *name);

struct get_answer {
	struct doc *doc; /* owns the rest */
	const struct value *value;
	struct str state;
	long long generation;
	bool masked;
};

/* Ask, and wait for the answer. An exit status, about which nothing has been
 * said yet. */
int get_call(struct channel *channel, const struct get_question *question,
	     struct get_answer *answer);

/* get_call in two halves, for who cannot wait: send the question, and make the
 * document that comes back an answer, which takes it over. */
int get_call_send(struct channel *channel, const struct get_question *question);
void get_answer_init(struct get_answer *answer, struct doc *doc);

void get_answer_deinit(struct get_answer *answer);

/* Add this process's variables as the parameter `environment`. */
void get_call_add_environment(struct buf *out);

/* Warn of the vaults that are not in it, though a login should bring them (but
 * not while they may come at any moment, which is told of by itself), and of
 * those that cannot be read with this process's variables. */
void get_answer_warn(const struct get_answer *answer);

/* Are the vaults not in yet, so that values that they bring are missing? */
bool get_answer_is_starting(const struct get_answer *answer);

/* Is a secret in it hidden behind the mask? */
bool get_answer_hides_secret(const struct get_answer *answer);

#endif
