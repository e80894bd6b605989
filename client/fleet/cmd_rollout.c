#include "base/buf.h"
#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "commands/elsewhere.h"
#include "commands/subcommand.h"
#include "fleet/fleet.h"
#include "fleet/fleet_follow.h"
#include "fleet/rollout_step.h"
#include "fleet/rollout_text.h"
#include "fleet/roster.h"
#include "fleet/store.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"

struct rollout_options {
	struct place_options place;
	const char *reason, *stop_when;
	bool once, json;
};

#define FIELD(name) offsetof(struct rollout_options, name)

static const struct option_spec options[] = {
	{"once", '1', OPTION_FLAG, FIELD(once), NULL,
	 "do what is due now, and wait for nothing", "run"},
	{"reason", 'm', OPTION_TEXT, FIELD(reason), "TEXT", "why", "stop"},
	{"stop-when", '\0', OPTION_TEXT, FIELD(stop_when), "LIMITS",
	 "other limits, such as broken>5", "resume"},
	{"json", 'j', OPTION_FLAG, FIELD(json), NULL, "print it as JSON",
	 "show"},
	PLACE_OPTIONS(struct rollout_options, place),
};

/* --- run ------------------------------------------------------------------ */

struct run {
	struct store *store;
	const char *name; /* of a document; NULL: all */
	struct buf shown; /* how they stood, when that was printed last */
	size_t seen;      /* rollouts so far */
	bool stopped, json;
};

static bool is_wanted(const struct run *run, const struct catalog_entry *entry)
{
	return entry->rollout_revision &&
	       (!run->name || str_is(entry->name, run->name));
}

/* How they stand, without what only time changes. */
static void print_standing(struct run *run, const struct fleet *fleet)
{
	struct buf now = BUF_INIT;

	for (size_t i = 0; i < fleet->catalog.count; i++)
		if (is_wanted(run, &fleet->catalog.items[i]))
			rollout_text_add_standing(&now, fleet,
						  &fleet->catalog.items[i]);
	if (!str_equal(buf_str(&now), buf_str(&run->shown)))
		(void)output_write(buf_str(&now));
	buf_deinit(&run->shown);
	run->shown = now;
}

/* True while there is something to wait for, in *left seconds at most. */
static bool step_all(struct run *run, const struct fleet *fleet, int *status,
		     int64_t *left)
{
	_cleanup_(buf_deinit) struct buf said = BUF_INIT;
	bool running = false;

	*left = INT32_MAX / 1000;
	for (size_t i = 0; i < fleet->catalog.count; i++) {
		const struct catalog_entry *entry = &fleet->catalog.items[i];
		struct rollout_prospect prospect;

		if (!is_wanted(run, entry))
			continue;
		run->seen++;
		*status = rollout_step(&said, run->store, fleet, entry,
				       &prospect);
		if (*status != EXIT_DONE)
			break;
		running = running || prospect.running;
		run->stopped = run->stopped || prospect.stopped;
		if (prospect.running && prospect.left < *left)
			*left = prospect.left;
	}
	if (said.len && *status == EXIT_DONE)
		*status = output_write(buf_str(&said));
	return running;
}

static void take(struct fleet_follower *follower, const struct fleet *fleet)
{
	struct run *run = follower->data;
	int64_t left;
	bool running;

	run->stopped = false;
	print_standing(run, fleet);
	running = step_all(run, fleet, &follower->status, &left);
	follower->over = follower->status != EXIT_DONE || !running;
	/* What was done comes back as a change. */
	follower->within_ms = left ? (int)(left * 1000) : 1000;
}

static int end_of(const struct run *run, int status)
{
	if (status != EXIT_DONE)
		return status;
	if (run->name && !run->seen)
		return complain(EXIT_NO_PATH,
				"no rollout of %s is under way: see 'clearconf "
				"rollout show'",
				run->name);
	return run->stopped ? EXIT_FAILED : EXIT_DONE;
}

static int run_once(struct run *run)
{
	_cleanup_(fleet_deinit) struct fleet fleet = {0};
	int64_t left;
	int status = roster_load(&fleet, run->store, NULL);

	if (status != EXIT_DONE)
		return status;
	print_standing(run, &fleet);
	(void)step_all(run, &fleet, &status, &left);
	return end_of(run, status);
}

static int run_rollouts(const struct client *client, const void *fields,
			const char *name)
{
	_cleanup_(store_close) struct store store = {0};
	const struct rollout_options *o = fields;
	struct run run = {.store = &store, .name = name};
	struct fleet_follower follower = {.take = take, .data = &run};
	int status = store_open(&store, &o->place, client->timeout_ms);

	if (status == EXIT_DONE)
		status =
			o->once ? run_once(&run)
				: end_of(&run, fleet_follow(&store, &follower));
	buf_deinit(&run.shown);
	return status;
}

/* --- show ----------------------------------------------------------------- */

static void add_shown(struct buf *out, struct run *run,
		      const struct fleet *fleet,
		      const struct catalog_entry *entry)
{
	if (!is_wanted(run, entry))
		return;
	if (run->json) {
		buf_puts(out, run->seen ? "," : "");
		rollout_text_add_json(out, fleet, entry);
	} else {
		rollout_text_add(out, fleet, entry);
	}
	run->seen++;
}

static int show(const struct client *client, const void *fields,
		const char *name)
{
	_cleanup_(store_close) struct store store = {0};
	_cleanup_(fleet_deinit) struct fleet fleet = {0};
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	const struct rollout_options *o = fields;
	struct run run = {.name = name, .json = o->json};
	int status = store_open(&store, &o->place, client->timeout_ms);

	if (status == EXIT_DONE)
		status = roster_load(&fleet, &store, NULL);
	if (status != EXIT_DONE)
		return status;
	buf_puts(&out, o->json ? "[" : "");
	for (size_t i = 0; i < fleet.catalog.count; i++)
		add_shown(&out, &run, &fleet, &fleet.catalog.items[i]);
	buf_puts(&out, o->json ? "]\n" : "");
	return end_of(&run, output_show(buf_str(&out)));
}

/* --- what people want of one ---------------------------------------------- */

static int stop(const struct client *client, const void *fields,
		const char *name)
{
	_cleanup_(store_close) struct store store = {0};
	const struct rollout_options *o = fields;
	int status = store_open(&store, &o->place, client->timeout_ms);

	return status == EXIT_DONE ? rollout_stop(&store, name, o->reason)
				   : status;
}

static int resume(const struct client *client, const void *fields,
		  const char *name)
{
	_cleanup_(store_close) struct store store = {0};
	const struct rollout_options *o = fields;
	int status = store_open(&store, &o->place, client->timeout_ms);

	return status == EXIT_DONE ? rollout_resume(&store, name, o->stop_when)
				   : status;
}

static int finish(const struct client *client, const void *fields,
		  const char *name)
{
	_cleanup_(store_close) struct store store = {0};
	const struct rollout_options *o = fields;
	int status = store_open(&store, &o->place, client->timeout_ms);

	return status == EXIT_DONE ? rollout_finish(&store, name) : status;
}

static int revert(const struct client *client, const void *fields,
		  const char *name)
{
	_cleanup_(store_close) struct store store = {0};
	const struct rollout_options *o = fields;
	int status = store_open(&store, &o->place, client->timeout_ms);

	return status == EXIT_DONE ? rollout_revert(&store, name) : status;
}

static const struct subcommand subcommands[] = {
	{"run", "the name of a document", run_rollouts, .optional = true},
	{"show", "the name of a document", show, .optional = true},
	{"stop", "the name of a document", stop},
	{"resume", "the name of a document", resume},
	{"finish", "the name of a document", finish},
	{"revert", "the name of a document", revert},
};

/* A name that is no verb is that of the document to go on with. */
static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	struct subcommand_call call = {&cmd_rollout, argv};
	char verb[] = "run", *words[] = {verb, argv[0], NULL};

	if (argc == 1 && !subcommand_find(&call))
		call.words = words;
	return subcommand_run(&call, client, fields);
}

const struct command cmd_rollout = {
	.name = "rollout",
	.synopsis = "[[run] [NAME] | show [NAME] | stop NAME | resume NAME |\n"
		    "                         finish NAME | revert NAME] "
		    "[OPTION...]",
	.summary = ROLLOUT_SUMMARY,
	.details =
		"A document that was put with --stage reaches one share of its "
		"hosts after the other (clearconf\n"
		"site --help). 'run' goes on with it, or with all of them: it "
		"shows how they stand, waits until\n"
		"a stage has had its time, takes the next, and puts the "
		"document for all after the last; when a\n"
		"limit is passed it stops the rollout, says why, and it "
		"reaches nobody further. It may be ended\n"
		"at any moment, and the same command goes on, anywhere; "
		"several of them do no harm.\n"
		"\n"
		"    stop     it reaches nobody further; who has it keeps it\n"
		"    resume   go on with what was stopped; its stage begins "
		"anew\n"
		"    finish   put it for all, now\n"
		"    revert   take it back from all who have it\n"
		"\n"
		"Exit status: 1 it is stopped, or was changed meanwhile; 3 "
		"none is under way; 5 etcd refuses,\n"
		"6 it is away.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct rollout_options),
	.subcommands = subcommands,
	.verb_count = ARRAY_SIZE(subcommands),
	.arguments_max = 2,
	.secret = true,
	.run = run,
};
