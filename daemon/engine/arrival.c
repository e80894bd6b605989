#include "engine/arrival.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/share.h"

/* --- revisions ------------------------------------------------------------ */

/* Without a word from the server it is HOCON. */
static struct str format_of(const struct vault *vault)
{
	return vault->format && *vault->format ? str_from(vault->format)
					       : STR("hocon");
}

/* Chains of hashes, which tell where each part ends. Who writes the vaults
 * might make two of the same: he would be served at once. */
static void revision_of(const struct vault_answer *answer,
			char revision[REVISION_SIZE])
{
	uint64_t one = UINT64_C(0x243F6A8885A308D3) ^ answer->count;
	uint64_t other = UINT64_C(0x13198A2E03707344) ^ answer->count;

	for (size_t i = 0; i < answer->count; i++) {
		const struct vault *vault = &answer->vaults[i];
		const struct str parts[] = {str_from(vault->id),
					    format_of(vault), vault->data};

		for (size_t k = 0; k < ARRAY_SIZE(parts); k++) {
			one = str_fold(parts[k], one);
			other = str_fold(parts[k], other);
		}
	}
	(void)snprintf(revision, REVISION_SIZE, "%016llx%016llx",
		       (unsigned long long)one, (unsigned long long)other);
}

static void add_part(struct sha256 *hash, struct str part)
{
	uint64_t length = part.len;

	for (size_t i = 0; i < sizeof(length); i++) {
		char byte = (char)(length >> 8 * i);

		sha256_add(hash, (struct str){&byte, 1});
	}
	sha256_add(hash, part);
}

/* No text has a part in it: who may read only what is masked must not find a
 * password by trying which has this digest. */
static void name(const struct vault_answer *answer,
		 char shown[ARRIVAL_NAME_SIZE])
{
	unsigned char bytes[SHA256_BYTES];
	struct sha256 hash;

	sha256_init(&hash);
	for (size_t i = 0; i < answer->count; i++) {
		add_part(&hash, str_from(answer->vaults[i].id));
		add_part(&hash, str_from(answer->vaults[i].last_update));
	}
	sha256_end(&hash, bytes);
	sha256_write_hex(bytes, ARRIVAL_NAME_SIZE / 2, shown);
}

/* --- texts ---------------------------------------------------------------- */

static void drop_texts(struct arrival *arrival)
{
	arena_free(&arrival->arena);
	arrival->vaults = NULL;
	arrival->count = 0;
	arrival->has_texts = false;
}

static void keep_texts(struct arrival *arrival,
		       const struct vault_answer *answer)
{
	struct vault *vaults =
		arena_alloc(&arrival->arena, answer->count * sizeof(*vaults));

	for (size_t i = 0; i < answer->count; i++)
		vaults[i] = vault_copy(&arrival->arena, &answer->vaults[i]);
	arrival->vaults = vaults;
	arrival->count = answer->count;
	arrival->has_texts = true;
}

struct vault_answer arrival_answer(const struct arrival *arrival,
				   enum vault_feed feed)
{
	return (struct vault_answer){
		.feed = feed,
		.outcome = VAULT_FETCHED,
		.vaults = arrival->vaults,
		.count = arrival->count,
	};
}

bool arrival_is_shown(const struct arrival *arrival)
{
	return arrival->state != ARRIVAL_NONE && arrival->has_texts;
}

bool arrival_is_unknown(const struct arrival *arrival)
{
	return arrival->state != ARRIVAL_NONE && !arrival->has_texts;
}

bool arrival_is(const struct arrival *arrival, const char *revision)
{
	return arrival_is_shown(arrival) &&
	       (!revision || !strcmp(revision, arrival->name));
}

/* --- states --------------------------------------------------------------- */

static void enter_none(struct arrival *arrival)
{
	drop_texts(arrival);
	arrival->next[0] = '\0';
	arrival->state = ARRIVAL_NONE;
}

static void put_in_force(struct arrival *arrival, const char *revision)
{
	memmove(arrival->in_force, revision, REVISION_SIZE);
	enter_none(arrival);
}

/* @arrival has the name of it already. */
static void put_next_in_force(struct arrival *arrival)
{
	memcpy(arrival->in_force_name, arrival->name, ARRIVAL_NAME_SIZE);
	put_in_force(arrival, arrival->next);
}

void arrival_take(struct arrival *arrival)
{
	put_next_in_force(arrival);
}

void arrival_skip(struct arrival *arrival)
{
	arrival->state = ARRIVAL_SKIPPED;
}

void arrival_forget(struct arrival *arrival)
{
	enter_none(arrival);
	arrival->in_force[0] = arrival->in_force_name[0] = '\0';
}

void arrival_deinit(struct arrival *arrival)
{
	drop_texts(arrival);
}

static bool stages(const struct arrival_rule *rule)
{
	return rule->machine && rule->share < SHARE_WHOLE;
}

static bool is_among_first(const struct arrival *arrival,
			   const struct arrival_rule *rule)
{
	return share_of(str_from(rule->machine), str_from(arrival->name)) <
	       rule->share;
}

const struct verdict *arrival_verdict(const struct arrival *arrival,
				      const struct arrival_rule *rule)
{
	if (arrival->state != ARRIVAL_WAITING || !stages(rule) ||
	    !rule->verdicts)
		return NULL;
	return verdicts_find(rule->verdicts, str_from(arrival->name));
}

/* As arrival_left, of one whose texts may be still to come. */
static int64_t left(const struct arrival *arrival,
		    const struct arrival_rule *rule, int64_t now_ms)
{
	int64_t age_ms = now_ms - arrival->seen_ms;

	if (arrival->state != ARRIVAL_WAITING)
		return -1;
	if (!stages(rule))
		return 0;
	if (rule->unsure || arrival_verdict(arrival, rule))
		return -1;
	if (is_among_first(arrival, rule))
		return 0;
	return age_ms < rule->wait_ms ? rule->wait_ms - age_ms : 0;
}

int64_t arrival_left(const struct arrival *arrival,
		     const struct arrival_rule *rule, int64_t now_ms)
{
	return arrival->has_texts ? left(arrival, rule, now_ms) : -1;
}

/* --- answers -------------------------------------------------------------- */

static void begin(struct arrival *arrival, const char *revision,
		  int64_t seen_ms)
{
	drop_texts(arrival);
	memcpy(arrival->next, revision, REVISION_SIZE);
	arrival->seen_ms = seen_ms;
	arrival->state = ARRIVAL_WAITING;
}

enum arrival_verdict arrival_meet(struct arrival *arrival,
				  const struct vault_answer *answer,
				  const struct arrival_rule *rule,
				  int64_t now_ms)
{
	bool waited = arrival->state != ARRIVAL_NONE, begins;
	char revision[REVISION_SIZE];

	revision_of(answer, revision);
	if (!arrival->in_force[0] || !strcmp(revision, arrival->in_force)) {
		if (!arrival->in_force_name[0])
			name(answer, arrival->in_force_name);
		put_in_force(arrival, revision);
		return ARRIVAL_IN_FORCE;
	}
	begins = strcmp(revision, arrival->next) != 0;
	if (begins)
		begin(arrival, revision, now_ms);
	if (!arrival->has_texts)
		name(answer, arrival->name);
	if (left(arrival, rule, now_ms) == 0) {
		put_next_in_force(arrival);
		return waited || stages(rule) ? ARRIVAL_TAKEN
					      : ARRIVAL_IN_FORCE;
	}
	if (!arrival->has_texts)
		keep_texts(arrival, answer);
	return begins ? ARRIVAL_BEGINS : ARRIVAL_GOES_ON;
}

/* --- restarts ------------------------------------------------------------- */

void arrival_keep(const struct arrival *arrival, struct cache_vaults *feed)
{
	struct cache_arrival *kept = &feed->arrival;

	memcpy(kept->in_force, arrival->in_force, REVISION_SIZE);
	memcpy(kept->next, arrival->next, REVISION_SIZE);
	kept->seen_at = clock_wall_of(arrival->seen_ms);
	kept->skipped = arrival->state == ARRIVAL_SKIPPED;
}

void arrival_restore(struct arrival *arrival, const struct cache_vaults *feed)
{
	const struct cache_arrival *kept = &feed->arrival;
	const struct vault_answer answer = {.vaults = feed->vaults,
					    .count = feed->count};
	char revision[REVISION_SIZE];

	revision_of(&answer, revision);
	arrival->in_force_name[0] = '\0';
	put_in_force(arrival, kept->in_force[0] ? kept->in_force : revision);
	if (!kept->next[0])
		return;
	begin(arrival, kept->next, clock_boot_of(kept->seen_at));
	if (kept->skipped)
		arrival_skip(arrival);
}
