#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/command.h"
#include "commands/doctor.h"
#include "read/doc.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/explain_text.h"
#include "text/key_text.h"
#include "text/log_text.h"
#include "text/output.h"
#include "text/report_html.h"
#include "text/status_text.h"
#include "text/target.h"
#include "value/json.h"
#include "value/value.h"

struct report_options {
	const char *html;
	bool json;
};

static const struct option_spec options[] = {
	{"html", '\0', OPTION_PATH, offsetof(struct report_options, html),
	 "FILE", "write one static page"},
	{"json", 'j', OPTION_FLAG, offsetof(struct report_options, json), NULL,
	 "print it as JSON"},
};

/* --- what is asked ---------------------------------------------------------
 */

struct answers {
	struct doc *explain, *history;
	struct doctor doctor; /* has the status */
};

/* What cannot be told is left out: doctor says why nobody answers. */
static void ask_for(const struct client *client, const char *method,
		    struct doc **answer)
{
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;

	buf_putc(&parameters, '{');
	json_add_optional_string(&parameters, "workspace", client->workspace);
	buf_putc(&parameters, '}');
	if (channel_open(&channel, client) == EXIT_DONE)
		(void)channel_call(&channel, method, &parameters, answer);
}

static void gather(struct answers *answers, const struct client *client)
{
	answers->doctor.client = client;
	doctor_examine(&answers->doctor);
	ask_for(client, "Explain", &answers->explain);
	ask_for(client, "History", &answers->history);
}

static void answers_deinit(struct answers *answers)
{
	doctor_deinit(&answers->doctor);
	(void)doc_unref(answers->explain);
	(void)doc_unref(answers->history);
}

static const struct value *root_of(const struct doc *doc)
{
	return doc ? doc->root : NULL;
}

/* --- as it is shown --------------------------------------------------------
 */

static void write_text(struct buf *out, const struct answers *answers)
{
	const struct value *status = answers->doctor.status;

	doctor_write(out, &answers->doctor);
	if (!status)
		return;
	buf_putc(out, '\n');
	status_text_write(out, status, NULL, time(NULL));
	buf_puts(out, "\nwhat changed, newest first\n");
	log_text_write(out, root_of(answers->history));
	buf_puts(out, "\nvalues, and where they come from\n");
	explain_text_write(out, root_of(answers->explain));
}

static void add_member(struct buf *out, const char *key,
		       const struct value *value)
{
	json_key(out, key);
	if (value)
		json_write(out, value);
	else
		buf_puts(out, "null");
}

static void write_json(struct buf *out, const struct answers *answers)
{
	buf_putc(out, '{');
	json_key(out, "doctor");
	doctor_write_json(out, &answers->doctor);
	add_member(out, "status", answers->doctor.status);
	add_member(out, "history", root_of(answers->history));
	add_member(out, "explain", root_of(answers->explain));
	buf_puts(out, "}\n");
}

static void write_html(struct buf *out, const struct answers *answers)
{
	size_t count = answers->doctor.count;
	_cleanup_(mem_freep) struct report_finding *findings =
		mem_alloc((count + 1) * sizeof(*findings));
	struct report report = {
		.now = time(NULL),
		.status = answers->doctor.status,
		.explain = root_of(answers->explain),
		.history = root_of(answers->history),
		.findings = findings,
		.count = count,
	};

	for (size_t i = 0; i < count; i++)
		findings[i] = (struct report_finding){
			doctor_verdict(&answers->doctor.findings[i]),
			answers->doctor.findings[i].text};
	report_html_write(out, &report);
}

/* --- masked always ---------------------------------------------------------
 */

static void hide_key(struct buf *text, struct str key)
{
	struct buf clean = BUF_INIT;
	struct str rest = buf_str(text);
	const char *at;
	size_t before;

	if (key.len <= (size_t)2 * KEY_TEXT_SHOWN)
		return;
	while ((at = memmem(rest.ptr, rest.len, key.ptr, key.len))) {
		before = (size_t)(at - rest.ptr);
		buf_add(&clean, rest.ptr, before);
		key_text_add(&clean, key);
		rest = str_from_offset(rest, before + key.len);
	}
	buf_add_str(&clean, rest);
	buf_deinit(text);
	*text = clean;
}

/* Who has the right `secrets` is told access keys whole. */
static void hide_keys(struct buf *text, const struct value *value)
{
	struct member *member;

	if (value_is(value, VALUE_LIST))
		for (uint32_t i = 0; i < value->list.count; i++)
			hide_keys(text, value->list.items[i]);
	if (!value_is(value, VALUE_OBJECT))
		return;
	for (value_each (value, member)) {
		if (value_is(member->value, VALUE_STRING) &&
		    str_ends(member_key(member), STR("access_key")))
			hide_key(text, value_text(member->value));
		else
			hide_keys(text, member->value);
	}
}

/* --- the command -----------------------------------------------------------
 */

static int write_file(const char *path, struct str page)
{
	struct target_wish wish = {.path = path,
				   .mode = 0600,
				   .uid = TARGET_NOBODY,
				   .gid = (gid_t)-1};
	struct target target;
	int r = target_open(&target, &wish);
	int status = EXIT_DONE;

	if (r == 0)
		r = target_write(&target, page);
	if (r < 0)
		status = complain(EXIT_FAILED, "cannot write %s: %s", path,
				  target.problem ? target.problem
						 : strerror(-r));
	target_deinit(&target);
	return status;
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct report_options *o = fields;
	_cleanup_(answers_deinit) struct answers answers = {0};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)argc;
	(void)argv;
	if (o->html && o->json)
		return complain(EXIT_USAGE, "--html or --json, not both");
	gather(&answers, client);
	if (o->html)
		write_html(&out, &answers);
	else if (o->json)
		write_json(&out, &answers);
	else
		write_text(&out, &answers);
	hide_keys(&out, answers.doctor.status);
	return o->html ? write_file(o->html, buf_str(&out))
		       : output_show(buf_str(&out));
}

const struct command cmd_report = {
	.name = "report",
	.synopsis = "[--html FILE | --json]",
	.summary = "all of it for a ticket: status, explain, log and doctor",
	.details =
		"Prints what doctor, status, log and explain say, secrets "
		"masked whatever the rights. With\n"
		"--html it is one page for who would rather look: it needs no "
		"network and no script, and\n"
		"is light or dark as the reader's system is. FILE is written "
		"with mode 0600. Names of\n"
		"servers, users, vaults and files are in it.\n"
		"\n"
		"Exit status 0 also when there are problems: it says so.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct report_options),
	.arguments_max = 0,
	.secret = true,
	.run = run,
};
