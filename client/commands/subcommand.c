#include "commands/subcommand.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "call/arguments.h"
#include "call/command.h"
#include "text/complain.h"
#include "text/exit_status.h"

const struct subcommand *subcommand_find(const struct subcommand_call *call)
{
	if (!call->words[0])
		return &call->command->subcommands[0];
	for (size_t i = 0; i < call->command->verb_count; i++)
		if (!strcmp(call->command->subcommands[i].name, call->words[0]))
			return &call->command->subcommands[i];
	return NULL;
}

static int complain_subcommand(const struct subcommand_call *call,
			       const char *word)
{
	struct suggest near = SUGGEST_FOR(str_from(word));
	_cleanup_(mem_freep) char *guess = NULL;

	for (size_t i = 0; i < call->command->verb_count; i++)
		suggest_offer(&near, call->command->subcommands[i].name);
	guess = suggest_text(&near, "");
	return complain(EXIT_USAGE,
			"'%s' is nothing that %s does%s: see 'clearconf %s "
			"--help'",
			word, call->command->name, guess, call->command->name);
}

/* What of its arguments is missing, for people; NULL: nothing. */
static const char *lacks(const struct subcommand *subcommand, char **words)
{
	if (subcommand->argument && !subcommand->optional && !words[0])
		return subcommand->argument;
	return subcommand->second && !words[1] ? subcommand->second : NULL;
}

/* The first word that is too many; NULL: none is. */
static const char *surplus(const struct subcommand *subcommand, char **words)
{
	for (int taken = !!subcommand->argument + !!subcommand->second;
	     taken && *words; taken--)
		words++;
	return *words;
}

/* "put, rm": is @verb one of them? */
static bool has_verb(const char *verbs, const char *verb)
{
	size_t len = strlen(verb);
	const char *found = strstr(verbs, verb);

	while (found && ((found > verbs && found[-1] != ' ') ||
			 (found[len] && found[len] != ',')))
		found = strstr(found + 1, verb);
	return found;
}

/* The first option that was given and is not @verb's; NULL: none is. */
static const struct option_spec *stray_option(const struct command *command,
					      const char *verb,
					      const void *fields)
{
	const struct option_spec *spec = command->options;

	for (size_t i = 0; i < command->option_count; i++, spec++)
		if (spec->verbs && arguments_have(spec, fields) &&
		    !has_verb(spec->verbs, verb))
			return spec;
	return NULL;
}

/* "--force is for 'site put', 'rm' and 'revert'" */
static int complain_option(const struct command *command,
			   const struct option_spec *spec)
{
	_cleanup_(buf_deinit) struct buf list = BUF_INIT;
	const char *verb = spec->verbs, *end;

	buf_printf(&list, "'%s ", command->name);
	for (; (end = strstr(verb, ", ")); verb = end + 2)
		buf_printf(&list, "%.*s'%s'", (int)(end - verb), verb,
			   strstr(end + 2, ", ") ? ", " : " and ");
	return complain(EXIT_USAGE,
			"--%s is for %s%s': see 'clearconf %s --help'",
			spec->name, buf_str(&list).ptr, verb, command->name);
}

int subcommand_run(const struct subcommand_call *call,
		   const struct client *client, const void *fields)
{
	const struct subcommand *subcommand = subcommand_find(call);
	const struct option_spec *stray;
	char **words = call->words[0] ? call->words + 1 : call->words;

	assert(call->command->subcommands);
	if (!subcommand)
		return complain_subcommand(call, call->words[0]);
	stray = stray_option(call->command, subcommand->name, fields);
	if (stray)
		return complain_option(call->command, stray);
	if (surplus(subcommand, words))
		return complain(EXIT_USAGE,
				"'%s' is too many arguments: see 'clearconf "
				"%s --help'",
				surplus(subcommand, words),
				call->command->name);
	if (lacks(subcommand, words))
		return complain(EXIT_USAGE,
				"'%s %s' needs %s: see 'clearconf %s --help'",
				call->command->name, subcommand->name,
				lacks(subcommand, words), call->command->name);
	if (subcommand->run_two)
		return subcommand->run_two(client, fields, words[0], words[1]);
	return subcommand->run(client, fields, words[0]);
}
