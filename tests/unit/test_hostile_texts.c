#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../support/skipping.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"
#include "read/reader.h"

/*
 * Texts that want to hurt: each ends with a clear error within 100 ms of CPU
 * and without much memory beyond its own, read by a process of its own.
 */

#ifdef __SANITIZE_ADDRESS__
#define MILLISECONDS 3000
#define MEMORY       ((size_t)2 << 30)
#else
#define MILLISECONDS 100
#define MEMORY       ((size_t)64 << 20)
#endif

#define DEEP 100000

struct hostile {
	const char *name;
	enum read_format format;
	const char *complaint; /* a part of it */
	void (*make)(struct buf *text);
};

static void repeat(struct buf *text, const char *part)
{
	for (int i = 0; i < DEEP; i++)
		buf_puts(text, part);
}

static void deep_braces(struct buf *text)
{
	repeat(text, "a { ");
}

static void deep_lists(struct buf *text)
{
	buf_puts(text, "a: ");
	repeat(text, "[");
}

static void deep_json(struct buf *text)
{
	repeat(text, "{\"a\":");
}

static void deep_dashes(struct buf *text)
{
	repeat(text, "- ");
}

static void deep_key(struct buf *text)
{
	repeat(text, "k.");
	buf_puts(text, "k = 1");
}

/* Each doubles the next. */
static void doubled(struct buf *text, const char *line)
{
	for (int i = 0; i < 60; i++) {
		buf_printf(text, "b%d = ", i);
		for (const char *c = line; *c; c++)
			if (*c == '@')
				buf_printf(text, "${b%d}", i + 1);
			else
				buf_putc(text, *c);
		buf_putc(text, '\n');
	}
	buf_puts(text, "b60 = x\n");
}

static void text_bomb(struct buf *text)
{
	doubled(text, "@@");
}

static void list_bomb(struct buf *text)
{
	doubled(text, "[@, @]");
}

static void object_bomb(struct buf *text)
{
	doubled(text, "{ x = @, y = @ }");
}

static void self_bomb(struct buf *text)
{
	buf_puts(text, "b = [x]\n");
	for (int i = 0; i < 60; i++)
		buf_puts(text, "b = ${b} ${b}\n");
}

static void long_chain(struct buf *text)
{
	for (int i = 0; i < DEEP / 4; i++)
		buf_printf(text, "k%d = ${k%d}\n", i, i + 1);
	buf_printf(text, "k%d = 1\n", DEEP / 4);
}

static void key_again(struct buf *text)
{
	for (int i = 0; i < DEEP / 4; i++)
		buf_printf(text, "a = ${?a}${?b%d} x\n", i);
}

static void one_value(struct buf *text)
{
	buf_puts(text, "a = x");
	for (int i = 0; i < DEEP / 4; i++)
		buf_puts(text, " ${?b}");
	buf_puts(text, "\n");
}

/* NUL is no blank, so nobody looks back over it for tabs. */
static void nuls(struct buf *text)
{
	buf_puts(text, "a = x\t");
	for (int i = 0; i < DEEP / 4; i++)
		buf_add(text, "\0\0\0\0\0\0 ", 7);
	buf_puts(text, "\n}\n");
}

static void alias_bomb(struct buf *text)
{
	buf_puts(text, "a0: &a0 [x, x, x, x]\n");
	for (int i = 1; i < 40; i++)
		buf_printf(text, "a%d: &a%d [*a%d, *a%d, *a%d]\n", i, i, i - 1,
			   i - 1, i - 1);
}

static void merge_bomb(struct buf *text)
{
	buf_puts(text, "a0: &a0 {x: 1, y: 2, z: 3}\n");
	for (int i = 1; i < 40; i++)
		buf_printf(text, "a%d: &a%d {<<: *a%d, l%d: *a%d, r%d: *a%d}\n",
			   i, i, i - 1, i, i - 1, i, i - 1);
}

static void large(struct buf *text)
{
	memset(buf_reserve(text, (size_t)64 << 20), '#', (size_t)64 << 20);
	text->len = (size_t)64 << 20;
}

static const struct hostile texts[] = {
	{"braces", READ_HOCON, "nested deeper than the limit", deep_braces},
	{"lists", READ_HOCON, "nested deeper than the limit", deep_lists},
	{"yaml lists", READ_YAML, "nested deeper than the limit", deep_lists},
	{"yaml dashes", READ_YAML, "nested deeper than the limit", deep_dashes},
	{"json", READ_JSON, "nested deeper than the limit", deep_json},
	{"dotted key", READ_HOCON, "too many parts", deep_key},
	{"doubled text", READ_HOCON, "more values than the limit", text_bomb},
	{"doubled lists", READ_HOCON, "more values than the limit", list_bomb},
	{"doubled objects", READ_HOCON, "more values than the limit",
	 object_bomb},
	{"doubled itself", READ_HOCON, "more values than the limit", self_bomb},
	{"chain", READ_HOCON, "lead on and on", long_chain},
	{"key again", READ_HOCON, "a key comes again with substitutions",
	 key_again},
	{"one value", READ_HOCON, "too many in one value", one_value},
	{"NULs", READ_HOCON, "closes nothing", nuls},
	{"aliases", READ_YAML, "aliases make more than", alias_bomb},
	{"merge keys", READ_YAML, "aliases make more than", merge_bomb},
	{"64 MB", READ_HOCON, "larger than the limit", large},
	{"64 MB of yaml", READ_YAML, "larger than the limit", large},
};

static double cpu_milliseconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Bytes that this process has had in memory at most. */
static size_t peak(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (size_t)usage.ru_maxrss * 1024;
}

/* What is wrong with how @hostile ends; NULL: nothing. */
static const char *verdict(const struct hostile *hostile, struct str text)
{
	struct read_options options = {
		.format = hostile->format,
		.limits = READ_LIMITS_DEFAULT,
	};
	struct diag diag = DIAG_INIT;
	struct doc *doc = NULL;
	size_t before = peak();
	double start = cpu_milliseconds(), spent;
	int r = read_text(&doc, "hostile", text, &options, &diag);

	spent = cpu_milliseconds() - start;
	printf("%16s: %.1f ms, %zu KB\n", hostile->name, spent,
	       (peak() - before) / 1024);
	if (r != READ_E_BROKEN || !strstr(diag.text, hostile->complaint))
		return "is not refused for what it is";
	if (peak() - before > MEMORY)
		return "costs too much memory";
	return spent > MILLISECONDS ? "takes too long" : NULL;
}

static bool ends_well(const struct hostile *hostile)
{
	struct buf text = BUF_INIT;
	const char *complaint;
	int status;
	pid_t child;

	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		hostile->make(&text);
		complaint = verdict(hostile, buf_str(&text));
		if (complaint)
			printf("%s %s\n", hostile->name, complaint);
		(void)fflush(stdout);
		_exit(complaint != NULL);
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

static void hostile_texts_end_quickly_and_clearly(void **state)
{
	bool well;

	(void)state;
	if (is_under_valgrind())
		skip_because("valgrind has limits and a pace of its own");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		well = ends_well(&texts[i]);
		if (!well) /* once more, as the machine may be busy */
			well = ends_well(&texts[i]);
		if (!well)
			fail_msg("%s", texts[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_texts_end_quickly_and_clearly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
