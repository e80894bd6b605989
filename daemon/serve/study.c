#include "serve/study.h"

#include <uv.h>

#include "base/mem.h"
#include "config/secret.h"
#include "config/snapshot.h"
#include "serve/errand.h"
#include "serve/out.h"
#include "serve/request.h"
#include "serve/turns.h"

struct study {
	struct question question; /* its contents are the study's */
	struct secrets *secrets;
	char *path;
	uv_work_t work;
	struct shared *reply;
};

/* Snapshots count references without a lock: only the loop takes and drops
 * them. */
static struct study *study_new(const struct question *question)
{
	struct study *study = mem_alloc(sizeof(*study));
	size_t size = question->count * sizeof(struct snapshot *);

	study->question = *question;
	study->question.snapshots = mem_alloc(size);
	for (size_t i = 0; i < question->count; i++) {
		snapshot_settle(question->snapshots[i]);
		study->question.snapshots[i] =
			snapshot_ref(question->snapshots[i]);
	}
	study->path = mem_strndup(question->path.ptr ? question->path.ptr : "",
				  question->path.len);
	study->question.path.ptr = study->path;
	if (question->secrets)
		study->secrets = secrets_pin(question->secrets);
	study->question.secrets = study->secrets;
	return study;
}

void study_free(struct study *study)
{
	if (!study)
		return;
	for (size_t i = 0; i < study->question.count; i++)
		snapshot_unref(study->question.snapshots[i]);
	mem_free(study->question.snapshots);
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

void study_begin(struct errand *errand)
{
	struct study *study = errand->study;

	study->work.data = errand;
	(void)uv_queue_work(errand->turns->loop, &study->work, on_work,
			    on_done);
}
