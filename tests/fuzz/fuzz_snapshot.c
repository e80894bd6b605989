/* Snapshots in files of ours. The input up to the first 0xFF byte, which is in
 * no UTF-8, is a vault's text: what it comes to is written and read back to the
 * same. What follows are damages of the bytes, three bytes each: where, and
 * what of it changes. What is read of them all the same, or of the input as it
 * is, can be served, explained, and written and read to the same again. */

#include "config/agent.h"
#include "config/explain.h"
#include "config/snapshot.h"
#include "config/snapshot_codec.h"
#include "fuzz_text.h"
#include "read/doc_codec.h"
#include "value/path.h"

static void add_text(struct stack_docs *docs, enum layer_kind kind,
		     struct str text, const struct env *env)
{
	const struct read_options options = fuzz_options(READ_HOCON, env);
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct stack_doc *item;
	struct doc *doc = NULL;

	if (read_text(&doc, "text", text, &options, &diag) != 0)
		return;
	item = stack_docs_insert(docs, kind, doc);
	item->source = item->description = "text";
}

static struct snapshot *snapshot_of(struct str text)
{
	_cleanup_(env_unrefp) struct env *env = fuzz_env();
	struct stack_docs docs = {0};

	add_text(&docs, LAYER_FILE,
		 STR("agent { worker_id: w, debug { a: 1 }, slurm.user_map {} "
		     "}\nagent.snug.whitelist.rules = [{host: h}]"),
		 env);
	add_text(&docs, LAYER_VAULT, text, env);
	agent_derive(&docs, env);
	return snapshot_new(&docs);
}

static void explain_all(const struct snapshot *snapshot)
{
	struct explanation explanation;
	struct path all = {0};

	if (explain(&explanation, snapshot, &all, NULL) == 0)
		for (size_t i = 0; i < explanation.count; i++)
			(void)origins_find(
				&explanation.origins,
				explanation.leaves[i].offers[0].value);
	explanation_deinit(&explanation);
}

static struct snapshot *unpack(struct str bytes, uint64_t weight_max)
{
	struct unpack in = {.rest = bytes, .weight_max = weight_max};
	const char *why;
	struct snapshot *snapshot = snapshot_unpack(&in, NULL, &why);

	assert(snapshot ? !in.failed : in.failed && why);
	return snapshot;
}

static void check_snapshot(const struct snapshot *snapshot)
{
	_cleanup_(buf_deinit) struct buf once = BUF_INIT, twice = BUF_INIT;
	_cleanup_(snapshot_unrefp) struct snapshot *again = NULL;

	explain_all(snapshot);
	snapshot_pack(&once, snapshot, NULL);
	again = unpack(buf_str(&once), 0);
	assert(again);
	assert(str_equal(rendition_json(snapshot->plain),
			 rendition_json(again->plain)));
	snapshot_pack(&twice, again, NULL);
	assert(str_equal(buf_str(&once), buf_str(&twice)));
}

/* What weighs more for its bytes is as good as what does not, and takes too
 * long here. */
static void check_bytes(struct str bytes)
{
	const uint64_t weight_max = 100000 + 100 * (uint64_t)bytes.len;
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		unpack(bytes, weight_max);
	struct unpack in = {.rest = bytes, .weight_max = weight_max};
	struct doc *doc = doc_unpack(&in);

	if (snapshot)
		check_snapshot(snapshot);
	if (doc)
		fuzz_check_tree(doc);
	doc_unref(doc);
}

static void damage(struct buf *bytes, struct str how)
{
	const unsigned char *at;

	for (; how.len >= 3; how = str_from_offset(how, 3)) {
		at = (const unsigned char *)how.ptr;
		bytes->data[(at[0] << 8 | at[1]) % bytes->len] ^= (char)at[2];
	}
}

static void test(struct str input)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = NULL;
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	const char *end = input.len ? memchr(input.ptr, 0xFF, input.len) : NULL;
	size_t len = end ? (size_t)(end - input.ptr) : input.len;

	check_bytes(input);
	snapshot = snapshot_of((struct str){input.ptr, len});
	check_snapshot(snapshot);
	if (snapshot->docs.count > 1)
		doc_pack(&bytes, snapshot->docs.items[1].doc);
	else
		snapshot_pack(&bytes, snapshot, NULL);
	damage(&bytes, str_from_offset(input, len + 1));
	check_bytes(buf_str(&bytes));
	bytes.len = 0;
	snapshot_pack(&bytes, snapshot, NULL);
	damage(&bytes, str_from_offset(input, len + 1));
	check_bytes(buf_str(&bytes));
}

FUZZ_TARGET("snapshot", test)
