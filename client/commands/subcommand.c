#include "commands/subcommand.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "text/complain.h"
#include "text/exit_status.h"

const struct subcommand *subcommand_find(const struct subcommand_call *call)
{
	if (!call->words[0])
		return &call->subcommands[0];
	for (size_t i = 0; i < call->count; i++)
		if (!strcmp(call->subcommands[i].name, call->words[0]))
			return &call->subcommands[i];
	return NULL;
}

static int complain_subcommand(const struct subcommand_call *call,
			       const char *word)
{
	struct suggest near = SUGGEST_FOR(str_from(word));
	_cleanup_(mem_freep) char *guess = NULL;

	for (size_t i = 0; i < call->count; i++)
		suggest_offer(&near, call->subcommands[i].name);
	guess = suggest_text(&near, "");
	return complain(EXIT_USAGE,
			"'%s' is nothing that %s does%s: see 'clearconf %s "
			"--help'",
			word, call->command, guess, call->command);
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

int subcommand_run(const struct subcommand_call *call,
		   const struct client *client, const void *fields)
{
	const struct subcommand *subcommand = subcommand_find(call);
	char **words = call->words[0] ? call->words + 1 : call->words;

	assert(call->subcommands);
	if (!subcommand)
		return complain_subcommand(call, call->words[0]);
	if (surplus(subcommand, words))
		return complain(EXIT_USAGE,
				"'%s' is too many arguments: see 'clearconf "
				"%s --help'",
				surplus(subcommand, words), call->command);
	if (lacks(subcommand, words))
		return complain(EXIT_USAGE,
				"'%s %s' needs %s: see 'clearconf %s --help'",
				call->command, subcommand->name,
				lacks(subcommand, words), call->command);
	if (subcommand->run_two)
		return subcommand->run_two(client, fields, words[0], words[1]);
	return subcommand->run(client, fields, words[0]);
}
