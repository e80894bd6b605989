#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fetch/vault_question.h"

/* What a server answers to each question, for that of both types once in each
 * order: its vaults as "c1 m2", a type (? is none, s another) and an id, behind
 * which there may be a text, "c1=a". NULL: an error. */
struct server {
	const char *both, *reversed, *config, *monitoring;
};

static const struct server good = {"c1 m2", "m2 c1", "c1", "m2"};

/* What polls asked, a letter each, and what the last one told each feed. */
struct fixture {
	struct vault_question question;
	const char *version;
	struct buf asked, told;
};

static int enter(void **state)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));

	fixture->version = "2.31 advanced";
	*state = fixture;
	return 0;
}

static int leave(void **state)
{
	struct fixture *fixture = *state;

	vault_question_deinit(&fixture->question);
	buf_deinit(&fixture->asked);
	buf_deinit(&fixture->told);
	mem_free(fixture);
	return 0;
}

/* --- a server --- */

static const char *type_of(char letter)
{
	if (letter == 'c')
		return "config";
	if (letter == 'm')
		return "monitoring";
	return letter == 's' ? "storage" : NULL;
}

static void add_vault(struct vault_list *list, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : strlen(text);
	struct str id = {text + 1, length - 1};

	list->vaults[list->count++] = (struct vault){
		.id = arena_str(&list->arena, id).ptr,
		.description = "",
		.type = type_of(*text),
		.data = equals ? str_from(equals + 1) : (struct str){0},
	};
}

static void list_of(struct vault_list *list, const char *texts)
{
	char *copy = (char *)arena_strdup(&list->arena, texts);
	char *rest = NULL;

	list->vaults = arena_alloc(&list->arena,
				   strlen(texts) * sizeof(*list->vaults));
	for (char *text = strtok_r(copy, " ", &rest); text;
	     text = strtok_r(NULL, " ", &rest))
		add_vault(list, text);
}

static const char *answer_of(struct fixture *fixture,
			     const struct server *server)
{
	const struct {
		const char *types;
		char letter;
		const char *answer;
	} questions[] = {
		{"config&types=monitoring", 'b', server->both},
		{"monitoring&types=config", 'r', server->reversed},
		{"config&types=config", 'c', server->config},
		{"monitoring&types=monitoring", 'm', server->monitoring},
	};
	const char *endpoint = vault_question_endpoint(&fixture->question);
	static const char start[] = "users.get_vaults?enabled=true&types=";
	size_t i = 0;

	assert_memory_equal(endpoint, start, sizeof(start) - 1);
	while (strcmp(endpoint + sizeof(start) - 1, questions[i].types) != 0)
		assert_true(++i < ARRAY_SIZE(questions));
	buf_putc(&fixture->asked, questions[i].letter);
	return questions[i].answer;
}

/* --- a poll --- */

static void tell(struct fixture *fixture, const struct vault_share *share)
{
	for (size_t i = 0; i < share->count; i++)
		buf_puts(&fixture->told, share->vaults[i].id);
	buf_putc(&fixture->told, '|');
}

static unsigned int take(struct fixture *fixture, const char *answer,
			 unsigned int told)
{
	_cleanup_(vault_list_deinit) struct vault_list list = {0};
	struct vault_share shares[VAULT_FEEDS];
	unsigned int answered;

	list_of(&list, answer);
	answered = vault_question_take(&fixture->question, &list, shares);
	for (; told < answered; told++)
		tell(fixture, &shares[told]);
	return answered;
}

/* False: it failed. */
static bool poll_as(struct fixture *fixture, struct server server, bool plain)
{
	unsigned int answered = 0;

	buf_deinit(&fixture->asked);
	buf_deinit(&fixture->told);
	vault_question_begin(&fixture->question, fixture->version, plain);
	while (answered < VAULT_FEEDS) {
		const char *answer = answer_of(fixture, &server);

		if (answer)
			answered = take(fixture, answer, answered);
		else if (!vault_question_fail(&fixture->question))
			return false;
	}
	return true;
}

#define assert_asked(fixture, letters)                                         \
	assert_string_equal(buf_str(&(fixture)->asked).ptr, (letters))
#define assert_told(fixture, ids)                                              \
	assert_string_equal(buf_str(&(fixture)->told).ptr, (ids))

/* A poll that succeeds asked these questions, and told this. */
#define assert_poll(whose, server, letters, ids)                               \
	do {                                                                   \
		struct fixture *polled_ = (whose);                             \
                                                                               \
		assert_true(poll_as(polled_, (server), false));                \
		assert_asked(polled_, (letters));                              \
		assert_told(polled_, (ids));                                   \
	} while (0)

static void prove(struct fixture *fixture)
{
	assert_poll(fixture, good, "cm", "1|2|");
	assert_poll(fixture, good, "brcm", "1|2|");
	assert_poll(fixture, good, "b", "1|2|");
}

/* --- proofs --- */

static void a_proof_is_four_questions_and_then_there_is_one(void **state)
{
	prove(*state);
	for (int i = 0; i < 5; i++)
		assert_poll(*state, good, "b", "1|2|");
}

static void nothing_is_proved_without_vaults(void **state)
{
	const struct server empty = {"", "", "", ""};
	const struct server gone = {"", "", "", ""};

	for (int i = 0; i < 5; i++)
		assert_poll(*state, empty, "cm", "||");
	assert_poll(*state, good, "cm", "1|2|");
	assert_poll(*state, gone, "brcm", "||");
	assert_poll(*state, gone, "cm", "||");
	prove(*state);
}

static void one_vault_is_enough(void **state)
{
	const struct server server = {"c1", "c1", "c1", ""};

	assert_poll(*state, server, "cm", "1||");
	assert_poll(*state, server, "brcm", "1||");
	assert_poll(*state, server, "b", "1||");
	assert_poll(*state, good, "b", "1|2|");
}

static void nothing_is_proved_of_vaults_without_a_type(void **state)
{
	const struct server server = {"?1 m2", "?1 m2", "?1", "m2"};

	for (int i = 0; i < 5; i++)
		assert_poll(*state, server, "cm", "1|2|");
}

/* What each of these servers is asked in a poll that is to be a proof. */
static const struct {
	struct server server;
	const char *asked;
} liars[] = {
	{{"c1", "m2", "c1", "m2"}, "brcm"},    /* the first only */
	{{"m2", "c1", "c1", "m2"}, "brcm"},    /* the last only */
	{{"c1 m2", "m2", "c1", "m2"}, "brcm"}, /* in one order only */
	{{"c1 m2", "c1", "c1", "m2"}, "brcm"},
	{{"c1 m2", "c1 m2 s3", "c1", "m2"}, "brcm"},
	{{"", "", "c1", "m2"}, "brcm"},                 /* none */
	{{"c1", "c1", "c1", "m2"}, "brcm"},             /* config always */
	{{"c1 m2 c3", "c1 m2 c3", "c1", "m2"}, "brcm"}, /* more */
	{{"c1 m2 s3", "c1 m2 s3", "c1", "m2"}, "bcm"},  /* of any type */
	{{"?1 ?2", "?1 ?2", "c1", "m2"}, "bcm"},        /* without types */
	{{"c1=a m2", "c1=b m2", "c1=a", "m2"}, "brcm"}, /* another text */
	{{"c1=a m2", "c1=a m2", "c1=b", "m2"}, "brcm"},
	{{"c1 m2", "c1 m2", "c1=", "m2"}, "brcm"},         /* "" is not none */
	{{"c1 c2 m3", "c1 c2 m3", "c2 c1", "m3"}, "brcm"}, /* another order */
	{{"c2 m1", "c2 m1", "c1", "m2"}, "brcm"},          /* another type */
	{{NULL, NULL, "c1", "m2"}, "bcm"},                 /* an error */
	{{"c1 m2", NULL, "c1", "m2"}, "brcm"},
};

static void a_server_that_fails_three_proofs_is_asked_twice(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(liars); i++) {
		struct fixture *fixture;

		(void)enter(state);
		fixture = *state;
		assert_true(poll_as(fixture, liars[i].server, false));
		for (int k = 0; k < 3; k++) {
			assert_true(poll_as(fixture, liars[i].server, false));
			assert_asked(fixture, liars[i].asked);
		}
		for (int k = 0; k < 3; k++) {
			assert_true(poll_as(fixture, liars[i].server, false));
			assert_asked(fixture, "cm");
		}
		fixture->version = "2.32 advanced";
		prove(fixture);
		(void)leave(state);
	}
}

/* They say so themselves: neither is there what was asked for, nor all. */
static void who_ignores_types_is_asked_as_ever(void **state)
{
	const struct server server = {"c1 m2", "c1 m2", "c1 m2", "c1 m2"};

	for (int i = 0; i < 5; i++)
		assert_poll(*state, server, "cm", "12|12|");
}

static void what_changes_during_a_proof_is_no_disproof(void **state)
{
	const struct server before = {"c1", "c1", "c1", ""};
	const struct server during = {"c1", "c1 m2", "c1", "m2"};

	assert_poll(*state, before, "cm", "1||");
	for (int i = 0; i < 2; i++)
		assert_poll(*state, during, "brcm", "1|2|");
	assert_poll(*state, good, "brcm", "1|2|");
	for (int i = 0; i < 2; i++) { /* and it is forgotten */
		assert_poll(*state, ((struct server){NULL, "", "c1", "m2"}),
			    "bcm", "1|2|");
		assert_poll(*state, good, "b", "1|2|");
	}
}

/* Between types there is no order. */
static void the_order_within_a_type_counts(void **state)
{
	const struct server server = {"c1 m2 c3", "m2 c1 c3", "c1 c3", "m2"};

	assert_poll(*state, server, "cm", "13|2|");
	assert_poll(*state, server, "brcm", "13|2|");
	assert_poll(*state, server, "b", "13|2|");
}

static void another_version_is_proved_anew(void **state)
{
	struct fixture *fixture = *state;

	prove(fixture);
	fixture->version = "2.31 basic";
	prove(fixture);
	assert_poll(fixture, good, "b", "1|2|");
}

/* --- what is proven --- */

static void vaults_of_other_types_go_to_no_feed(void **state)
{
	const struct server server = {"s0 c1 s3 m2 c4", NULL, NULL, NULL};

	prove(*state);
	assert_poll(*state, server, "b", "14|2|");
}

static void a_feed_that_becomes_empty_is_asked_for(void **state)
{
	const struct server server = {"c1", NULL, "c1", ""};
	const struct server none = {"", NULL, "", ""};

	prove(*state);
	assert_poll(*state, server, "bcm", "1||");
	assert_poll(*state, server, "b", "1||");
	assert_poll(*state, none, "bcm", "||");
	assert_poll(*state, none, "b", "||");
	assert_poll(*state, good, "b", "1|2|");
	assert_poll(*state, server, "bcm", "1||");
}

/* Not before the ordinary questions were answered. */
static void what_is_not_confirmed_is_not_believed(void **state)
{
	const struct server server = {"c1", NULL, "c1", NULL};
	struct fixture *fixture = *state;

	prove(fixture);
	for (int i = 0; i < 3; i++) {
		assert_false(poll_as(fixture, server, false));
		assert_asked(fixture, "bcm");
		assert_told(fixture, "1|");
	}
	assert_true(poll_as(fixture, good, true));
	assert_poll(fixture, good, "b", "1|2|");
}

static void who_hides_vaults_is_not_asked_so_again(void **state)
{
	const struct server server = {"c1", "c1", "c1", "m2"};

	prove(*state);
	assert_poll(*state, server, "bcm", "1|2|");
	for (int i = 0; i < 5; i++)
		assert_poll(*state, good, "cm", "1|2|");
}

static void a_failure_falls_back_in_the_same_poll(void **state)
{
	const struct server server = {NULL, NULL, "c1", "m2"};
	const struct server untyped = {"?1 m2", "?1 m2", "c1", "m2"};

	prove(*state);
	assert_poll(*state, server, "bcm", "1|2|");
	assert_poll(*state, good, "b", "1|2|");
	assert_poll(*state, untyped, "bcm", "1|2|");
	assert_poll(*state, server, "bcm", "1|2|");
	assert_poll(*state, server, "bcm", "1|2|");
	assert_poll(*state, good, "cm", "1|2|");
}

static void a_server_in_trouble_is_asked_once(void **state)
{
	const struct server away = {NULL, NULL, NULL, NULL};
	struct fixture *fixture = *state;

	prove(fixture);
	assert_false(poll_as(fixture, away, false));
	assert_asked(fixture, "bc");
	for (int i = 0; i < 5; i++) {
		assert_false(poll_as(fixture, away, false));
		assert_asked(fixture, "c");
	}
	assert_poll(fixture, good, "cm", "1|2|");
	assert_poll(fixture, good, "b", "1|2|");
}

static void what_another_version_failed_does_not_count(void **state)
{
	const struct server away = {NULL, NULL, NULL, NULL};
	const struct server server = {NULL, NULL, "c1", "m2"};
	struct fixture *fixture = *state;

	prove(fixture);
	assert_false(poll_as(fixture, away, false));
	fixture->version = "2.32 advanced";
	assert_poll(fixture, server, "cm", "1|2|");
	for (int i = 0; i < 3; i++)
		assert_poll(fixture, server, "bcm", "1|2|");
	assert_poll(fixture, server, "cm", "1|2|");
}

static void a_plain_poll_is_plain(void **state)
{
	struct fixture *fixture = *state;

	assert_poll(fixture, good, "cm", "1|2|");
	assert_true(poll_as(fixture, good, true));
	assert_asked(fixture, "cm");
	assert_poll(fixture, good, "brcm", "1|2|");
	assert_true(poll_as(fixture, good, true));
	assert_asked(fixture, "cm");
	assert_poll(fixture, good, "b", "1|2|");
}

/* It was proved by config vaults alone, and never shows another. */
static void what_only_a_plain_poll_shows_is_proved_anew(void **state)
{
	const struct server before = {"c1", "c1", "c1", ""};
	const struct server server = {"c1", "c1", "c1", "m2"};
	struct fixture *fixture = *state;

	assert_poll(fixture, before, "cm", "1||");
	assert_poll(fixture, before, "brcm", "1||");
	assert_poll(fixture, server, "b", "1||");
	assert_true(poll_as(fixture, server, true));
	assert_told(fixture, "1|2|");
	for (int i = 0; i < 3; i++)
		assert_poll(fixture, server, "brcm", "1|2|");
	assert_poll(fixture, server, "cm", "1|2|");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_proof_is_four_questions_and_then_there_is_one),
		TEST(nothing_is_proved_without_vaults),
		TEST(one_vault_is_enough),
		TEST(nothing_is_proved_of_vaults_without_a_type),
		cmocka_unit_test(
			a_server_that_fails_three_proofs_is_asked_twice),
		TEST(who_ignores_types_is_asked_as_ever),
		TEST(what_changes_during_a_proof_is_no_disproof),
		TEST(the_order_within_a_type_counts),
		TEST(another_version_is_proved_anew),
		TEST(vaults_of_other_types_go_to_no_feed),
		TEST(a_feed_that_becomes_empty_is_asked_for),
		TEST(what_is_not_confirmed_is_not_believed),
		TEST(who_hides_vaults_is_not_asked_so_again),
		TEST(a_failure_falls_back_in_the_same_poll),
		TEST(a_server_in_trouble_is_asked_once),
		TEST(what_another_version_failed_does_not_count),
		TEST(a_plain_poll_is_plain),
		TEST(what_only_a_plain_poll_shows_is_proved_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
