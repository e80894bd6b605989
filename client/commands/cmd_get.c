#include "base/mem.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/get_call.h"
#include "call/guess.h"
#include "render/render.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/terminal.h"

struct get {
	bool env, mask, reveal, json;
	const char *fallback, *format;
};

static const struct option_spec options[] = {
	{"env", 'e', OPTION_FLAG, offsetof(struct get, env), NULL,
	 "resolve with my environment, not the daemon's"},
	{"mask", 'm', OPTION_FLAG, offsetof(struct get, mask), NULL,
	 "show secrets as ****, whatever my rights"},
	{"reveal", 'r', OPTION_FLAG, offsetof(struct get, reveal), NULL,
	 "show secrets on a terminal too, or fail without the right"},
	{"default", 'd', OPTION_TEXT, offsetof(struct get, fallback), "VALUE",
	 "print VALUE when there is nothing at PATH"},
	{"format", 'f', OPTION_FORMAT, offsetof(struct get, format), "FORMAT",
	 RENDER_FORMAT_NAMES},
	{"json", 'j', OPTION_FLAG, offsetof(struct get, json), NULL,
	 "the same as --format json"},
};

/* Into a pipe or a file goes what is asked for; on a screen others may look on.
 */
static enum get_secrets secrets_of(const struct get *get)
{
	if (get->reveal)
		return GET_REAL;
	return get->mask || terminal_is_there() ? GET_MASKED : GET_ALLOWED;
}

static int print(const struct get_answer *answer, const struct get *get,
		 const char *path)
{
	_cleanup_(rendering_deinit) struct rendering rendering = {.at = path};
	int status;

	if (get_answer_is_starting(answer))
		complain_warning("the vaults are not in yet (state starting): "
				 "values may still change");
	if (secrets_of(get) == GET_ALLOWED && get_answer_hides_secret(answer))
		return complain(EXIT_DENIED,
				"access denied: the answer holds secrets; get "
				"the right 'secrets' from the administrator, "
				"or see them masked with --mask");
	status = output_render(&rendering, answer->value,
			       get->json ? "json" : get->format);
	if (status == EXIT_DONE)
		status = output_show(buf_str(&rendering.text));
	if (!get->mask && get_answer_hides_secret(answer))
		complain_warning("secrets are masked on a terminal: --reveal "
				 "shows them");
	return status;
}

static int print_fallback(const char *fallback)
{
	_cleanup_(buf_deinit) struct buf line = BUF_INIT;

	buf_printf(&line, "%s\n", fallback);
	return output_write(buf_str(&line));
}

/* Is a file broken with nothing good to stand for it? Then what the daemon has
 * is not what ClearML would, which stops there: that is said. Other views are
 * refused for it; with an environment this one is, too. */
static bool complain_of_lost(const struct client *client,
			     struct get_question question)
{
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(get_answer_deinit) struct get_answer merged = {0};
	int status = channel_open(&channel, client);

	question.view = GET_VIEW_MERGED;
	question.secrets = GET_MASKED;
	if (status == EXIT_DONE)
		status = get_call(&channel, &question, &merged);
	if (!channel_failed_with(&channel, CHANNEL_BROKEN))
		return false;
	(void)channel_complain(&channel, status);
	return true;
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct get *get = fields;
	struct get_question question = {
		.path = argc ? argv[0] : NULL,
		.workspace = client->workspace,
		.environment = get->env,
		.secrets = secrets_of(get),
	};
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(get_answer_deinit) struct get_answer answer = {0};
	int status;

	if (get->mask && get->reveal)
		return complain(EXIT_USAGE, "--mask or --reveal, not both");
	if (get->json && get->format)
		return complain(EXIT_USAGE, "--json or --format, not both");
	status = channel_open(&channel, client);
	if (status == EXIT_DONE)
		status = get_call(&channel, &question, &answer);
	if (status != EXIT_DONE && status != EXIT_NO_PATH)
		return channel_complain(&channel, status);
	if (!get->env && !str_is(answer.state, "ready") &&
	    complain_of_lost(client, question))
		return EXIT_FAILED;
	if (status == EXIT_NO_PATH)
		return get->fallback ? print_fallback(get->fallback)
				     : guess_complain(client, &channel, status,
						      question.path);
	get_answer_warn(&answer);
	return print(&answer, get, question.path);
}

const struct command cmd_get = {
	.name = "get",
	.synopsis = "[PATH] [--env] [--mask | --reveal] [--default VALUE]\n"
		    "                     [--format FORMAT | --json]",
	.summary = "print a value of the configuration, or all of it",
	.details =
		"PATH is keys joined by '.', a key with a special character "
		"as a JSON string:\n"
		"sdk.aws.s3.region, a.\"b.c\", rules.0.host. Without PATH: "
		"everything.\n"
		"\n"
		"A single value is printed bare (raw), an object or a list as "
		"JSON. A value that\n"
		"holds secrets you may not see is an error (exit status 5), "
		"unless --mask accepts\n"
		"**** in their place. On a terminal secrets are masked, and "
		"--reveal shows them.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct get),
	.arguments_max = 1,
	.secret = true,
	.run = run,
};
