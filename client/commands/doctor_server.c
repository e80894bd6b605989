/* The part of `doctor` about workspaces: logins, servers, clock and layers. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "call/channel.h"
#include "call/command.h"
#include "commands/doctor.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/arriving_text.h"
#include "text/exit_status.h"
#include "text/key_text.h"
#include "value/json.h"
#include "value/value.h"

#define SKEW_MAX    60
#define TOKEN_LASTS 60
#define TIMEOUT_MAX 10000

/* --- logins --------------------------------------------------------------- */

/* "key ABCD**** (from /etc/x.conf:3)", or "no key". */
static void write_key(struct buf *out, const struct value *workspace)
{
	const struct value *origin =
		value_get(workspace, STR("access_key_origin"));
	struct str key = answer_text(workspace, "access_key");
	struct str source = answer_text(origin, "source");
	int64_t line = answer_int(origin, "line", 0);

	if (!key.len) {
		buf_puts(out, "no key");
		return;
	}
	buf_puts(out, "key ");
	key_text_add(out, key);
	if (!source.len)
		return;
	buf_printf(out, " (from %.*s", STR_PRINT(source));
	if (line)
		buf_printf(out, ":%lld", (long long)line);
	buf_putc(out, ')');
}

static void say_without_server(struct doctor *doctor,
			       const struct value *workspace)
{
	doctor_say(doctor, DOCTOR_WARNING,
		   "login: workspace %.*s asks no server: %.*s",
		   STR_PRINT(answer_text(workspace, "name")),
		   STR_PRINT(answer_text(workspace, "unasked")));
}

/* What the configuration names, but is not in force. */
static void look_at_candidate(struct doctor *doctor,
			      const struct value *workspace)
{
	_cleanup_(buf_deinit) struct buf key = BUF_INIT;
	const struct value *login = value_get(workspace, STR("new_login"));
	struct str error = answer_text(login, "last_error");

	if (!value_is(login, VALUE_OBJECT))
		return;
	write_key(&key, login);
	doctor_say(doctor, error.len ? DOCTOR_PROBLEM : DOCTOR_UNSURE,
		   "login: workspace %.*s is to log in anew, with %s, at %.*s: "
		   "%.*s; until that works the login before it stays in force",
		   STR_PRINT(answer_text(workspace, "name")), buf_str(&key).ptr,
		   STR_PRINT(answer_text(login, "api_server")),
		   STR_PRINT(error.len ? error : STR("no answer yet")));
}

static void look_at_login(struct doctor *doctor, const struct value *workspace)
{
	_cleanup_(buf_deinit) struct buf key = BUF_INIT;
	const struct value *server = value_get(workspace, STR("server"));
	struct str name = answer_text(workspace, "name");
	struct str state = answer_text(workspace, "state");
	struct str error = answer_text(server, "last_error");

	if (!value_is(server, VALUE_OBJECT)) {
		say_without_server(doctor, workspace);
		return;
	}
	write_key(&key, workspace);
	if (str_is(state, "ready") || !error.len)
		doctor_say(doctor, DOCTOR_OK,
			   "login: workspace %.*s, %s, at %.*s",
			   STR_PRINT(name), buf_str(&key).ptr,
			   STR_PRINT(answer_text(server, "api_server")));
	else
		doctor_say(doctor, DOCTOR_PROBLEM,
			   "login: workspace %.*s is %.*s, with %s, at %.*s: "
			   "%.*s",
			   STR_PRINT(name), STR_PRINT(state), buf_str(&key).ptr,
			   STR_PRINT(answer_text(server, "api_server")),
			   STR_PRINT(error));
}

/* On purpose, but a host that goes another way than the server says is what
 * people look for. */
static void look_at_arrivals(struct doctor *doctor,
			     const struct value *workspace)
{
	const struct value *list = value_get(workspace, STR("arriving"));

	for (uint32_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count;
	     i++) {
		_cleanup_(buf_deinit) struct buf text = BUF_INIT;
		const struct value *arrival = list->list.items[i];

		arriving_text_add(&text, arrival);
		doctor_say(doctor,
			   answer_int(arrival, "until", 0) ? DOCTOR_ADVICE
							   : DOCTOR_WARNING,
			   "vaults: workspace %.*s does not serve %.*s: see "
			   "'clearconf change'",
			   STR_PRINT(answer_text(workspace, "name")),
			   STR_PRINT(buf_str(&text)));
	}
}

static void look_at_expiry(struct doctor *doctor, const struct value *workspace)
{
	int64_t left = answer_int(workspace, "access_key_expires", 0) -
		       (int64_t)time(NULL);

	if (!answer_bool(workspace, "access_key_runs_out"))
		return;
	doctor_say(doctor, left > 0 ? DOCTOR_WARNING : DOCTOR_PROBLEM,
		   "login: the key of workspace %.*s %s%lld h%s: make another "
		   "one, see 'clearconf credentials --help'",
		   STR_PRINT(answer_text(workspace, "name")),
		   left > 0 ? "expires in " : "expired ",
		   (long long)llabs(left) / 3600, left > 0 ? "" : " ago");
}

void doctor_look_at_logins(struct doctor *doctor)
{
	doctor_each_workspace(doctor, look_at_login);
	doctor_each_workspace(doctor, look_at_expiry);
	doctor_each_workspace(doctor, look_at_arrivals);
	doctor_each_workspace(doctor, look_at_candidate);
}

/* --- ports and names ------------------------------------------------------ */

/* What ClearML's servers are, and what people take for them. */
static const struct {
	struct str begin, end; /* of "host:port" */
	const char *what, *instead;
} mix_ups[] = {
	{STR(""), STR(":8080"), "port 8080 is the web interface's",
	 "the API is at port 8008"},
	{STR(""), STR(":8081"), "port 8081 is the file server's",
	 "the API is at port 8008"},
	{STR("app."), STR(""), "app. is the web interface's name",
	 "the API is at api."},
	{STR("files."), STR(""), "files. is the file server's name",
	 "the API is at api."},
};

/* "host:port" of a URL. */
static struct str authority_of(struct str url)
{
	const char *scheme =
		url.len ? memmem(url.ptr, url.len, "://", 3) : NULL;
	struct str rest =
		scheme ? str_from_offset(url, (size_t)(scheme - url.ptr) + 3)
		       : url;
	const char *slash = rest.len ? memchr(rest.ptr, '/', rest.len) : NULL;

	return slash ? (struct str){rest.ptr, (size_t)(slash - rest.ptr)}
		     : rest;
}

static void look_at_port(struct doctor *doctor, const struct value *workspace)
{
	const struct value *server = value_get(workspace, STR("server"));
	struct str url = answer_text(server, "api_server");
	struct str authority = authority_of(url);

	for (size_t i = 0; i < ARRAY_SIZE(mix_ups); i++)
		if (url.len && str_starts(authority, mix_ups[i].begin) &&
		    str_ends(authority, mix_ups[i].end))
			doctor_say(
				doctor, DOCTOR_PROBLEM,
				"server: api.api_server of workspace %.*s is "
				"%.*s, but %s: %s",
				STR_PRINT(answer_text(workspace, "name")),
				STR_PRINT(url), mix_ups[i].what,
				mix_ups[i].instead);
}

void doctor_look_at_ports(struct doctor *doctor)
{
	doctor_each_workspace(doctor, look_at_port);
}

/* --- the clock ------------------------------------------------------------ */

/* The server says when a token expires that lasts a minute. Needs the right
 * `secrets`; whoever has it not is told so. */
static int ask_token(struct doctor *doctor, struct doc **answer)
{
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	_cleanup_(channel_deinit) struct channel channel = {0};
	struct client client = *doctor->client;
	int status;

	if (client.timeout_ms < 0 || client.timeout_ms > TIMEOUT_MAX)
		client.timeout_ms = TIMEOUT_MAX;
	buf_putc(&parameters, '{');
	json_add_int(&parameters, "lifetime", TOKEN_LASTS);
	json_add_optional_string(&parameters, "workspace", client.workspace);
	buf_putc(&parameters, '}');
	status = channel_open(&channel, &client);
	if (status == EXIT_DONE)
		status =
			channel_call(&channel, "GetToken", &parameters, answer);
	return status;
}

void doctor_look_at_clock(struct doctor *doctor)
{
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	int64_t expires, skew;
	int status;

	if (!doctor->status)
		return;
	status = ask_token(doctor, &answer);
	expires = status == EXIT_DONE
			  ? answer_int(answer->root, "expires_at", 0)
			  : 0;
	if (!expires) {
		doctor_say(doctor, DOCTOR_UNSURE,
			   "clock: not compared with the server's (%s)",
			   status == EXIT_DENIED
				   ? "this needs the right 'secrets'"
				   : "it made no token");
		return;
	}
	skew = time(NULL) - (expires - TOKEN_LASTS);
	if (llabs(skew) <= SKEW_MAX)
		doctor_say(doctor, DOCTOR_OK,
			   "clock: it agrees with the server's");
	else
		doctor_say(doctor, DOCTOR_PROBLEM,
			   "clock: this host is %lld s %s the server: set the "
			   "clock, or tokens expire too early or too late",
			   llabs(skew), skew > 0 ? "ahead of" : "behind");
}

/* --- etcd ----------------------------------------------------------------- */

/* How old the documents that are served may be: ", served are those of 40 s
 * ago". */
static void write_lag(struct buf *out, const struct value *status)
{
	int64_t lag =
		answer_int(value_get(status, STR("counters")), "site_lag", -1);

	if (lag < 0)
		buf_puts(out, "; none of its documents is served");
	else
		buf_printf(out, "; its documents of %lld s ago are served",
			   (long long)lag);
}

/* Nothing is served less for it. */
static void look_at_report(struct doctor *doctor, const struct value *report)
{
	struct str state = answer_text(report, "state");
	struct str error = answer_text(report, "last_error");
	struct str rival = answer_text(report, "rival");
	int64_t clock = answer_int(report, "clock", 0);

	if (str_is(state, "failed") || str_is(state, "taken"))
		doctor_say(doctor, DOCTOR_WARNING,
			   "site: this host does not report: %.*s",
			   STR_PRINT(error));
	else if (error.len)
		doctor_say(doctor, DOCTOR_WARNING, "site: %.*s",
			   STR_PRINT(error));
	if (rival.len)
		doctor_say(doctor, DOCTOR_WARNING,
			   "site: machine %.*s would report under this host's "
			   "name: give each host a name of its own",
			   STR_PRINT(rival));
	if (clock)
		doctor_say(doctor, DOCTOR_WARNING,
			   "site: this host's clock is %lld s %s etcd's",
			   llabs((long long)clock),
			   clock > 0 ? "ahead of" : "behind");
}

void doctor_look_at_site(struct doctor *doctor)
{
	_cleanup_(buf_deinit) struct buf lag = BUF_INIT;
	const struct value *site = value_get(doctor->status, STR("site"));
	struct str endpoint = answer_text(site, "endpoint");
	struct str state = answer_text(site, "state");
	struct str error = answer_text(site, "last_error");

	if (!value_is(site, VALUE_OBJECT))
		return;
	look_at_report(doctor, value_get(site, STR("report")));
	if (str_is(state, "ready")) {
		doctor_say(doctor, DOCTOR_OK,
			   "site: etcd at %.*s is watched, at revision %lld",
			   STR_PRINT(endpoint),
			   (long long)answer_int(site, "revision", 0));
		return;
	}
	write_lag(&lag, doctor->status);
	doctor_say(doctor, DOCTOR_PROBLEM, "site: etcd%s%.*s is %.*s: %.*s%s",
		   endpoint.len ? " at " : "", STR_PRINT(endpoint),
		   STR_PRINT(state),
		   STR_PRINT(error.len ? error : STR("no answer yet")),
		   buf_str(&lag).ptr);
}

/* --- layers --------------------------------------------------------------- */

static void look_at_layer(struct doctor *doctor, const struct value *layer)
{
	struct str state = answer_text(layer, "state");
	struct str description = answer_text(layer, "description");
	struct str source =
		description.len ? description : answer_text(layer, "source");
	struct str error = answer_text(layer, "error");
	int64_t line = answer_int(layer, "line", 0);
	char at[40] = "";

	if (line)
		(void)snprintf(at, sizeof(at), " at line %lld",
			       (long long)line);
	if (str_is(state, "broken"))
		doctor_say(doctor, DOCTOR_PROBLEM,
			   "layer: %.*s (%.*s) is broken%s: %.*s; %s",
			   STR_PRINT(answer_text(layer, "layer")),
			   STR_PRINT(source), at, STR_PRINT(error),
			   value_get(layer, STR("age"))
				   ? "what it said before is served"
				   : "nothing of it is served");
	else if (error.len)
		doctor_say(doctor, DOCTOR_WARNING, "layer: %.*s (%.*s)%s: %.*s",
			   STR_PRINT(answer_text(layer, "layer")),
			   STR_PRINT(source), at, STR_PRINT(error));
	else if (str_is(state, "stale"))
		doctor_say(doctor, DOCTOR_WARNING,
			   "layer: %.*s (%.*s) is %lld s old",
			   STR_PRINT(answer_text(layer, "layer")),
			   STR_PRINT(source),
			   (long long)answer_int(layer, "age", 0));
}

static void look_at_layers(struct doctor *doctor, const struct value *workspace)
{
	const struct value *layers = value_get(workspace, STR("layers"));

	if (!value_is(layers, VALUE_LIST))
		return;
	for (uint32_t i = 0; i < layers->list.count; i++)
		look_at_layer(doctor, layers->list.items[i]);
}

void doctor_look_at_layers(struct doctor *doctor)
{
	doctor_each_workspace(doctor, look_at_layers);
}
