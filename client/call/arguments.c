#include "call/arguments.h"

#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "render/render.h"
#include "text/complain.h"
#include "text/exit_status.h"

#define SECONDS_MAX 315360000.0 /* ten years of 365 days */
#define LONG_BASE   256 /* results of long options, above every letter */

static bool is_text(const char *text)
{
	return text != NULL;
}

static bool is_path(const char *text)
{
	return *text;
}

static bool is_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits < 19 && !text[digits] &&
	       (text[0] != '0' || digits == 1);
}

/* A number of seconds, or of the units that settings have. */
static bool parse_seconds(const char *text, double *seconds)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {
		{"", 1},     {"ms", 0.001}, {"s", 1},         {"m", 60},
		{"h", 3600}, {"d", 86400},  {"w", 7 * 86400},
	};
	char *end;
	double number = strtod(text, &end);

	for (size_t i = 0; end != text && i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		*seconds = number * units[i].seconds;
		return isfinite(*seconds);
	}
	return false;
}

static bool is_seconds(const char *text)
{
	double seconds;

	return parse_seconds(text, &seconds) && seconds >= 0 &&
	       seconds <= SECONDS_MAX;
}

static bool is_mode(const char *text)
{
	size_t digits = strspn(text, "01234567");

	return digits > 0 && !text[digits] && strtoul(text, NULL, 8) <= 0777;
}

static bool is_format(const char *text)
{
	return render_format(text) != NULL;
}

static const struct {
	bool (*check)(const char *text);
	const char *wanted;
} kinds[] = {
	[OPTION_FLAG] = {is_text, ""},
	[OPTION_TEXT] = {is_text, "a text"},
	[OPTION_PATH] = {is_path, "a path"},
	[OPTION_NUMBER] = {is_number, "a number"},
	[OPTION_SECONDS] = {is_seconds,
			    "a number of seconds, or of m, h or d, such "
			    "as 90 or 10m"},
	[OPTION_MODE] = {is_mode, "a file mode such as 0640"},
	[OPTION_FORMAT] = {is_format, "one of " RENDER_FORMAT_NAMES},
	[OPTION_TEXTS] = {is_text, "a text"},
};

double arguments_seconds(const char *text)
{
	double seconds = 0;

	(void)parse_seconds(text, &seconds);
	return seconds;
}

int arguments_milliseconds(const char *seconds, int otherwise)
{
	double milliseconds;

	if (!seconds)
		return otherwise;
	milliseconds = arguments_seconds(seconds) * 1000;
	return milliseconds < INT_MAX ? (int)milliseconds : INT_MAX;
}

/* The @index-th option of both sets as one list, and the struct it fills. */
static const struct option_spec *spec_at(const struct option_set *sets,
					 size_t index, void **fields)
{
	size_t set = 0;

	while (set < ARGUMENTS_SETS && index >= sets[set].count)
		index -= sets[set++].count;
	if (set == ARGUMENTS_SETS)
		return NULL;
	*fields = sets[set].fields;
	return &sets[set].specs[index];
}

static int add_to_list(const struct option_spec *spec, struct option_list *list,
		       const char *value)
{
	if (list->count == OPTION_LIST_MAX)
		return complain(EXIT_USAGE,
				"--%s may be given %d times at most",
				spec->name, OPTION_LIST_MAX);
	list->items[list->count++] = value;
	return EXIT_DONE;
}

/* The option as it was given: by its letter, or by its name. */
struct given {
	const struct option_spec *spec;
	void *fields;
	int result; /* of getopt_long */
};

static int complain_value(const struct given *given, const char *help)
{
	const struct option_spec *spec = given->spec;
	const char *wanted = kinds[spec->kind].wanted;

	if (given->result < LONG_BASE)
		return complain(EXIT_USAGE, "-%c takes %s: see '%s --help'",
				spec->letter, wanted, help);
	return complain(EXIT_USAGE, "--%s takes %s: see '%s --help'",
			spec->name, wanted, help);
}

static int set_field(const struct given *given, const char *value,
		     const char *help)
{
	const struct option_spec *spec = given->spec;
	char *field = (char *)given->fields + spec->offset;

	if (spec->kind == OPTION_FLAG) {
		*(bool *)field = true;
		return EXIT_DONE;
	}
	if (!kinds[spec->kind].check(value))
		return complain_value(given, help);
	if (spec->kind == OPTION_TEXTS)
		return add_to_list(spec, (void *)field, value);
	memcpy(field, &value, sizeof(value));
	return EXIT_DONE;
}

struct getopt_tables {
	struct option longs[ARGUMENTS_MAX + 1];
	char letters[2 + 2 * ARGUMENTS_MAX + 1];
};

static void fill_tables(struct getopt_tables *tables,
			const struct arguments *arguments)
{
	const struct option_spec *spec;
	char *letter = tables->letters;
	void *fields;
	int i;

	memset(tables, 0, sizeof(*tables));
	if (arguments->only_before)
		*letter++ = '+';
	*letter++ = ':'; /* tell a missing argument from an unknown option */
	for (i = 0; (spec = spec_at(arguments->sets, (size_t)i, &fields));
	     i++) {
		tables->longs[i] = (struct option){spec->name,
						   spec->kind == OPTION_FLAG
							   ? no_argument
							   : required_argument,
						   NULL, LONG_BASE + i};
		if (!spec->letter)
			continue;
		*letter++ = spec->letter;
		if (spec->kind != OPTION_FLAG)
			*letter++ = ':';
	}
}

/* What getopt_long returned, as an index over both sets. */
static size_t index_of(const struct option_set *sets, int result)
{
	const struct option_spec *spec;
	size_t i = 0;
	void *fields;

	if (result >= LONG_BASE)
		return (size_t)(result - LONG_BASE);
	while ((spec = spec_at(sets, i, &fields)) && spec->letter != result)
		i++;
	return i;
}

/* "--verison=1": is "--version" meant? */
static char *guess_option(const struct option_set *sets, const char *typed)
{
	struct suggest near =
		SUGGEST_FOR(((struct str){typed, strcspn(typed, "=")}));
	const struct option_spec *spec;
	void *fields;

	for (size_t i = 0; (spec = spec_at(sets, i, &fields)); i++)
		suggest_offer(&near, spec->name);
	return suggest_text(&near, "--");
}

/* optind is past the culprit, unless it is a letter amid others. */
static int complain_option(const struct arguments *arguments, int result,
			   const char *typed)
{
	_cleanup_(mem_freep) char *guess = NULL;

	if (result == ':')
		return complain(EXIT_USAGE,
				"%s needs an argument: see '%s --help'", typed,
				arguments->help);
	if (optopt > 0 && optopt < LONG_BASE)
		return complain(EXIT_USAGE,
				"unknown option '-%c': see '%s --help'", optopt,
				arguments->help);
	if (optopt)
		return complain(EXIT_USAGE,
				"'%s': this option takes no argument: see "
				"'%s --help'",
				typed, arguments->help);
	guess = guess_option(arguments->sets, typed + strspn(typed, "-"));
	return complain(EXIT_USAGE,
			"unknown or ambiguous option '%s'%s: see '%s --help'",
			typed, guess, arguments->help);
}

int arguments_parse(const struct arguments *arguments, int argc, char **argv,
		    int *first)
{
	struct getopt_tables tables;
	struct given given = {0};
	int status = EXIT_DONE;

	fill_tables(&tables, arguments);
	opterr = 0;
	optind = 0; /* glibc: start over, also within a word of letters */
	while (status == EXIT_DONE) {
		given.result = getopt_long(argc, argv, tables.letters,
					   tables.longs, NULL);
		if (given.result == -1)
			break;
		if (given.result == '?' || given.result == ':')
			return complain_option(arguments, given.result,
					       argv[optind - 1]);
		given.spec = spec_at(arguments->sets,
				     index_of(arguments->sets, given.result),
				     &given.fields);
		status = set_field(&given, optarg, arguments->help);
	}
	*first = optind;
	return status;
}

bool arguments_have(const struct option_spec *spec, const void *fields)
{
	const char *field = (const char *)fields + spec->offset, *text;

	if (spec->kind == OPTION_FLAG)
		return *(const bool *)field;
	if (spec->kind == OPTION_TEXTS)
		return ((const struct option_list *)(const void *)field)->count;
	memcpy(&text, field, sizeof(text));
	return text;
}

char *arguments_help(const struct option_spec *spec)
{
	return mem_printf("%s%s%s", spec->verbs ? spec->verbs : "",
			  spec->verbs ? ": " : "", spec->help);
}

void arguments_write(struct buf *out, const struct option_spec *specs,
		     size_t count)
{
	char left[64];

	for (size_t i = 0; i < count; i++) {
		_cleanup_(mem_freep) char *help = arguments_help(&specs[i]);

		(void)snprintf(left, sizeof(left), "%c%c%s --%s%s%s",
			       specs[i].letter ? '-' : ' ',
			       specs[i].letter ? specs[i].letter : ' ',
			       specs[i].letter ? "," : " ", specs[i].name,
			       specs[i].argument ? " " : "",
			       specs[i].argument ? specs[i].argument : "");
		buf_printf(out, "  %-26s %s\n", left, help);
	}
}
