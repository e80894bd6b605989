#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "base/printable.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/progress.h"
#include "commands/doctor.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/place_text.h"
#include "value/json.h"
#include "value/value.h"

struct options {
	bool json;
};

static const struct option_spec options[] = {
	{"json", 'j', OPTION_FLAG, offsetof(struct options, json), NULL,
	 "print what was found as JSON"},
};

/* --- what is said --------------------------------------------------------- */

static const struct {
	const char *word;
	enum output_colour colour;
} verdicts[] = {
	[DOCTOR_OK] = {"ok", OUTPUT_GREEN},
	[DOCTOR_UNSURE] = {"unknown", OUTPUT_DIM},
	[DOCTOR_ADVICE] = {"advice", OUTPUT_BOLD},
	[DOCTOR_WARNING] = {"warning", OUTPUT_YELLOW},
	[DOCTOR_PROBLEM] = {"problem", OUTPUT_RED},
};

/* What two workspaces share is said once. */
static bool is_said(const struct doctor *doctor, const struct finding *finding)
{
	for (size_t i = 0; i < doctor->count; i++)
		if (doctor->findings[i].verdict == finding->verdict &&
		    !strcmp(doctor->findings[i].text, finding->text))
			return true;
	return false;
}

void doctor_say(struct doctor *doctor, enum doctor_verdict verdict,
		const char *format, ...)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct buf clean = BUF_INIT;
	struct finding finding = {verdict, NULL};
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	printable_add(&clean, buf_str(&text));
	finding.text = buf_take(&clean);
	if (is_said(doctor, &finding)) {
		mem_free(finding.text);
		return;
	}
	doctor->findings = mem_grow(doctor->findings,
				    (doctor->count + 1) * sizeof(finding));
	doctor->findings[doctor->count++] = finding;
	doctor->problems += verdict == DOCTOR_PROBLEM;
}

const char *doctor_verdict(const struct finding *finding)
{
	return verdicts[finding->verdict].word;
}

void doctor_write(struct buf *out, const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->count; i++) {
		const struct finding *finding = &doctor->findings[i];

		buf_printf(out, "%s%-8s%s ",
			   output_colour(verdicts[finding->verdict].colour),
			   doctor_verdict(finding),
			   output_colour(OUTPUT_PLAIN));
		place_text_add_home(out, str_from(finding->text));
		buf_putc(out, '\n');
	}
}

static void write_finding(struct buf *out, const struct finding *finding)
{
	const char *end = strstr(finding->text, ": ");
	size_t len = end ? (size_t)(end - finding->text) : 0;
	_cleanup_(mem_freep) char *subject = mem_strndup(finding->text, len);

	buf_putc(out, '{');
	json_add_string(out, "verdict", doctor_verdict(finding));
	json_add_string(out, "subject", subject);
	json_add_string(out, "text", finding->text + (end ? len + 2 : 0));
	buf_putc(out, '}');
}

void doctor_write_json(struct buf *out, const struct doctor *doctor)
{
	buf_putc(out, '{');
	json_add_int(out, "problems", doctor->problems);
	json_key(out, "findings");
	buf_putc(out, '[');
	for (size_t i = 0; i < doctor->count; i++) {
		buf_puts(out, i ? "," : "");
		write_finding(out, &doctor->findings[i]);
	}
	buf_puts(out, "]}\n");
}

void doctor_each_workspace(struct doctor *doctor,
			   void (*look)(struct doctor *doctor,
					const struct value *workspace))
{
	const struct value *list = value_get(doctor->status, STR("workspaces"));
	const char *name = doctor->client->workspace;

	if (!value_is(list, VALUE_LIST))
		return;
	for (uint32_t i = 0; i < list->list.count; i++)
		if (!name ||
		    str_is(answer_text(list->list.items[i], "name"), name))
			look(doctor, list->list.items[i]);
}

/* --- the daemon ----------------------------------------------------------- */

static int ask_status(struct doctor *doctor, struct channel *channel)
{
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	int status = channel_open(channel, doctor->client);

	buf_puts(&parameters, "{}");
	if (status == EXIT_DONE)
		status = channel_call(channel, "GetStatus", &parameters,
				      &doctor->answer);
	return status;
}

/* What is wrong then shows in the status, as for any poll. */
static void prove(struct doctor *doctor, const struct value *workspace)
{
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	_cleanup_(channel_deinit) struct channel channel = {0};
	struct doc *answer = NULL;
	struct str name = answer_text(workspace, "name");

	if (!value_is(value_get(workspace, STR("server")), VALUE_OBJECT) ||
	    channel_open(&channel, doctor->client) != EXIT_DONE)
		return;
	buf_puts(&parameters, "{\"workspace\":");
	json_write_string(&parameters, name);
	buf_putc(&parameters, '}');
	if (channel_call(&channel, "ProveCredentials", &parameters, &answer) ==
	    EXIT_DONE)
		(void)doc_unref(answer);
}

/* The keys are proved first: a token may outlive its key. */
static int ask_proved_status(struct doctor *doctor, struct channel *channel)
{
	int status = ask_status(doctor, channel);

	if (status != EXIT_DONE)
		return status;
	doctor->status = value_get(doctor->answer->root, STR("status"));
	doctor_each_workspace(doctor, prove);
	doctor->status = NULL;
	(void)doc_unref(TAKE(doctor->answer));
	return ask_status(doctor, channel);
}

static void look_at_daemon(struct doctor *doctor)
{
	_cleanup_(channel_deinit) struct channel channel = {0};
	struct str state;

	if (ask_proved_status(doctor, &channel) != EXIT_DONE) {
		doctor_say(doctor, DOCTOR_PROBLEM, "daemon: %s%s%s",
			   channel.handle ? clearconf_strerror(channel.handle)
					  : "out of memory",
			   channel.hint ? "; " : "",
			   channel.hint ? channel.hint : "");
		return;
	}
	doctor->status = value_get(doctor->answer->root, STR("status"));
	state = answer_text(doctor->status, "state");
	doctor_say(doctor, str_is(state, "ready") ? DOCTOR_OK : DOCTOR_WARNING,
		   "daemon: clearconfd %.*s at %s is %.*s",
		   STR_PRINT(answer_text(doctor->status, "version")),
		   clearconf_socket(channel.handle), STR_PRINT(state));
}

/* --- the command ---------------------------------------------------------- */

static void (*const looks[])(struct doctor *doctor) = {
	look_at_daemon,          doctor_look_at_logins,
	doctor_look_at_keys,     doctor_look_at_ports,
	doctor_look_at_clock,    doctor_look_at_site,
	doctor_look_at_layers,   doctor_look_at_holds,
	doctor_look_at_rights,   doctor_look_at_variables,
	doctor_look_at_dumps,    doctor_look_at_execs,
	doctor_look_at_defaults, doctor_look_at_histories,
};

void doctor_examine(struct doctor *doctor)
{
	struct progress progress;

	progress_begin(&progress);
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		looks[i](doctor);
	progress_end(&progress);
}

void doctor_deinit(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->count; i++)
		mem_free(doctor->findings[i].text);
	mem_free(doctor->findings);
	if (doctor->answer)
		(void)doc_unref(doctor->answer);
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct options *o = fields;
	_cleanup_(doctor_deinit) struct doctor doctor = {.client = client};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	int status;

	(void)argc;
	(void)argv;
	doctor_examine(&doctor);
	if (o->json)
		doctor_write_json(&out, &doctor);
	else
		doctor_write(&out, &doctor);
	status = output_show(buf_str(&out));
	return status == EXIT_DONE && doctor.problems ? EXIT_FAILED : status;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.synopsis = "[--json]",
	.summary = "look for what goes wrong in practice, and say what to do",
	.details =
		"Looks at the daemon, the logins of its workspaces, their "
		"servers, the clock, etcd, the\n"
		"layers, files that others can read, the variables of this "
		"shell, and files that\n"
		"clearconf wrote once and nobody keeps current. It changes "
		"nothing; it has the daemon\n"
		"log in anew, which proves the keys, and for the clock the "
		"server make a token that\n"
		"lasts a minute.\n"
		"\n"
		"Exit status: 0 no problem, 1 there is one. Warnings alone are "
		"no problem.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct options),
	.arguments_max = 0,
	.secret = true,
	.run = run,
};
