#ifndef ASK_H
#define ASK_H

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

enum ask_secrets {
	ASK_WHAT_I_MAY, /* real values if this user may have them */
	ASK_REAL,       /* or be refused */
	ASK_MASKED,
};

struct question {
	const char *path;      /* NULL: everything */
	const char *workspace; /* NULL: the active one */
	bool environment;      /* resolve with this process's variables */
	enum ask_secrets secrets;
	const char *view; /* one of these; NULL: the resolved configuration */
	bool require_vaults; /* or be refused, until they are in */
};

/* What ClearML is to read as its file: all of it, its own reading of vaults
 * being off; or what is below, which it lays variables and vaults over. */
#define ASK_MERGED "merged"
#define ASK_LIVE   "live"

/* Is @name one of them, or NULL? */
bool ask_is_view(const char *name);

struct answer {
	struct doc *doc; /* owns the rest */
	const struct value *value;
	struct str state;
	bool masked;
};

/* An exit status, nothing said yet. */
int ask(struct channel *channel, const struct question *question,
	struct answer *answer);

/* The same in two halves, for whoever cannot wait: send the question, and make
 * the document that comes back an answer, which takes it over. */
int ask_send(struct channel *channel, const struct question *question);
void answer_init(struct answer *answer, struct doc *doc);

void answer_deinit(struct answer *answer);

/* This process's variables as the parameter `environment`. */
void ask_add_environment(struct buf *out);

/* Warn of the vaults that are not in it, though a login should bring them (but
 * not while they may come at any moment, which is told of by itself), and of
 * those that cannot be read with this process's variables. */
void answer_warn(const struct answer *answer);

/* The vaults are not in yet: values that they bring are missing. */
bool answer_is_starting(const struct answer *answer);

/* A secret in it is hidden behind the mask. */
bool answer_hides_secret(const struct answer *answer);

#endif
