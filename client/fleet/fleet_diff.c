#include "fleet/fleet_diff.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"
#include "fleet/host.h"
#include "fleet/object.h"
#include "fleet/store.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "value/json.h"
#include "value/value.h"

/* One of the two. */
struct side {
	struct arena arena;
	struct host host;
	struct doc *doc;
	const struct value *paths; /* digests by path; NULL: there are none */
};

static void side_deinit(struct side *side)
{
	doc_unref(side->doc);
	arena_free(&side->arena);
}

static const struct value *paths_of(const struct doc *doc)
{
	const struct value *list = value_get(doc->root, STR("workspaces"));

	for (uint32_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count;
	     i++) {
		const struct value *paths =
			value_get(list->list.items[i], STR("paths"));

		if (answer_bool(list->list.items[i], "active"))
			return value_is(paths, VALUE_OBJECT) ? paths : NULL;
	}
	return NULL;
}

static int read_side(struct side *side, struct store *store, const char *name)
{
	_cleanup_(mem_freep) char *key = store_key(store, "state", name);
	struct etcd_kv kv;
	int status = store_get(store, key, &side->arena, &kv);

	if (status != EXIT_DONE)
		return status;
	if (!kv.revision)
		return complain(EXIT_NO_PATH,
				"no host %s reports: see 'clearconf fleet'",
				name);
	side->host.name = str_from(name);
	side->host.revision = kv.revision;
	host_read(&side->host, &side->arena, kv.value);
	if (side->host.fault)
		return complain(EXIT_FAILED, "%s: %s", name, side->host.fault);
	side->doc = object_read(kv.value);
	side->paths = paths_of(side->doc);
	return EXIT_DONE;
}

/* --- what differs --------------------------------------------------------- */

struct comparison {
	struct buf *out;
	const struct side *one, *other;
	bool json, comparable;
	size_t count; /* of differences */
};

/* "document 20-gpu.yaml: gpu-01 has 1200, gpu-02 has 1234" */
static void tell(struct comparison *at, const char *what, struct str name,
		 const char *const words[2])
{
	_cleanup_(buf_deinit) struct buf line = BUF_INIT;

	if (at->json) {
		buf_puts(at->out, at->count ? ",{" : "{");
		json_add_string(at->out, "what", what);
		json_add_str(at->out, "name", name);
		json_add_optional_string(at->out, "one", words[0]);
		json_add_optional_string(at->out, "other", words[1]);
		buf_putc(at->out, '}');
	} else {
		buf_printf(&line, "%s %.*s: %.*s %s, %.*s %s", what,
			   STR_PRINT(name), STR_PRINT(at->one->host.name),
			   words[0] ? words[0] : "has none",
			   STR_PRINT(at->other->host.name),
			   words[1] ? words[1] : "has none");
		printable_add(at->out, buf_str(&line));
		buf_putc(at->out, '\n');
	}
	at->count++;
}

static char *describe(const struct host_document *document)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	if (!document)
		return NULL;
	if (document->rollout.len)
		buf_printf(&text, "has rollout %.*s",
			   STR_PRINT(document->rollout));
	else if (document->revision)
		buf_printf(&text, "has %lld", (long long)document->revision);
	else
		buf_puts(&text, "has it from its cache");
	if (document->broken)
		buf_puts(&text, ", broken");
	return mem_strdup(buf_str(&text).ptr);
}

static void compare_document(struct comparison *at, struct str name)
{
	_cleanup_(mem_freep) char *one =
		describe(host_document(&at->one->host, name));
	_cleanup_(mem_freep) char *other =
		describe(host_document(&at->other->host, name));
	const char *const words[] = {one, other};

	if (!str_same(one, other))
		tell(at, "document", name, words);
}

static void compare_documents(struct comparison *at)
{
	const struct host *one = &at->one->host, *other = &at->other->host;

	for (size_t i = 0; i < one->document_count; i++)
		compare_document(at, one->documents[i].name);
	for (size_t i = 0; i < other->document_count; i++)
		if (!host_document(one, other->documents[i].name))
			compare_document(at, other->documents[i].name);
}

static void compare_paths(struct comparison *at)
{
	const struct value *one = at->one->paths, *other = at->other->paths;
	const char *words[] = {"has it", NULL};
	struct member *member;

	for (value_each (one, member)) {
		const struct value *twin = value_get(other, member_key(member));

		words[1] = twin ? "has another" : NULL;
		if (!twin || !value_equal(member->value, twin))
			tell(at, "path", member_key(member), words);
	}
	words[0] = NULL;
	words[1] = "has it";
	for (value_each (other, member))
		if (!value_get(one, member_key(member)))
			tell(at, "path", member_key(member), words);
}

static bool has_paths(const struct comparison *at)
{
	return at->one->paths && at->other->paths;
}

/* What the differences that were told do not say. */
static const char *rest_of(const struct comparison *at)
{
	const struct host *one = &at->one->host, *other = &at->other->host;

	if (!one->digest.len || !other->digest.len)
		return "one of them says nothing of its values";
	if (!at->comparable)
		return "their values cannot be compared: one digest is by the "
		       "fleet's key, the other by none";
	if (str_equal(one->digest, other->digest))
		return "their values are the same";
	if (!has_paths(at))
		return "their values differ, and one of them is too large to "
		       "say where";
	return "their values differ";
}

static void compare(struct comparison *at)
{
	const struct host *one = &at->one->host, *other = &at->other->host;

	at->comparable = one->digest.len && other->digest.len &&
			 one->keyed == other->keyed;
	if (at->json)
		buf_puts(at->out, "{\"differences\":[");
	compare_documents(at);
	if (at->comparable && has_paths(at))
		compare_paths(at);
	if (!at->json) {
		buf_printf(at->out, "%s\n", rest_of(at));
		return;
	}
	buf_putc(at->out, ']');
	json_add_bool(at->out, "comparable", at->comparable);
	json_add_bool(at->out, "equal",
		      at->comparable && str_equal(one->digest, other->digest));
	json_add_bool(at->out, "paths", has_paths(at));
	json_add_string(at->out, "summary", rest_of(at));
	buf_puts(at->out, "}\n");
}

int fleet_diff(struct buf *out, struct store *store,
	       const struct fleet_pair *pair)
{
	_cleanup_(side_deinit) struct side one = {0};
	_cleanup_(side_deinit) struct side other = {0};
	struct comparison at = {
		.out = out, .one = &one, .other = &other, .json = pair->json};
	int status = read_side(&one, store, pair->one);

	if (status == EXIT_DONE)
		status = read_side(&other, store, pair->other);
	if (status == EXIT_DONE)
		compare(&at);
	return status;
}
