#include "serve/consumer_list.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/proc.h"
#include "config/access.h"
#include "config/mask.h"
#include "config/secrets.h"
#include "serve/consumer.h"
#include "serve/holding.h"
#include "serve/offload.h"
#include "serve/out.h"
#include "serve/peer.h"
#include "serve/pending.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "value/json.h"

/* So many are named at once, in half a millisecond. */
#define NAMED_AT_ONCE 32

/* One that is listed; its texts lie in the list's arena. */
struct entry {
	struct consumer_row row;
	int64_t behind;    /* seconds; negative: it is not */
	struct str report; /* of one that reports: members of its JSON */
};

struct listing {
	struct arena arena;
	struct entry *entries; /* those that report come first */
	size_t count, report_count;
	bool is_short; /* so that each socket can be asked who is there */
	const struct secrets *secrets;
};

/* --- who there is --------------------------------------------------------- */

/* For whom, and what was found out last: the next one is mostly of the same
 * workspace. */
struct reader {
	const struct service *service;
	const struct peer *peer;
	const struct holding *of;
	bool may_read;
	int64_t behind;
};

static void look_at(struct reader *reader, const struct holding *holding)
{
	const struct service *service = reader->service;
	struct view view;

	assert(holding); /* or it would not be in the list */
	if (reader->of == holding)
		return;
	reader->of = holding;
	reader->may_read = false;
	reader->behind = -1;
	if (!service->view(service->data, holding->workspace, &view))
		return;
	reader->may_read =
		access_rights(view.access, &reader->peer->user) & ACCESS_READ;
	reader->behind = holding_behind(holding, view.history, time(NULL));
}

/* One's own are no secret. */
static bool is_shown(struct reader *reader, const struct consumer *consumer)
{
	look_at(reader, consumer->holding);
	return reader->may_read ||
	       consumer->peer->user.uid == reader->peer->user.uid;
}

static char *copy(struct arena *arena, const char *text)
{
	return (char *)arena_str(arena, str_from(text)).ptr;
}

static void add_report(struct listing *listing, struct entry *entry,
		       const struct consumer *consumer)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	entry->row.how = copy(&listing->arena, entry->row.how);
	consumer_write_report(consumer, listing->secrets, &json);
	entry->report = arena_str(&listing->arena, buf_str(&json));
	listing->report_count++;
}

/* Many have the workspace of the one before. */
static const char *copy_workspace(struct listing *listing, const char *name)
{
	size_t count = listing->count;
	const char *before =
		count ? listing->entries[count - 1].row.workspace : "";

	return strcmp(before, name) != 0 ? copy(&listing->arena, name) : before;
}

static void add(struct listing *listing, const struct consumer *consumer,
		int64_t behind)
{
	struct entry *entry = &listing->entries[listing->count];

	*entry = (struct entry){consumer_row(consumer), .behind = behind};
	entry->row.workspace =
		copy_workspace(listing, consumer->holding->workspace);
	if (listing->is_short && peer_has_ended(consumer->peer))
		entry->row.pid = 0;
	if (entry->row.reports)
		add_report(listing, entry, consumer);
	listing->count++;
}

static void add_those(struct listing *listing, const struct list *consumers,
		      struct reader *reader)
{
	const struct list *i;

	for (list_each (consumers, i)) {
		const struct consumer *consumer =
			CONTAINER_OF(i, struct consumer, link);

		if (is_shown(reader, consumer))
			add(listing, consumer, reader->behind);
	}
}

static void gather(struct listing *listing, const struct consumers *consumers,
		   struct reader *reader)
{
	size_t size = sizeof(listing->entries[0]);

	listing->entries = mem_alloc((consumers->count + 1) * size);
	add_those(listing, &consumers->reporting, reader);
	add_those(listing, &consumers->silent, reader);
}

static void listing_deinit(struct listing *listing)
{
	arena_free(&listing->arena);
	mem_free(listing->entries);
}

/* --- how they are told ---------------------------------------------------- */

/* The same process in the same workspace tells more of itself. */
static bool is_told_by_a_report(const struct listing *listing,
				const struct consumer_row *row)
{
	for (size_t i = 0; i < listing->report_count && !row->reports; i++) {
		const struct consumer_row *other = &listing->entries[i].row;

		if (other->pid && other->pid == row->pid &&
		    !strcmp(other->workspace, row->workspace))
			return true;
	}
	return false;
}

/* Has who connected ended? Who has its PID by now may have begun later; and of
 * whom /proc hides the kernel still says whether he is there. */
static bool is_gone(const struct consumer_row *row, struct proc *proc)
{
	if (!proc_read(row->pid, proc))
		return kill(row->pid, 0) < 0 && errno == ESRCH;
	return proc->state == 'Z' || proc_started_ms(proc) > row->since;
}

/* *@row has no PID any more when that process has ended. */
static void find_process(struct consumer_row *row, struct proc *proc)
{
	if (row->pid && is_gone(row, proc)) {
		*proc = (struct proc){0};
		row->pid = 0;
	}
	for (char *at = proc->name; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

static void write_name(const struct proc *proc, const struct secrets *secrets,
		       struct buf *json)
{
	_cleanup_(mem_freep) char *shown = mask_text(secrets, proc->name);

	if (*shown)
		json_add_string(json, "command", shown);
}

static void write_entry(const struct listing *listing, struct entry *entry,
			struct buf *json)
{
	struct proc proc = {0};

	find_process(&entry->row, &proc);
	consumer_row_write(&entry->row, listing->secrets, json);
	json_add_optional_int(json, "behind", entry->behind);
	if (entry->report.len)
		buf_printf(json, ",%.*s", STR_PRINT(entry->report));
	if (!entry->row.named)
		write_name(&proc, listing->secrets, json);
	buf_putc(json, '}');
}

static void write_all(struct listing *listing, struct out *out)
{
	struct buf *json = reply_open(out);
	const char *comma = "";

	json_key(json, "consumers");
	buf_putc(json, '[');
	for (size_t i = 0; i < listing->count; i++) {
		struct entry *entry = &listing->entries[i];

		if (is_told_by_a_report(listing, &entry->row))
			continue;
		buf_puts(json, comma);
		write_entry(listing, entry, json);
		comma = ",";
	}
	buf_putc(json, ']');
	reply_close(out, false);
}

/* --- many of them --------------------------------------------------------- */

struct list_job {
	struct job job;
	const struct consumers *consumers; /* the server's */
	struct listing listing;
	struct secrets *secrets; /* pinned */
};

static struct list_job *list_job_of(struct job *job)
{
	return CONTAINER_OF(job, struct list_job, job);
}

static void list_pin(struct job *job, const struct view *view)
{
	struct list_job *own = list_job_of(job);
	struct reader reader = {.service = job->pending->service,
				.peer = job->pending->peer};

	own->secrets = secrets_pin(view->secrets);
	own->listing.secrets = own->secrets;
	gather(&own->listing, own->consumers, &reader);
}

static void list_run(struct job *job, struct out *out)
{
	write_all(&list_job_of(job)->listing, out);
}

static void list_free(struct job *job)
{
	struct list_job *own = list_job_of(job);

	listing_deinit(&own->listing);
	secrets_free(own->secrets);
	mem_free(own);
}

static const struct job_kind list_kind = {list_pin, list_run, list_free};

static void answer_by_job(struct request *request)
{
	struct list_job *own = mem_alloc(sizeof(*own));

	own->job.kind = &list_kind;
	own->job.masked = own->job.of_all = true;
	own->consumers = request->consumer->consumers;
	offload_add(request, &own->job, 0);
}

void consumer_list_answer(struct request *request)
{
	const struct consumers *consumers = request->consumer->consumers;
	struct reader reader = {.service = request->service,
				.peer = request->peer};
	struct listing listing = {.is_short = true,
				  .secrets = request->view.secrets};

	if (consumers->count > NAMED_AT_ONCE) {
		answer_by_job(request);
		return;
	}
	gather(&listing, consumers, &reader);
	write_all(&listing, request->out);
	listing_deinit(&listing);
}
