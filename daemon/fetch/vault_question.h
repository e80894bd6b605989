#ifndef FETCH_VAULT_QUESTION_H
#define FETCH_VAULT_QUESTION_H

/*
 * Vault question: what a poll asks next, and what an answer is good for.
 *
 * ClearML asks for each type of vault by a question of its own. A joint
 * question is half the work, but nobody promises that a server takes it. So it
 * is proved, in both orders of the types beside the ordinary questions of the
 * same poll, and believed for as long as the server is of that version.
 *
 *            vaults came               both orders brought
 *            and say their type        just these vaults
 *     SPLIT --------------> PROVING --------------------> JOINT
 *       ^                   |     ^                       |   |
 *       |  the third        |     |  vaults in a feed of  |   |
 *       +-- failure in -----+     +--- which it showed ---+   |
 *       |   a row, or no vaults        none                   |
 *       +-- another version; it hid vaults; the third failure-+
 *
 * What a poll asks:
 *
 *     SPLIT    config, monitoring
 *     PROVING  both, both in the other order, config, monitoring
 *     JOINT    both; then the ordinary ones only if this fails, or shows a feed
 *              empty in which there were vaults
 *
 * A feed becomes empty by ordinary questions alone. What the joint question
 * never shows is found by a plain poll, of which there is one with each login.
 * A failure is an answer that is no list, or brings other vaults; one of a
 * proof may be due to vaults that changed between its questions. If the
 * ordinary questions fail too, the next poll is plain: a server in trouble is
 * asked no more than ever.
 *
 * Free of I/O. It keeps vaults only from the first to the last question of a
 * proof.
 */

#include "fetch/vault_list.h"

enum vault_question_state { QUESTION_SPLIT, QUESTION_PROVING, QUESTION_JOINT };

enum vault_question_turn {
	ASK_BOTH,
	ASK_REVERSED,
	ASK_CONFIG,
	ASK_MONITORING,
};

/* Zeroed at the beginning. */
struct vault_question {
	enum vault_question_state state;
	char *version;            /* of the server; NULL: nothing asked yet */
	unsigned int failures;    /* in a row, of the joint question */
	bool doubted;             /* it failed, and nothing was settled since */
	bool filled[VAULT_FEEDS]; /* by the last answer that was believed */

	/* Of this poll: */
	enum vault_question_turn turn;
	bool proves;
	struct vault_list both; /* what is proved */
	bool emptied[VAULT_FEEDS];
	bool hid, appeared, untyped;
};

/* What an answer is to a feed; it lives as long as the answer. */
struct vault_share {
	const struct vault *vaults;
	size_t count;
};

/* A poll begins. @version: whatever tells one release of a server from another.
 * @plain: by the ordinary questions, come what may. */
void vault_question_begin(struct vault_question *question, const char *version,
			  bool plain);

/* The endpoint to be asked now; static. */
const char *vault_question_endpoint(const struct vault_question *question);

/* The list that came. How many feeds have their answer by now, from the first
 * on; when all who are wanted have theirs the poll is over, and with only the
 * first wanted it is always SPLIT. @shares holds those of this answer, for
 * which its arena may grow. */
unsigned int vault_question_take(struct vault_question *question,
				 struct vault_list *answer,
				 struct vault_share shares[VAULT_FEEDS]);

/* What came is no list. False: the poll has failed, for there is nothing else
 * to be asked. */
bool vault_question_fail(struct vault_question *question);

void vault_question_deinit(struct vault_question *question);

#endif
