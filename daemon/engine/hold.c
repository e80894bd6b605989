#include "engine/hold.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/secrets.h"
#include "state/disk.h"

/* One visit to the disk. */
struct hold_work {
	struct hold *hold; /* NULL: nobody wants to know */
	char *workspace;
	struct hold_record *record; /* to be written, hold->next or its own;
				     * NULL: the file is removed */
};

static void start(struct hold *hold, struct hold_record *record);

/* --- on the thread pool --------------------------------------------------- */

static void compose(struct buf *bytes, const void *data)
{
	const struct hold_work *work = data;

	hold_file_compose(bytes, work->workspace, work->record);
}

/* --- what became of it ---------------------------------------------------- */

static void set_problem(struct hold *hold, char *problem)
{
	mem_free(hold->problem);
	hold->problem = problem;
}

static void tell(struct hold *hold, enum hold_event event)
{
	hold->place.on_event(hold->place.data, event);
}

/* What is on disk is in force, or nothing is. */
static void settle(struct hold *hold)
{
	hold->state = hold->record ? HOLD_ON : HOLD_NONE;
}

/* The time of one that is only called another's goes on. */
static void on_written(struct hold *hold)
{
	int64_t duration = hold->next->until - hold->next->since;

	hold_record_free(hold->record);
	hold->record = TAKE(hold->next);
	settle(hold);
	if (hold->renaming) {
		hold->renaming = false;
		return;
	}
	hold->ends_ms =
		hold->record->until ? clock_boot_ms() + duration * 1000 : 0;
	tell(hold, HOLD_BEGUN);
}

static void on_removed(struct hold *hold)
{
	bool was_on = hold->record != NULL;

	hold->record = hold_record_free(hold->record);
	settle(hold);
	if (was_on)
		tell(hold, HOLD_ENDED);
}

static void on_failure(struct hold *hold, bool removal, int result)
{
	set_problem(hold,
		    mem_printf("the file of the hold cannot be %s: %s, in "
			       "%s",
			       removal ? "removed" : "written",
			       strerror(-result), hold->place.state_dir));
	log_warning("hold-file-failed",
		    LOG_TEXT("workspace", hold->place.workspace),
		    LOG_TEXT("reason", hold->problem));
	hold->next = hold_record_free(hold->next);
	hold->renaming = false;
	settle(hold);
	tell(hold, HOLD_FAILED);
}

/* It was dropped meanwhile: the file goes, if it has come. */
static void finish_dropped(struct hold *hold)
{
	hold->dropped = hold->renaming = false;
	hold->next = hold_record_free(hold->next);
	start(hold, NULL);
}

static void finish(struct hold *hold, bool removal, int result)
{
	hold->work = NULL;
	if (hold->dropped)
		finish_dropped(hold);
	else if (result < 0)
		on_failure(hold, removal, result);
	else if (removal)
		on_removed(hold);
	else
		on_written(hold);
}

static void on_done(void *data, int result)
{
	struct hold_work *work = data;

	if (work->hold)
		finish(work->hold, !work->record, result);
	else
		hold_record_free(work->record);
	mem_free(work->workspace);
	mem_free(work);
}

/* Write @record, or remove the file (NULL). Nothing of a snapshot that is
 * settled changes but its masked form. */
static void start(struct hold *hold, struct hold_record *record)
{
	const struct hold_place *place = &hold->place;
	_cleanup_(mem_freep) char *path =
		hold_file_path(place->state_dir, place->workspace);
	struct hold_work *work = mem_alloc(sizeof(*work));
	const struct disk_content content = {compose, work};
	const struct disk_told told = {on_done, work};

	work->hold = hold;
	work->workspace = mem_strdup(place->workspace);
	work->record = hold->next = record;
	hold->work = work;
	hold->state = record ? HOLD_WRITING : HOLD_REMOVING;
	if (!record) {
		(void)disk_remove(place->loop, path, told);
		return;
	}
	snapshot_freeze(record->snapshot);
	(void)disk_compose(place->loop, path, &content, told);
}

/* --- wishes --------------------------------------------------------------- */

bool hold_is_on(const struct hold *hold)
{
	return hold->record || (hold->next && !hold->dropped);
}

uint64_t hold_generation(const struct hold *hold)
{
	return hold->record ? hold->record->generation : 0;
}

const char *hold_why_not(const struct hold *hold)
{
	if (!hold->place.state_dir || hold->place.read_only)
		return "there is no state folder that could keep it";
	return hold->work ? "another hold or release of this workspace is "
			    "under way: ask again"
			  : NULL;
}

static struct hold_record *record_new(struct snapshot *snapshot,
				      const char *reason)
{
	struct hold_record *record = mem_alloc(sizeof(*record));

	record->snapshot = snapshot_ref(snapshot);
	record->reason = arena_strdup(&record->arena, reason);
	return record;
}

void hold_begin(struct hold *hold, const struct hold_wish *wish)
{
	struct hold_record *record = record_new(wish->snapshot, wish->reason);

	record->generation = wish->generation;
	record->since = time(NULL);
	record->until = wish->duration ? record->since + wish->duration : 0;
	record->uid = wish->uid;
	hold_record_set_owner(record, &wish->owner);
	hold_record_set_facts(record, &wish->facts);
	set_problem(hold, NULL);
	start(hold, record);
}

void hold_release(struct hold *hold)
{
	set_problem(hold, NULL);
	start(hold, NULL);
}

void hold_rename(struct hold *hold, const struct hold_owner *owner)
{
	const struct hold_record *old = hold->record;
	struct hold_record *record;

	if (hold->state != HOLD_ON || hold->place.read_only)
		return;
	record = record_new(old->snapshot, old->reason);
	record->generation = old->generation;
	record->since = old->since;
	record->until = old->until;
	record->uid = old->uid;
	hold_record_set_owner(record, owner);
	hold_record_set_facts(record, &old->facts);
	hold->renaming = true;
	start(hold, record);
}

void hold_drop(struct hold *hold)
{
	if (!hold_is_on(hold))
		return;
	hold->record = hold_record_free(hold->record);
	hold->dropped = hold->state == HOLD_WRITING;
	if (hold->state == HOLD_ON && !hold->place.read_only)
		start(hold, NULL);
	else if (hold->state == HOLD_ON)
		settle(hold);
	tell(hold, HOLD_ENDED);
}

int64_t hold_left(const struct hold *hold, int64_t now_ms)
{
	if (hold->state != HOLD_ON || !hold->ends_ms)
		return -1;
	return hold->ends_ms > now_ms ? hold->ends_ms - now_ms : 0;
}

/* --- what an earlier process held ----------------------------------------- */

/* A wall clock that was set back makes no hold longer than it was to be. */
static int64_t left_of(const struct hold_record *record, int64_t now)
{
	int64_t left = record->until - now,
		whole = record->until - record->since;

	return left < whole ? left : whole;
}

bool hold_restore(struct hold *hold, const struct hold_owner *owner, bool agent)
{
	const struct hold_place *place = &hold->place;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	const struct hold_query query = {
		.state_dir = place->state_dir,
		.workspace = place->workspace,
		.owner = owner,
		.now = time(NULL),
		.agent = agent,
		.read_only = place->read_only,
	};

	if (!place->state_dir || hold->state != HOLD_NONE)
		return false;
	hold->record = hold_file_read(&query, &diag);
	if (diag_failed(&diag))
		log_warning("hold-not-used",
			    LOG_TEXT("workspace", place->workspace),
			    LOG_TEXT("file", diag.source),
			    LOG_TEXT("reason", diag.text));
	if (!hold->record)
		return false;
	settle(hold);
	if (hold->record->until)
		hold->ends_ms = clock_boot_ms() +
				left_of(hold->record, query.now) * 1000;
	return true;
}

/* --- the candidate -------------------------------------------------------- */

static void forget_losses(struct hold_losses *losses)
{
	for (size_t i = 0; i < losses->listed; i++)
		mem_free(losses->secrets[i]);
	for (size_t i = 0; i < losses->vault_count; i++)
		mem_free(losses->vaults[i]);
	*losses = (struct hold_losses){0};
}

static void add_secret(void *data, struct str path)
{
	struct hold_losses *losses = data;

	losses->count++;
	if (losses->listed < HOLD_LOSSES_MAX)
		losses->secrets[losses->listed++] =
			mem_strndup(path.ptr, path.len);
}

static void add_vaults(struct hold_losses *losses,
		       const struct stack_docs *held,
		       const struct stack_docs *now)
{
	for (size_t i = 0;
	     i < held->count && losses->vault_count < HOLD_LOSSES_MAX; i++) {
		const struct stack_doc *item = &held->items[i];
		const char *name = item->description && *item->description
					   ? item->description
					   : item->source;

		if (item->source &&
		    layer_traits[item->kind].provenance == LAYER_OF_VAULT &&
		    !stack_docs_has(now, item->kind, item->source))
			losses->vaults[losses->vault_count++] =
				mem_strdup(name);
	}
}

/* True when they are others than before, as far as people are told. */
static bool find_losses(struct hold *hold, const struct snapshot *held,
			const struct secrets *secrets)
{
	const struct snapshot *now = hold->candidate;
	size_t secrets_before = hold->losses.count;
	size_t vaults_before = hold->losses.vault_count;

	forget_losses(&hold->losses);
	if (hold->differs)
		secrets_each_lost(
			secrets, held->root, now->root,
			&(struct secrets_lost){add_secret, &hold->losses});
	add_vaults(&hold->losses, &held->docs, &now->docs);
	return hold->losses.count != secrets_before ||
	       hold->losses.vault_count != vaults_before;
}

bool hold_keep(struct hold *hold, struct snapshot *snapshot,
	       enum snapshot_cause cause, const struct secrets *secrets)
{
	const struct hold_record *record =
		hold->next && !hold->dropped ? hold->next : hold->record;
	bool differed = hold->differs;

	(void)snapshot_ref(snapshot);
	snapshot_unref(hold->candidate);
	hold->candidate = snapshot;
	hold->cause = cause;
	hold->differs = !snapshot_equal(snapshot, record->snapshot);
	return find_losses(hold, record->snapshot, secrets) ||
	       hold->differs != differed;
}

struct snapshot *hold_take(struct hold *hold)
{
	forget_losses(&hold->losses);
	hold->differs = false;
	return TAKE(hold->candidate);
}

/* --- beginning and end ---------------------------------------------------- */

void hold_init(struct hold *hold, const struct hold_place *place)
{
	*hold = (struct hold){.place = *place};
}

void hold_close(struct hold *hold)
{
	if (hold->work) {
		hold->work->hold = NULL;
		hold->next = NULL; /* the work's now */
	}
	hold->record = hold_record_free(hold->record);
	snapshot_unref(hold_take(hold));
	set_problem(hold, NULL);
}
