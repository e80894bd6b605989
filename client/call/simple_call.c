#include "call/simple_call.h"

#include "base/mem.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/progress.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "value/json.h"

static void add_parameters(struct buf *parameters, const struct client *client,
			   const struct simple_call *call)
{
	buf_putc(parameters, '{');
	if (call->members)
		buf_add_str(parameters, buf_str(call->members));
	if (!call->of_all)
		json_add_optional_string(parameters, "workspace",
					 client->workspace);
	buf_putc(parameters, '}');
}

int simple_call_run(const struct client *client, const struct simple_call *call,
		    struct doc **answer)
{
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	_cleanup_(channel_deinit) struct channel channel = {0};
	struct progress progress;
	int status = channel_open(&channel, client);

	add_parameters(&parameters, client, call);
	progress_begin(&progress);
	if (status == EXIT_DONE)
		status = channel_call(&channel, call->method, &parameters,
				      answer);
	progress_end(&progress);
	if (status == EXIT_DONE)
		return status;
	if (call->refused &&
	    channel_failed_with(&channel, CHANNEL_PARAMETER_REFUSED))
		return complain(status, "%s", call->refused);
	return channel_complain(&channel, status);
}

int simple_call_plain(const struct client *client, const char *method,
		      struct doc **answer)
{
	return simple_call_run(client, &(struct simple_call){.method = method},
			       answer);
}

int simple_call_print_json(const struct value *answer)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	output_add_json(&out, answer);
	return output_show(buf_str(&out));
}
