#include "fleet/document.h"

#include <pwd.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fleet/store.h"
#include "text/complain.h"
#include "text/exit_status.h"

/* etcd takes no request of more; ours has some words around the texts. */
#define REQUEST_BYTES ((size_t)1536 * 1024 - 8192)

/* --- names ---------------------------------------------------------------- */

/* "groups/gpu/10.conf" has both, "groups/10.conf" lacks one. */
static bool has_owner(struct str name)
{
	const char *slash = memchr(name.ptr, '/', name.len);

	return slash && slash > name.ptr && slash + 1 < name.ptr + name.len;
}

/* Is a part of it what the copies of another document are called? */
static bool has_number(struct str name)
{
	size_t digits = 0, length = 0;

	for (size_t i = 0; i <= name.len; i++) {
		char c = '/';

		if (i < name.len)
			c = name.ptr[i];
		if (c == '/' && length == REVISION_DIGITS && digits == length)
			return true;
		digits = c == '/' ? 0 : digits + (c >= '0' && c <= '9');
		length = c == '/' ? 0 : length + 1;
	}
	return false;
}

const char *document_name_problem(const char *name)
{
	struct str text = str_from(name), of;

	if (!text.len || text.ptr[0] == '/' || str_ends(text, STR("/")))
		return "one neither begins nor ends with '/'";
	if (str_utf8_invalid(text) != text.len)
		return "one is UTF-8";
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 127)
			return "one has no control characters";
	if (str_ends(text, STR(".rollout")))
		return "one does not end with .rollout, as a rollout's key "
		       "does";
	if (has_number(text))
		return "no part of one is ten digits, as the numbers of its "
		       "revisions are";
	for (int i = 0; i < 2; i++) {
		of = i ? STR("groups/") : STR("hosts/");
		if (str_starts(text, of) &&
		    !has_owner(str_from_offset(text, of.len)))
			return "in groups/ one is groups/GROUP/NAME, in hosts/ "
			       "hosts/HOST/NAME";
	}
	return NULL;
}

/* --- a look --------------------------------------------------------------- */

/* The copies of a document as their keys tell of them. */
struct copies {
	char *folder; /* that they are in */
	int64_t newest, revision;
};

static void take_copy(void *data, const struct etcd_kv *kv)
{
	struct copies *copies = data;
	int64_t number = revision_number(kv->key, str_from(copies->folder));

	if (number <= copies->newest)
		return;
	copies->newest = number;
	copies->revision = kv->revision;
}

static int look_at_copies(struct document *document, struct store *store)
{
	_cleanup_(mem_freep) char *folder =
		store_key(store, "revisions", document->name);
	_cleanup_(mem_freep) char *prefix = mem_printf("%s/", folder);
	_cleanup_(mem_freep) char *key = NULL;
	struct copies copies = {.folder = folder};
	const struct store_range range = {
		.prefix = prefix,
		.keys_only = true,
		.each = take_copy,
		.data = &copies,
	};
	struct etcd_kv kv;
	int status = store_read(store, &range, NULL);

	if (status != EXIT_DONE || !copies.newest)
		return status;
	key = store_revision_key(store, document->name, copies.newest);
	status = store_get(store, key, &document->arena, &kv);
	if (status == EXIT_DONE)
		revision_read(&document->newest, copies.newest, kv.value);
	document->copied = copies.revision;
	return status;
}

int document_look(struct document *document, struct store *store,
		  const char *name)
{
	_cleanup_(mem_freep) char *key = store_key(store, "", name);
	_cleanup_(mem_freep) char *underway = store_rollout_key(store, name);
	const char *problem = document_name_problem(name);
	int status;

	*document = (struct document){.name = name};
	if (problem)
		return complain(EXIT_USAGE, "'%s' is no document's name: %s",
				name, problem);
	status = look_at_copies(document, store);
	if (status == EXIT_DONE)
		status = store_get(store, underway, &document->arena,
				   &document->underway);
	if (status == EXIT_DONE)
		status =
			store_get(store, key, &document->arena, &document->now);
	document->understood =
		document->underway.revision &&
		rollout_parse(&document->rollout, document->underway.value);
	return status;
}

void document_deinit(struct document *document)
{
	rollout_deinit(&document->rollout);
	revision_deinit(&document->newest);
	arena_free(&document->arena);
}

/* --- a change ------------------------------------------------------------- */

#define COMPARES_MAX 3
#define OPS_MAX      5 /* document, two copies, the oldest ones, rollout */

/* A transaction as it grows, and all that it points to. */
struct draft {
	struct etcd_compare compares[COMPARES_MAX];
	struct etcd_op ops[OPS_MAX];
	struct etcd_txn txn;
	struct arena arena;
	size_t bytes;
	int64_t number; /* of the copy; 0: none */
};

/* @key in the draft's arena; it is taken over. */
static struct str keep_key(struct draft *draft, char *key)
{
	struct str kept = arena_str(&draft->arena, str_from(key));

	mem_free(key);
	return kept;
}

static void require(struct draft *draft, char *key, int64_t revision)
{
	draft->compares[draft->txn.compare_count++] = (struct etcd_compare){
		ETCD_COMPARE_REVISION, keep_key(draft, key), revision};
}

static void add_op(struct draft *draft, enum etcd_op_kind kind, char *key,
		   struct str value)
{
	struct str kept = keep_key(draft, key);

	draft->ops[draft->txn.then_count++] = (struct etcd_op){
		.kind = kind,
		.span = {.key = kept},
		.value = value,
	};
	draft->bytes += kept.len + value.len;
}

static void add_copy(struct draft *draft, const struct document *document,
		     const struct store *store, struct revision *revision)
{
	_cleanup_(mem_freep) char *put = document_new_id();
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	revision->put = arena_str(&draft->arena, str_from(put));
	revision_write(&json, revision);
	add_op(draft, ETCD_OP_PUT,
	       store_revision_key(store, document->name, revision->number),
	       arena_str(&draft->arena, buf_str(&json)));
	draft->number = revision->number;
}

/* What somebody put by other means is kept too, before it is gone. */
static void add_copies(struct draft *draft, const struct document *document,
		       const struct store *store,
		       const struct document_change *change)
{
	int64_t first = document->newest.number + 1;
	struct revision found = {.number = first,
				 .text = document->now.value,
				 .time = store_now(store)};
	struct revision made = {.number = first,
				.text = change->text,
				.by = str_from(change->by),
				.reason = str_from(change->reason),
				.rollout = change->rollout,
				.reverts = change->reverts,
				.time = found.time};
	int64_t keep_from;
	struct etcd_op *old;

	require(draft, store_revision_key(store, document->name, first), 0);
	if (document_is_foreign(document)) {
		add_copy(draft, document, store, &found);
		made.number++;
	}
	add_copy(draft, document, store, &made);
	keep_from = made.number - REVISIONS_MAX + 1;
	if (keep_from <= 1)
		return;
	add_op(draft, ETCD_OP_DELETE,
	       store_revision_key(store, document->name, 0), (struct str){0});
	old = &draft->ops[draft->txn.then_count - 1];
	old->span.end = keep_key(
		draft, store_revision_key(store, document->name, keep_from));
}

static void add_document(struct draft *draft, const struct document *document,
			 const struct store *store,
			 const struct document_change *change)
{
	enum etcd_op_kind kind =
		change->text.ptr ? ETCD_OP_PUT : ETCD_OP_DELETE;

	if (change->keep)
		return;
	add_op(draft, kind, store_key(store, "", document->name), change->text);
	add_copies(draft, document, store, change);
}

static void write_draft(struct draft *draft, const struct document *document,
			const struct store *store,
			const struct document_change *change)
{
	require(draft, store_key(store, "", document->name),
		document->now.revision);
	require(draft, store_rollout_key(store, document->name),
		document->underway.revision);
	add_document(draft, document, store, change);
	if (change->new_rollout.len)
		add_op(draft, ETCD_OP_PUT,
		       store_rollout_key(store, document->name),
		       change->new_rollout);
	else if (change->end_rollout)
		add_op(draft, ETCD_OP_DELETE,
		       store_rollout_key(store, document->name),
		       (struct str){0});
	draft->txn.compares = draft->compares;
	draft->txn.then = draft->ops;
}

/* --- and whether it came ----------------------------------------------------
 */

/* Is the copy, or the rollout's key, there as we wrote it? */
static int find_ours(const struct draft *draft, struct store *store, bool *ours)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const struct etcd_op *op = &draft->ops[draft->txn.then_count - 1];
	struct etcd_kv kv;
	int status;

	for (size_t i = 0; i < draft->txn.then_count; i++)
		if (draft->ops[i].kind == ETCD_OP_PUT)
			op = &draft->ops[i];
	status = store_get(store, op->span.key.ptr, &arena, &kv);
	*ours = op->kind == ETCD_OP_PUT ? str_equal(kv.value, op->value)
					: !kv.revision;
	return status;
}

static int complain_conflict(struct store *store, const char *name)
{
	_cleanup_(document_deinit) struct document other = {0};
	int status = document_look(&other, store, name);

	if (status != EXIT_DONE)
		return status;
	if (other.newest.by.len && !document_is_foreign(&other))
		return complain(EXIT_FAILED,
				"%s was changed meanwhile by %.*s (revision "
				"%lld): nothing is overwritten; look at it "
				"('clearconf site log %s'), and try again",
				name, STR_PRINT(other.newest.by),
				(long long)other.newest.number, name);
	return complain(EXIT_FAILED,
			"%s, or its rollout, was changed meanwhile: nothing "
			"is overwritten; look at it, and try again",
			name);
}

/* Of a transaction that did not say that it was done: was it? */
static int settle(const struct draft *draft, struct store *store,
		  const char *name, bool *ours)
{
	int status = find_ours(draft, store, ours);

	if (status == EXIT_DONE)
		return EXIT_DONE;
	return complain(status,
			"whether %s has been changed is not known: see "
			"'clearconf site log %s'",
			name, name);
}

static int commit(struct draft *draft, struct store *store, const char *name)
{
	bool ours;
	int status = store_commit(store, &draft->txn, &ours);

	if (status != EXIT_DONE)
		return status;
	if (!ours)
		status = settle(draft, store, name, &ours);
	if (!ours)
		draft->number = -1;
	return status;
}

static int check_size(const struct draft *draft, const char *name)
{
	if (draft->bytes <= REQUEST_BYTES)
		return EXIT_DONE;
	return complain(EXIT_FAILED,
			"%s is too large: etcd takes 1.5 MiB in one "
			"transaction, and with the copies that are kept of "
			"it this is %.1f: divide it into several documents",
			name, (double)draft->bytes / (1 << 20));
}

int document_fits(const struct document *document, const struct store *store,
		  const struct document_change *change)
{
	struct draft draft = {0};
	int status;

	write_draft(&draft, document, store, change);
	status = check_size(&draft, document->name);
	arena_free(&draft.arena);
	return status;
}

int document_try(const struct document *document, struct store *store,
		 const struct document_change *change, int64_t *number)
{
	struct draft draft = {0};
	int status;

	write_draft(&draft, document, store, change);
	status = check_size(&draft, document->name);
	if (status == EXIT_DONE)
		status = commit(&draft, store, document->name);
	*number = draft.number;
	arena_free(&draft.arena);
	return status;
}

int document_commit(const struct document *document, struct store *store,
		    const struct document_change *change, int64_t *number)
{
	int status = document_try(document, store, change, number);

	return status == EXIT_DONE && *number < 0
		       ? complain_conflict(store, document->name)
		       : status;
}

/* --- who ------------------------------------------------------------------ */

char *document_author(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *user = getpwuid(getuid());
	char host[256] = "";

	(void)gethostname(host, sizeof(host) - 1);
	if (sudo && *sudo)
		return mem_printf("%s@%s", sudo, host);
	if (user)
		return mem_printf("%s@%s", user->pw_name, host);
	return mem_printf("%u@%s", (unsigned int)getuid(), host);
}

char *document_new_id(void)
{
	uint64_t id = 0;

	while (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
		continue;
	return mem_printf("%016llx", (unsigned long long)id);
}
