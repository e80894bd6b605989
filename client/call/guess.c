#include "call/guess.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/get_call.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "value/path.h"
#include "value/value.h"

static const char *nearest_key(struct arena *arena, const struct value *object,
			       struct str key)
{
	struct suggest near = SUGGEST_FOR(key);
	struct member *member;

	if (!value_is(object, VALUE_OBJECT))
		return NULL;
	for (value_each (object, member))
		suggest_offer(&near, arena_str(arena, member_key(member)).ptr);
	return near.word;
}

/* Key by key; where there is no such key the nearest one is taken for it. */
static bool correct(struct buf *out, struct arena *arena,
		    const struct value *tree, const struct path *path)
{
	const struct value *next;
	const char *key;

	for (size_t i = 0; i < path->count; i++, tree = next) {
		struct path step = {&path->items[i], 1};

		next = path_find(tree, &step);
		if (next) {
			path_add_key(out, path->items[i]);
			continue;
		}
		key = nearest_key(arena, tree, path->items[i]);
		if (!key)
			return false;
		path_add_key(out, str_from(key));
		next = value_get(tree, str_from(key));
	}
	return true;
}

/* To follow @path in a message: " (is 'agent.worker_id' meant?)", or empty. The
 * caller frees it. */
static char *guess_path(const struct client *client, const char *path)
{
	struct get_question question = {.workspace = client->workspace,
					.secrets = GET_MASKED};
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(get_answer_deinit) struct get_answer answer = {0};
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(buf_deinit) struct buf meant = BUF_INIT;
	struct path_error error;
	struct path parsed;

	if (!path_parse(&parsed, &arena, str_from(path), &error) ||
	    channel_open(&channel, client) != EXIT_DONE ||
	    get_call(&channel, &question, &answer) != EXIT_DONE ||
	    !correct(&meant, &arena, answer.value, &parsed))
		return mem_strdup("");
	return mem_printf(" (is '%s' meant?)", buf_str(&meant).ptr);
}

int guess_complain(const struct client *client, const struct channel *channel,
		   int status, const char *path)
{
	_cleanup_(mem_freep) char *guess = NULL;

	if (status != EXIT_NO_PATH || !path)
		return channel_complain(channel, status);
	guess = guess_path(client, path);
	if (!*guess)
		return channel_complain(channel, status);
	return complain(status, "%s%s", clearconf_strerror(channel->handle),
			guess);
}

void guess_warn(const struct client *client, const char *path)
{
	struct get_question question = {.path = path,
					.workspace = client->workspace,
					.secrets = GET_MASKED};
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(get_answer_deinit) struct get_answer answer = {0};
	_cleanup_(mem_freep) char *guess = NULL;

	if (channel_open(&channel, client) != EXIT_DONE ||
	    get_call(&channel, &question, &answer) != EXIT_NO_PATH)
		return;
	guess = guess_path(client, path);
	complain_warning("there is nothing at %s yet%s", path, guess);
}
