#ifndef SECTION_H
#define SECTION_H

/*
 * Whether the configuration wants its section `environment` or `files` applied:
 * sdk.apply_X and agent.apply_X, each overruled by a variable of ours, the
 * caller. One that says yes is enough (server.md, "Sections that a program acts
 * on").
 */

struct value;

struct section_switch {
	const char *key;
	const char *sdk, *agent; /* the variables */
};

enum section_wish { SECTION_UNSAID, SECTION_UNWANTED, SECTION_WANTED };

enum section_wish section_wish(const struct value *tree,
			       const struct section_switch *by);

#endif
