#include "engine/arrival.h"

#include <string.h>

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

/* The digest has to tell where each part ends. */
static void add_part(struct sha256 *hash, struct str part)
{
	uint64_t length = part.len;

	for (size_t i = 0; i < sizeof(length); i++) {
		char byte = (char)(length >> 8 * i);

		sha256_add(hash, (struct str){&byte, 1});
	}
	sha256_add(hash, part);
}

static void digest(const struct vault_answer *answer,
		   char revision[REVISION_SIZE])
{
	unsigned char bytes[SHA256_BYTES];
	struct sha256 hash;

	sha256_init(&hash);
	for (size_t i = 0; i < answer->count; i++) {
		const struct vault *vault = &answer->vaults[i];

		add_part(&hash, str_from(vault->id));
		add_part(&hash, format_of(vault));
		add_part(&hash, vault->data);
	}
	sha256_end(&hash, bytes);
	sha256_write_hex(bytes, sizeof(bytes), revision);
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

/* The same answer again, which comes at each poll, costs no digest. */
static uint64_t print_of(const struct vault_answer *answer)
{
	uint64_t print = answer->count;

	for (size_t i = 0; i < answer->count; i++) {
		const struct vault *vault = &answer->vaults[i];
		const struct str parts[] = {str_from(vault->id),
					    format_of(vault), vault->data};

		for (size_t k = 0; k < ARRAY_SIZE(parts); k++)
			print = print * UINT64_C(0x9E3779B97F4A7C15) +
				str_hash(parts[k]);
	}
	return print;
}

/* --- texts ---------------------------------------------------------------- */

static const char *copy(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

static struct vault copy_vault(struct arena *arena, const struct vault *vault)
{
	return (struct vault){
		.id = arena_strdup(arena, vault->id),
		.description = arena_strdup(arena, vault->description),
		.format = copy(arena, vault->format),
		.type = copy(arena, vault->type),
		.scope = copy(arena, vault->scope),
		.last_update = copy(arena, vault->last_update),
		.data = vault->data.ptr ? arena_str(arena, vault->data)
					: vault->data,
	};
}

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
	struct vault *vaults;

	drop_texts(arrival);
	vaults = arena_alloc(&arrival->arena, answer->count * sizeof(*vaults));
	for (size_t i = 0; i < answer->count; i++)
		vaults[i] = copy_vault(&arrival->arena, &answer->vaults[i]);
	arrival->vaults = vaults;
	arrival->count = answer->count;
	arrival->next_print = print_of(answer);
	arrival->has_texts = true;
	name(answer, arrival->name);
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

static void put_in_force(struct arrival *arrival, uint64_t print,
			 const char *revision)
{
	arrival->known = true;
	arrival->print = print;
	memmove(arrival->in_force, revision, strlen(revision) + 1);
	enter_none(arrival);
}

void arrival_take(struct arrival *arrival)
{
	put_in_force(arrival, arrival->next_print, arrival->next);
}

void arrival_skip(struct arrival *arrival)
{
	arrival->state = ARRIVAL_SKIPPED;
}

void arrival_forget(struct arrival *arrival)
{
	enter_none(arrival);
	arrival->in_force[0] = '\0';
	arrival->known = false;
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

int64_t arrival_left(const struct arrival *arrival,
		     const struct arrival_rule *rule, int64_t now_ms)
{
	int64_t age_ms = now_ms - arrival->seen.boot_ms;

	if (arrival->state != ARRIVAL_WAITING || !arrival->has_texts)
		return -1;
	if (!stages(rule) || is_among_first(arrival, rule))
		return 0;
	return age_ms < rule->wait_ms ? rule->wait_ms - age_ms : 0;
}

/* --- answers -------------------------------------------------------------- */

static void begin(struct arrival *arrival, const char *revision,
		  struct last_good_time now)
{
	memcpy(arrival->next, revision, REVISION_SIZE);
	arrival->seen = now;
	arrival->state = ARRIVAL_WAITING;
}

/* True when it is another revision than before. */
static bool keep_next(struct arrival *arrival,
		      const struct vault_answer *answer, const char *revision,
		      struct last_good_time now)
{
	bool other = strcmp(arrival->next, revision) != 0;

	if (other)
		begin(arrival, revision, now);
	keep_texts(arrival, answer);
	return other;
}

/* The texts in force, as another process may have to know them again when those
 * that it finds are the last good ones. */
static void serve(struct arrival *arrival, const struct vault_answer *answer,
		  const struct arrival_rule *rule)
{
	char revision[REVISION_SIZE] = "";

	if (stages(rule))
		digest(answer, revision);
	put_in_force(arrival, print_of(answer), revision);
}

static enum arrival_verdict weigh(struct arrival *arrival,
				  const struct arrival_rule *rule,
				  struct last_good_time now, bool begins)
{
	if (arrival_left(arrival, rule, now.boot_ms) == 0) {
		arrival_take(arrival);
		return ARRIVAL_TAKEN;
	}
	return begins ? ARRIVAL_BEGINS : ARRIVAL_GOES_ON;
}

/* Of an answer that is not known again by its print. */
static enum arrival_verdict meet_other(struct arrival *arrival,
				       const struct vault_answer *answer,
				       const struct arrival_rule *rule,
				       struct last_good_time now)
{
	char revision[REVISION_SIZE];

	digest(answer, revision);
	if (!strcmp(revision, arrival->in_force)) {
		serve(arrival, answer, rule);
		return ARRIVAL_IN_FORCE;
	}
	return weigh(arrival, rule, now,
		     keep_next(arrival, answer, revision, now));
}

enum arrival_verdict arrival_meet(struct arrival *arrival,
				  const struct vault_answer *answer,
				  const struct arrival_rule *rule,
				  struct last_good_time now)
{
	uint64_t print = print_of(answer);
	bool known = arrival->known && print == arrival->print;

	if (known && (arrival->in_force[0] || !stages(rule))) {
		enter_none(arrival);
		return ARRIVAL_IN_FORCE;
	}
	if (known || !arrival->known ||
	    (!stages(rule) && arrival->state == ARRIVAL_NONE)) {
		serve(arrival, answer, rule);
		return ARRIVAL_IN_FORCE;
	}
	if (arrival->has_texts && print == arrival->next_print)
		return weigh(arrival, rule, now, false);
	return meet_other(arrival, answer, rule, now);
}

/* --- restarts ------------------------------------------------------------- */

void arrival_keep(const struct arrival *arrival, struct cache_vaults *feed)
{
	struct cache_arrival *kept = &feed->arrival;

	memcpy(kept->in_force, arrival->in_force, REVISION_SIZE);
	memcpy(kept->next, arrival->next, REVISION_SIZE);
	kept->seen_at = arrival->seen.wall_s;
	kept->skipped = arrival->state == ARRIVAL_SKIPPED;
}

void arrival_restore(struct arrival *arrival, const struct cache_vaults *feed,
		     struct last_good_time now)
{
	const struct cache_arrival *kept = &feed->arrival;
	const struct vault_answer answer = {.vaults = feed->vaults,
					    .count = feed->count};

	put_in_force(arrival, print_of(&answer), kept->in_force);
	if (!kept->next[0])
		return;
	begin(arrival, kept->next, last_good_moment(now, kept->seen_at));
	if (kept->skipped)
		arrival_skip(arrival);
}
