#include "engine/rotation_parts.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <uv.h>

#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/mask.h"
#include "engine/workspace.h"
#include "settings/settings.h"
#include "state/disk.h"
#include "value/json.h"
#include "value/value.h"

static void rotation_act(struct rotation *rotation);

void rotation_enter(struct rotation *rotation, enum rotation_state state)
{
	rotation->state = state;
	rotation_act(rotation);
}

void rotation_tell(struct rotation *rotation)
{
	struct workspace *workspace = rotation->workspace;

	workspace->host->on_rotation(workspace->host->data, workspace);
}

static const char *key_in_force(const struct rotation *rotation)
{
	const struct upstream *upstream = rotation->workspace->upstream;

	return upstream ? upstream->login.access_key : NULL;
}

bool rotation_is_in_force(const struct rotation *rotation, const char *key)
{
	return key && str_same(key, key_in_force(rotation));
}

bool rotation_is_in_file(const struct rotation *rotation, const char *key)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(pair_deinit) struct pair pair = {0};

	return pair_file_read(&pair, rotation->file, &diag) &&
	       str_same(pair.access_key, key);
}

char *rotation_text_of(const struct value *object, const char *key)
{
	const struct value *value = value_get(object, str_from(key));

	if (!value_is(value, VALUE_STRING) || !value->text.len)
		return NULL;
	return mem_strndup(value_text(value).ptr, value_text(value).len);
}

/* --- the end --- */

static void on_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

void rotation_close(struct rotation *rotation)
{
	if (!rotation)
		return;
	session_cancel(rotation->call);
	if (rotation->trial)
		session_close(rotation->trial);
	disk_abandon(rotation->disk);
	rotation_journal_deinit(&rotation->journal);
	pair_deinit(&rotation->pair);
	mem_free(rotation->file);
	mem_free(rotation->journal_file);
	mem_free(rotation->leftover);
	mem_free(rotation->problem);
	uv_close((uv_handle_t *)&rotation->timer, on_closed);
}

void rotation_end(struct rotation *rotation)
{
	struct workspace *workspace = rotation->workspace;

	workspace->rotation = NULL;
	rotation_close(rotation);
	workspace->host->on_rotation(workspace->host->data, workspace);
}

/* --- failures --- */

static void on_timer(uv_timer_t *timer)
{
	rotation_act(timer->data);
}

void rotation_act_in(struct rotation *rotation, int64_t ms)
{
	(void)uv_timer_start(&rotation->timer, on_timer, (uint64_t)ms, 0);
}

/* What must be done is tried again, however often. */
void rotation_retry(struct rotation *rotation)
{
	rotation_act_in(rotation,
			rotation->workspace->host->settings->interval);
}

/* Before the note nothing can have been made at the server. */
void rotation_fail_in(struct rotation *rotation, char *problem,
		      int64_t pause_ms)
{
	const struct secrets *secrets = rotation->workspace->host->secrets;

	mem_free(rotation->problem);
	rotation->problem = mask_text(secrets, problem);
	pair_deinit(&rotation->pair);
	mem_free(problem);
	log_warning("rotation-failed",
		    LOG_TEXT("workspace", rotation->workspace->name),
		    LOG_TEXT("reason", rotation->problem));
	rotation_tell(rotation);
	if (rotation->state <= ROTATION_NOTING) {
		rotation_end(rotation);
		return;
	}
	rotation->state = ROTATION_CLEANING;
	rotation_act_in(rotation, pause_ms);
}

static char *problem_of(const char *what, const struct api_reply *reply)
{
	return mem_printf("%s: %s; the old key pair stays in force", what,
			  reply->message);
}

void rotation_fail(struct rotation *rotation, const char *what,
		   const struct api_reply *reply)
{
	bool open = rotation->state == ROTATION_CREATING &&
		    reply->outcome != API_ERROR;
	int64_t timeout = rotation->workspace->host->settings->timeout;

	rotation_fail_in(rotation, problem_of(what, reply), open ? timeout : 0);
}

void rotation_ask(struct rotation *rotation, const char *endpoint,
		  const char *body, session_done_fn done)
{
	const struct upstream *upstream = rotation->workspace->upstream;

	if (upstream)
		rotation->call = session_send(upstream->session, endpoint, body,
					      done, rotation);
	else
		rotation_retry(rotation);
}

void rotation_give_up(struct rotation *rotation)
{
	log_warning("rotation-given-up",
		    LOG_TEXT("workspace", rotation->workspace->name),
		    LOG_TEXT("reason", "another key pair is in force than the "
				       "old and the new one: none of them is "
				       "revoked"));
	rotation->problem = mem_strdup(
		"another key pair is in force than the old and the new one: "
		"none of them is revoked");
	rotation_tell(rotation);
	rotation_enter(rotation, ROTATION_FORGETTING);
}

/* --- taking up --- */

static void act_resume(struct rotation *rotation)
{
	const struct upstream *upstream = rotation->workspace->upstream;

	if (!upstream || !upstream_is_answered(upstream) ||
	    !upstream_is_well(upstream))
		return; /* rotation_look comes back */
	if (rotation_is_in_force(rotation, rotation->journal.old))
		rotation_enter(rotation, ROTATION_CLEANING);
	else
		rotation_enter(rotation, ROTATION_MOVING);
}

static const struct {
	void (*act)(struct rotation *rotation);
	const char *name; /* for status */
} states[] = {
	[ROTATION_RESUMING] = {act_resume, "resuming"},
	[ROTATION_LISTING] = {rotation_act_list, "creating"},
	[ROTATION_NOTING] = {rotation_act_note, "creating"},
	[ROTATION_CREATING] = {rotation_act_create, "creating"},
	[ROTATION_PROVING] = {rotation_act_prove, "creating"},
	[ROTATION_INTENDING] = {rotation_act_note, "creating"},
	[ROTATION_WRITING] = {rotation_act_write, "moving"},
	[ROTATION_MOVING] = {rotation_act_move, "moving"},
	[ROTATION_LABELLING] = {rotation_act_label, "moving"},
	[ROTATION_GRACE] = {rotation_act_note, "waiting"},
	[ROTATION_WAITING] = {rotation_act_wait, "waiting"},
	[ROTATION_REVOKING] = {rotation_act_revoke, "revoking"},
	[ROTATION_FORGETTING] = {rotation_act_forget, "revoking"},
	[ROTATION_CLEANING] = {rotation_act_clean, "cleaning"},
	[ROTATION_DISCARDING] = {rotation_act_discard, "cleaning"},
};

static void rotation_act(struct rotation *rotation)
{
	(void)uv_timer_stop(&rotation->timer);
	states[rotation->state].act(rotation);
}

void rotation_look(struct rotation *rotation)
{
	if (rotation && (rotation->state == ROTATION_RESUMING ||
			 rotation->state == ROTATION_MOVING))
		rotation_act(rotation);
}

void rotation_log_out(struct rotation *rotation)
{
	if (!rotation || !rotation->call)
		return;
	session_cancel(TAKE(rotation->call));
	if (rotation->state == ROTATION_LISTING ||
	    rotation->state == ROTATION_CREATING)
		rotation_fail_in(
			rotation,
			mem_strdup("the login has been replaced meanwhile"),
			rotation->workspace->host->settings->timeout);
	else
		rotation_retry(rotation);
}

/* --- the beginning --- */

static struct rotation *rotation_new(struct workspace *workspace)
{
	struct rotation *rotation = mem_alloc(sizeof(*rotation));

	rotation->workspace = workspace;
	rotation->journal.revoke_at = -1;
	rotation->expires = -1;
	rotation->file = login_secret_path(workspace->host->settings,
					   workspace->declared);
	rotation->journal_file = rotation_journal_path(
		workspace->host->state_dir, workspace->name);
	(void)uv_timer_init(workspace->host->upstream.loop, &rotation->timer);
	rotation->timer.data = rotation;
	workspace->rotation = rotation;
	return rotation;
}

static char *new_mark(void)
{
	uint64_t unique = 0;

	if (getrandom(&unique, sizeof(unique), 0) != sizeof(unique))
		unique = (uint64_t)time(NULL);
	return mem_printf("clearconf rotation %016llx, not in use yet",
			  (unsigned long long)unique);
}

/* Where it stands and why nothing is rewritten there. */
static char *why_not_there(const struct workspace *workspace)
{
	const struct login *login = &workspace->upstream->login;

	return mem_printf(
		"the key pair of workspace '%s' stands in %s, where clearconf "
		"rewrites nothing: declare it in the settings with a "
		"credentials_file, see clearconfd.conf(5)",
		workspace->name,
		login->key_source && *login->key_source ? login->key_source
							: "its sources");
}

static bool is_basic(const struct workspace *workspace)
{
	const struct api_claims *claims =
		session_claims(workspace->upstream->session);

	return claims && !strcmp(claims->feature_set, "basic");
}

/* NULL, or why no rotation can begin: of the workspace and its login. */
static const char *why_not_now(const struct workspace *workspace,
			       const struct rotation_wish *wish)
{
	const struct workspace_host *host = workspace->host;
	const struct upstream *upstream = workspace->upstream;
	const struct {
		bool holds;
		const char *reason;
	} reasons[] = {
		{!host->state_dir || host->read_only,
		 "there is no state folder, and so no way to take a rotation "
		 "up after a crash"},
		{workspace->login_error || workspace->candidate,
		 "a new login is not proved yet"},
		{workspace->last_good.refused,
		 "the server refuses the key pair that is in force: nothing "
		 "can be made with it"},
		{!session_is_by_key(upstream->session),
		 "the workspace is not logged in by its key pair yet"},
		{host->uses_key(host->data, upstream->login.access_key,
				upstream->login.key_source),
		 "another workspace logs in with the same key from elsewhere, "
		 "and would lose it"},
		{wish->lifetime >= 0 && is_basic(workspace),
		 "this server (feature set 'basic', open source) knows no "
		 "expiry of keys"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].holds)
			return reasons[i].reason;
	return NULL;
}

static char *why_not(const struct workspace *workspace,
		     const struct rotation_wish *wish)
{
	_cleanup_(mem_freep) char *file = NULL;
	const char *reason;

	if (!workspace->declared || !workspace->declared->credentials_file)
		return why_not_there(workspace);
	reason = why_not_now(workspace, wish);
	if (reason)
		return mem_strdup(reason);
	file = login_secret_path(workspace->host->settings,
				 workspace->declared);
	return pair_file_obstacle(file);
}

/* A rotation that only waits for the grace may get another one. */
static char *begin_again(struct rotation *rotation,
			 const struct rotation_wish *wish)
{
	if (rotation->state != ROTATION_WAITING)
		return mem_printf("a rotation is under way already (%s)%s%s",
				  states[rotation->state].name,
				  rotation->problem ? ": " : "",
				  rotation->problem ? rotation->problem : "");
	if (wish->lifetime >= 0)
		return mem_strdup("the last rotation waits until it may revoke "
				  "the old key: end that with --grace 0 "
				  "first");
	if (wish->grace < 0)
		return NULL;
	rotation->journal.grace = wish->grace;
	rotation->journal.revoke_at = time(NULL) + wish->grace;
	rotation_enter(rotation, ROTATION_GRACE);
	return NULL;
}

char *rotation_begin(struct workspace *workspace,
		     const struct rotation_wish *wish)
{
	struct rotation *rotation;
	char *reason;

	if (workspace->rotation)
		return begin_again(workspace->rotation, wish);
	reason = why_not(workspace, wish);
	if (reason)
		return reason;
	rotation = rotation_new(workspace);
	rotation->lifetime = wish->lifetime;
	rotation->journal.grace =
		wish->grace >= 0 ? wish->grace : ROTATION_GRACE_S;
	rotation->journal.old =
		mem_strdup(workspace->upstream->login.access_key);
	rotation->journal.mark = new_mark();
	log_info("rotation", LOG_TEXT("workspace", workspace->name));
	rotation_enter(rotation, ROTATION_LISTING);
	return NULL;
}

void rotation_resume(struct workspace *workspace)
{
	_cleanup_(mem_freep) char *path = NULL;
	struct rotation_journal journal;
	struct rotation *rotation;

	if (!workspace->declared || !workspace->declared->credentials_file ||
	    !workspace->host->state_dir || workspace->host->read_only)
		return;
	path = rotation_journal_path(workspace->host->state_dir,
				     workspace->name);
	if (!rotation_journal_read(&journal, path))
		return;
	rotation = rotation_new(workspace);
	rotation->journal = journal;
	log_info("rotation-resumed", LOG_TEXT("workspace", workspace->name));
	rotation->state = ROTATION_RESUMING;
}

/* --- what is told --- */

bool rotation_is_through(const struct rotation *rotation)
{
	return rotation->state >= ROTATION_WAITING &&
	       rotation->state <= ROTATION_FORGETTING && !rotation->problem;
}

const char *rotation_problem(const struct rotation *rotation)
{
	return rotation->problem;
}

void rotation_write_result(const struct rotation *rotation, struct buf *json)
{
	json_add_string(json, "access_key", rotation->journal.new);
	json_add_string(json, "old_access_key", rotation->journal.old);
	json_add_string(json, "file", rotation->file);
	json_add_int(json, "revoke_at", rotation->journal.revoke_at);
	json_add_optional_int(json, "expires", rotation->expires);
}

void rotation_write_status(const struct rotation *rotation, bool masked,
			   struct buf *json)
{
	const struct rotation_journal *journal = &rotation->journal;

	json_key(json, "rotation");
	buf_putc(json, '{');
	json_add_string(json, "state", states[rotation->state].name);
	json_add_string(json, "old_access_key",
			masked ? SECRET_MASK : journal->old);
	if (journal->new)
		json_add_string(json, "access_key",
				masked ? SECRET_MASK : journal->new);
	json_add_optional_int(json, "revoke_at", journal->revoke_at);
	json_add_optional_string(json, "problem", rotation->problem);
	buf_putc(json, '}');
}
