#ifndef SERVE_METHODS_H
#define SERVE_METHODS_H

/*
 * The methods: one table of interfaces and what they offer.
 *
 * methods_answer is the whole way of a message: parse, find the method, check
 * rights and parameters, let it write its reply. The table and the text of the
 * interface agree (tests/lint/interface.py).
 */

#include "base/str.h"
#include "serve/call.h"

struct request;

struct method {
	const char *name; /* without the interface; NULL ends the table */
	const struct parameter *parameters; /* NULL: none */
	void (*answer)(struct request *request);
	unsigned int rights; /* all of them are needed */
	bool of_all;         /* whose workspace calls does not matter */
};

struct interface {
	const char *name;        /* NULL ends the table */
	const char *description; /* in Varlink's own language */
	const struct method *methods;
	bool open; /* to peers without any right */
};

extern const struct interface methods_interfaces[];

/* Exactly one reply to @message goes to request->out; none when the call was
 * one-way or what request keeps is to give it later. */
void methods_answer(struct request *request, struct str message);

#endif
