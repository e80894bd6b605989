#include "fetch/verdicts.h"

#include <string.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/printable.h"
#include "read/doc.h"
#include "read/reader.h"
#include "value/json.h"
#include "value/value.h"

#define PREFIX "vaults-"
#define SUFFIX ".bad/"
#define FORMAT 1

#define JSON_BYTES ((size_t)64 * 1024)
#define SAID_BYTES 300

void verdicts_deinit(struct verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->count; i++)
		mem_free(verdicts->items[i].said);
	mem_free(verdicts->items);
	*verdicts = (struct verdicts){0};
}

/* --- names ---------------------------------------------------------------- */

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool verdict_is_revision(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_digit(text.ptr[i]))
			return false;
	return text.len == VERDICT_REVISION_SIZE - 1;
}

bool verdict_of_name(struct str name, struct str *revision)
{
	size_t around = strlen(PREFIX) + strlen(SUFFIX);

	if (!str_starts(name, STR(PREFIX)) || !str_ends(name, STR(SUFFIX)) ||
	    name.len < around)
		return false;
	*revision = (struct str){name.ptr + strlen(PREFIX), name.len - around};
	return verdict_is_revision(*revision);
}

char *verdict_name(const char *revision)
{
	return mem_printf(PREFIX "%s" SUFFIX, revision);
}

/* --- what is said --------------------------------------------------------- */

static void add_part(struct buf *said, const char *before, struct str text)
{
	if (!text.len)
		return;
	buf_puts(said, before);
	printable_add(said, text);
}

/* The caller's. */
static char *shorten(struct str text)
{
	char *copy = mem_strndup(text.ptr, text.len);

	if (text.len <= SAID_BYTES)
		return copy;
	copy[SAID_BYTES] = '\0';
	copy[str_utf8_invalid(str_from(copy))] = '\0';
	return copy;
}

/* The caller's. */
static char *read_said(struct str json)
{
	const struct read_options options = {
		.format = READ_JSON,
		.limits = {.bytes = JSON_BYTES, .depth = 8, .values = 100},
	};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	_cleanup_(buf_deinit) struct buf said = BUF_INIT;

	buf_puts(&said, "bad");
	if (read_text(&doc, "verdict", json, &options, &diag) == 0) {
		add_part(&said, ", said ", value_text_at(doc->root, "by"));
		add_part(&said, ": ", value_text_at(doc->root, "reason"));
	}
	return shorten(buf_str(&said));
}

void verdict_write(struct buf *json, const char *by, const char *reason,
		   int64_t time)
{
	buf_putc(json, '{');
	json_add_int(json, "format", FORMAT);
	json_add_string(json, "by", by);
	json_add_optional_string(json, "reason", reason);
	json_add_int(json, "time", time);
	buf_putc(json, '}');
}

/* --- the list ------------------------------------------------------------- */

static struct verdict *find(const struct verdicts *verdicts,
			    struct str revision)
{
	for (size_t i = 0; i < verdicts->count; i++)
		if (str_is(revision, verdicts->items[i].revision))
			return &verdicts->items[i];
	return NULL;
}

const struct verdict *verdicts_find(const struct verdicts *verdicts,
				    struct str revision)
{
	return find(verdicts, revision);
}

static struct verdict *add(struct verdicts *verdicts, struct str revision)
{
	struct verdict *verdict;

	verdicts->items =
		mem_grow(verdicts->items,
			 (verdicts->count + 1) * sizeof(verdicts->items[0]));
	verdict = &verdicts->items[verdicts->count++];
	*verdict = (struct verdict){0};
	memcpy(verdict->revision, revision.ptr, revision.len);
	return verdict;
}

static void drop(struct verdicts *verdicts, struct verdict *verdict)
{
	mem_free(verdict->said);
	*verdict = verdicts->items[--verdicts->count];
}

bool verdicts_set(struct verdicts *verdicts, struct str revision,
		  struct str json)
{
	struct verdict *verdict = find(verdicts, revision);
	char *said;
	bool news;

	if (!json.ptr) {
		if (verdict)
			drop(verdicts, verdict);
		return verdict != NULL;
	}
	if (!verdict)
		verdict = add(verdicts, revision);
	said = read_said(json);
	news = !str_same(said, verdict->said);
	mem_free(verdict->said);
	verdict->said = said;
	return news;
}
