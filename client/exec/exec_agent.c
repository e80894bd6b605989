#include "exec/exec_agent.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* What becomes the command it is given: the letters of its options that take
 * a word, and how many words of its own stand before the command. */
static const struct prefix {
	const char *name, *with_word;
	int words;
} prefixes[] = {
	{"chrt", "DPT", 1},  {"dumb-init", "r", 0}, {"env", "uC", 0},
	{"ionice", "cn", 0}, {"nice", "n", 0},      {"nohup", "", 0},
	{"setsid", "", 0},   {"stdbuf", "ieo", 0},  {"taskset", "", 1},
	{"tini", "pe", 0},
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_long(const char *word)
{
	return word[0] == '-' && word[1] == '-';
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

/* Whether the word after @word belongs to it: -n 5, but not -n5. */
static bool takes_next(const char *word, const char *with_word)
{
	if (is_long(word))
		return false;
	for (word++; *word; word++)
		if (strchr(with_word, *word))
			return !word[1];
	return false;
}

/* --- in front of the command ---------------------------------------------- */

static const struct prefix *find_prefix(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strcmp(base_name(word), prefixes[i].name))
			return &prefixes[i];
	return NULL;
}

static char *const *skip_options(char *const *at, const char *with_word)
{
	while (*at && is_option(*at) && strcmp(*at, "--") != 0)
		at += takes_next(*at, with_word) && at[1] ? 2 : 1;
	return *at && !strcmp(*at, "--") ? at + 1 : at;
}

static char *const *skip_prefixes(char *const *at)
{
	const struct prefix *prefix;

	while (*at && (prefix = find_prefix(*at))) {
		at = skip_options(at + 1, prefix->with_word);
		while (*at && strchr(*at, '=') && !strcmp(prefix->name, "env"))
			at++;
		for (int i = 0; *at && i < prefix->words; i++)
			at++;
	}
	return at;
}

/* --- the agent ------------------------------------------------------------ */

static bool is_agent(const char *path)
{
	return !strcmp(base_name(path), "clearml-agent") ||
	       !strcmp(base_name(path), "clearml_agent");
}

static bool is_module(const char *name)
{
	return !strcmp(name, "clearml_agent") ||
	       !strcmp(name, "clearml_agent.__main__");
}

/* python, python3, python3.12, pypy3 */
static bool is_python(const char *path)
{
	const char *name = base_name(path);
	size_t letters = strcspn(name, "0123456789.");
	struct str word = {name, letters};

	return (str_is(word, "python") || str_is(word, "pypy")) &&
	       strspn(name + letters, "0123456789.") == strlen(name + letters);
}

/* What follows -m NAME or -mNAME; @name: what stands after the letter. */
static char *const *after_module(char *const *at, const char *name)
{
	if (!*name)
		name = *++at;
	return name && is_module(name) ? at + 1 : NULL;
}

/* -c and -m end Python's options; -W and -X take the rest of the word, or the
 * next one. */
static char *const *after_python(char *const *at)
{
	for (; *at && is_option(*at); at++) {
		const char *letter = *at + strcspn(*at, "cmWX");

		if (is_long(*at))
			continue;
		if (*letter == 'c')
			return NULL;
		if (*letter == 'm')
			return after_module(at, letter + 1);
		if (*letter && !letter[1] && !*++at)
			return NULL;
	}
	return *at && is_agent(*at) ? at + 1 : NULL;
}

/* The words that the agent itself gets; NULL: the command is no agent. */
static char *const *words_of(char *const *argv)
{
	char *const *at = skip_prefixes(argv);

	if (!*at)
		return NULL;
	if (is_agent(*at))
		return at + 1;
	return is_python(*at) ? after_python(at + 1) : NULL;
}

/* --- its words ------------------------------------------------------------ */

/* Where the subcommand stands, or the end. Before it only --config-file takes
 * a word. */
static char *const *find_subcommand(char *const *at)
{
	for (; *at && is_option(*at); at++)
		if (!strncmp(*at, "--c", 3) && !strchr(*at, '=') && at[1])
			at++;
	return at;
}

/* @word is @flag, or an abbreviation that is no other flag's, with or without
 * its value. */
static bool is_flag(const char *word, const char *flag, size_t shortest)
{
	size_t length = strcspn(word, "=");

	return length >= shortest && !strncmp(word, flag, length) &&
	       length <= strlen(flag);
}

static bool has_flag(char *const *argv, const char *flag, size_t shortest)
{
	char *const *at = words_of(argv);

	for (at = at ? find_subcommand(at) : NULL; at && *at; at++)
		if (is_flag(*at, flag, shortest))
			return true;
	return false;
}

bool exec_agent_is(char *const *argv)
{
	return words_of(argv) != NULL;
}

const char *exec_agent_subcommand(char *const *argv)
{
	char *const *at = words_of(argv);

	return at ? *find_subcommand(at) : NULL;
}

bool exec_agent_is_worker(char *const *argv)
{
	const char *subcommand = exec_agent_subcommand(argv);

	return subcommand && !strcmp(subcommand, "daemon") &&
	       !has_flag(argv, "--stop", 5) && !has_flag(argv, "--status", 6);
}

bool exec_agent_is_services(char *const *argv)
{
	return exec_agent_is_worker(argv) &&
	       (has_flag(argv, "--services-mode", 4) ||
		has_flag(argv, "--dynamic-gpus", 4));
}

bool exec_agent_is_for_owners(char *const *argv)
{
	return exec_agent_is_worker(argv) &&
	       has_flag(argv, "--use-owner-token", 4);
}
