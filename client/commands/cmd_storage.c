#include "base/mem.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/get_call.h"
#include "call/simple_call.h"
#include "read/doc.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/storage_text.h"
#include "value/json.h"
#include "value/value.h"

struct storage_options {
	bool reveal, env, json;
};

static const struct option_spec options[] = {
	{"reveal", 'r', OPTION_FLAG, offsetof(struct storage_options, reveal),
	 NULL, "print secrets, or fail without the right"},
	{"env", 'e', OPTION_FLAG, offsetof(struct storage_options, env), NULL,
	 "resolve with this process's environment, not the daemon's"},
	{"json", 'j', OPTION_FLAG, offsetof(struct storage_options, json), NULL,
	 "print the Storage object as JSON"},
};

static void write_question(struct buf *out, const struct client *client,
			   const char *uri, const struct storage_options *o)
{
	buf_putc(out, '{');
	json_add_string(out, "uri", uri);
	json_add_optional_string(out, "workspace", client->workspace);
	if (o->reveal)
		json_add_bool(out, "reveal", true);
	if (o->env)
		get_call_add_environment(out);
	buf_putc(out, '}');
}

/* The only parameter that can be wrong is the URI. */
static int complain_about(struct channel *channel, int status, const char *uri)
{
	if (channel_failed_with(channel, CHANNEL_PARAMETER_REFUSED))
		return complain(EXIT_USAGE,
				"'%s' is no URI of a storage that ClearML has "
				"credentials for: s3://BUCKET/PATH, "
				"s3://HOST:PORT/BUCKET/PATH, gs://BUCKET/PATH "
				"or azure://ACCOUNT/CONTAINER/PATH",
				uri);
	if (channel_failed_with(channel, CHANNEL_BROKEN))
		channel->hint = "ClearML finds no credentials at all until "
				"this is mended";
	return channel_complain(channel, status);
}

static int print(const struct value *storage, bool json)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (!value_is(storage, VALUE_OBJECT))
		return complain(EXIT_FAILED,
				"the daemon's answer holds no storage; are "
				"clearconf and clearconfd of one version?");
	if (json)
		return simple_call_print_json(storage);
	storage_text_write(&out, storage);
	return output_show(buf_str(&out));
}

static int resolve(const struct client *client, const char *uri,
		   const struct storage_options *o)
{
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(buf_deinit) struct buf question = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int status = channel_open(&channel, client);

	write_question(&question, client, uri, o);
	if (status == EXIT_DONE)
		status = channel_call(&channel, "ResolveStorage", &question,
				      &answer);
	if (status != EXIT_DONE)
		return complain_about(&channel, status, uri);
	return print(value_get(answer->root, STR("storage")), o->json);
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct storage_options *o = fields;

	if (argc < 1)
		return complain(EXIT_USAGE, "a URI is missing: see 'clearconf "
					    "storage --help'");
	if (str_utf8_invalid(str_from(argv[0])) < strlen(argv[0]))
		return complain(EXIT_USAGE, "the URI is not UTF-8");
	return resolve(client, argv[0], o);
}

const struct command cmd_storage = {
	.name = "storage",
	.synopsis = "URI [--env] [--reveal] [--json]",
	.summary = "show which credentials ClearML uses for a URI, and why",
	.details =
		"URI is where a model or artifact is: s3://BUCKET/PATH, "
		"s3://HOST:PORT/BUCKET/PATH,\n"
		"gs://BUCKET/PATH, azure://ACCOUNT/CONTAINER/PATH or\n"
		"https://ACCOUNT.blob.core.windows.net/CONTAINER/PATH. For "
		"BUCKET/PATH ClearML's S3\n"
		"code has the defaults; its tasks take that for a local "
		"file.\n"
		"\n"
		"Prints the settings of the entry that ClearML's storage code "
		"picks from sdk.aws.s3,\n"
		"sdk.google.storage or sdk.azure.storage, the place where it "
		"is written, and why it picks\n"
		"none of the others. Secrets are masked unless --reveal asks "
		"for them.\n"
		"\n"
		"Exit status 3: no entry is for this URI (Azure; the others "
		"have defaults). The variables\n"
		"AWS_*, AZURE_STORAGE_* and GOOGLE_APPLICATION_CREDENTIALS "
		"are those of the daemon; with\n"
		"--env those of this process, and none of the daemon's.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct storage_options),
	.arguments_max = 1,
	.secret = true,
	.run = run,
};
