#include "fleet/rollout_step.h"

#include "base/buf.h"
#include "base/mem.h"
#include "fleet/document.h"
#include "fleet/fleet.h"
#include "fleet/store.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"

/* --- transactions ----------------------------------------------------------
 */

/* Put @rollout in the place of the one that was looked at. */
static int put_rollout(const struct document *document, struct store *store,
		       struct rollout *rollout, int64_t *number)
{
	_cleanup_(mem_freep) char *put = document_new_id();
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	struct document_change change = {.keep = true};

	rollout->put = str_from(put);
	rollout_write(&json, rollout);
	rollout->put = (struct str){0};
	change.new_rollout = buf_str(&json);
	return document_try(document, store, &change, number);
}

/* The document takes the rollout's text, and the rollout is over. */
static int put_document(const struct document *document, struct store *store,
			int64_t *number)
{
	const struct rollout *rollout = &document->rollout;
	const struct document_change change = {
		.text = rollout->text,
		.by = rollout->by.ptr,
		.reason = rollout->reason.ptr,
		.rollout = rollout->id,
		.end_rollout = true,
	};

	return document_try(document, store, &change, number);
}

/* --- by time ---------------------------------------------------------------
 */

/* The first host that is bad for it, and why. */
static void add_culprit(struct buf *why, const struct fleet *fleet,
			const struct catalog_entry *entry)
{
	for (size_t i = 0; i < fleet->count; i++) {
		const struct host *host = &fleet->hosts[i];
		const struct host_bad *bad = host_bad(host, entry->rollout->id);

		if (!bad || !host->revision)
			continue;
		host_add_bad(why, host, bad);
		return;
	}
}

struct step {
	struct buf *said;
	struct store *store;
	const struct fleet *fleet;
	const struct catalog_entry *entry;
	struct document document;
	struct buf why;
};

static int stop(struct step *step)
{
	struct rollout *rollout = &step->document.rollout;
	int64_t number;
	int status;

	add_culprit(&step->why, step->fleet, step->entry);
	rollout->state = ROLLOUT_STOPPED;
	rollout->why = buf_str(&step->why);
	status = put_rollout(&step->document, step->store, rollout, &number);
	if (status == EXIT_DONE && number >= 0)
		buf_printf(step->said,
			   "%s: stopped: %.*s\n%s: it reaches nobody further; "
			   "see 'clearconf rollout --help' for resume and "
			   "revert\n",
			   step->document.name, STR_PRINT(rollout->why),
			   step->document.name);
	return status;
}

static int go_on(struct step *step)
{
	struct rollout *rollout = &step->document.rollout;
	int64_t number;
	int status;

	rollout->stage++;
	rollout->stepped = store_now(step->store);
	status = put_rollout(&step->document, step->store, rollout, &number);
	if (status != EXIT_DONE || number < 0)
		return status;
	buf_printf(step->said, "%s: on to ", step->document.name);
	plan_add_share(step->said, rollout_share(rollout));
	buf_putc(step->said, '\n');
	return EXIT_DONE;
}

/* Limits may bear that some have not taken it; and who does not report is not
 * known of. */
static void add_takers(struct buf *said, const struct plan_tally *tally)
{
	if (tally->reached && tally->taken == tally->reached)
		buf_puts(said, "all have it");
	else
		buf_printf(said, "%lld of %lld hosts have it",
			   (long long)tally->taken, (long long)tally->reached);
}

static int end(struct step *step)
{
	const struct plan_tally tally = fleet_tally(step->fleet, step->entry);
	int64_t number;
	int status = put_document(&step->document, step->store, &number);

	if (status != EXIT_DONE || number < 0)
		return status;
	buf_printf(step->said, "%s: ", step->document.name);
	add_takers(step->said, &tally);
	buf_printf(step->said, ", and it is put as revision %lld\n",
		   (long long)number);
	return EXIT_DONE;
}

/* Look again, and do it to what is there if that is what was judged. */
static int act(struct step *step, const char *name,
	       int (*how)(struct step *step))
{
	int status = document_look(&step->document, step->store, name);

	if (status == EXIT_DONE && step->document.understood &&
	    step->document.underway.revision == step->entry->rollout_revision)
		status = how(step);
	document_deinit(&step->document);
	return status;
}

int rollout_step(struct buf *said, struct store *store,
		 const struct fleet *fleet, const struct catalog_entry *entry,
		 struct rollout_prospect *prospect)
{
	static int (*const acts[])(struct step * step) = {
		[ROLLOUT_NEXT] = go_on,
		[ROLLOUT_END] = end,
		[ROLLOUT_STOP] = stop,
	};
	struct step step = {said, store, fleet, entry, .why = BUF_INIT};
	_cleanup_(mem_freep) char *name =
		mem_strndup(entry->name.ptr, entry->name.len);
	struct plan_tally tally;
	enum rollout_verdict verdict;
	int status = EXIT_DONE;

	*prospect = (struct rollout_prospect){0};
	if (!entry->rollout)
		return EXIT_DONE;
	tally = fleet_tally(fleet, entry);
	verdict = rollout_judge(entry->rollout, &tally, fleet->now, &step.why);
	if (verdict >= ROLLOUT_NEXT)
		status = act(&step, name, acts[verdict]);
	buf_deinit(&step.why);
	prospect->running = verdict != ROLLOUT_REST && verdict != ROLLOUT_STOP;
	prospect->stopped = verdict == ROLLOUT_STOP ||
			    entry->rollout->state == ROLLOUT_STOPPED;
	prospect->left = rollout_left(entry->rollout, fleet->now);
	return status;
}

/* --- by people -------------------------------------------------------------
 */

static int look(struct document *document, struct store *store,
		const char *name)
{
	int status = document_look(document, store, name);

	if (status != EXIT_DONE)
		return status;
	if (!document->underway.revision)
		return complain(EXIT_NO_PATH,
				"no rollout of %s is under way: see 'clearconf "
				"rollout show'",
				name);
	if (!document->understood)
		return complain(
			EXIT_FAILED,
			"the rollout of %s is damaged, or of a newer "
			"version: it reaches nobody; 'clearconf rollout "
			"revert %s' takes it away",
			name, name);
	return EXIT_DONE;
}

/* Whether it was done, as a line. */
static int tell(int status, int64_t number, const char *name, const char *what)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (status != EXIT_DONE)
		return status;
	if (number < 0)
		return complain(EXIT_FAILED,
				"%s, or its rollout, was changed meanwhile: "
				"nothing is done; look at it, and try again",
				name);
	buf_printf(&out, "%s: %s\n", name, what);
	return output_write(buf_str(&out));
}

int rollout_stop(struct store *store, const char *name, const char *reason)
{
	_cleanup_(document_deinit) struct document document = {0};
	_cleanup_(mem_freep) char *author = document_author();
	_cleanup_(mem_freep) char *why = mem_printf(
		"by %s%s%s", author, reason ? ": " : "", reason ? reason : "");
	int64_t number = 0;
	int status = look(&document, store, name);

	if (status != EXIT_DONE)
		return status;
	document.rollout.state = ROLLOUT_STOPPED;
	document.rollout.why = str_from(why);
	status = put_rollout(&document, store, &document.rollout, &number);
	return tell(status, number, name, "stopped: it reaches nobody further");
}

int rollout_resume(struct store *store, const char *name, const char *limits)
{
	_cleanup_(document_deinit) struct document document = {0};
	struct rollout *rollout = &document.rollout;
	int64_t number = 0;
	const char *problem = NULL;
	int status = look(&document, store, name);

	if (status != EXIT_DONE)
		return status;
	if (limits)
		problem = plan_set_limits(&rollout->plan, str_from(limits));
	if (problem)
		return complain(EXIT_USAGE, "--stop-when: %s", problem);
	if (limits)
		rollout->limits = str_from(limits);
	rollout->state = ROLLOUT_RUNNING;
	rollout->why = (struct str){0};
	rollout->stepped = store_now(store);
	status = put_rollout(&document, store, rollout, &number);
	return tell(status, number, name, "its stage begins anew");
}

int rollout_finish(struct store *store, const char *name)
{
	_cleanup_(document_deinit) struct document document = {0};
	int64_t number = 0;
	int status = look(&document, store, name);

	if (status == EXIT_DONE)
		status = put_document(&document, store, &number);
	return tell(status, number, name, "it is put, and all hosts take it");
}

int rollout_revert(struct store *store, const char *name)
{
	_cleanup_(document_deinit) struct document document = {0};
	const struct document_change change = {.keep = true,
					       .end_rollout = true};
	int64_t number = 0;
	int status = document_look(&document, store, name);

	if (status == EXIT_DONE && !document.underway.revision)
		status = look(&document, store, name);
	if (status == EXIT_DONE)
		status = document_try(&document, store, &change, &number);
	return tell(status, number, name,
		    document.now.revision
			    ? "hosts take what the document says again"
			    : "hosts do without it again");
}
