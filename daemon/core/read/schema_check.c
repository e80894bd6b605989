#include "read/schema_check.h"

#include "base/mem.h"
#include "base/source.h"
#include "base/suggest.h"
#include "read/doc.h"
#include "value/path.h"
#include "value/value.h"

struct check {
	const struct doc *doc;
	schema_finding_fn on_finding;
	void *data;
	struct buf path;  /* of the value being looked at */
	struct buf known; /* the same as the schema has it: [] for a number */
	struct str key;   /* the last of both */
	size_t unknown;   /* keys that were compared */
};

/* "queue2" beside "queue": another key, not the same one misspelt. */
static bool is_longer(struct str key, struct str than)
{
	return key.len > than.len && str_starts(key, than);
}

/* What @key of @object may have been meant to be, the nearest; NULL when it is
 * like nothing. */
static const struct schema_key *meant(struct check *check,
				      const struct value *object,
				      struct str key)
{
	struct str path = buf_str(&check->known), name;
	const struct schema_key *child = NULL, *nearest = NULL;
	struct suggest near = SUGGEST_FOR(key);

	if (check->unknown++ >= SCHEMA_CHECK_UNKNOWN)
		return NULL;
	while ((child = schema_child(path, child))) {
		const char *before = near.word;

		name = schema_name(child);
		if (!(is_longer(key, name) && value_get(object, name)))
			suggest_offer(&near, name.ptr);
		if (near.word != before)
			nearest = child;
	}
	return nearest;
}

#define KEY_BEFORE 256 /* bytes: how far a key may stand before its value */

/* Where the key of the value at @offset stands: the last time that its letters
 * come before the value; at the value when they do not. */
static size_t key_offset(struct str text, size_t offset, struct str key)
{
	size_t first = offset > KEY_BEFORE ? offset - KEY_BEFORE : 0;

	for (size_t at = offset; key.len && at-- > first;)
		if (at + key.len <= offset &&
		    str_starts(str_from_offset(text, at), key))
			return at;
	return offset;
}

static void report(struct check *check, struct schema_finding finding)
{
	const struct value *value = finding.value;
	struct source *source = check->doc->sources[value->source];

	finding.source = source;
	finding.offset = value->offset;
	if (finding.fault != SCHEMA_ILL_TYPED)
		finding.offset =
			key_offset(source->text, value->offset, check->key);
	finding.path = buf_str(&check->path).ptr;
	check->on_finding(check->data, &finding);
}

static bool is_retired(const struct schema_key *key)
{
	return strstr(key->versions, "<=") != NULL;
}

/* False where there is nothing to look for below. */
static bool check_known(struct check *check, const struct schema_key *key,
			const struct value *value)
{
	struct schema_finding finding = {.value = value, .known = key};

	if (is_retired(key)) {
		finding.fault = SCHEMA_RETIRED;
		report(check, finding);
	}
	if (schema_accepts(key, value))
		return true;
	finding.fault = SCHEMA_ILL_TYPED;
	report(check, finding);
	return false;
}

static void check_value(struct check *check, const struct value *value);

/* @check's paths are those of @value, which @object holds as @key. */
static void check_member(struct check *check, const struct value *object,
			 struct str key, const struct value *value)
{
	size_t parent = check->known.len;
	const struct schema_key *known;
	struct schema_finding finding = {SCHEMA_MISSPELT, .value = value};

	check->key = key;
	path_add_key(&check->known, key);
	known = schema_find(buf_str(&check->known));
	if (known) {
		if (check_known(check, known, value))
			check_value(check, value);
		return;
	}
	check->known.len = parent;
	finding.known = meant(check, object, key);
	path_add_key(&check->known, key);
	if (finding.known)
		report(check, finding);
}

static void check_members(struct check *check, const struct value *object)
{
	size_t path = check->path.len, known = check->known.len;
	struct member *m;

	if (!schema_child(buf_str(&check->known), NULL))
		return;
	for (value_each (object, m)) {
		path_add_key(&check->path, member_key(m));
		check_member(check, object, member_key(m), m->value);
		check->path.len = path;
		check->known.len = known;
	}
}

/* What a list of sections holds; that each is a section its type says. */
static void check_elements(struct check *check, const struct value *list)
{
	size_t path = check->path.len, known = check->known.len;

	buf_puts(&check->known, ".[]");
	for (uint32_t i = 0; i < list->list.count; i++) {
		buf_printf(&check->path, ".%u", i);
		if (list->list.items[i]->type == VALUE_OBJECT)
			check_members(check, list->list.items[i]);
		check->path.len = path;
	}
	check->known.len = known;
}

static void check_value(struct check *check, const struct value *value)
{
	if (value->type == VALUE_OBJECT)
		check_members(check, value);
	else if (value->type == VALUE_LIST)
		check_elements(check, value);
}

void schema_check(const struct doc *doc, const struct value *root,
		  schema_finding_fn on_finding, void *data)
{
	struct check check = {
		.doc = doc,
		.on_finding = on_finding,
		.data = data,
		.path = BUF_INIT,
		.known = BUF_INIT,
	};

	check_value(&check, root);
	buf_deinit(&check.path);
	buf_deinit(&check.known);
}

/* --- for people ----------------------------------------------------------- */

static const char *name_of_type(const struct value *value)
{
	static const char *const names[] = {
		[VALUE_NULL] = "nothing",     [VALUE_BOOL] = "a boolean",
		[VALUE_INT] = "a number",     [VALUE_REAL] = "a number",
		[VALUE_STRING] = "a text",    [VALUE_LIST] = "a list",
		[VALUE_OBJECT] = "a section",
	};

	return names[value->type];
}

/* Of the right sort, but not one of those that are taken? */
static bool is_of_that_sort(const struct schema_finding *finding)
{
	static const char *const texts[] = {"one(", "url", "size", "level"};
	const char *type = finding->known->type;

	if (finding->value->type != VALUE_STRING)
		return finding->value->type < VALUE_STRING &&
		       (strstr(type, "integer") || strstr(type, "number"));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strstr(type, texts[i]))
			return true;
	return false;
}

/* "agent<=2.0.8" */
static void write_retired(const struct schema_finding *finding,
			  struct buf *text)
{
	const char *versions = finding->known->versions;
	const char *last = strstr(versions, "<=");

	buf_printf(text, "ClearML reads %s no more: %.*s did so up to %s",
		   finding->path, (int)(last - versions), versions, last + 2);
}

void schema_finding_write(const struct schema_finding *finding,
			  struct buf *text)
{
	bool truth;

	switch (finding->fault) {
	case SCHEMA_MISSPELT:
		buf_printf(text, "ClearML knows no key %s: is %.*s meant?",
			   finding->path,
			   STR_PRINT(schema_name(finding->known)));
		return;
	case SCHEMA_RETIRED: write_retired(finding, text); return;
	case SCHEMA_ILL_TYPED: break;
	}
	buf_printf(text, "%s takes ", finding->path);
	schema_add_wanted(finding->known, text);
	if (finding->value->type == VALUE_STRING &&
	    str_to_bool(value_text(finding->value), &truth) && !truth)
		buf_puts(text, "; this text counts as true: no quotes");
	else if (is_of_that_sort(finding))
		buf_puts(text, "; this is none");
	else
		buf_printf(text, "; this is %s", name_of_type(finding->value));
}
