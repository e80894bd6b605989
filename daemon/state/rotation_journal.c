#include "state/rotation_journal.h"

#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "read/doc.h"
#include "read/reader.h"
#include "value/json.h"
#include "value/value.h"

#define JOURNAL_BYTES ((size_t)64 * 1024)

char *rotation_journal_path(const char *state_dir, const char *workspace)
{
	return mem_printf("%s/%s.rotation", state_dir, workspace);
}

static char *text_of(const struct value *root, const char *key)
{
	const struct value *value = value_get(root, str_from(key));

	if (!value_is(value, VALUE_STRING) || !value->text.len ||
	    str_has_nul(value_text(value)))
		return NULL;
	return mem_strndup(value_text(value).ptr, value_text(value).len);
}

static void take(struct rotation_journal *journal, const struct value *root)
{
	*journal = (struct rotation_journal){
		.old = text_of(root, "old"),
		.mark = text_of(root, "mark"),
		.label = text_of(root, "label"),
		.new = text_of(root, "new"),
		.revoke_at = -1,
	};
	(void)value_to_int64(value_get(root, STR("grace")), &journal->grace);
	(void)value_to_int64(value_get(root, STR("revoke_at")),
			     &journal->revoke_at);
}

bool rotation_journal_read(struct rotation_journal *journal, const char *path)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	struct read_options options = {
		.format = READ_JSON,
		.limits = READ_LIMITS_DEFAULT,
	};
	int r;

	*journal = (struct rotation_journal){.revoke_at = -1};
	options.limits.bytes = JOURNAL_BYTES;
	r = read_file(&doc, path, &options, &diag);
	if (r == READ_E_BROKEN)
		log_warning("rotation-journal-broken", LOG_TEXT("file", path),
			    LOG_TEXT("reason", diag.text));
	if (r)
		return false;
	take(journal, doc->root);
	if (journal->old && journal->mark)
		return true;
	rotation_journal_deinit(journal);
	return false;
}

void rotation_journal_write(const struct rotation_journal *journal,
			    struct buf *json)
{
	buf_putc(json, '{');
	json_add_string(json, "old", journal->old);
	json_add_string(json, "mark", journal->mark);
	json_add_optional_string(json, "label", journal->label);
	json_add_optional_string(json, "new", journal->new);
	json_add_int(json, "grace", journal->grace);
	json_add_optional_int(json, "revoke_at", journal->revoke_at);
	buf_puts(json, "}\n");
}

void rotation_journal_deinit(struct rotation_journal *journal)
{
	mem_free(journal->old);
	mem_free(journal->mark);
	mem_free(journal->label);
	mem_free(journal->new);
	*journal = (struct rotation_journal){.revoke_at = -1};
}
