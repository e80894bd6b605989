/* The second half of rotation.h: the old pair goes; and what is left of an
 * attempt that failed. */

#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/credential.h"
#include "engine/rotation_parts.h"
#include "engine/workspace.h"
#include "state/disk.h"
#include "value/json.h"
#include "value/value.h"

#define STRETCH_S 3600 /* the longest wait at one go: clocks may be set */

static void revoke_key(struct rotation *rotation, const char *key,
		       session_done_fn done)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	buf_putc(&body, '{');
	json_add_string(&body, "access_key", key);
	buf_putc(&body, '}');
	rotation_ask(rotation, "auth.revoke_credentials", buf_str(&body).ptr,
		     done);
}

void rotation_act_move(struct rotation *rotation)
{
	if (rotation_is_in_force(rotation, rotation->journal.new))
		rotation_enter(rotation, ROTATION_LABELLING);
	else if (rotation_is_in_force(rotation, rotation->journal.old))
		workspace_reload(rotation->workspace, CAUSE_FILE);
	else if (rotation->workspace->upstream)
		rotation_give_up(rotation);
}

/* --- the old pair --- */

static void rotation_begin_grace(struct rotation *rotation)
{
	if (rotation->journal.revoke_at < 0)
		rotation->journal.revoke_at =
			time(NULL) + rotation->journal.grace;
	rotation_enter(rotation, ROTATION_GRACE);
}

/* A label is no reason to keep an old key. */
static void on_labelled(void *data, const struct api_reply *reply)
{
	struct rotation *rotation = data;

	rotation->call = NULL;
	if (reply->outcome == API_OK || reply->outcome == API_ERROR)
		rotation_begin_grace(rotation);
	else
		rotation_retry(rotation);
}

void rotation_act_label(struct rotation *rotation)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	buf_putc(&body, '{');
	json_add_string(&body, "access_key", rotation->journal.new);
	json_add_optional_string(&body, "label", rotation->journal.label);
	buf_putc(&body, '}');
	rotation_ask(rotation, "auth.edit_credentials", buf_str(&body).ptr,
		     on_labelled);
}

void rotation_act_wait(struct rotation *rotation)
{
	int64_t left = rotation->journal.revoke_at - time(NULL);

	rotation_tell(rotation);
	if (left <= 0) {
		rotation_enter(rotation, ROTATION_REVOKING);
		return;
	}
	rotation_act_in(rotation, 1000 * (left < STRETCH_S ? left : STRETCH_S));
}

/* A key that the server does not know any more is as good as revoked. */
static bool is_gone(const struct api_reply *reply)
{
	return reply->outcome == API_OK ||
	       (reply->outcome == API_ERROR && reply->status == 400);
}

static void on_revoked(void *data, const struct api_reply *reply)
{
	struct rotation *rotation = data;

	rotation->call = NULL;
	if (!is_gone(reply)) {
		rotation_retry(rotation);
		return;
	}
	log_info("rotated", LOG_TEXT("workspace", rotation->workspace->name));
	rotation_enter(rotation, ROTATION_FORGETTING);
}

/* May the old key go? Only if nobody here logs in with it, and the new one is
 * good. */
void rotation_act_revoke(struct rotation *rotation)
{
	const struct workspace *workspace = rotation->workspace;
	const struct workspace_host *host = workspace->host;
	const char *old = rotation->journal.old;

	if (!rotation_is_in_force(rotation, rotation->journal.new))
		rotation_enter(rotation, ROTATION_MOVING);
	else if (workspace->last_good.refused ||
		 host->uses_key(host->data, old, NULL))
		rotation_retry(rotation);
	else
		revoke_key(rotation, old, on_revoked);
}

/* --- the journal --- */

static void on_forgotten(void *data, int result)
{
	struct rotation *rotation = data;

	rotation->disk = NULL;
	if (result < 0)
		rotation_retry(rotation);
	else
		rotation_end(rotation);
}

void rotation_act_forget(struct rotation *rotation)
{
	rotation->disk =
		disk_remove(rotation->workspace->host->upstream.loop,
			    rotation->journal_file,
			    (struct disk_told){on_forgotten, rotation});
}

/* --- cleaning --- */

static void on_discarded(void *data, const struct api_reply *reply)
{
	struct rotation *rotation = data;

	rotation->call = NULL;
	if (is_gone(reply))
		rotation_enter(rotation, ROTATION_FORGETTING);
	else
		rotation_retry(rotation);
}

void rotation_act_discard(struct rotation *rotation)
{
	revoke_key(rotation, rotation->leftover, on_discarded);
}

static const struct value *find_leftover(const struct rotation *rotation,
					 const struct value *answer)
{
	const struct rotation_journal *journal = &rotation->journal;
	const struct value *found =
		journal->new
			? credential_find(answer, "access_key", journal->new)
			: NULL;

	return found ? found : credential_find(answer, "label", journal->mark);
}

/* A key in use is never revoked, whatever the journal says. */
static bool may_discard(const struct rotation *rotation, const char *key)
{
	return key && !rotation_is_in_force(rotation, key) &&
	       !rotation_is_in_file(rotation, key);
}

static void on_looked(void *data, const struct api_reply *reply)
{
	struct rotation *rotation = data;

	rotation->call = NULL;
	if (reply->outcome != API_OK) {
		rotation_retry(rotation);
		return;
	}
	mem_free(rotation->leftover);
	rotation->leftover = rotation_text_of(
		find_leftover(rotation, reply->data), "access_key");
	rotation_enter(rotation, may_discard(rotation, rotation->leftover)
					 ? ROTATION_DISCARDING
					 : ROTATION_FORGETTING);
}

void rotation_act_clean(struct rotation *rotation)
{
	rotation_ask(rotation, "auth.get_credentials", NULL, on_looked);
}
