/* Snapshots that follow one another: the input is cut at each 0xFF byte, which
 * is in no UTF-8, and each part is the next text of a vault. The changes from
 * one to the next, applied to the old one's leaves, are the new one's; History
 * tells of all of them, in one message of JSON. */

#include <jansson.h>

#include "fuzz_stage.h"
#include "value/diff.h"
#include "value/path.h"

#define TEXTS_MAX 12

/* A leaf is what it says it was, and became what it says it is. */
static void check_change(const struct change *change, const struct value *old,
			 const struct value *new)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct path_error error;
	struct path path;

	assert(path_parse(&path, &arena, change->path, &error));
	assert((change->kind == CHANGE_ADDED) == !change->old);
	assert((change->kind == CHANGE_REMOVED) == !change->new);
	assert(!change->old || path_find(old, &path) == change->old);
	assert(!change->new || path_find(new, &path) == change->new);
	assert(!value_equal(change->old, change->new));
}

static void check_diff(const struct snapshot *old, const struct snapshot *new)
{
	_cleanup_(changes_deinit) struct changes changes = CHANGES_INIT;

	diff_add(&changes, STR(""), old->root, new->root);
	changes_sort(&changes);
	assert(!changes.count == value_equal(old->root, new->root));
	for (size_t i = 0; i < changes.count; i++)
		check_change(&changes.items[i], old->root, new->root);
}

static void ask_history(struct stage *stage, unsigned int rights)
{
	static const char *const calls[] = {
		"{\"method\":\"io.clearconf.History\",\"parameters\":{}}",
		"{\"method\":\"io.clearconf.History\","
		"\"parameters\":{\"reveal\":true}}",
	};
	_cleanup_(buf_deinit) struct buf reply = BUF_INIT;
	json_t *json;

	stage_ask(stage, rights,
		  str_from(calls[(rights & ACCESS_SECRETS) != 0]));
	stage_take_reply(stage, &reply);
	json = stage_parse(buf_str(&reply));
	assert(!json ||
	       json_is_array(json_object_get(
		       json_object_get(json, "parameters"), "generations")));
	json_decref(json);
}

static void publish(struct stage *stage, struct str text, uint64_t generation)
{
	struct snapshot *old = stage->snapshot;
	struct stack_docs docs = {0};

	if (old)
		(void)snapshot_ref(old);
	(void)stage_add_text(stage, &docs, LAYER_FILE,
			     STR("agent { worker_id: w, git_pass: some }"));
	(void)stage_add_text(stage, &docs, LAYER_VAULT, text);
	stage_publish(stage, &docs, generation);
	if (old)
		check_diff(old, stage->snapshot);
	snapshot_unref(old);
}

static void test(struct str input)
{
	struct stage stage;
	const char *end;

	stage_init(&stage);
	for (uint64_t n = 1; n <= TEXTS_MAX && (n == 1 || input.len); n++) {
		struct str text = input;

		end = memchr(input.ptr, 0xFF, input.len);
		if (end)
			text.len = (size_t)(end - input.ptr);
		publish(&stage, text, n);
		input = str_from_offset(input, end ? text.len + 1 : text.len);
	}
	ask_history(&stage, ACCESS_READ);
	ask_history(&stage, ACCESS_READ | ACCESS_SECRETS);
	stage_deinit(&stage);
}

FUZZ_TARGET("history", test)
