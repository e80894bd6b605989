#include "base/mem.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/get_call.h"
#include "call/guess.h"
#include "read/doc.h"
#include "text/exit_status.h"
#include "text/explain_text.h"
#include "text/output.h"
#include "value/json.h"

struct explain {
	bool env, reveal, json;
};

static const struct option_spec options[] = {
	{"env", 'e', OPTION_FLAG, offsetof(struct explain, env), NULL,
	 "resolve with my environment, not the daemon's"},
	{"reveal", 'r', OPTION_FLAG, offsetof(struct explain, reveal), NULL,
	 "print secrets, or fail without the right"},
	{"json", 'j', OPTION_FLAG, offsetof(struct explain, json), NULL,
	 "print all of it as JSON"},
};

static void write_question(struct buf *out, const struct client *client,
			   const char *path, const struct explain *o)
{
	buf_putc(out, '{');
	json_add_optional_string(out, "path", path);
	json_add_optional_string(out, "workspace", client->workspace);
	if (o->reveal)
		json_add_bool(out, "reveal", true);
	if (o->env)
		get_call_add_environment(out);
	buf_putc(out, '}');
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct explain *explain = fields;
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(buf_deinit) struct buf question = BUF_INIT, out = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int status = channel_open(&channel, client);

	write_question(&question, client, argc ? argv[0] : NULL, explain);
	if (status == EXIT_DONE)
		status = channel_call(&channel, "Explain", &question, &answer);
	if (channel_failed_with(&channel, CHANNEL_OVER_QUOTA))
		channel.hint = "name a PATH that has less below it";
	if (status != EXIT_DONE)
		return guess_complain(client, &channel, status,
				      argc ? argv[0] : NULL);
	get_answer_warn(&(struct get_answer){.doc = answer});
	if (explain->json)
		output_add_json(&out, answer->root);
	else
		explain_text_write(&out, answer->root);
	return output_show(buf_str(&out));
}

const struct command cmd_explain = {
	.name = "explain",
	.synopsis = "[PATH] [--env] [--reveal] [--json]",
	.summary = "show why each value is what it is, and what it overrides",
	.details = "For each value at or below PATH (everything without it): "
		   "where it was written, and\n"
		   "below it what weaker layers say, strongest first:\n"
		   "  sdk.aws.s3.region  \"eu-west-1\"  vault team:3:12\n"
		   "    overrides        \"us-east-1\"  file "
		   "/home/jane/clearml.conf:12:18\n"
		   "  agent.worker_id    \"box-7\"      protected "
		   "/home/jane/clearml.conf:20:16\n"
		   "    overrides        \"pool\"       vault team:9:20\n"
		   "    note: agent-owned key: what a vault says of it is "
		   "ignored\n"
		   "A place is a file with line and column, a vault with the "
		   "same, "
		   "or a variable. Long\n"
		   "values are cut; --json has them whole. Secrets are masked "
		   "unless --reveal asks for\n"
		   "them.\n"
		   "\n"
		   "With --env what counts is as for a program of yours: your "
		   "variables in place of those\n"
		   "of the daemon.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct explain),
	.arguments_max = 1,
	.secret = true,
	.run = run,
};
