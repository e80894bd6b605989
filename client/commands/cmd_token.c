#include <math.h>

#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "call/simple_call.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "value/json.h"
#include "wire.h"

#define REFUSED                                                                \
	"a token lasts 60 seconds at least and 31536000 (365 days) at most: "  \
	"choose such a --lifetime, as in 10m, 2h or 30d"

struct token {
	const char *lifetime;
	bool json;
};

static const struct option_spec options[] = {
	{"lifetime", 'l', OPTION_SECONDS, offsetof(struct token, lifetime), "S",
	 "the token lasts S seconds, or as in 10m, 2h, 30d (1h)"},
	{"json", 'j', OPTION_FLAG, offsetof(struct token, json), NULL,
	 "print the daemon's answer as JSON: also when it expires"},
};

static int print(const struct value *answer)
{
	_cleanup_(buf_deinit) struct buf line = BUF_INIT;

	buf_add_str(&line, answer_text(answer, "token"));
	buf_putc(&line, '\n');
	return output_write(buf_str(&line));
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct token *o = fields;
	_cleanup_(buf_deinit) struct buf members = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	struct simple_call call = {"GetToken", &members,
				   o->lifetime ? REFUSED : NULL};
	double seconds = ceil(o->lifetime ? arguments_seconds(o->lifetime) : 0);
	int status;

	(void)argc;
	(void)argv;
	if (o->lifetime &&
	    (seconds < WIRE_TOKEN_LIFE_MIN || seconds > WIRE_TOKEN_LIFE_MAX))
		return complain(EXIT_USAGE, REFUSED);
	if (o->lifetime)
		json_add_int(&members, "lifetime", (long long)seconds);
	status = simple_call_run(client, &call, &answer);
	if (status != EXIT_DONE)
		return status;
	return o->json ? simple_call_print_json(answer->root)
		       : print(answer->root);
}

const struct command cmd_token = {
	.name = "token",
	.synopsis = "[--lifetime S] [--json]",
	.summary = "print a new token for the ClearML API",
	.details =
		"Asks the ClearML server for a token of its own and prints it "
		"bare, for a header\n"
		"'Authorization: Bearer TOKEN'. Needs the right 'secrets'.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct token),
	.arguments_max = 0,
	.secret = true,
	.run = run,
};
