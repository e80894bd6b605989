#include "state/hold_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/private_file.h"
#include "base/seal.h"
#include "config/lock.h"
#include "config/snapshot.h"
#include "config/snapshot_codec.h"
#include "fetch/sweep.h"

#define SUFFIX ".hold"

/* A longer file is no hold: documents are bounded by the settings. */
#define BYTES_MAX ((size_t)1 << 30)

/* A clock may be a little wrong. One that stands before there was a clearconf
 * has not been set yet, and says nothing of a file. */
#define CLOCK_TOLERANCE INT64_C(86400)
#define CLOCK_SET       INT64_C(1735689600) /* 2025 */

static const struct seal hold_seal = {"clearconf-hold", 1};

/* --- whose it is ---------------------------------------------------------- */

static const char *copy(struct arena *arena, const char *text)
{
	return text && *text ? arena_strdup(arena, text) : NULL;
}

void hold_record_set_owner(struct hold_record *record,
			   const struct hold_owner *owner)
{
	struct arena *arena = &record->arena;

	record->owner = (struct hold_owner){
		.api_server = copy(arena, owner->api_server),
		.access_key = copy(arena, owner->access_key),
		.company_id = copy(arena, owner->company_id),
		.user_id = copy(arena, owner->user_id),
	};
}

void hold_record_set_facts(struct hold_record *record,
			   const struct hold_facts *facts)
{
	record->facts = (struct hold_facts){
		.vaults_lack = copy(&record->arena, facts->vaults_lack),
		.vaults_expected = facts->vaults_expected,
		.lost = copy(&record->arena, facts->lost),
	};
}

/* A company that both name says more than the key of the day. */
static const char *find_misfit(const struct hold_owner *owner,
			       const struct hold_owner *other)
{
	bool known = owner->company_id && other->company_id;
	const struct {
		const char *what, *a, *b;
	} rows[] = {
		{"API server", owner->api_server, other->api_server},
		{"company", owner->company_id, other->company_id},
		{"user", owner->user_id, other->user_id},
		{"access key", known ? NULL : owner->access_key,
		 other->access_key},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].a && rows[i].b && strcmp(rows[i].a, rows[i].b) != 0)
			return rows[i].what;
	return NULL;
}

bool hold_owner_fits(const struct hold_owner *owner,
		     const struct hold_owner *other)
{
	return !find_misfit(owner, other);
}

struct hold_record *hold_record_free(struct hold_record *record)
{
	if (!record)
		return NULL;
	snapshot_unref(record->snapshot);
	arena_free(&record->arena);
	mem_free(record);
	return NULL;
}

/* --- record -> bytes ------------------------------------------------------ */

char *hold_file_path(const char *state_dir, const char *workspace)
{
	return mem_printf("%s/%s" SUFFIX, state_dir, workspace);
}

static void pack_owner(struct buf *out, const struct hold_owner *owner)
{
	pack_optional(out, owner->api_server);
	pack_optional(out, owner->access_key);
	pack_optional(out, owner->company_id);
	pack_optional(out, owner->user_id);
}

void hold_file_compose(struct buf *bytes, const char *workspace,
		       const struct hold_record *record)
{
	_cleanup_(buf_deinit) struct buf content = BUF_INIT;

	pack_text(&content, str_from(workspace));
	pack_owner(&content, &record->owner);
	pack_number(&content, record->generation);
	pack_signed(&content, record->since);
	pack_signed(&content, record->until);
	pack_number(&content, record->uid);
	pack_text(&content, str_from(record->reason));
	pack_optional(&content, record->facts.vaults_lack);
	pack_number(&content, record->facts.vaults_expected);
	pack_optional(&content, record->facts.lost);
	pack_text(&content, str_from(locks_more(record->snapshot->locks)));
	snapshot_pack(&content, record->snapshot, NULL);
	seal_write(bytes, &hold_seal, buf_str(&content));
}

/* --- bytes -> record ------------------------------------------------------ */

/* A file that may be the hold. */
struct candidate {
	const struct hold_query *query;
	char *path;
	struct diag reason; /* what is wrong with it, by itself */
};

static bool is_wrong(struct candidate *candidate, const char *reason)
{
	return diag_set(&candidate->reason, candidate->path, "%s", reason);
}

/* Of the record's. */
static const char *take_text(struct unpack *in, struct arena *arena)
{
	return arena_str(arena, unpack_name(in)).ptr;
}

static void take_head(struct unpack *in, struct hold_record *record)
{
	struct arena *arena = &record->arena;

	record->owner.api_server = unpack_optional(in, arena);
	record->owner.access_key = unpack_optional(in, arena);
	record->owner.company_id = unpack_optional(in, arena);
	record->owner.user_id = unpack_optional(in, arena);
	record->generation = unpack_number(in);
	record->since = unpack_signed(in);
	record->until = unpack_signed(in);
	record->uid = (uid_t)unpack_number_to(in, UINT32_MAX);
	record->reason = take_text(in, arena);
	record->facts.vaults_lack = unpack_optional(in, arena);
	record->facts.vaults_expected = unpack_number_to(in, 1);
	record->facts.lost = unpack_optional(in, arena);
}

static bool take_content(struct candidate *candidate, struct unpack *in,
			 struct hold_record *record)
{
	const char *workspace = take_text(in, &record->arena), *locks;
	const char *why = "is damaged";

	take_head(in, record);
	locks = take_text(in, &record->arena);
	if (!in->failed && strcmp(workspace, candidate->query->workspace) != 0)
		return is_wrong(candidate, "was made for another workspace");
	if (!in->failed)
		record->snapshot = snapshot_unpack(in, NULL, &why);
	if (!record->snapshot || in->failed || in->rest.len)
		return is_wrong(candidate, why);
	record->snapshot->locks = locks_new(candidate->query->agent, locks);
	return true;
}

static bool is_of_the_future(const struct hold_query *query,
			     const struct hold_record *record)
{
	return query->now >= CLOCK_SET &&
	       record->since > query->now + CLOCK_TOLERANCE;
}

static bool is_as_asked(struct candidate *candidate,
			const struct hold_record *record)
{
	const struct hold_query *query = candidate->query;
	const char *misfit = find_misfit(&record->owner, query->owner);

	if (misfit)
		return diag_set(&candidate->reason, candidate->path,
				"was made for another %s", misfit);
	if (is_of_the_future(query, record))
		return is_wrong(candidate,
				"was made in the future: the clock of this "
				"host, or who wrote it, is wrong");
	return true;
}

static struct hold_record *take(struct candidate *candidate, struct str bytes)
{
	struct hold_record *record = mem_alloc(sizeof(*record));
	struct unpack in = {0};

	if (seal_open(&hold_seal, candidate->path, bytes, &in.rest,
		      &candidate->reason) &&
	    take_content(candidate, &in, record) &&
	    is_as_asked(candidate, record))
		return record;
	return hold_record_free(record);
}

/* What cannot be renamed is not used either. */
static void reject(struct candidate *candidate, struct diag *diag)
{
	_cleanup_(mem_freep) char *aside =
		mem_printf("%s" PRIVATE_ASIDE, candidate->path);
	bool moved = !candidate->query->read_only &&
		     rename(candidate->path, aside) == 0;

	(void)diag_set(diag, candidate->path, "%s; it holds nothing%s%s",
		       candidate->reason.text, moved ? ", and is now " : "",
		       moved ? aside : "");
}

static struct hold_record *read_candidate(struct candidate *candidate, int dir,
					  struct diag *diag)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	const struct private_file file = {
		.dir = dir,
		.name = strrchr(candidate->path, '/') + 1,
		.path = candidate->path,
		.what = "hold",
		.limit = BYTES_MAX,
	};
	struct hold_record *record = NULL;
	int r = private_file_read(&file, &bytes, &candidate->reason);

	if (r == 0)
		record = take(candidate, buf_str(&bytes));
	if (r >= 0 && !record)
		reject(candidate, diag);
	else if (r < 0 && r != -ENOENT) /* it stays */
		(void)diag_set(diag, candidate->path, "%s; it holds nothing",
			       candidate->reason.text);
	return record;
}

struct hold_record *hold_file_read(const struct hold_query *query,
				   struct diag *diag)
{
	struct candidate candidate = {
		.query = query,
		.path = hold_file_path(query->state_dir, query->workspace),
	};
	_cleanup_(file_closep) int dir =
		open(query->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct hold_record *record =
		dir < 0 ? NULL : read_candidate(&candidate, dir, diag);

	diag_deinit(&candidate.reason);
	mem_free(candidate.path);
	return record;
}

/* --- sweeping ------------------------------------------------------------- */

size_t hold_file_sweep(const struct cache_sweep *sweep)
{
	const struct sweep_kind kind = {SUFFIX, mem_strdup};

	return sweep_files(
		sweep, &kind,
		open(sweep->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}
