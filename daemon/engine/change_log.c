#include "engine/change_log.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/mask.h"
#include "config/origin.h"
#include "config/secrets.h"
#include "config/snapshot.h"
#include "fetch/bucket.h"
#include "value/diff.h"

#define FIELDS_MAX 16

/* What is told of one path; texts of the job's arena. */
struct line {
	const char *path, *kind, *layer, *source;
	const char *description, *owner, *edited; /* NULL: none */
	struct pos pos;
	int64_t revision;
};

struct job {
	struct snapshot *old, *new; /* references */
	struct secrets *secrets;    /* pinned */
	struct arena arena;
	struct line lines[CHANGE_LOG_LINES];
	size_t count, more;
};

struct change_log {
	uv_loop_t *loop;
	char *workspace;
	const struct secrets *secrets;
	struct snapshot *old, *new; /* to be compared next; NULL: nothing */
	struct bucket bucket;
	size_t untold; /* lines there was no room for */
	bool closing;

	uv_work_t work;
	bool working;
	struct job job; /* the thread's while it is working */
};

/* --- on the thread pool --------------------------------------------------- */

static const char *shown(struct job *job, const char *text)
{
	_cleanup_(mem_freep) char *masked =
		text && *text ? mask_text(job->secrets, text) : NULL;

	return masked ? arena_strdup(&job->arena, masked) : NULL;
}

static const char *shown_path(struct job *job, struct str path)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	mask_path_into(job->secrets, path, &text);
	return arena_str(&job->arena, buf_str(&text)).ptr;
}

static void add_line(struct job *job, const struct change *change,
		     const struct origin *origin)
{
	struct line *line = &job->lines[job->count++];
	const struct layer_edit *edit = origin->edit;

	*line = (struct line){
		.path = shown_path(job, change->path),
		.kind = change_kind_name(change->kind),
		.layer = *origin->layer ? origin->layer : NULL,
		.source = shown(job, origin->source),
		.description = shown(job, origin->description),
		.pos = origin->pos,
	};
	if (!edit)
		return;
	line->owner = shown(job, edit->owner);
	line->edited = shown(job, edit->last_update);
	line->revision = edit->revision;
}

static void add_lines(struct job *job, const struct changes *changes)
{
	struct origins before, after;

	origins_init(&before, &job->old->docs);
	origins_init(&after, &job->new->docs);
	for (size_t i = 0; i < changes->count && job->count < CHANGE_LOG_LINES;
	     i++) {
		const struct change *change = &changes->items[i];
		struct origin origin =
			origins_of_change(&before, &after, change);

		add_line(job, change, &origin);
	}
	origins_deinit(&before);
	origins_deinit(&after);
}

static void on_work(uv_work_t *work)
{
	_cleanup_(changes_deinit) struct changes changes = CHANGES_INIT;
	struct change_log *log = work->data;
	struct job *job = &log->job;

	diff_add(&changes, STR(""), job->old->root, job->new->root);
	changes_sort(&changes);
	add_lines(job, &changes);
	job->more = changes.count - job->count;
}

/* --- in the loop ---------------------------------------------------------- */

static void change_log_free(struct change_log *log)
{
	snapshot_unref(log->old);
	snapshot_unref(log->new);
	mem_free(log->workspace);
	mem_free(log);
}

struct fields {
	struct log_field items[FIELDS_MAX];
	size_t count;
};

static void add_text(struct fields *fields, const char *key, const char *text)
{
	if (text)
		fields->items[fields->count++] = LOG_TEXT(key, text);
}

static void add_number(struct fields *fields, const char *key, int64_t number)
{
	if (number)
		fields->items[fields->count++] = LOG_INT(key, number);
}

static void tell_line(const struct change_log *log, const struct line *line)
{
	struct fields fields = {0};

	add_text(&fields, "event", "changed");
	add_text(&fields, "workspace", log->workspace);
	add_number(&fields, "generation", (int64_t)log->job.new->generation);
	add_text(&fields, "path", line->path);
	add_text(&fields, "kind", line->kind);
	add_text(&fields, "layer", line->layer);
	add_text(&fields, "source", line->source);
	add_text(&fields, "description", line->description);
	add_number(&fields, "line", line->pos.line);
	add_number(&fields, "column", line->pos.column);
	add_text(&fields, "owner", line->owner);
	add_text(&fields, "edited", line->edited);
	add_number(&fields, "revision", line->revision);
	log_write(LOG_LEVEL_INFO, fields.items);
}

static void tell_more(const struct change_log *log, size_t count)
{
	log_info("changed-more", LOG_TEXT("workspace", log->workspace),
		 LOG_INT("generation", (int64_t)log->job.new->generation),
		 LOG_INT("paths", (int64_t)count));
}

/* What a minute has no room for is counted, and the count is told with what
 * comes when there is. */
static void tell(struct change_log *log)
{
	uint64_t now = uv_now(log->loop);
	size_t told = 0;

	while (told < log->job.count && bucket_take(&log->bucket, now))
		tell_line(log, &log->job.lines[told++]);
	log->untold += log->job.count - told + log->job.more;
	if (log->untold && told) {
		tell_more(log, log->untold);
		log->untold = 0;
	}
}

static void compare_next(struct change_log *log);

static void end_job(struct change_log *log)
{
	struct job *job = &log->job;

	snapshot_unref(job->old);
	snapshot_unref(job->new);
	secrets_free(job->secrets);
	arena_free(&job->arena);
	*job = (struct job){0};
	log->working = false;
}

static void on_done(uv_work_t *work, int status)
{
	struct change_log *log = work->data;

	(void)status;
	tell(log);
	end_job(log);
	if (log->new)
		compare_next(log);
	else if (log->closing)
		change_log_free(log);
}

static void compare_next(struct change_log *log)
{
	log->job = (struct job){
		.old = TAKE(log->old),
		.new = TAKE(log->new),
		.secrets = secrets_pin(log->secrets),
	};
	snapshot_freeze(log->job.old);
	snapshot_freeze(log->job.new);
	log->working = true;
	(void)uv_queue_work(log->loop, &log->work, on_work, on_done);
}

struct change_log *change_log_new(uv_loop_t *loop, const char *workspace,
				  const struct secrets *secrets)
{
	struct change_log *log = mem_alloc(sizeof(*log));

	log->loop = loop;
	log->workspace = mem_strdup(workspace);
	log->secrets = secrets;
	log->bucket.per_minute = CHANGE_LOG_MINUTE;
	log->work.data = log;
	return log;
}

void change_log_add(struct change_log *log, struct snapshot *snapshot,
		    struct snapshot *next)
{
	if (!log_tells(LOG_LEVEL_INFO))
		return;
	if (!log->old)
		log->old = snapshot_ref(snapshot);
	snapshot_unref(log->new);
	log->new = snapshot_ref(next);
	if (!log->working)
		compare_next(log);
}

void change_log_close(struct change_log *log)
{
	if (!log)
		return;
	log->closing = true;
	if (!log->working)
		change_log_free(log);
}
