#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <uv.h>

#include "../support/docs.h"
#include "../support/scratch.h"
#include "base/log.h"
#include "config/secrets.h"
#include "config/snapshot.h"
#include "engine/change_log.h"

/* Standard error goes into a file while a test runs. */
struct bench {
	uv_loop_t loop;
	struct secrets *secrets;
	struct change_log *log;
	int real_stderr;
	char *text; /* what was logged, when it was looked at last */
};

static int enter(void **state)
{
	struct bench *bench = mem_alloc(sizeof(*bench));
	int file;

	scratch_enter();
	file = open("log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	bench->real_stderr = dup(STDERR_FILENO);
	assert_true(dup2(file, STDERR_FILENO) >= 0);
	assert_int_equal(close(file), 0);
	log_set_level(LOG_LEVEL_INFO);
	uv_loop_init(&bench->loop);
	bench->secrets = secrets_new(NULL);
	bench->log = change_log_new(&bench->loop, "research", bench->secrets);
	*state = bench;
	return 0;
}

static void finish(struct bench *bench)
{
	(void)uv_run(&bench->loop, UV_RUN_DEFAULT);
}

static int leave(void **state)
{
	struct bench *bench = *state;

	change_log_close(bench->log);
	finish(bench);
	assert_true(dup2(bench->real_stderr, STDERR_FILENO) >= 0);
	assert_int_equal(close(bench->real_stderr), 0);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	secrets_free(bench->secrets);
	mem_free(bench->text);
	mem_free(bench);
	scratch_leave();
	return 0;
}

static const char *logged(struct bench *bench)
{
	struct buf text = BUF_INIT;
	FILE *file = fopen("log", "re");
	int c;

	assert_non_null(file);
	while ((c = fgetc(file)) != EOF)
		buf_putc(&text, (char)c);
	assert_int_equal(fclose(file), 0);
	mem_free(bench->text);
	return bench->text = buf_take(&text);
}

static size_t count(const char *text, const char *word)
{
	size_t found = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		found++;
	return found;
}

/* Of a vault that the server tells all about. */
static struct snapshot *make(uint64_t generation, const char *json)
{
	struct stack_docs docs = {0};
	struct stack_doc *item =
		stack_docs_insert(&docs, LAYER_VAULT, docs_read(json));
	struct snapshot *snapshot;

	item->source = "v1";
	item->description = "team";
	item->edit = (struct layer_edit){"group", "gpu", "today", 0};
	snapshot = snapshot_new(&docs);
	snapshot->generation = generation;
	return snapshot;
}

/* Generation @number takes the place of the one before it. */
static void add(struct bench *bench, uint64_t number, const char *before,
		const char *after)
{
	struct snapshot *old = make(number - 1, before);
	struct snapshot *new = make(number, after);

	change_log_add(bench->log, old, new);
	snapshot_unref(old);
	snapshot_unref(new);
}

static void a_path_is_a_line_without_its_value(void **state)
{
	struct bench *bench = *state;

	add(bench, 7, "{\"a\": 1, \"b\": 2, \"c\": 3}",
	    "{\"a\": 1, \"b\": 4711, \"d\": 5}");
	finish(bench);
#define HEAD  "level=info event=changed workspace=research generation=7 "
#define WHOSE "layer=vault source=v1 description=team line=1 "
	assert_string_equal(logged(bench),
			    HEAD "path=c kind=removed " WHOSE
				 "column=23 owner=gpu edited=today\n" HEAD
				 "path=b kind=changed " WHOSE
				 "column=15 owner=gpu edited=today\n" HEAD
				 "path=d kind=added " WHOSE
				 "column=26 owner=gpu edited=today\n");
}

static void where_nothing_differs_nothing_is_told(void **state)
{
	struct bench *bench = *state;

	add(bench, 2, "{\"a\":1}", "{\"a\":1}");
	finish(bench);
	assert_string_equal(logged(bench), "");
}

static void a_secret_in_a_path_is_hidden(void **state)
{
	struct bench *bench = *state;

	secrets_learn_text(bench->secrets, "swordfish-1");
	add(bench, 2, "{}", "{\"x\":{\"swordfish-1\":1}}");
	finish(bench);
	assert_int_equal(count(logged(bench), "swordfish"), 0);
	assert_int_equal(count(bench->text, "path=x.****"), 1);
}

/* What came and went before anybody looked was never there. */
static void what_comes_meanwhile_is_one_difference(void **state)
{
	struct bench *bench = *state;

	add(bench, 2, "{\"a\":1}", "{\"a\":2}");
	add(bench, 3, "{\"a\":2}", "{\"a\":2,\"brief\":1}");
	add(bench, 4, "{\"a\":2,\"brief\":1}", "{\"a\":3}");
	finish(bench);
	assert_int_equal(count(logged(bench), "path="), 2);
	assert_int_equal(count(bench->text, "generation=2 path=a"), 1);
	assert_int_equal(count(bench->text, "generation=4 path=a"), 1);
}

static char *keys(size_t number, int value)
{
	struct buf json = BUF_INIT;

	for (size_t i = 0; i < number; i++)
		buf_printf(&json, "%s\"k%zu\":%d", i ? "," : "{", i, value);
	buf_putc(&json, '}');
	return buf_take(&json);
}

static void add_many(struct bench *bench, uint64_t number, size_t paths)
{
	_cleanup_(mem_freep) char *before = keys(paths, (int)number);
	_cleanup_(mem_freep) char *after = keys(paths, (int)number + 1);

	add(bench, number, before, after);
	finish(bench);
}

static void of_one_generation_the_first_are_told(void **state)
{
	struct bench *bench = *state;

	add_many(bench, 2, CHANGE_LOG_LINES + 5);
	assert_int_equal(count(logged(bench), "event=changed "),
			 CHANGE_LOG_LINES);
	assert_int_equal(count(bench->text,
			       "event=changed-more workspace=research "
			       "generation=2 paths=5\n"),
			 1);
}

/* More than a minute has room for, also where this takes some of it. */
static void a_flood_is_counted(void **state)
{
	struct bench *bench = *state;
	size_t told, generations = 5 * CHANGE_LOG_MINUTE / CHANGE_LOG_LINES;

	for (size_t i = 0; i < generations; i++)
		add_many(bench, 2 + i, CHANGE_LOG_LINES);
	told = count(logged(bench), "event=changed ");
	assert_in_range(told, CHANGE_LOG_MINUTE, 4 * CHANGE_LOG_MINUTE);
}

static void a_log_that_tells_less_compares_nothing(void **state)
{
	struct bench *bench = *state;

	log_set_level(LOG_LEVEL_WARNING);
	add(bench, 2, "{\"a\":1}", "{\"a\":2}");
	assert_false(uv_loop_alive(&bench->loop));
	finish(bench);
	assert_string_equal(logged(bench), "");
}

static void a_close_waits_for_what_is_compared(void **state)
{
	struct bench *bench = *state;

	add(bench, 2, "{\"a\":1}", "{\"a\":2}");
	add(bench, 3, "{\"a\":2}", "{\"a\":3}");
	change_log_close(TAKE(bench->log));
	finish(bench);
	assert_int_equal(count(logged(bench), "path=a"), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_is_a_line_without_its_value),
		TEST(where_nothing_differs_nothing_is_told),
		TEST(a_secret_in_a_path_is_hidden),
		TEST(what_comes_meanwhile_is_one_difference),
		TEST(of_one_generation_the_first_are_told),
		TEST(a_flood_is_counted),
		TEST(a_log_that_tells_less_compares_nothing),
		TEST(a_close_waits_for_what_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
