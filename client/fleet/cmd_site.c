#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "commands/elsewhere.h"
#include "commands/subcommand.h"
#include "fleet/document.h"
#include "fleet/site_history.h"
#include "fleet/site_list.h"
#include "fleet/site_text.h"
#include "fleet/store.h"
#include "read/doc.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"

#define EVERY_S 600

struct site {
	struct place_options place;
	const char *reason, *revision, *onto;
	const char *stage, *every, *stop_when;
	bool dry_run, force, json;
};

#define FIELD(name) offsetof(struct site, name)

static const struct option_spec options[] = {
	{"reason", 'm', OPTION_TEXT, FIELD(reason), "TEXT", "why, for the log",
	 "put, rm, revert"},
	{"if-revision", '\0', OPTION_NUMBER, FIELD(onto), "N",
	 "only if N is still the newest (0: there is none)", "put, rm"},
	{"dry-run", 'n', OPTION_FLAG, FIELD(dry_run), NULL,
	 "check and show, and change nothing", "put, rm, revert"},
	{"force", '\0', OPTION_FLAG, FIELD(force), NULL,
	 "also what is broken as read here", "put, revert"},
	{"stage", '\0', OPTION_TEXT, FIELD(stage), "SHARES",
	 "roll it out, such as to 1%,10%,100%", "put"},
	{"every", '\0', OPTION_SECONDS, FIELD(every), "S",
	 "how long each stage lasts (10m)", "put"},
	{"stop-when", '\0', OPTION_TEXT, FIELD(stop_when), "LIMITS",
	 "broken>N,behind>N,offline>N hosts (broken>0)", "put"},
	{"revision", '\0', OPTION_NUMBER, FIELD(revision), "N",
	 "what it said as revision N", "get"},
	{"json", 'j', OPTION_FLAG, FIELD(json), NULL, "print it as JSON",
	 "check, list, log"},
	PLACE_OPTIONS(struct site, place),
};

/* --- a text that is to be put --------------------------------------------- */

/* What is under way is known. */
struct put {
	struct store store;
	struct document document;
	struct site_text old, new;
	const struct site *options;
};

static void put_deinit(struct put *put)
{
	site_text_deinit(&put->old);
	site_text_deinit(&put->new);
	document_deinit(&put->document);
	store_close(&put->store);
}

static int complain_expected(const struct document *document,
			     const char *expected)
{
	return complain(EXIT_FAILED,
			"%s is at revision %lld%s and not at %s: nothing is "
			"overwritten; see 'clearconf site log %s'",
			document->name, (long long)document->newest.number,
			document_is_foreign(document)
				? " and was put by other means since"
				: "",
			expected, document->name);
}

/* The revision that --if-revision names is what is there. */
static bool is_expected(const struct document *document, const char *expected)
{
	_cleanup_(mem_freep) char *number =
		mem_printf("%lld", (long long)document->newest.number);

	if (!expected)
		return true;
	if (!strcmp(expected, "0"))
		return !document->now.revision;
	return !document_is_foreign(document) && !strcmp(expected, number);
}

/* Open, look, and see whether it may be changed. */
static int begin(struct put *put, const struct client *client, const char *name)
{
	const struct site *o = put->options;
	int status = store_open(&put->store, &o->place, client->timeout_ms);

	if (status == EXIT_DONE)
		status = document_look(&put->document, &put->store, name);
	if (status != EXIT_DONE)
		return status;
	if (put->document.underway.revision)
		return complain(EXIT_FAILED,
				"a rollout of %s is under way: see 'clearconf "
				"rollout show %s', and finish or revert it "
				"first",
				name, name);
	if (!is_expected(&put->document, o->onto))
		return complain_expected(&put->document, o->onto);
	if (put->document.now.revision)
		(void)site_text_take(&put->old, put->document.now.value, name);
	return EXIT_DONE;
}

static int show_changes(const struct put *put)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (put->new.text.ptr && !put->new.doc)
		return EXIT_DONE; /* it is put by force */
	if (!site_text_add_changes(&out, put->old.doc, put->new.doc))
		buf_puts(&out, "no value changes\n");
	return output_write(buf_str(&out));
}

static int say_done(const struct put *put, const char *what, int64_t number)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	buf_printf(&out, "%s is %s as revision %lld\n", put->document.name,
		   what, (long long)number);
	return output_write(buf_str(&out));
}

/* Show the difference, unless it cannot be made. */
static int preview(const struct put *put, const struct document_change *change)
{
	int status = document_fits(&put->document, &put->store, change);

	return status == EXIT_DONE ? show_changes(put) : status;
}

/* Show the difference, and make it. */
static int finish(struct put *put, struct document_change *change,
		  const char *what)
{
	_cleanup_(mem_freep) char *author = document_author();
	int64_t number;
	int status;

	change->by = author;
	change->reason = put->options->reason;
	status = preview(put, change);
	if (status != EXIT_DONE || put->options->dry_run)
		return status;
	status = document_commit(&put->document, &put->store, change, &number);
	return status == EXIT_DONE ? say_done(put, what, number) : status;
}

/* --- put ------------------------------------------------------------------ */

static int plan_rollout(const struct site *o, struct rollout *rollout)
{
	const char *limits = o->stop_when ? o->stop_when : "broken>0";
	const char *problem =
		plan_set_stages(&rollout->plan, str_from(o->stage));

	if (problem)
		return complain(EXIT_USAGE, "--stage: %s", problem);
	problem = plan_set_limits(&rollout->plan, str_from(limits));
	if (problem)
		return complain(EXIT_USAGE, "--stop-when: %s", problem);
	rollout->limits = str_from(limits);
	rollout->every =
		o->every ? (int64_t)arguments_seconds(o->every) : EVERY_S;
	return EXIT_DONE;
}

static int say_begun(const struct put *put, const struct rollout *rollout)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	const char *name = put->document.name;

	buf_printf(&out, "the rollout of %s begins with ", name);
	plan_add_share(&out, rollout_share(rollout));
	buf_printf(&out,
		   " of its hosts; 'clearconf rollout %s' goes on with it\n",
		   name);
	return output_write(buf_str(&out));
}

static int begin_rollout(struct put *put, struct rollout *rollout)
{
	_cleanup_(mem_freep) char *author = document_author();
	_cleanup_(mem_freep) char *id = document_new_id();
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	struct document_change change = {.keep = true};
	const struct document_change last = {
		.text = put->new.text,
		.by = author,
		.reason = put->options->reason,
		.rollout = str_from(id),
	};
	int64_t number;
	int status = preview(put, &last);

	if (status != EXIT_DONE || put->options->dry_run)
		return status;
	rollout->text = put->new.text;
	rollout->id = rollout->put = str_from(id);
	rollout->by = str_from(author);
	rollout->reason = str_from(put->options->reason);
	rollout->started = rollout->stepped = store_now(&put->store);
	rollout->of = put->document.now.revision;
	rollout_write(&json, rollout);
	change.new_rollout = buf_str(&json);
	status = document_commit(&put->document, &put->store, &change, &number);
	return status == EXIT_DONE ? say_begun(put, rollout) : status;
}

/* Is it what the document says already, to the letter? */
static bool is_said(const struct put *put)
{
	return put->document.now.revision &&
	       str_equal(put->document.now.value, put->new.text);
}

static int say_nothing(const char *name)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	buf_printf(&out, "%s says that already: nothing is put\n", name);
	return output_write(buf_str(&out));
}

static int complain_unsound(const struct put *put)
{
	return complain(EXIT_FAILED, "%s: %s", put->document.name,
			put->new.text.ptr
				? "it is broken as read here, and it is not "
				  "put: --force is for what needs a value of "
				  "the hosts' own"
				: "there is no text to take, and it is not "
				  "put");
}

static int put(const struct client *client, const void *fields,
	       const char *name, const char *path)
{
	_cleanup_(put_deinit) struct put put = {.options = fields};
	struct document_change change = {0};
	struct rollout rollout = {0};
	const struct site *o = fields;
	bool sound;
	int status = EXIT_DONE;

	if (o->stage)
		status = plan_rollout(o, &rollout);
	else if (o->every || o->stop_when)
		status = complain(EXIT_USAGE, "--every and --stop-when go with "
					      "--stage");
	if (status == EXIT_DONE)
		status = begin(&put, client, name);
	if (status != EXIT_DONE)
		return status;
	sound = site_text_read(&put.new, path, name,
			       (enum conform_policy)put.store.place.types);
	site_text_print(&put.new);
	if (!sound && !(o->force && put.new.text.ptr))
		return complain_unsound(&put);
	if (is_said(&put))
		return say_nothing(name);
	change.text = put.new.text;
	return o->stage ? begin_rollout(&put, &rollout)
			: finish(&put, &change, "put");
}

/* --- rm, revert ----------------------------------------------------------- */

static int rm(const struct client *client, const void *fields, const char *name)
{
	_cleanup_(put_deinit) struct put put = {.options = fields};
	struct document_change change = {0};
	int status = begin(&put, client, name);

	if (status != EXIT_DONE)
		return status;
	if (!put.document.now.revision)
		return complain(EXIT_NO_PATH,
				"there is no document %s: see "
				"'clearconf site list'",
				name);
	return finish(&put, &change, "removed");
}

static int revert(const struct client *client, const void *fields,
		  const char *name, const char *number)
{
	_cleanup_(put_deinit) struct put put = {.options = fields};
	_cleanup_(revision_deinit) struct revision copy = {0};
	struct document_change change = {0};
	int status = begin(&put, client, name);

	if (status == EXIT_DONE)
		status = site_history_find(&copy, &put.store, name, number);
	if (status != EXIT_DONE)
		return status;
	change.text = copy.text;
	change.reverts = copy.number;
	if (copy.text.ptr && !site_text_take(&put.new, copy.text, name)) {
		site_text_print(&put.new);
		if (!put.options->force)
			return complain_unsound(&put);
	}
	return finish(&put, &change, copy.text.ptr ? "put" : "removed");
}

/* --- what changes nothing ------------------------------------------------- */

static int get(const struct client *client, const void *fields,
	       const char *name)
{
	_cleanup_(store_close) struct store store = {0};
	_cleanup_(document_deinit) struct document document = {0};
	_cleanup_(revision_deinit) struct revision copy = {0};
	const struct site *o = fields;
	int status = store_open(&store, &o->place, client->timeout_ms);

	if (status == EXIT_DONE)
		status = document_look(&document, &store, name);
	if (status != EXIT_DONE)
		return status;
	if (o->revision) {
		status = site_history_find(&copy, &store, name, o->revision);
		return status == EXIT_DONE ? output_write(copy.text) : status;
	}
	if (!document.now.revision)
		return complain(EXIT_NO_PATH,
				"there is no document %s: see "
				"'clearconf site list'",
				name);
	return output_write(document.now.value);
}

static int list(const struct client *client, const void *fields,
		const char *argument)
{
	_cleanup_(store_close) struct store store = {0};
	const struct site *o = fields;
	int status = store_open(&store, &o->place, client->timeout_ms);

	(void)argument;
	return status == EXIT_DONE ? site_list_print(&store, o->json) : status;
}

static int history(const struct client *client, const void *fields,
		   const char *name)
{
	_cleanup_(store_close) struct store store = {0};
	const struct site *o = fields;
	int status = store_open(&store, &o->place, client->timeout_ms);

	return status == EXIT_DONE ? site_history_print(&store, name, o->json)
				   : status;
}

/* Asks nobody. */
static int check(const struct client *client, const void *fields,
		 const char *path)
{
	_cleanup_(site_text_deinit) struct site_text text = {0};
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	const struct site *o = fields;
	bool sound = site_text_read(&text, path, NULL, CONFORM_WARN);
	int status = EXIT_DONE;

	(void)client;
	if (o->json) {
		site_text_write_json(&text, &json);
		status = output_show(buf_str(&json));
	} else {
		site_text_print(&text);
	}
	return sound ? status : EXIT_FAILED;
}

static const struct subcommand subcommands[] = {
	{"list", NULL, list},
	{"get", "the name of a document", get},
	{"put", "the name of a document",
	 .second = "a file, or - for standard input", .run_two = put},
	{"rm", "the name of a document", rm},
	{"log", "the name of a document", history},
	{"revert", "the name of a document",
	 .second = "a revision of 'clearconf site log'", .run_two = revert},
	{"check", "the file of a document", check},
};

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	struct subcommand_call call = {&cmd_site, argv};

	(void)argc;
	return subcommand_run(&call, client, fields);
}

const struct command cmd_site = {
	.name = "site",
	.synopsis = "[list | get NAME | put NAME FILE | rm NAME | log NAME |\n"
		    "                      revert NAME REVISION | check FILE] "
		    "[OPTION...]",
	.summary = SITE_SUMMARY,
	.details =
		"The documents of the layer 'site' that etcd has for all "
		"hosts, groups (groups/G/NAME) or one\n"
		"(hosts/H/NAME). Where etcd is, [site] of clearconfd.conf says "
		"if it can be read, else the\n"
		"options. No daemon is needed.\n"
		"\n"
		"'put' reads FILE ('-': standard input) as every clearconfd "
		"will: the suffix of NAME says the\n"
		"format (.json, .yaml, .yml, else HOCON), nothing can be "
		"included, of variables there are\n"
		"HOME, USER, LOGNAME, HOSTNAME and LANG. What is broken is "
		"printed with its line and refused;\n"
		"else each value that differs is printed, secrets as ****, and "
		"it is put, unless somebody else\n"
		"has put meanwhile. Who, when and why (--reason) are kept with "
		"the last 32 revisions, which\n"
		"'log' lists and 'revert' puts again.\n"
		"\n"
		"With --stage it is rolled out: hosts take it share by share, "
		"as 'clearconf rollout' goes on.\n"
		"\n"
		"    clearconf site put 20-gpu.yaml new.yaml -m 'cuda 12.4' "
		"--stage 1%,10%,100%\n"
		"\n"
		"'check' reads FILE in the same way, and asks nobody; warnings "
		"are no reason to keep it back.\n"
		"\n"
		"Exit status: 1 it is broken, or was changed meanwhile; 3 "
		"there is no such document or revision;\n"
		"5 etcd refuses, 6 it is away.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct site),
	.subcommands = subcommands,
	.verb_count = ARRAY_SIZE(subcommands),
	.arguments_max = 3,
	.secret = true,
	.run = run,
};
