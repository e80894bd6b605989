#include "fleet/revision.h"

#include "base/buf.h"
#include "base/mem.h"
#include "fleet/object.h"
#include "read/doc.h"
#include "text/answer.h"
#include "value/json.h"

void revision_deinit(struct revision *revision)
{
	arena_free(&revision->arena);
	*revision = (struct revision){0};
}

void revision_read(struct revision *revision, int64_t number, struct str json)
{
	_cleanup_(doc_unrefp) struct doc *doc = object_read(json);
	const struct value *root = doc ? doc->root : NULL;
	struct arena *arena = &revision->arena;

	*revision = (struct revision){.number = number, .time = -1};
	if (!root || answer_int(root, "format", 0) != 1)
		return;
	if (answer_text(root, "text").ptr)
		revision->text = arena_str(arena, answer_text(root, "text"));
	revision->by = arena_str(arena, answer_text(root, "by"));
	revision->reason = arena_str(arena, answer_text(root, "reason"));
	revision->rollout = arena_str(arena, answer_text(root, "rollout"));
	revision->put = arena_str(arena, answer_text(root, "put"));
	revision->time = answer_int(root, "time", -1);
	revision->reverts = answer_int(root, "reverts", 0);
}

static void add_text(struct buf *json, const char *key, struct str text)
{
	if (text.ptr)
		json_add_str(json, key, text);
}

void revision_write(struct buf *json, const struct revision *revision)
{
	buf_putc(json, '{');
	json_add_int(json, "format", 1);
	add_text(json, "put", revision->put);
	json_add_int(json, "time", revision->time);
	add_text(json, "by", revision->by);
	add_text(json, "reason", revision->reason);
	add_text(json, "rollout", revision->rollout);
	if (revision->reverts)
		json_add_int(json, "reverts", revision->reverts);
	add_text(json, "text", revision->text);
	buf_putc(json, '}');
}

int64_t revision_number(struct str key, struct str folder)
{
	struct str digits = str_from_offset(key, folder.len + 1);
	int64_t number;

	return str_starts(key, folder) && digits.len == REVISION_DIGITS &&
			       str_to_number(digits, &number)
		       ? number
		       : 0;
}
