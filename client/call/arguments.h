#ifndef ARGUMENTS_H
#define ARGUMENTS_H

/*
 * Command line options as tables: what getopt_long(3) is told, what is checked
 * and what --help prints all come from the same lines.
 *
 * An option fills one field of its command's struct: a bool for a flag, else a
 * `const char *`, NULL when the option was not given, whose text has been
 * checked against the kind; those of which there may be several fill a list.
 */

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum option_kind {
	OPTION_FLAG,
	OPTION_TEXT,
	OPTION_PATH,    /* of a file: not empty */
	OPTION_NUMBER,  /* decimal digits, no leading zero: also JSON */
	OPTION_SECONDS, /* 1.5, 10m; see arguments_seconds */
	OPTION_MODE,    /* octal, at most 0777 */
	OPTION_FORMAT,  /* the name of a renderer */
	OPTION_TEXTS,   /* given again and again: a struct option_list */
};

#define OPTION_LIST_MAX 32

struct option_list {
	const char *items[OPTION_LIST_MAX];
	size_t count;
};

struct option_spec {
	const char *name;
	char letter; /* '\0': none */
	enum option_kind kind;
	size_t offset;        /* of the field */
	const char *argument; /* for --help; NULL: a flag */
	const char *help;
	const char *verbs; /* of the command that take it, as in "put, rm";
			    * NULL: all of them */
};

struct option_set {
	const struct option_spec *specs;
	size_t count;
	void *fields;
};

#define ARGUMENTS_MAX  32
#define ARGUMENTS_SETS 2

struct arguments {
	const struct option_set *sets; /* ARGUMENTS_SETS of them */
	bool only_before; /* options end at the first other argument */
	const char *help; /* the command whose --help tells more */
};

/* Parse argv[1...] and leave the index of the first other argument in *first;
 * others are moved behind the options. An exit status, complained about. */
int arguments_parse(const struct arguments *arguments, int argc, char **argv,
		    int *first);

/* Was the option given? @fields: the struct that it fills. */
bool arguments_have(const struct option_spec *spec, const void *fields);

/* What it does, after the verbs that take it. The caller frees it. */
char *arguments_help(const struct option_spec *spec);

/* The option lines of --help. */
void arguments_write(struct buf *out, const struct option_spec *specs,
		     size_t count);

/* An OPTION_SECONDS in seconds; it has been checked. */
double arguments_seconds(const char *text);

/* An OPTION_SECONDS in milliseconds; @otherwise when it was not given. */
int arguments_milliseconds(const char *seconds, int otherwise);

#endif
