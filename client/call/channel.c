#include "call/channel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "call/command.h"
#include "read/reader.h"
#include "text/complain.h"
#include "text/exit_status.h"

/* Replies wrap values as deep as the daemon's own limit. */
#define ANSWER_DEPTH 160

#define ROOT_DENIED                                                            \
	"root has every right on the host itself only, and where /proc shows " \
	"it there: see 'root' in clearconfd.conf(5)"

static const struct {
	const char *error;
	enum exit_status status;
	const char *hint;
} errors[] = {
	{WIRE_INTERFACE ".PathNotFound", EXIT_NO_PATH,
	 "'clearconf get' shows all there is"},
	{WIRE_INTERFACE ".InvalidPath", EXIT_USAGE,
	 "keys are joined by '.', a key with a special character is a JSON "
	 "string: a.\"b.c\""},
	{WIRE_INTERFACE ".UnknownWorkspace", EXIT_USAGE,
	 "'clearconf workspace' lists them, and --workspace or "
	 "$" WIRE_WORKSPACE_VARIABLE " names one"},
	{WIRE_INTERFACE ".UnknownGeneration", EXIT_NO_PATH,
	 "'clearconf log' lists what there is"},
	{WIRE_INTERFACE ".AccessDenied", EXIT_DENIED,
	 "rights are given in [access] of clearconfd.conf"},
	{CHANNEL_NOT_READY, EXIT_SERVER,
	 "'clearconf status' shows how it stands"},
	{WIRE_INTERFACE ".ServerError", EXIT_SERVER,
	 "'clearconf status' shows the state of the connection"},
	{CHANNEL_OVER_QUOTA, EXIT_FAILED,
	 "limits are set in [limits] of clearconfd.conf"},
	{WIRE_INTERFACE ".NoStorageMatch", EXIT_NO_PATH,
	 "'clearconf get sdk' shows the entries there are"},
	{CHANNEL_BROKEN, EXIT_FAILED, "'clearconfd --check' shows the place"},
	{"org.varlink.service.InterfaceNotFound", EXIT_FAILED,
	 "is this clearconfd's socket?"},
	{"org.varlink.service.MethodNotFound", EXIT_FAILED,
	 "clearconf and clearconfd are of different versions"},
	{CHANNEL_PARAMETER_REFUSED, EXIT_FAILED,
	 "clearconf and clearconfd are of different versions"},
};

/* Failures below Varlink; anything else is EXIT_FAILED. */
static const struct {
	int result;
	enum exit_status status;
	const char *hint;
} failures[] = {
	{-ENOENT, EXIT_NO_DAEMON,
	 "start clearconfd, or name its socket with --socket"},
	{-ECONNREFUSED, EXIT_NO_DAEMON,
	 "start clearconfd, or name its socket with --socket"},
	{-ENOTSOCK, EXIT_NO_DAEMON, "name the daemon's socket with --socket"},
	{-ENAMETOOLONG, EXIT_NO_DAEMON,
	 "name a shorter path with --socket, or set [daemon] socket of "
	 "clearconfd.conf to one"},
	{-EPERM, EXIT_NO_DAEMON,
	 "name a daemon of your own or the system's with --socket, or say "
	 "--any-server to trust this one"},
	{-EACCES, EXIT_NO_DAEMON, "this user may not reach the socket"},
	{-ENOTDIR, EXIT_NO_DAEMON, "name the daemon's socket with --socket"},
	{-EPROTOTYPE, EXIT_NO_DAEMON, "name the daemon's socket with --socket"},
	{-ECONNRESET, EXIT_NO_DAEMON, "see the log of clearconfd"},
	{-ETIMEDOUT, EXIT_FAILED, "wait longer with --timeout"},
};

static int fail_by_errno(struct channel *channel, int result)
{
	channel->result = result;
	channel->error = channel->hint = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		if (failures[i].result != result)
			continue;
		channel->hint = failures[i].hint;
		return failures[i].status;
	}
	return EXIT_FAILED;
}

static int fail_by_reply(struct channel *channel, const char *error)
{
	channel->result = CLEARCONF_E_ERROR;
	channel->error = channel->hint = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (strcmp(errors[i].error, error) != 0)
			continue;
		channel->error = errors[i].error;
		channel->hint = errors[i].status == EXIT_DENIED && !geteuid()
					? ROOT_DENIED
					: errors[i].hint;
		return errors[i].status;
	}
	return EXIT_FAILED;
}

bool channel_failed_with(const struct channel *channel, const char *error)
{
	return channel->error && !strcmp(channel->error, error);
}

int channel_complain(const struct channel *channel, int status)
{
	const char *text = channel->handle ? clearconf_strerror(channel->handle)
					   : "out of memory";

	if (!channel->result)
		return status;
	if (channel->hint)
		return complain(status, "%s; %s", text, channel->hint);
	return complain(status, "%s", text);
}

int channel_open(struct channel *channel, const struct client *client)
{
	int r = 0;

	if (!channel->handle)
		r = clearconf_new(&channel->handle);
	if (r < 0)
		return fail_by_errno(channel, r);
	clearconf_set_timeout(channel->handle, client->timeout_ms);
	clearconf_allow_any_server(channel->handle, client->any_server);
	channel->result = 0;
	channel->error = channel->hint = NULL;
	r = clearconf_connect(channel->handle, client->socket);
	return r < 0 ? fail_by_errno(channel, r) : EXIT_DONE;
}

void channel_deinit(struct channel *channel)
{
	if (channel->watch)
		clearconf_watch_free(channel->watch);
	else
		clearconf_free(channel->handle);
	*channel = (struct channel){0};
}

static int parse(struct str text, struct doc **answer)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct read_options options = {
		.format = READ_JSON,
		.dialect = READ_STRICT,
		.limits = READ_LIMITS_DEFAULT,
	};

	options.limits.bytes = text.len + 1;
	options.limits.depth = ANSWER_DEPTH;
	options.limits.values = 0;
	if (read_text(answer, "answer", text, &options, &diag) == 0)
		return EXIT_DONE;
	return complain(EXIT_FAILED,
			"cannot read the daemon's answer (%s at byte %u); "
			"are clearconf and clearconfd of one version?",
			diag.text, diag.pos.column);
}

/* The outcome of a call, as a tree. */
static int conclude(struct channel *channel, int result,
		    const struct clearconf_reply *reply, struct doc **answer)
{
	if (result < 0)
		return fail_by_errno(channel, result);
	if (result == CLEARCONF_E_ERROR)
		return fail_by_reply(channel, reply->error);
	channel->result = 0;
	channel->error = channel->hint = NULL;
	return parse((struct str){reply->parameters, reply->parameters_len},
		     answer);
}

static const char *full_name(char *name, size_t size, const char *method)
{
	(void)snprintf(name, size, "%s.%s", WIRE_INTERFACE, method);
	return name;
}

int channel_call(struct channel *channel, const char *method,
		 struct buf *parameters, struct doc **answer)
{
	struct clearconf_reply reply;
	char name[64];
	int r = clearconf_call(channel->handle,
			       full_name(name, sizeof(name), method),
			       buf_str(parameters).ptr, &reply);

	return conclude(channel, r, &reply, answer);
}

int channel_send(struct channel *channel, const char *method,
		 struct buf *parameters)
{
	char name[64];
	int r = clearconf_send(channel->handle,
			       full_name(name, sizeof(name), method),
			       buf_str(parameters).ptr, true);

	return r < 0 ? fail_by_errno(channel, r) : EXIT_DONE;
}

int channel_follow(struct channel *channel, const struct client *client,
		   struct buf *parameters)
{
	int r;

	channel_deinit(channel);
	r = clearconf_watch_new(&channel->watch, client->socket,
				WIRE_INTERFACE ".Watch",
				buf_str(parameters).ptr);
	if (r < 0)
		return fail_by_errno(channel, r);
	channel->handle = clearconf_watch_get_handle(channel->watch);
	clearconf_set_timeout(channel->handle, client->timeout_ms);
	clearconf_allow_any_server(channel->handle, client->any_server);
	return EXIT_DONE;
}

static int wait_for_reply(struct channel *channel, int timeout_ms,
			  struct clearconf_reply *reply)
{
	int r;

	if (!channel->watch) {
		clearconf_set_timeout(channel->handle, timeout_ms);
		return clearconf_wait(channel->handle, reply);
	}
	r = clearconf_watch_wait(channel->watch, timeout_ms, reply);
	return r == CLEARCONF_E_AGAIN ? -ETIMEDOUT : r;
}

int channel_next(struct channel *channel, int timeout_ms, struct doc **answer,
		 struct str *text)
{
	struct clearconf_reply reply = {0};
	int r = wait_for_reply(channel, timeout_ms, &reply);

	if (text && r == 0)
		*text = (struct str){reply.parameters, reply.parameters_len};
	return conclude(channel, r, &reply, answer);
}

bool channel_poll(struct channel *channel, struct doc **answer, int *status)
{
	struct clearconf_reply reply = {0};
	int r = channel->watch ? clearconf_watch_next(channel->watch, &reply)
			       : clearconf_process(channel->handle, &reply);

	if (r == CLEARCONF_E_AGAIN)
		return false;
	*status = conclude(channel, r, &reply, answer);
	return true;
}
