/* The first half of rotation.h: a new pair, in the file. */

#include <string.h>

#include "base/mem.h"
#include "config/secrets.h"
#include "engine/credential.h"
#include "engine/rotation_parts.h"
#include "engine/workspace.h"
#include "state/disk.h"
#include "value/json.h"
#include "value/value.h"

/* --- the journal --- */

/* The state that follows the note. */
static enum rotation_state after_note(enum rotation_state state)
{
	switch ((int)state) {
	case ROTATION_NOTING: return ROTATION_CREATING;
	case ROTATION_INTENDING: return ROTATION_WRITING;
	default: return ROTATION_WAITING;
	}
}

/* Once the new pair is in force a crash would only cost a longer grace. */
static void rotation_take_note(struct rotation *rotation, int result)
{
	rotation->disk = NULL;
	if (result < 0 && rotation->state != ROTATION_GRACE)
		rotation_fail_in(
			rotation,
			mem_printf("%s: %s; the old key pair stays in force",
				   rotation->journal_file, strerror(-result)),
			0);
	else
		rotation_enter(rotation, after_note(rotation->state));
}

static void on_noted(void *data, int result)
{
	rotation_take_note(data, result);
}

void rotation_act_note(struct rotation *rotation)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	rotation_journal_write(&rotation->journal, &json);
	rotation->disk = disk_replace(rotation->workspace->host->upstream.loop,
				      rotation->journal_file, buf_str(&json),
				      (struct disk_told){on_noted, rotation});
}

/* --- the new pair --- */

static void rotation_take_old(struct rotation *rotation,
			      const struct value *old)
{
	int64_t begin = credential_time(old, "created");
	int64_t end = credential_time(old, "expire");

	rotation->journal.label = rotation_text_of(old, "label");
	if (rotation->lifetime < 0 && begin > 0 && end > begin)
		rotation->lifetime = end - begin;
	rotation_enter(rotation, ROTATION_NOTING);
}

static void on_listed(void *data, const struct api_reply *reply)
{
	struct rotation *rotation = data;

	rotation->call = NULL;
	if (reply->outcome != API_OK)
		rotation_fail(rotation, "auth.get_credentials", reply);
	else
		rotation_take_old(rotation,
				  credential_find(reply->data, "access_key",
						  rotation->journal.old));
}

void rotation_act_list(struct rotation *rotation)
{
	rotation_ask(rotation, "auth.get_credentials", NULL, on_listed);
}

static void rotation_take_pair(struct rotation *rotation,
			       const struct value *pair)
{
	struct secrets *secrets = rotation->workspace->host->secrets;

	rotation->pair.access_key = rotation_text_of(pair, "access_key");
	rotation->pair.secret_key = rotation_text_of(pair, "secret_key");
	rotation->expires = credential_time(pair, "expire");
	if (!rotation->pair.access_key || !rotation->pair.secret_key) {
		rotation_fail_in(rotation,
				 mem_strdup("the server's answer holds no key "
					    "pair"),
				 0);
		return;
	}
	secrets_learn_text(secrets, rotation->pair.access_key);
	secrets_learn_text(secrets, rotation->pair.secret_key);
	rotation->journal.new = mem_strdup(rotation->pair.access_key);
	rotation_enter(rotation, ROTATION_PROVING);
}

static void on_created(void *data, const struct api_reply *reply)
{
	struct rotation *rotation = data;

	rotation->call = NULL;
	if (reply->outcome != API_OK)
		rotation_fail(rotation, "auth.create_credentials", reply);
	else
		rotation_take_pair(rotation,
				   value_get(reply->data, STR("credentials")));
}

void rotation_act_create(struct rotation *rotation)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	buf_putc(&body, '{');
	json_add_string(&body, "label", rotation->journal.mark);
	json_add_optional_int(&body, "expiration_sec", rotation->lifetime);
	buf_putc(&body, '}');
	rotation_ask(rotation, "auth.create_credentials", buf_str(&body).ptr,
		     on_created);
}

static void rotation_take_proof(struct rotation *rotation,
				const struct api_reply *reply)
{
	session_close(TAKE(rotation->trial));
	if (reply->outcome != API_OK)
		rotation_fail(rotation, "a login with the new pair", reply);
	else
		rotation_enter(rotation, ROTATION_INTENDING);
}

static void on_proved(void *data, const struct api_reply *reply)
{
	rotation_take_proof(data, reply);
}

void rotation_act_prove(struct rotation *rotation)
{
	struct workspace *workspace = rotation->workspace;

	rotation->trial =
		upstream_try(workspace->upstream, &workspace->host->upstream,
			     &rotation->pair);
	(void)session_login(rotation->trial, on_proved, rotation);
}

/* --- the file --- */

/* The last step may have failed, after the new file took the old one's place.
 */
static void rotation_take_write(struct rotation *rotation, int result)
{
	rotation->disk = NULL;
	if (result < 0 &&
	    !rotation_is_in_file(rotation, rotation->journal.new)) {
		rotation_fail_in(
			rotation,
			mem_printf("%s: %s; the old key pair stays in force",
				   rotation->file, strerror(-result)),
			0);
		return;
	}
	pair_deinit(&rotation->pair);
	rotation_enter(rotation, ROTATION_MOVING);
}

static void on_written(void *data, int result)
{
	rotation_take_write(data, result);
}

void rotation_act_write(struct rotation *rotation)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	pair_file_write(&text, &rotation->pair);
	rotation->disk = disk_replace(rotation->workspace->host->upstream.loop,
				      rotation->file, buf_str(&text),
				      (struct disk_told){on_written, rotation});
}
