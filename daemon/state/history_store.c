#include "state/history_store.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "config/history.h"
#include "config/secrets.h"
#include "config/snapshot.h"
#include "read/doc.h"
#include "state/history_disk.h"

/* Secrets that are learned in one turn of the loop: well below a millisecond.
 */
#define LEARN_AT_ONCE 1000

enum store_state {
	STORE_NEW,
	STORE_LOADING,
	STORE_IDLE,
	STORE_WORKING,
	STORE_CLOSING
};

/* A generation that the disk lacks. */
struct added {
	struct snapshot *snapshot; /* a reference */
	uint64_t previous;
};

struct added_list {
	struct added *items;
	size_t count;
};

/* Learning goes on after a PAUSE, in another turn of the loop. */
enum job_kind { JOB_READ, JOB_PAUSE, JOB_WRITE };

/* What the thread is to do, and what came of it. */
struct job {
	enum job_kind kind;
	bool opens, clears;
	uint64_t below, oldest;
	char *owner;
	struct added_list added;
	struct secrets *secrets; /* pinned */

	bool waits;                 /* it is a login's, and there is none */
	struct history_entry found; /* the next older; nothing: there is none */
	struct buf told;
	struct diag diag;
	size_t written;
	int result;
};

struct history_store {
	enum store_state state;
	struct history_store_place place;
	char *workspace, *owner;
	struct history_disk *disk; /* the thread's while there is a job */

	struct added_list added;
	uint64_t first, oldest; /* of this process; that is to stay */
	bool loaded;            /* all that there was: more may be too old */
	bool clears;            /* what is on disk has to go */
	bool due;               /* there is something new to do */
	int failing;            /* 0, or the last negative errno */

	struct unpack told; /* of job.told, to be learned */
	size_t known;       /* secrets, before it was */

	uv_work_t work;
	struct job job;
};

static void list_free(struct added_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		snapshot_unref(list->items[i].snapshot);
	mem_free(list->items);
	*list = (struct added_list){0};
}

static void job_deinit(struct job *job)
{
	list_free(&job->added);
	snapshot_unref(job->found.snapshot);
	secrets_free(job->secrets);
	buf_deinit(&job->told);
	diag_deinit(&job->diag);
	mem_free(job->owner);
	*job = (struct job){0};
}

static void store_free(struct history_store *store)
{
	job_deinit(&store->job);
	list_free(&store->added);
	history_disk_free(store->disk);
	mem_free(store->workspace);
	mem_free(store->owner);
	mem_free(store);
}

/* --- on the thread pool --------------------------------------------------- */

static void learn(struct job *job)
{
	const struct stack_docs *docs = &job->found.snapshot->docs;

	for (size_t i = 0; i < docs->count; i++)
		secrets_learn_told(job->secrets, docs->items[i].doc->root,
				   &job->told);
	snapshot_freeze(job->found.snapshot);
}

static void do_reading(struct history_disk *disk, struct job *job)
{
	if (job->opens)
		job->waits = !history_disk_open(disk, job->owner, job->below,
						&job->diag);
	if (!job->waits && history_disk_next(disk, &job->found, &job->diag))
		learn(job);
}

/* The oldest first: what is not written for a full disk is what comes after. */
static int write_added(struct history_disk *disk, struct job *job)
{
	const struct added *added;
	int r = 0;

	while (r == 0 && job->written < job->added.count) {
		added = &job->added.items[job->written];
		r = history_disk_write(disk, job->owner, added->snapshot,
				       added->previous);
		job->written += r == 0;
	}
	return r;
}

/* What has to go makes room. */
static void do_writing(struct history_disk *disk, struct job *job)
{
	int pruned, r = job->clears ? history_disk_clear(disk) : 0;

	if (r == 0)
		job->clears = false;
	pruned = history_disk_prune(disk, job->oldest);
	if (r == 0)
		r = history_disk_set_owner(disk, job->owner);
	if (r == 0)
		r = write_added(disk, job);
	job->result = r == 0 ? pruned : r;
}

static void on_work(uv_work_t *work)
{
	struct history_store *store = work->data;

	if (store->job.kind == JOB_READ)
		do_reading(store->disk, &store->job);
	else if (store->job.kind == JOB_WRITE)
		do_writing(store->disk, &store->job);
}

/* --- in the loop ---------------------------------------------------------- */

static void on_done(uv_work_t *work, int status);

static void store_enter(struct history_store *store, enum store_state state)
{
	assert(store->state != STORE_CLOSING || state == STORE_CLOSING);
	store->state = state;
}

static void queue(struct history_store *store)
{
	store->work.data = store;
	(void)uv_queue_work(store->place.loop, &store->work, on_work, on_done);
}

static void read_next(struct history_store *store, bool opens)
{
	store->job = (struct job){
		.kind = JOB_READ,
		.opens = opens,
		.below = store->first,
		.owner = mem_strdup(store->owner),
		.secrets = secrets_pin(store->place.secrets),
	};
	queue(store);
}

static void append(struct added_list *list, struct added_list *more)
{
	if (more->count) {
		list->items =
			mem_grow(list->items, (list->count + more->count) *
						      sizeof(list->items[0]));
		memcpy(list->items + list->count, more->items,
		       more->count * sizeof(more->items[0]));
	}
	list->count += more->count;
	mem_free(more->items);
	*more = (struct added_list){0};
}

static void drop_first(struct added_list *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		snapshot_unref(list->items[i].snapshot);
	list->count -= count;
	if (list->count)
		memmove(list->items, list->items + count,
			list->count * sizeof(list->items[0]));
}

/* Of what has left the history before it was written, nothing is. */
static void drop_too_old(struct history_store *store)
{
	const struct added_list *added = &store->added;
	size_t gone = 0;

	while (gone < added->count &&
	       added->items[gone].snapshot->generation < store->oldest)
		gone++;
	drop_first(&store->added, gone);
}

static void write_all(struct history_store *store)
{
	drop_too_old(store);
	store->job = (struct job){
		.kind = JOB_WRITE,
		.clears = store->clears,
		.oldest = store->loaded ? store->oldest : 0,
		.owner = mem_strdup(store->owner),
		.added = store->added,
	};
	store->added = (struct added_list){0};
	store->clears = store->due = false;
	queue(store);
}

/* Logged when it begins and when it is over, not at each generation. */
static void note_result(struct history_store *store)
{
	int r = store->job.result;

	if (r < 0 && !store->failing)
		log_warning("history-not-written",
			    LOG_TEXT("workspace", store->workspace),
			    LOG_TEXT("error", strerror(-r)));
	else if (r == 0 && store->failing)
		log_info("history-recovered",
			 LOG_TEXT("workspace", store->workspace));
	store->failing = r;
}

/* What was not written comes before what was added since; unless that is all
 * there is to be. */
static void take_back(struct history_store *store)
{
	struct added_list later = store->added;

	if (store->clears)
		return;
	drop_first(&store->job.added, store->job.written);
	store->clears = store->job.clears;
	store->added = store->job.added;
	store->job.added = (struct added_list){0};
	append(&store->added, &later);
}

static void rest(struct history_store *store)
{
	if (store->due)
		write_all(store);
	else if (store->state == STORE_CLOSING)
		store_free(store);
	else
		store_enter(store, STORE_IDLE);
}

static void end_writing(struct history_store *store)
{
	note_result(store);
	take_back(store);
	job_deinit(&store->job);
	rest(store);
}

static void complain(const struct history_store *store)
{
	const struct diag *diag = &store->job.diag;

	if (diag_failed(diag))
		log_warning("history-not-used",
			    LOG_TEXT("workspace", store->workspace),
			    LOG_TEXT("file", diag->source),
			    LOG_TEXT("reason", diag->text));
}

/* What was forgotten while it was read is nobody's. */
static bool is_wanted(const struct history_store *store)
{
	return store->state == STORE_LOADING && !store->clears;
}

static void end_loading(struct history_store *store)
{
	store->loaded = is_wanted(store) || store->clears;
	job_deinit(&store->job);
	if (store->state == STORE_LOADING)
		store_enter(store, STORE_WORKING);
	write_all(store);
}

/* A login's history waits for a login. */
static void wait_for_login(struct history_store *store)
{
	job_deinit(&store->job);
	store_enter(store, STORE_NEW);
}

static void begin_learning(struct history_store *store)
{
	struct secrets *secrets = store->place.secrets;

	secrets_learn_patterns(secrets, store->job.found.snapshot->root);
	store->known = secrets_count(secrets);
	store->told = (struct unpack){.rest = buf_str(&store->job.told)};
}

/* All may have been forgotten meanwhile, but for what somebody shows. */
static void learn_again(struct history_store *store)
{
	const struct stack_docs *docs = &store->job.found.snapshot->docs;

	if (secrets_count(store->place.secrets) >= store->known)
		return;
	for (size_t i = 0; i < docs->count; i++)
		secrets_learn(store->place.secrets, docs->items[i].doc->root);
}

/* Nothing of it can be asked for before its secrets are known. */
static void learn_on(struct history_store *store)
{
	if (secrets_learn_some(store->place.secrets, &store->told,
			       LEARN_AT_ONCE)) {
		store->job.kind = JOB_PAUSE;
		queue(store);
		return;
	}
	learn_again(store);
	store->oldest =
		store->place.on_found(store->place.data, &store->job.found);
	store->job.found = (struct history_entry){0};
	job_deinit(&store->job);
	read_next(store, false);
}

static void go_on_loading(struct history_store *store)
{
	struct job *job = &store->job;

	complain(store);
	diag_deinit(&job->diag);
	if (job->waits && is_wanted(store)) {
		wait_for_login(store);
		return;
	}
	if (!job->found.snapshot || !is_wanted(store)) {
		end_loading(store);
		return;
	}
	if (job->kind == JOB_READ)
		begin_learning(store);
	learn_on(store);
}

static void on_done(uv_work_t *work, int status)
{
	struct history_store *store = work->data;

	(void)status;
	if (store->job.kind == JOB_WRITE)
		end_writing(store);
	else
		go_on_loading(store);
}

/* --- what the owner says -------------------------------------------------- */

/* Do what is to be done, now or when what is under way is. */
static void work_soon(struct history_store *store)
{
	store->due = true;
	if (store->state == STORE_NEW && store->owner) {
		store_enter(store, STORE_LOADING);
		read_next(store, true);
	} else if (store->state == STORE_IDLE) {
		store_enter(store, STORE_WORKING);
		write_all(store);
	}
}

void history_store_set_owner(struct history_store *store, const char *owner)
{
	mem_free(store->owner);
	store->owner = mem_strdup(owner);
	if (store->due || store->state != STORE_NEW)
		work_soon(store);
}

void history_store_add(struct history_store *store, struct snapshot *snapshot,
		       uint64_t previous, uint64_t oldest)
{
	struct added_list one = {mem_alloc(sizeof(struct added)), 1};

	one.items[0] = (struct added){snapshot_ref(snapshot), previous};
	append(&store->added, &one);
	if (!store->first)
		store->first = snapshot->generation;
	store->oldest = oldest;
	drop_too_old(store);
	work_soon(store);
}

void history_store_forget(struct history_store *store)
{
	list_free(&store->added);
	store->clears = true;
	work_soon(store);
}

const char *history_store_problem(const struct history_store *store)
{
	return store->failing ? strerror(-store->failing) : NULL;
}

void history_store_close(struct history_store *store)
{
	bool idle, loaded;

	if (!store)
		return;
	loaded = store->state == STORE_IDLE;
	idle = loaded || store->state == STORE_NEW;
	store_enter(store, STORE_CLOSING);
	if (loaded && (store->added.count || store->clears))
		write_all(store);
	else if (idle)
		store_free(store);
}

struct history_store *history_store_new(const struct history_store_place *place)
{
	const struct history_place where = {place->state_dir, place->workspace,
					    place->limit, place->bytes_limit};
	struct history_store *store = mem_alloc(sizeof(*store));

	store->place = *place;
	store->workspace = mem_strdup(place->workspace);
	store->disk = history_disk_new(&where);
	return store;
}
