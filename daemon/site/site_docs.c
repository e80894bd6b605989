#include "site/site_docs.h"

#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetch/etcd/etcd_span.h"
#include "settings/settings_site.h"

#define NOT_OURS SIZE_MAX

static char *host_name(void)
{
	char name[UV_MAXHOSTNAMESIZE];
	size_t size = sizeof(name);

	return mem_strdup(uv_os_gethostname(name, &size) ? "localhost" : name);
}

static bool has_group(const struct site_docs *docs, struct str name)
{
	for (size_t i = 0; i < docs->group_count; i++)
		if (str_is(name, docs->groups[i]))
			return true;
	return false;
}

static void add_groups(struct site_docs *docs, const char *names)
{
	struct str rest = str_from(names), word;

	while (str_next_word(&rest, &word)) {
		if (has_group(docs, word))
			continue;
		docs->groups =
			mem_grow(docs->groups, (docs->group_count + 1) *
						       sizeof(docs->groups[0]));
		docs->groups[docs->group_count++] =
			mem_strndup(word.ptr, word.len);
	}
}

void site_docs_init(struct site_docs *docs, const char *prefix,
		    const char *groups, const char *machine)
{
	*docs = (struct site_docs){
		.prefix = settings_site_prefix(prefix),
		.host = host_name(),
		.machine = machine,
	};
	add_groups(docs, groups);
}

static void doc_deinit(struct site_doc *doc)
{
	mem_free(doc->key);
	mem_free((char *)doc->text.ptr);
}

void site_docs_clear(struct site_docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		doc_deinit(&docs->items[i]);
	mem_free(docs->items);
	docs->items = NULL;
	docs->count = docs->bytes = 0;
	rollouts_clear(&docs->rollouts);
	verdicts_deinit(&docs->verdicts);
}

void site_docs_deinit(struct site_docs *docs)
{
	site_docs_clear(docs);
	for (size_t i = 0; i < docs->group_count; i++)
		mem_free(docs->groups[i]);
	mem_free(docs->groups);
	mem_free(docs->prefix);
	mem_free(docs->host);
	*docs = (struct site_docs){0};
}

/* --- which keys --- */

/* The keys from @first up to, but not with, @last, both without the prefix. */
static struct etcd_span span_of(const struct site_docs *docs, const char *first,
				const char *last)
{
	char *key = mem_printf("%s%s", docs->prefix, first);
	char *end = mem_printf("%s%s", docs->prefix, last);
	size_t len = strlen(end);

	return (struct etcd_span){{key, strlen(key)}, {end, len}};
}

/* The keys that begin with @first, which ends with a '/'. */
static struct etcd_span span_below(const struct site_docs *docs,
				   const char *first)
{
	_cleanup_(mem_freep) char *prefix =
		mem_printf("%s%s", docs->prefix, first);

	return etcd_span_below(prefix);
}

/* What is for other hosts and groups does not come at all: a fleet of thousands
 * is not told of each other's documents, and need not be allowed to read them.
 */
struct etcd_span *site_docs_spans(const struct site_docs *docs, size_t *count)
{
	struct etcd_span *spans =
		mem_alloc((4 + docs->group_count) * sizeof(*spans));
	_cleanup_(mem_freep) char *host = mem_printf("hosts/%s/", docs->host);

	spans[0] = span_of(docs, "", "groups/");
	spans[1] = span_of(docs, "groups0", "hosts/");
	spans[2] = span_below(docs, "");
	mem_free((char *)spans[2].key.ptr);
	spans[2].key = (struct str){mem_printf("%shosts0", docs->prefix),
				    strlen(docs->prefix) + strlen("hosts0")};
	spans[3] = span_below(docs, host);
	for (size_t i = 0; i < docs->group_count; i++) {
		_cleanup_(mem_freep) char *group =
			mem_printf("groups/%s/", docs->groups[i]);

		spans[4 + i] = span_below(docs, group);
	}
	*count = 4 + docs->group_count;
	return spans;
}

void site_spans_free(struct etcd_span *spans, size_t count)
{
	for (size_t i = 0; i < count; i++)
		etcd_span_deinit(&spans[i]);
	mem_free(spans);
}

/* The part of @name after its first '/'; *folder: the part before. */
static struct str split_folder(struct str name, struct str *folder)
{
	const char *slash = memchr(name.ptr, '/', name.len);

	folder->ptr = name.ptr;
	folder->len = slash ? (size_t)(slash - name.ptr) : 0;
	return slash ? str_from_offset(name, folder->len + 1) : (struct str){0};
}

static size_t rank_of_group(const struct site_docs *docs, struct str name)
{
	for (size_t i = 0; i < docs->group_count; i++)
		if (str_is(name, docs->groups[i]))
			return 1 + i;
	return NOT_OURS;
}

static size_t rank_of_host(const struct site_docs *docs, struct str name)
{
	return str_is(name, docs->host) ? 1 + docs->group_count : NOT_OURS;
}

static size_t rank_of_name(const struct site_docs *docs, struct str name)
{
	static const struct {
		const char *folder;
		size_t (*rank)(const struct site_docs *docs, struct str name);
	} kinds[] = {
		{"groups/", rank_of_group},
		{"hosts/", rank_of_host},
	};
	struct str folder;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!str_starts(name, str_from(kinds[i].folder)))
			continue;
		name = str_from_offset(name, strlen(kinds[i].folder));
		name = split_folder(name, &folder);
		return name.len ? kinds[i].rank(docs, folder) : NOT_OURS;
	}
	return 0;
}

/* A name that nobody could type or read is none; nor is a folder's. */
static bool is_name(struct str name)
{
	return name.len && !str_ends(name, STR("/")) && !str_has_nul(name) &&
	       str_utf8_invalid(name) == name.len;
}

static size_t rank_of(const struct site_docs *docs, struct str key)
{
	struct str prefix = str_from(docs->prefix);
	struct str name = str_from_offset(key, prefix.len);

	if (!str_starts(key, prefix) || !is_name(name))
		return NOT_OURS;
	return rank_of_name(docs, name);
}

/* --- the list --- */

/* Where the document of @rank and @key is, or would be. */
static size_t place_of(const struct site_docs *docs, size_t rank,
		       struct str key)
{
	size_t low = 0, high = docs->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct site_doc *doc = &docs->items[middle];
		int order = doc->rank == rank
				    ? str_compare(str_from(doc->key), key)
				    : (doc->rank > rank) - (doc->rank < rank);

		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The document of @key, which would be at @place; NULL: there is none. */
static struct site_doc *doc_at(const struct site_docs *docs, size_t place,
			       struct str key)
{
	return place < docs->count && str_is(key, docs->items[place].key)
		       ? &docs->items[place]
		       : NULL;
}

static void set_text(struct site_docs *docs, struct site_doc *doc,
		     struct str text)
{
	docs->bytes += text.len - doc->text.len;
	mem_free((char *)doc->text.ptr);
	doc->text = (struct str){mem_strndup(text.ptr, text.len), text.len};
}

static struct site_doc *insert(struct site_docs *docs, size_t place,
			       size_t rank, struct str key)
{
	docs->items =
		mem_room(docs->items, docs->count, sizeof(docs->items[0]));
	memmove(&docs->items[place + 1], &docs->items[place],
		(docs->count - place) * sizeof(docs->items[0]));
	docs->items[place] = (struct site_doc){
		.key = mem_strndup(key.ptr, key.len),
		.rank = rank,
	};
	docs->count++;
	return &docs->items[place];
}

void site_docs_put(struct site_docs *docs, struct str key, struct str text)
{
	size_t rank = rank_of(docs, key), place;
	struct site_doc *doc;

	if (rank == NOT_OURS)
		return;
	place = place_of(docs, rank, key);
	doc = doc_at(docs, place, key);
	if (!doc)
		doc = insert(docs, place, rank, key);
	set_text(docs, doc, text);
}

static struct site_doc *find(const struct site_docs *docs, struct str key)
{
	size_t place = place_of(docs, rank_of(docs, key), key);

	return doc_at(docs, place, key);
}

static void drop(struct site_docs *docs, struct str key)
{
	struct site_doc *doc = find(docs, key);
	size_t after;

	if (!doc)
		return;
	docs->bytes -= doc->text.len;
	doc_deinit(doc);
	docs->count--;
	after = docs->count - (size_t)(doc - docs->items);
	memmove(doc, doc + 1, after * sizeof(*doc));
}

/* Put or, where @text has no pointer, drop it. */
static void set(struct site_docs *docs, struct str key, struct str text,
		int64_t revision)
{
	struct site_doc *doc;

	if (text.ptr)
		site_docs_put(docs, key, text);
	else
		drop(docs, key);
	doc = find(docs, key);
	if (doc)
		doc->revision = revision;
}

/* --- rollouts --- */

const struct site_rollout *site_docs_rollout(const struct site_docs *docs,
					     const char *key)
{
	const struct site_rollout *rollout =
		rollouts_find(&docs->rollouts, str_from(key));

	return rollout && rollout->taken ? rollout : NULL;
}

/* The text that this host has for the document now, before what is being told.
 */
static struct str had(const struct site_docs *docs, struct str key)
{
	const struct site_docs *now = docs->before ? docs->before : docs;
	const struct site_doc *doc = find(now, key);

	return doc ? doc->text : (struct str){0};
}

static struct site_rollout *begin_rollout(struct site_docs *docs,
					  struct str key)
{
	struct site_rollout *rollout = rollouts_add(&docs->rollouts, key);
	const struct site_doc *doc = find(docs, key);

	if (doc)
		rollout_set_base(&docs->rollouts, rollout, doc->text,
				 doc->revision);
	return rollout;
}

static void note_taken(struct site_rollout *rollout, bool taken, const char *id)
{
	if (taken && !rollout->taken)
		rollout->taken_at = clock_boot_ms();
	if (taken != rollout->taken)
		log_info(taken ? "rollout-taken" : "rollout-left",
			 LOG_TEXT("document", rollout->key),
			 LOG_TEXT("rollout", id));
	if (!taken)
		rollout->generation = 0;
	rollout->taken = taken;
}

/* The document's own text, if it has another. */
static void leave(struct site_docs *docs, struct site_rollout *rollout,
		  const char *id)
{
	bool taken = rollout->taken;

	note_taken(rollout, false, id);
	if (taken)
		set(docs, str_from(rollout->key), rollout->base,
		    rollout->base_revision);
}

static void enter(struct site_docs *docs, struct site_rollout *rollout)
{
	note_taken(rollout, true, rollout->id);
	set(docs, str_from(rollout->key), rollout->text, rollout->revision);
}

/* Put the text of @rollout, or the document's own, where it belongs. */
static void follow(struct site_docs *docs, struct site_rollout *rollout)
{
	struct str key = str_from(rollout->key);
	bool taken = rollout_is_for(rollout, docs->machine, had(docs, key));

	rollout->awaited = taken && !rollout->taken && !docs->before;
	if (!taken)
		leave(docs, rollout, rollout->id);
	else if (!rollout->awaited)
		enter(docs, rollout);
}

char *site_docs_awaited(const struct site_docs *docs)
{
	for (size_t i = 0; i < docs->rollouts.count; i++)
		if (docs->rollouts.items[i].awaited)
			return rollout_key(&docs->rollouts.items[i]);
	return NULL;
}

/* Of one that is newer than what we know the watch will tell. */
bool site_docs_confirm(struct site_docs *docs, struct str key,
		       const struct etcd_reply *reply)
{
	struct site_rollout *rollout =
		rollout_of_key(key, &key) ? rollouts_find(&docs->rollouts, key)
					  : NULL;

	if (!rollout || !rollout->awaited ||
	    reply->revision < rollout->revision)
		return false;
	rollout->awaited = false;
	if (!reply->count || reply->kvs[0].revision != rollout->revision)
		return false;
	enter(docs, rollout);
	return true;
}

static void end_rollout(struct site_docs *docs, struct site_rollout *rollout)
{
	leave(docs, rollout, rollout->id);
	rollouts_remove(&docs->rollouts, rollout);
}

static void log_problem(const struct site_rollout *rollout)
{
	if (rollout->problem)
		log_warning("rollout-not-understood",
			    LOG_TEXT("document", rollout->key),
			    LOG_TEXT("reason", rollout->problem));
}

/* What is read anew is not taken anew. */
static void carry_over(const struct site_docs *docs,
		       struct site_rollout *rollout)
{
	struct site_rollout *old =
		docs->before ? rollouts_find(&docs->before->rollouts,
					     str_from(rollout->key))
			     : NULL;

	if (!old || !str_same(old->id, rollout->id))
		return;
	rollout->taken = old->taken;
	rollout->taken_at = old->taken_at;
	rollout->generation = old->generation;
	rollout->bad = old->bad;
	rollout->bad_since = old->bad_since;
	rollout->reason = TAKE(old->reason);
}

static void read_rollout(struct site_docs *docs, struct site_rollout *rollout,
			 const struct etcd_kv *kv)
{
	_cleanup_(mem_freep) char *id =
		rollout->id ? mem_strdup(rollout->id) : NULL;

	rollout_read(&docs->rollouts, rollout, kv);
	if (!str_same(id, rollout->id))
		leave(docs, rollout, id);
	carry_over(docs, rollout);
	log_problem(rollout);
	follow(docs, rollout);
}

static void take_rollout(struct site_docs *docs, struct str key,
			 const struct etcd_kv *kv)
{
	struct site_rollout *rollout = rollouts_find(&docs->rollouts, key);

	if (kv->value.ptr)
		read_rollout(docs, rollout ? rollout : begin_rollout(docs, key),
			     kv);
	else if (rollout)
		end_rollout(docs, rollout);
}

/* --- verdicts --- */

/* What is read anew is no news. */
static bool is_known(const struct site_docs *docs,
		     const struct verdict *verdict)
{
	const struct verdict *old =
		docs->before ? verdicts_find(&docs->before->verdicts,
					     str_from(verdict->revision))
			     : NULL;

	return old && str_same(old->said, verdict->said);
}

static void set_verdict(struct site_docs *docs, struct str revision,
			struct str json)
{
	_cleanup_(mem_freep) char *name =
		mem_strndup(revision.ptr, revision.len);
	const struct verdict *verdict;

	if (!verdicts_set(&docs->verdicts, revision, json))
		return;
	verdict = verdicts_find(&docs->verdicts, revision);
	if (!verdict)
		log_info("vaults-called-good", LOG_TEXT("revision", name));
	else if (!is_known(docs, verdict))
		log_warning("vaults-called-bad", LOG_TEXT("revision", name),
			    LOG_TEXT("reason", verdict->said));
}

static bool take_verdict(struct site_docs *docs, const struct etcd_kv *kv)
{
	struct str name = str_from_offset(kv->key, strlen(docs->prefix));
	struct str revision;

	if (!str_starts(kv->key, str_from(docs->prefix)) ||
	    !verdict_of_name(name, &revision))
		return false;
	set_verdict(docs, revision, kv->value);
	return true;
}

/* --- news --- */

/* A document that its rollout stands for is only kept in mind. */
static void take_document(struct site_docs *docs, const struct etcd_kv *kv)
{
	struct site_rollout *rollout = rollouts_find(&docs->rollouts, kv->key);

	if (rollout)
		rollout_set_base(&docs->rollouts, rollout, kv->value,
				 kv->value.ptr ? kv->revision : 0);
	if (!rollout || !rollout->taken)
		set(docs, kv->key, kv->value, kv->revision);
}

static void take(struct site_docs *docs, const struct etcd_kv *kv)
{
	struct str key = kv->key;
	bool rolls = rollout_of_key(key, &key);

	if (take_verdict(docs, kv) || rank_of(docs, key) == NOT_OURS)
		return;
	if (kv->revision > docs->revision)
		docs->revision = kv->revision;
	if (rolls)
		take_rollout(docs, key, kv);
	else
		take_document(docs, kv);
}

/* The documents of before, for as long as the new ones are compared to them. */
static struct site_docs set_aside(struct site_docs *docs)
{
	struct site_docs before = *docs;

	docs->items = NULL;
	docs->count = docs->bytes = 0;
	docs->rollouts = (struct site_rollouts){0};
	docs->verdicts = (struct verdicts){0};
	docs->before = NULL;
	return before;
}

void site_docs_take(struct site_docs *docs, const struct etcd_news *news)
{
	struct site_docs before = {0};

	if (news->whole) {
		before = set_aside(docs);
		docs->before = &before;
	}
	for (size_t i = 0; i < news->count; i++)
		take(docs, &news->kvs[i]);
	docs->before = NULL;
	site_docs_clear(&before);
}

void site_docs_inherit(struct site_docs *docs, struct site_docs *others)
{
	for (size_t i = 0; i < others->count; i++)
		site_docs_put(docs, str_from(others->items[i].key),
			      others->items[i].text);
	site_docs_clear(others);
}
