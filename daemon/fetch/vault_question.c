#include "fetch/vault_question.h"

#include <string.h>

#include "base/mem.h"

/* Failures in a row after which a server is asked twice. */
#define FAILURES_MAX 3

/* A single type is named twice because the server takes it for a string
 * otherwise. */
#define QUESTION(one, other)                                                   \
	"users.get_vaults?enabled=true&types=" one "&types=" other

const char *vault_question_endpoint(const struct vault_question *question)
{
	static const char *const endpoints[] = {
		[ASK_BOTH] = QUESTION("config", "monitoring"),
		[ASK_REVERSED] = QUESTION("monitoring", "config"),
		[ASK_CONFIG] = QUESTION("config", "config"),
		[ASK_MONITORING] = QUESTION("monitoring", "monitoring"),
	};

	return endpoints[question->turn];
}

/* --- a poll begins --- */

static void end_proof(struct vault_question *question)
{
	question->proves = false;
	vault_list_deinit(&question->both);
}

static void learn_version(struct vault_question *question, const char *version)
{
	if (str_same(question->version, version))
		return;
	mem_free(question->version);
	question->version = mem_strdup(version);
	question->state = QUESTION_SPLIT;
	question->failures = 0;
	question->doubted = false;
}

void vault_question_begin(struct vault_question *question, const char *version,
			  bool plain)
{
	learn_version(question, version);
	end_proof(question);
	memset(question->emptied, 0, sizeof(question->emptied));
	question->hid = question->appeared = question->untyped = false;
	if (plain || question->doubted || question->state == QUESTION_SPLIT)
		question->turn = ASK_CONFIG;
	else
		question->turn = ASK_BOTH;
}

/* --- a poll ends --- */

static bool is_any_filled(const struct vault_question *question)
{
	return question->filled[VAULT_CONFIG] ||
	       question->filled[VAULT_MONITORING];
}

static enum vault_question_state next_of_proving(
	const struct vault_question *question)
{
	if (!is_any_filled(question))
		return QUESTION_SPLIT;
	return question->proves && !question->doubted ? QUESTION_JOINT
						      : QUESTION_PROVING;
}

static enum vault_question_state next_state(
	const struct vault_question *question)
{
	if (question->failures >= FAILURES_MAX || question->untyped)
		return QUESTION_SPLIT;
	if (question->state == QUESTION_PROVING)
		return next_of_proving(question);
	if (question->state == QUESTION_JOINT && !question->appeared)
		return QUESTION_JOINT;
	return is_any_filled(question) ? QUESTION_PROVING : QUESTION_SPLIT;
}

/* The ordinary questions are all answered. */
static void settle(struct vault_question *question)
{
	if (question->doubted)
		question->failures++;
	else if (question->proves)
		question->failures = 0;
	if (question->hid)
		question->failures = FAILURES_MAX;
	question->state = next_state(question);
	question->doubted = false;
	end_proof(question);
}

/* --- answers --- */

bool vault_question_fail(struct vault_question *question)
{
	if (question->turn > ASK_REVERSED)
		return false;
	end_proof(question);
	question->doubted = true;
	question->turn = ASK_CONFIG;
	return true;
}

static bool says_types(const struct vault_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->vaults[i].type)
			return false;
	return true;
}

static bool is_empty(const struct vault_list *list, enum vault_feed feed)
{
	size_t at = 0;

	return !vault_list_next(list, feed, &at);
}

static struct vault_share share_of(struct vault_list *list,
				   enum vault_feed feed)
{
	struct vault *vaults =
		arena_alloc(&list->arena, list->count * sizeof(*vaults));
	const struct vault *vault;
	size_t at = 0, count = 0;

	while ((vault = vault_list_next(list, feed, &at)))
		vaults[count++] = *vault;
	return (struct vault_share){vaults, count};
}

static unsigned int believe(struct vault_question *question,
			    struct vault_list *answer,
			    struct vault_share shares[VAULT_FEEDS])
{
	for (enum vault_feed feed = 0; feed < VAULT_FEEDS; feed++) {
		shares[feed] = share_of(answer, feed);
		question->filled[feed] = shares[feed].count > 0;
	}
	question->failures = 0;
	return VAULT_FEEDS;
}

static unsigned int take_joint(struct vault_question *question,
			       struct vault_list *answer,
			       struct vault_share shares[VAULT_FEEDS])
{
	bool *emptied = question->emptied;

	for (enum vault_feed feed = 0; feed < VAULT_FEEDS; feed++)
		emptied[feed] =
			question->filled[feed] && is_empty(answer, feed);
	if (!emptied[VAULT_CONFIG] && !emptied[VAULT_MONITORING])
		return believe(question, answer, shares);
	question->turn = ASK_CONFIG;
	return 0;
}

static unsigned int take_both(struct vault_question *question,
			      struct vault_list *answer,
			      struct vault_share shares[VAULT_FEEDS])
{
	bool proven = question->state == QUESTION_JOINT;

	if (proven && says_types(answer))
		return take_joint(question, answer, shares);
	if (proven || !vault_list_is_of_feeds(answer)) {
		vault_question_fail(question);
		return 0;
	}
	vault_list_copy(&question->both, answer);
	question->proves = true;
	question->turn = ASK_REVERSED;
	return 0;
}

static unsigned int take_reversed(struct vault_question *question,
				  struct vault_list *answer,
				  struct vault_share shares[VAULT_FEEDS])
{
	const struct vault_list *both = &question->both;

	(void)shares;
	if (vault_list_is_of_feeds(answer) &&
	    vault_list_equal(both, answer, VAULT_CONFIG) &&
	    vault_list_equal(both, answer, VAULT_MONITORING))
		question->turn = ASK_CONFIG;
	else
		vault_question_fail(question);
	return 0;
}

/* What the joint question said of this feed is held against the answer. */
static void compare(struct vault_question *question,
		    const struct vault_list *answer, enum vault_feed feed)
{
	bool fills = answer->count > 0;

	if (question->proves &&
	    !vault_list_equal(&question->both, answer, feed)) {
		question->doubted = true;
		end_proof(question);
	}
	if (fills && question->emptied[feed])
		question->hid = true;
	if (fills && !question->filled[feed])
		question->appeared = true;
	question->filled[feed] = fills;
}

static bool is_all_of(const struct vault_list *list, enum vault_feed feed)
{
	for (size_t i = 0; i < list->count; i++)
		if (vault_feed_of(&list->vaults[i]) != feed)
			return false;
	return true;
}

static unsigned int take_ordinary(struct vault_question *question,
				  struct vault_list *answer,
				  struct vault_share shares[VAULT_FEEDS])
{
	enum vault_feed feed =
		question->turn == ASK_CONFIG ? VAULT_CONFIG : VAULT_MONITORING;

	shares[feed] = (struct vault_share){answer->vaults, answer->count};
	question->untyped |= !is_all_of(answer, feed);
	compare(question, answer, feed);
	if (feed + 1 == VAULT_FEEDS)
		settle(question);
	else
		question->turn = ASK_MONITORING;
	return feed + 1;
}

unsigned int vault_question_take(struct vault_question *question,
				 struct vault_list *answer,
				 struct vault_share shares[VAULT_FEEDS])
{
	if (question->turn == ASK_BOTH)
		return take_both(question, answer, shares);
	if (question->turn == ASK_REVERSED)
		return take_reversed(question, answer, shares);
	return take_ordinary(question, answer, shares);
}

void vault_question_deinit(struct vault_question *question)
{
	end_proof(question);
	mem_free(TAKE(question->version));
}
