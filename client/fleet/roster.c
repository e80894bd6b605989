#include "fleet/roster.h"

#include "base/buf.h"
#include "base/mem.h"
#include "fleet/fleet.h"
#include "fleet/store.h"
#include "text/complain.h"
#include "text/exit_status.h"

/* etcd takes 128 operations in one transaction. */
#define OPS_MAX 100

struct loading {
	struct store *store;
	const struct roster_source *source;
	struct fleet *fleet;
	size_t skip;           /* bytes of a key before the name */
	struct host *memories; /* as host_write_memory has them */
	size_t count;
};

static struct str name_of(const struct loading *loading,
			  const struct etcd_kv *kv)
{
	return str_from_offset(kv->key, loading->skip);
}

/* --- reading -------------------------------------------------------------- */

static void take_report(void *data, const struct etcd_kv *kv)
{
	struct loading *loading = data;
	struct str name = name_of(loading, kv);
	struct host *host;

	if (!name.len)
		return;
	host = fleet_add(loading->fleet, name);
	host->revision = kv->revision;
	host_read(host, &loading->fleet->arena, kv->value);
}

static void take_memory(void *data, const struct etcd_kv *kv)
{
	struct loading *loading = data;
	struct arena *arena = &loading->fleet->arena;
	struct host *memory;

	if (!name_of(loading, kv).len)
		return;
	loading->memories = mem_room(loading->memories, loading->count,
				     sizeof(*loading->memories));
	memory = &loading->memories[loading->count++];
	*memory = (struct host){.name = arena_str(arena, name_of(loading, kv))};
	host_read(memory, arena, kv->value);
}

static void take_document(void *data, const struct etcd_kv *kv)
{
	struct loading *loading = data;
	struct str revision;

	if (verdict_of_name(name_of(loading, kv), &revision))
		(void)verdicts_set(&loading->fleet->verdicts, revision,
				   kv->value);
	catalog_add(&loading->fleet->catalog, name_of(loading, kv),
		    kv->revision, kv->value);
}

static int read_etcd(void *data, const char *prefix, store_kv_fn each,
		     void *each_data)
{
	const struct store_range range = {
		.prefix = prefix, .each = each, .data = each_data};

	return store_read(data, &range, NULL);
}

static int read_below(struct loading *loading, const char *prefix,
		      store_kv_fn each)
{
	const struct roster_source etcd = {read_etcd, loading->store};
	const struct roster_source *source =
		loading->source ? loading->source : &etcd;

	loading->skip = strlen(prefix);
	return source->read(source->data, prefix, each, loading);
}

static int read_all(struct loading *loading)
{
	_cleanup_(mem_freep) char *state =
		store_key(loading->store, "state", "");
	_cleanup_(mem_freep) char *roster =
		store_key(loading->store, "roster", "");
	int status;

	/* Documents first: what is put meanwhile nobody is behind of. */
	status = read_below(loading, loading->store->place.prefix,
			    take_document);
	if (status == EXIT_DONE)
		status = read_below(loading, state, take_report);
	if (status == EXIT_DONE)
		status = read_below(loading, roster, take_memory);
	return status;
}

/* --- remembering ---------------------------------------------------------- */

/* Writes that go together; nobody minds when another one does the same. */
struct batch {
	struct loading *loading;
	struct arena arena;
	struct etcd_op ops[OPS_MAX];
	size_t count;
	bool refused; /* this user may not */
};

static void flush(struct batch *batch)
{
	struct store *store = batch->loading->store;
	const struct etcd_txn txn = {.then = batch->ops,
				     .then_count = batch->count};
	bool done;

	store->quiet = true;
	if (batch->count && !batch->refused)
		batch->refused = store_repeat(store, &txn, &done) != EXIT_DONE;
	store->quiet = false;
	batch->count = 0;
	arena_free(&batch->arena);
}

static void remember(struct batch *batch, const struct host *host,
		     int64_t since)
{
	_cleanup_(mem_freep) char *name =
		mem_strndup(host->name.ptr, host->name.len);
	_cleanup_(mem_freep) char *key =
		store_key(batch->loading->store, "roster", name);
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	host_write_memory(&json, host, since);
	batch->ops[batch->count++] = (struct etcd_op){
		.kind = ETCD_OP_PUT,
		.span = {.key = arena_str(&batch->arena, str_from(key))},
		.value = arena_str(&batch->arena, buf_str(&json)),
	};
	if (batch->count == OPS_MAX)
		flush(batch);
}

/* A host without a report: it is gone since somebody first missed it. */
static void add_absent(struct batch *batch, const struct host *memory)
{
	struct fleet *fleet = batch->loading->fleet;
	int64_t since = memory->since >= 0 ? memory->since : fleet->now;
	struct host *host = fleet_add(fleet, memory->name);

	*host = *memory;
	host->since = since;
	host->fault = NULL;
	host->state = (struct str){0};
	if (memory->since < 0)
		remember(batch, memory, since);
}

/* What is remembered of it is not what it is. */
static bool is_news(const struct host *host, const struct host *memory)
{
	return memory->fault || memory->since >= 0 ||
	       (!host->fault && !host_is_same_memory(host, memory));
}

/* Reports and memories are both in the order of names. */
static void compare(struct batch *batch, size_t reports)
{
	struct loading *loading = batch->loading;
	struct fleet *fleet = loading->fleet;
	size_t i = 0, at = 0;
	int order;

	while (i < reports || at < loading->count) {
		const struct host *memory = &loading->memories[at];
		const struct host host =
			i < reports ? fleet->hosts[i] : (struct host){0};

		if (i == reports || at == loading->count)
			order = i == reports ? 1 : -1;
		else
			order = str_compare(host.name, memory->name);
		if (order > 0)
			add_absent(batch, memory);
		else if (order < 0 || is_news(&host, memory))
			remember(batch, &host, -1);
		i += order <= 0;
		at += order >= 0;
	}
}

int roster_load(struct fleet *fleet, struct store *store,
		const struct roster_source *source)
{
	struct loading loading = {
		.store = store, .source = source, .fleet = fleet};
	struct batch batch = {.loading = &loading};
	int status = read_all(&loading);

	fleet->now = store_now(store);
	if (status == EXIT_DONE) {
		compare(&batch, fleet->count);
		flush(&batch);
		fleet_judge(fleet);
	}
	mem_free(loading.memories);
	return status;
}

int roster_forget(struct store *store, const char *name)
{
	_cleanup_(mem_freep) char *state = store_key(store, "state", name);
	_cleanup_(mem_freep) char *roster = store_key(store, "roster", name);
	const struct etcd_compare unheard = {ETCD_COMPARE_REVISION,
					     str_from(state), 0};
	const struct etcd_op forget = {.kind = ETCD_OP_DELETE,
				       .span = {.key = str_from(roster)}};
	const struct etcd_txn txn = {.compares = &unheard,
				     .compare_count = 1,
				     .then = &forget,
				     .then_count = 1};
	bool done;
	int status = store_repeat(store, &txn, &done);

	if (status == EXIT_DONE && !done)
		return complain(EXIT_FAILED,
				"%s reports, so it would be remembered again "
				"at once",
				name);
	return status;
}
