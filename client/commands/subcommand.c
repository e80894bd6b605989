#include "commands/subcommand.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "text/complain.h"
#include "text/exit_status.h"

static const struct subcommand *find(const struct subcommand_call *call)
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

int subcommand_run(const struct subcommand_call *call,
		   const struct client *client, const void *fields)
{
	const struct subcommand *subcommand = find(call);
	const char *argument = call->words[0] ? call->words[1] : NULL;

	assert(call->subcommands);
	if (!subcommand)
		return complain_subcommand(call, call->words[0]);
	if (!subcommand->argument && argument)
		return complain(EXIT_USAGE,
				"'%s' is too many arguments: see 'clearconf "
				"%s --help'",
				argument, call->command);
	if (subcommand->argument && !subcommand->optional && !argument)
		return complain(EXIT_USAGE,
				"'%s %s' needs %s: see 'clearconf %s --help'",
				call->command, subcommand->name,
				subcommand->argument, call->command);
	return subcommand->run(client, fields, argument);
}
