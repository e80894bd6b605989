#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "../support/random_layers.h"
#include "config/lock.h"
#include "config/snapshot_codec.h"
#include "read/doc_codec.h"

#define SEEDS 400

static const char *reason;

/* NULL: it is refused, and `reason` says why. */
static struct snapshot *read_back(struct str bytes,
				  const struct doc_shelf *shelf)
{
	struct unpack in = {.rest = bytes};
	struct snapshot *snapshot = snapshot_unpack(&in, shelf, &reason);

	assert_true(snapshot ? !in.failed : in.failed);
	if (snapshot)
		assert_int_equal(in.rest.len, 0);
	return snapshot;
}

static char *explained(const struct snapshot *snapshot)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	(void)explain_text(snapshot, "", NULL, &text);
	return buf_take(&text);
}

static void assert_same_items(const struct stack_docs *a,
			      const struct stack_docs *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct stack_doc *x = &a->items[i], *y = &b->items[i];

		assert_int_equal(x->kind, y->kind);
		assert_int_equal(x->format, y->format);
		assert_int_equal(x->clears, y->clears);
		assert_true(str_same(x->source, y->source));
		assert_true(str_same(x->description, y->description));
		assert_true(str_same(x->under, y->under));
		assert_true(str_same(x->edit.scope, y->edit.scope));
		assert_true(str_same(x->edit.owner, y->edit.owner));
		assert_true(str_same(x->edit.last_update, y->edit.last_update));
		assert_int_equal(x->edit.revision, y->edit.revision);
		assert_true(str_same(x->note, y->note));
		assert_int_equal(x->doc->source_count, y->doc->source_count);
		for (size_t j = 0; j < x->doc->source_count; j++)
			assert_true(str_equal(x->doc->sources[j]->text,
					      y->doc->sources[j]->text));
	}
}

/* Bytes, reasons, and what it was made of. */
static void assert_same(const struct snapshot *a, const struct snapshot *b)
{
	_cleanup_(mem_freep) char *before = explained(a);
	_cleanup_(mem_freep) char *after = explained(b);

	assert_non_null(b);
	assert_true(
		str_equal(rendition_json(a->plain), rendition_json(b->plain)));
	assert_string_equal(before, after);
	assert_int_equal(a->generation, b->generation);
	assert_int_equal(a->time, b->time);
	assert_int_equal(a->cause, b->cause);
	assert_same_items(&a->docs, &b->docs);
}

static void set_times(struct snapshot *snapshot)
{
	snapshot->generation = 1234567890123;
	snapshot->time = 1700000000;
	snapshot->cause = CAUSE_VAULT;
}

static struct snapshot *snapshot_by(unsigned int number)
{
	struct secrets *secrets = secrets_new(NULL);
	unsigned int seed = number;
	struct snapshot *snapshot = random_snapshot(&seed, secrets);

	set_times(snapshot);
	secrets_free(secrets);
	return snapshot;
}

/* Written again it is the same bytes: nothing of it is lost. */
static void assert_same_bytes(struct str bytes, const struct snapshot *back)
{
	_cleanup_(buf_deinit) struct buf again = BUF_INIT;

	snapshot_pack(&again, back, NULL);
	assert_true(str_equal(bytes, buf_str(&again)));
}

static void what_is_read_is_what_was_served(void **state)
{
	(void)state;
	for (unsigned int number = 0; number < SEEDS; number++) {
		_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
			snapshot_by(number);
		_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
		_cleanup_(snapshot_unrefp) struct snapshot *back = NULL;

		snapshot->locks = number % 2 ? locks_new(true, "o.a") : NULL;
		snapshot_pack(&bytes, snapshot, NULL);
		back = read_back(buf_str(&bytes), NULL);
		back->locks =
			snapshot->locks ? locks_ref(snapshot->locks) : NULL;
		assert_same(snapshot, back);
		assert_same_bytes(buf_str(&bytes), back);
	}
}

/* --- texts of every kind -------------------------------------------------- */

static struct doc *read_as(enum read_format format, const char *text)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct read_options options = {.format = format,
				       .limits = READ_LIMITS_DEFAULT};
	struct doc *doc = NULL;

	if (read_text(&doc, "test", str_from(text), &options, &diag))
		fail_msg("%s in %s", diag.text, text);
	return doc;
}

static struct snapshot *snapshot_of(struct doc *doc)
{
	struct stack_docs docs = {0};
	struct stack_doc *item = stack_docs_insert(&docs, LAYER_VAULT, doc);
	struct snapshot *snapshot;

	item->source = "5e6f";
	item->description = "";
	item->edit = (struct layer_edit){"group", "team",
					 "2026-01-01T00:00:00Z", 1234567890123};
	item->under = "a.b";
	snapshot = snapshot_new(&docs);
	set_times(snapshot);
	return snapshot;
}

static void assert_survives(struct snapshot *snapshot)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	_cleanup_(snapshot_unrefp) struct snapshot *back = NULL;

	snapshot_pack(&bytes, snapshot, NULL);
	back = read_back(buf_str(&bytes), NULL);
	assert_same(snapshot, back);
	snapshot_unref(snapshot);
}

static void every_value_of_every_format_survives(void **state)
{
	static const struct {
		enum read_format format;
		const char *text;
	} cases[] = {
		{READ_HOCON, ""},
		{READ_HOCON, "a = 1\nb = [1, 2.5, -0.0, 1e300, \"\", null]"},
		{READ_HOCON, "a { b = x }\nc = ${a} { d = 1 }\ne = ${a}"},
		{READ_HOCON, "\"\" = {}, \"a.b\" = \"\\u0000 \xc3\xa9\""},
		{READ_HOCON,
		 "n = -00012\nm = +7\nbig = 1234567890123456789012"},
		{READ_JSON, "{\"a\":[true,false,null,{\"b\":[[]]}]}"},
		{READ_JSON, "{\"esc\":\"a\\nb\",\"plain\":\"ab\",\"n\":-0}"},
		{READ_YAML, "a: &x {b: 1}\nc: *x\nd: |\n  two\n  lines\n"},
		{READ_YAML, "when: 2020-01-01\non: off\nn: 0x10\n"},
		{READ_HOCON, "\xEF\xBB\xBF"
			     "a = 1"},
		{READ_HOCON, "a = [1]\na += 2\nl = [1, ${a}]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_survives(
			snapshot_of(read_as(cases[i].format, cases[i].text)));
}

static void a_large_object_is_found_by_key(void **state)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT, bytes = BUF_INIT;
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = NULL;
	_cleanup_(snapshot_unrefp) struct snapshot *back = NULL;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_printf(&text, "key%d = value%d\n", i, i);
	snapshot = snapshot_of(read_as(READ_HOCON, buf_str(&text).ptr));
	snapshot_pack(&bytes, snapshot, NULL);
	back = read_back(buf_str(&bytes), NULL);
	assert_non_null(docs_find(back->root, "key9999"));
	assert_true(str_equal(rendition_json(snapshot->plain),
			      rendition_json(back->plain)));
	/* Texts are where they lie in the source, not a second time. */
	assert_true(bytes.len < text.len + (size_t)12 * 10000);
	assert_true(back->docs.items[0].doc->arena.used <
		    2 * snapshot->docs.items[0].doc->arena.used);
}

static void what_status_says_of_a_document_survives(void **state)
{
	struct doc *doc = read_as(READ_HOCON, "a = 1, b = 2"), *found;
	_cleanup_(snapshot_unrefp) struct snapshot *back = NULL;
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct snapshot *snapshot;

	(void)state;
	doc_set_misread(doc, "because");
	doc_add_include(doc, "/some/file");
	doc->used_environment = doc->used_lower = doc->appends_to_none = true;
	doc->like_yaml = true;
	doc->first_finding = 0;
	doc->finding_count = 1;
	snapshot = snapshot_of(doc);
	snapshot_pack(&bytes, snapshot, NULL);
	back = read_back(buf_str(&bytes), NULL);
	found = back->docs.items[0].doc;
	assert_true(found->misread && found->like_yaml);
	assert_true(found->used_environment && found->used_lower &&
		    found->appends_to_none);
	assert_string_equal(found->remark, doc->remark);
	assert_int_equal(found->warnings.count, doc->warnings.count);
	assert_true(
		diag_equal(&found->warnings.items[0], &doc->warnings.items[0]));
	assert_int_equal(found->finding_count, 1);
	assert_int_equal(found->include_count, 1);
	assert_string_equal(found->includes[0], "/some/file");
	snapshot_unref(snapshot);
}

static void values_of_included_files_keep_their_places(void **state)
{
	char path[] = "/tmp/codec-XXXXXX";
	int fd = mkstemp(path);
	_cleanup_(mem_freep) char *text = NULL;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct read_options options = {.limits = READ_LIMITS_DEFAULT,
				       .may_include = true};
	struct doc *doc = NULL;

	(void)state;
	assert_int_equal(write(fd, "\n  inner = 1\n", 13), 13);
	text = mem_printf("outer = 2\ninclude \"%s\"\nlast = 3", path);
	assert_int_equal(
		read_text(&doc, "test", str_from(text), &options, &diag), 0);
	assert_int_equal(doc->source_count, 2);
	assert_survives(snapshot_of(doc));
	(void)close(fd);
	(void)unlink(path);
}

/* --- documents apart ------------------------------------------------------ */

struct shelf {
	struct doc *docs[16];
	size_t count;
};

static void put(void *data, struct doc *doc, unsigned char *name)
{
	struct shelf *shelf = data;

	memset(name, 0, SHA256_BYTES);
	name[0] = (unsigned char)shelf->count;
	shelf->docs[shelf->count++] = doc;
}

static struct doc *get(void *data, const unsigned char *name)
{
	struct shelf *shelf = data;

	return name[0] < shelf->count ? doc_ref(shelf->docs[name[0]]) : NULL;
}

static void documents_may_lie_elsewhere(void **state)
{
	(void)state;
	for (unsigned int number = 0; number < SEEDS; number++) {
		struct shelf shelf = {0};
		struct doc_shelf on = {&shelf, put, get};
		_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
			snapshot_by(number);
		_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
		_cleanup_(snapshot_unrefp) struct snapshot *back = NULL;

		snapshot_pack(&bytes, snapshot, &on);
		back = read_back(buf_str(&bytes), &on);
		assert_same(snapshot, back);
		if (shelf.count--) {
			assert_null(read_back(buf_str(&bytes), &on));
			assert_string_equal(
				reason,
				"a document of it is missing or damaged");
		}
	}
}

/* --- what is no snapshot -------------------------------------------------- */

static struct snapshot *of_many_parts(void)
{
	const struct text texts[] = {
		{LAYER_FILE, "f",
		 "agent { worker_id: w, debug { a: 1 } }\n"
		 "agent.snug.whitelist { rules: [{host: a}], version: 2 }"},
		{LAYER_VAULT, "v",
		 "agent { worker_id: x, debug { b: 2 }, git_pass: hunter22 }\n"
		 "agent.snug.whitelist.rules = [{host: b, n: 1.5}]"},
		{0},
	};
	struct secrets *secrets = secrets_new(NULL);
	struct snapshot *snapshot =
		agent_snapshot(texts, secrets, "AZURE_STORAGE_KEY=k");

	secrets_free(secrets);
	return snapshot;
}

static void a_part_of_one_is_refused(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = of_many_parts();
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

	(void)state;
	snapshot_pack(&bytes, snapshot, NULL);
	for (size_t len = 0; len < bytes.len; len++) {
		assert_null(read_back((struct str){bytes.data, len}, NULL));
		assert_string_equal(reason, "it is damaged");
	}
}

static void flip(char *byte, unsigned int bit)
{
	*byte = (char)((unsigned char)*byte ^ (1U << bit));
}

/* What comes out of a damaged one, if anything does, is sane. */
static void no_other_byte_does_harm(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = of_many_parts();
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

	(void)state;
	snapshot_pack(&bytes, snapshot, NULL);
	for (size_t i = 0; i < bytes.len; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			struct snapshot *back;
			struct unpack in = {.rest = buf_str(&bytes)};

			flip(&bytes.data[i], bit);
			back = snapshot_unpack(&in, NULL, &reason);
			if (back) {
				assert_true(str_equal(
					rendition_json(back->plain),
					rendition_json(snapshot->plain)));
				mem_free(explained(back));
			}
			snapshot_unref(back);
			flip(&bytes.data[i], bit);
		}
	}
}

static void other_values_than_were_served_are_refused(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		snapshot_of(read_as(READ_JSON, "{\"a\":\"served\"}"));
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	char *text;

	(void)state;
	snapshot_pack(&bytes, snapshot, NULL);
	text = memmem(bytes.data, bytes.len, "served", 6);
	text[0] = 'S';
	assert_null(read_back(buf_str(&bytes), NULL));
	assert_string_equal(reason,
			    "its documents do not come to what was served");
}

/* Each list holds the one before twice: few bytes, endless values. */
static void what_no_walk_comes_through_is_refused(void **state)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct doc *doc = read_as(READ_HOCON, "a = 1");
	struct value *list = value_new(&doc->arena, VALUE_LIST), *outer;
	struct unpack in;

	(void)state;
	for (int i = 0; i < 100; i++) {
		outer = value_new(&doc->arena, VALUE_LIST);
		value_list_add(outer, &doc->arena, list);
		value_list_add(outer, &doc->arena, list);
		list = outer;
	}
	*value_object_slot(doc->root, &doc->arena, STR("a")) = list;
	doc_pack(&bytes, doc);
	doc_unref(doc);
	in = (struct unpack){.rest = buf_str(&bytes)};
	assert_null(doc_unpack(&in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_what_was_served),
		cmocka_unit_test(every_value_of_every_format_survives),
		cmocka_unit_test(a_large_object_is_found_by_key),
		cmocka_unit_test(what_status_says_of_a_document_survives),
		cmocka_unit_test(values_of_included_files_keep_their_places),
		cmocka_unit_test(documents_may_lie_elsewhere),
		cmocka_unit_test(a_part_of_one_is_refused),
		cmocka_unit_test(no_other_byte_does_harm),
		cmocka_unit_test(other_values_than_were_served_are_refused),
		cmocka_unit_test(what_no_walk_comes_through_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
