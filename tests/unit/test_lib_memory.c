/*
 * The library survives when any one of its allocations fails: it says -ENOMEM,
 * nothing leaks, and the next try works.
 *
 * The linker puts the wrappers below in place of malloc, calloc and free for
 * all code of ours in this program (see the Makefile); the n-th allocation
 * fails, n from the first on, until there is no n-th any more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>

#include "../support/stand_in.h"
#include "clearconf.h"

/* By the names that ld --wrap gives them. */
void *true_malloc(size_t size) __asm__("__real_malloc");
void *true_calloc(size_t count, size_t size) __asm__("__real_calloc");
void true_free(void *allocated) __asm__("__real_free");
void *scarce_malloc(size_t size) __asm__("__wrap_malloc");
void *scarce_calloc(size_t count, size_t size) __asm__("__wrap_calloc");
void counting_free(void *allocated) __asm__("__wrap_free");

static struct {
	unsigned int until_failure; /* 0: none fails */
	bool failed;
	int allocated; /* and not freed */
} memory;

static bool fails(void)
{
	if (memory.until_failure && --memory.until_failure == 0) {
		memory.failed = true;
		return true;
	}
	memory.allocated++;
	return false;
}

void *scarce_malloc(size_t size)
{
	return fails() ? NULL : true_malloc(size);
}

void *scarce_calloc(size_t count, size_t size)
{
	return fails() ? NULL : true_calloc(count, size);
}

void counting_free(void *allocated)
{
	memory.allocated -= allocated != NULL;
	true_free(allocated);
}

/* Run @scenario with every one of its allocations failing in turn; how many it
 * has. */
static unsigned int starve(int (*scenario)(struct stand_in *daemon))
{
	struct stand_in daemon;
	unsigned int turn = 0;
	int r;

	scratch_enter();
	stand_in_start(&daemon);
	do {
		memory.until_failure = ++turn;
		memory.failed = false;
		memory.allocated = 0;
		r = scenario(&daemon);
		memory.until_failure = 0;
		assert_int_equal(r, memory.failed ? -ENOMEM : 0);
		assert_int_equal(memory.allocated, 0);
		stand_in_hang_up(&daemon);
		while (stand_in_accept(&daemon))
			;
	} while (memory.failed);
	stand_in_stop(&daemon);
	scratch_leave();
	return turn - 1;
}

/* Try @step; after the failure that was planned, it works at once. */
static int twice(int (*step)(struct clearconf *handle, struct stand_in *daemon),
		 struct clearconf *handle, struct stand_in *daemon)
{
	int r = step(handle, daemon);

	if (r == 0)
		return 0;
	assert_int_equal(r, -ENOMEM);
	assert_string_equal(clearconf_strerror(handle)[0] ? "told" : "",
			    "told");
	assert_int_equal(step(handle, daemon), 0);
	return r;
}

static int set_workspace(struct clearconf *handle, struct stand_in *daemon)
{
	(void)daemon;
	return clearconf_set_workspace(handle, "research");
}

/* The answer is long enough to make the buffer grow twice. */
static int get_string(struct clearconf *handle, struct stand_in *daemon)
{
	static char message[200000];
	const char *text;
	int r = clearconf_connect(handle, STAND_IN_SOCKET), size;

	assert_int_equal(r, 0);
	assert_true(stand_in_accept(daemon));
	size = snprintf(message, sizeof(message),
			"{\"parameters\":{\"value\":\"%0*d\"}}", 150000, 1);
	assert_int_equal(write(daemon->peer, message, (size_t)size + 1),
			 size + 1);
	r = clearconf_get_string(handle, "a.b", &text);
	if (r == 0)
		assert_int_equal(strlen(text), 150000);
	return r;
}

static int ask_for_a_value(struct stand_in *daemon)
{
	struct clearconf *handle;
	int r = clearconf_new(&handle);

	if (r == 0)
		r = twice(set_workspace, handle, daemon);
	if (r == 0)
		r = twice(get_string, handle, daemon);
	if (handle)
		clearconf_free(handle);
	return r;
}

static void asking_for_a_value_survives(void **state)
{
	(void)state;
	/* The handle, the workspace, the question, the request, the answer. */
	assert_in_range(starve(ask_for_a_value), 6, 12);
}

static int get_double(struct stand_in *daemon)
{
	struct clearconf *handle;
	double number;
	int r = clearconf_new(&handle);

	if (r < 0)
		return r;
	assert_int_equal(clearconf_connect(handle, STAND_IN_SOCKET), 0);
	assert_true(stand_in_accept(daemon));
	stand_in_say(daemon, "{\"parameters\":{\"value\":1.5}}");
	r = clearconf_get_double(handle, "a", &number);
	clearconf_free(handle);
	return r;
}

static void asking_for_a_number_survives(void **state)
{
	(void)state;
	assert_in_range(starve(get_double), 4, 8);
}

/* Two replies, however often the watch has to come for them: it may be gone
 * again when they are sent. */
static int follow(struct clearconf_watch *watch, struct stand_in *daemon)
{
	static const char message[] =
		"{\"parameters\":{\"generation\":1},\"continues\":true}";
	struct clearconf_reply reply;
	int result = 0, replies = 0, r;

	for (int turn = 0; replies < 2 && turn < 2000; turn++) {
		r = clearconf_watch_wait(watch, 5, &reply);
		if (r == 0)
			replies++;
		else if (r != CLEARCONF_E_AGAIN)
			result = r;
		if (stand_in_accept(daemon))
			for (int i = 0; i < 2; i++)
				(void)send(daemon->peer, message,
					   sizeof(message), MSG_NOSIGNAL);
	}
	assert_int_equal(replies, 2);
	return result;
}

static int watch_two_replies(struct stand_in *daemon)
{
	struct clearconf_watch *watch;
	int r = clearconf_watch_new(&watch, STAND_IN_SOCKET, NULL,
				    "{\"values\":true}");

	if (r < 0) {
		assert_null(watch);
		return r;
	}
	r = follow(watch, daemon);
	clearconf_watch_free(watch);
	return r;
}

static void watching_survives(void **state)
{
	(void)state;
	assert_in_range(starve(watch_two_replies), 7, 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asking_for_a_value_survives),
		cmocka_unit_test(asking_for_a_number_survives),
		cmocka_unit_test(watching_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
