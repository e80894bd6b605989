#include "fleet/vaults.h"

#include "base/buf.h"
#include "base/mem.h"
#include "fleet/document.h"
#include "fleet/fleet.h"
#include "fleet/store.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "value/json.h"

/* Hosts may report anything: at so many revisions is looked in one look. */
#define REVISIONS_LOOKED 64

/* --- keys ----------------------------------------------------------------- */

static char *key_of(const struct store *store, const char *revision)
{
	_cleanup_(mem_freep) char *name = verdict_name(revision);

	return store_key(store, "", name);
}

static int commit(struct store *store, const struct etcd_op *op)
{
	const struct etcd_txn txn = {.then = op, .then_count = 1};
	bool done;

	return store_repeat(store, &txn, &done);
}

static int put(struct store *store, const char *revision, const char *reason)
{
	_cleanup_(mem_freep) char *key = key_of(store, revision);
	_cleanup_(mem_freep) char *author = document_author();
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	struct etcd_op op = {.kind = ETCD_OP_PUT,
			     .span = {.key = str_from(key)}};

	verdict_write(&json, author, reason, store_now(store));
	op.value = buf_str(&json);
	return commit(store, &op);
}

/* --- by people ------------------------------------------------------------ */

static int check_revision(const char *revision)
{
	if (verdict_is_revision(str_from(revision)))
		return EXIT_DONE;
	return complain(EXIT_USAGE,
			"%s: expected the name of a revision, of 12 digits "
			"from 0 to f, as 'clearconf change' tells it",
			revision);
}

static int tell(int status, const char *revision, const char *what)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (status != EXIT_DONE)
		return status;
	buf_printf(&out, "%s: %s\n", revision, what);
	return output_write(buf_str(&out));
}

int vaults_call_bad(struct store *store, const char *revision,
		    const char *reason)
{
	int status = check_revision(revision);

	if (status == EXIT_DONE)
		status = put(store, revision, reason);
	return tell(status, revision,
		    "bad: hosts that stage vaults and have not taken it do not "
		    "take it");
}

int vaults_call_good(struct store *store, const char *revision)
{
	_cleanup_(mem_freep) char *key = key_of(store, revision);
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const struct etcd_op op = {.kind = ETCD_OP_DELETE,
				   .span = {.key = str_from(key)}};
	struct etcd_kv kv = {0};
	int status = check_revision(revision);

	if (status == EXIT_DONE)
		status = store_get(store, key, &arena, &kv);
	if (status == EXIT_DONE && !kv.revision)
		return complain(EXIT_NO_PATH, "nobody has called %s bad",
				revision);
	if (status == EXIT_DONE)
		status = commit(store, &op);
	return tell(status, revision, "it comes when its time is over");
}

/* --- by what hosts report ------------------------------------------------- */

const char *vaults_guard_set(struct vaults_guard *guard, const char *limits)
{
	const struct plan *plan = &guard->plan;

	if (!plan_set_limits(&guard->plan, str_from(limits)) &&
	    plan->limit_count == 1 &&
	    plan->limits[0].of == offsetof(struct plan_tally, broken))
		return NULL;
	return "expected a limit such as broken>0";
}

void vaults_guard_deinit(struct vaults_guard *guard)
{
	verdicts_deinit(&guard->seen);
}

static bool is_awaited(const struct fleet *fleet, struct str revision)
{
	for (size_t i = 0; i < fleet->count; i++) {
		struct str rest = fleet->hosts[i].waiting, word;

		while (str_next_word(&rest, &word))
			if (str_equal(word, revision))
				return true;
	}
	return false;
}

/* How many hosts find @revision bad; the first of them in *culprit. */
static int64_t count_bad(const struct fleet *fleet, struct str revision,
			 struct buf *culprit)
{
	int64_t count = 0;

	for (size_t i = 0; i < fleet->count; i++) {
		const struct host *host = &fleet->hosts[i];
		const struct host_bad *bad = host_bad_vaults(host, revision);

		if (!bad || !host->revision)
			continue;
		if (!count++)
			host_add_bad(culprit, host, bad);
	}
	return count;
}

static int call_bad(struct vaults_guard *guard, struct str revision,
		    struct buf *why)
{
	_cleanup_(mem_freep) char *name =
		mem_strndup(revision.ptr, revision.len);
	int status;

	buf_putc(why, '\0');
	status = put(guard->store, name, why->data);
	if (status != EXIT_DONE)
		return status;
	(void)verdicts_set(&guard->seen, revision, STR("{}"));
	complain_warning("vaults %s are called bad: %s", name, why->data);
	return EXIT_DONE;
}

static int look_at(struct vaults_guard *guard, const struct fleet *fleet,
		   struct str revision)
{
	_cleanup_(buf_deinit) struct buf why = BUF_INIT, culprit = BUF_INIT;
	struct plan_tally tally = {0};

	if (verdicts_find(&guard->seen, revision) ||
	    !is_awaited(fleet, revision))
		return EXIT_DONE;
	tally.broken = count_bad(fleet, revision, &culprit);
	if (!plan_is_exceeded(&guard->plan, &tally, true, &why))
		return EXIT_DONE;
	buf_add_str(&why, buf_str(&culprit));
	return call_bad(guard, revision, &why);
}

/* Look once at each revision that a host finds bad. */
static int look_at_all(struct vaults_guard *guard, const struct fleet *fleet,
		       const struct host *host, struct verdicts *looked)
{
	int status = EXIT_DONE;

	for (size_t i = 0; i < host->bad_count && status == EXIT_DONE; i++) {
		struct str revision = host->bad[i].vaults;

		if (!verdict_is_revision(revision) ||
		    looked->count == REVISIONS_LOOKED ||
		    verdicts_find(looked, revision))
			continue;
		(void)verdicts_set(looked, revision, STR("{}"));
		status = look_at(guard, fleet, revision);
	}
	return status;
}

int vaults_guard_look(struct vaults_guard *guard, const struct fleet *fleet)
{
	_cleanup_(verdicts_deinit) struct verdicts looked = {0};
	int status = EXIT_DONE;

	if (!guard->plan.limit_count)
		return EXIT_DONE;
	for (size_t i = 0; i < fleet->verdicts.count; i++)
		(void)verdicts_set(&guard->seen,
				   str_from(fleet->verdicts.items[i].revision),
				   STR("{}"));
	for (size_t i = 0; i < fleet->count && status == EXIT_DONE; i++)
		status = look_at_all(guard, fleet, &fleet->hosts[i], &looked);
	return status;
}

/* --- as they are shown ---------------------------------------------------- */

void vaults_add_text(struct buf *out, const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->verdicts.count; i++)
		buf_printf(out, "vaults %s: %s\n",
			   fleet->verdicts.items[i].revision,
			   fleet->verdicts.items[i].said);
}

void vaults_add_json(struct buf *out, const struct fleet *fleet)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < fleet->verdicts.count; i++) {
		const struct verdict *verdict = &fleet->verdicts.items[i];

		buf_puts(out, i ? ",{" : "{");
		json_add_string(out, "revision", verdict->revision);
		json_add_string(out, "bad", verdict->said);
		buf_putc(out, '}');
	}
	buf_putc(out, ']');
}

void vaults_add_wait(struct buf *out, const struct fleet *fleet,
		     struct str revision)
{
	const struct verdict *verdict =
		verdicts_find(&fleet->verdicts, revision);

	buf_printf(out, "%svaults %s: %.*s", out->len ? "; " : "",
		   verdict ? "do not come" : "wait for their time",
		   STR_PRINT(revision));
	if (verdict)
		buf_printf(out, " is %s", verdict->said);
}
