#include "serve/study.h"

#include <uv.h>

#include "base/arena.h"
#include "base/mem.h"
#include "config/history.h"
#include "config/secret.h"
#include "config/snapshot.h"
#include "serve/errand.h"
#include "serve/out.h"
#include "serve/request.h"
#include "serve/turns.h"

struct study {
	struct question question; /* its words are the study's */
	char *path;

	/* In its turn: */
	struct arena arena;
	struct secrets *secrets;
	uv_work_t work;
	struct shared *reply;
};

size_t question_gather(struct question *question, const struct view *view,
		       struct arena *arena)
{
	size_t most = 1 + view->history->count, bytes = 0;
	struct snapshot *snapshot = view->snapshot;

	question->snapshots =
		arena_alloc(arena, most * sizeof(question->snapshots[0]));
	question->count = 0;
	while (snapshot && question->count <= question->generations) {
		question->snapshots[question->count++] = snapshot;
		bytes += snapshot->json.len;
		snapshot = history_get(view->history, question->count);
	}
	return bytes;
}

static struct study *study_new(const struct question *question)
{
	struct study *study = mem_alloc(sizeof(*study));
	struct str path = question->path;

	study->path = mem_strndup(path.ptr ? path.ptr : "", path.len);
	study->question = (struct question){
		.path = {study->path, path.len},
		.generations = question->generations,
		.write = question->write,
	};
	return study;
}

void study_free(struct study *study)
{
	if (!study)
		return;
	for (size_t i = 0; i < study->question.count; i++)
		snapshot_unref(study->question.snapshots[i]);
	arena_free(&study->arena);
	secrets_free(study->secrets);
	mem_free(study->path);
	shared_unref(study->reply);
	mem_free(study);
}

void study_answer(struct request *request, const struct question *question,
		  bool is_long)
{
	if (is_long)
		errand_study(request, study_new(question), question->path.len,
			     question->secrets != NULL);
	else
		question->write(request->out, question);
}

/* --- in the other thread -------------------------------------------------- */

static void on_work(uv_work_t *work)
{
	struct study *study = CONTAINER_OF(work, struct study, work);
	struct out out = {0};

	study->question.write(&out, &study->question);
	study->reply = out_cut(&out, (struct out_mark){0});
	out_deinit(&out);
}

/* --- in the loop ---------------------------------------------------------- */

static void on_done(uv_work_t *work, int status)
{
	struct errand *errand = work->data;
	struct study *study = TAKE(errand->study);
	struct shared *reply = TAKE(study->reply);

	(void)status;
	study_free(study);
	errand_finish(errand, reply);
}

/* Snapshots count references without a lock: only the loop takes and drops
 * them. */
static void pin(struct study *study, const struct view *view, bool masked)
{
	struct question *question = &study->question;

	(void)question_gather(question, view, &study->arena);
	for (size_t i = 0; i < question->count; i++)
		snapshot_settle(snapshot_ref(question->snapshots[i]));
	if (masked)
		study->secrets = secrets_pin(view->secrets);
	question->secrets = study->secrets;
}

void study_begin(struct errand *errand)
{
	const struct service *service = errand->service;
	struct study *study = errand->study;
	struct view view;

	if (!service->view(service->data, errand->workspace, &view)) {
		errand_fail_not_ready(errand,
				      "the workspace is gone meanwhile");
		return;
	}
	pin(study, &view, errand->masked);
	study->work.data = errand;
	(void)uv_queue_work(errand->turns->loop, &study->work, on_work,
			    on_done);
}
