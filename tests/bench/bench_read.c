/*
 * What reading costs: T8-T12 of the performance targets, each a ratio to a
 * peer measured in the same run, alternating, the median of the pairs; or to a
 * limit. Prints a line a row; judges nothing.
 *
 *	bench_read OFFICIAL_AGENT_CONF
 */

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"
#include "config/merge.h"
#include "read/reader.h"
#include "value/diff.h"
#include "value/json.h"
#include "value/value.h"

#define PAIRS 9

typedef void (*work_fn)(const void *input);

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds of CPU for one call, over enough calls to be measured. */
static double cost(work_fn work, const void *input)
{
	double start = now(), spent;
	int calls = 0;

	do {
		work(input);
		calls++;
		spent = now() - start;
	} while (spent < 0.05);
	return spent / calls;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[count / 2];
}

/* Median of cost(a) / cost(b), run in turn. */
static double ratio(work_fn a, work_fn b, const void *of_a, const void *of_b)
{
	double ratios[PAIRS];

	for (size_t i = 0; i < PAIRS; i++) {
		double first = cost(a, of_a);

		ratios[i] = first / cost(b, of_b);
	}
	return median(ratios, PAIRS);
}

static double median_cost(work_fn work, const void *input)
{
	double costs[PAIRS];

	for (size_t i = 0; i < PAIRS; i++)
		costs[i] = cost(work, input);
	return median(costs, PAIRS);
}

static struct doc *read_as(enum read_format format, struct str text)
{
	struct diag diag = DIAG_INIT;
	struct doc *doc = NULL;
	struct read_options options = {
		.format = format,
		.limits = READ_LIMITS_DEFAULT,
	};

	options.limits.bytes = (size_t)64 << 20;
	if (read_text(&doc, "bench", text, &options, &diag) != 0) {
		diag_print(&diag, stderr);
		exit(1);
	}
	return doc;
}

static void read_hocon(const void *input)
{
	doc_unref(read_as(READ_HOCON, *(const struct str *)input));
}

static void read_jansson(const void *input)
{
	const struct str *text = input;

	json_decref(json_loadb(text->ptr, text->len, 0, NULL));
}

/* Sections of plain settings, until there are @size bytes. */
static struct str make_sections(struct buf *text, size_t size)
{
	for (int i = 0; text->len < size; i++)
		buf_printf(text,
			   "section%d {\n"
			   "    host = \"server%d.example.com\"\n"
			   "    port = %d\n"
			   "    enabled = true\n"
			   "    ratio = 0.%d\n"
			   "    path = \"/var/lib/service/%d\"\n"
			   "    tags = [\"a\", \"b\", \"c\"]\n"
			   "}\n",
			   i, i, 1000 + i % 9000, i % 100 + 1, i);
	return buf_str(text);
}

static struct str make_json_twin(struct buf *json, struct str hocon)
{
	struct doc *doc = read_as(READ_HOCON, hocon);

	json_write(json, doc->root);
	doc_unref(doc);
	return buf_str(json);
}

static struct str make_substitutions(struct buf *text, size_t size)
{
	buf_puts(text, "base { a = one, b = two, c { d = 3 } }\n");
	for (int i = 0; text->len < size; i++)
		buf_printf(text,
			   "k%d = ${base.a}\nt%d = pre-${base.b}-${base.c.d}\n"
			   "o%d = ${base.c} { e = ${?k%d} }\n",
			   i, i, i, i);
	return buf_str(text);
}

/* Peak of a child that reads @text once, above that of one that does not. */
static double peak_rss(struct str text, bool read_it)
{
	struct rusage usage;
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (read_it)
			read_hocon(&text);
		_exit(0);
	}
	if (wait4(child, &status, 0, &usage) < 0)
		return 0;
	return (double)usage.ru_maxrss * 1024;
}

/* A line of the table that run.sh heads; serve.py prints the same. */
struct row {
	const char *name, *work, *target;
	bool ok;
};

__attribute__((format(printf, 2, 3))) static void print_row(struct row row,
							    const char *format,
							    ...)
{
	char figure[128];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(figure, sizeof(figure), format, ap);
	va_end(ap);
	(void)printf("%-4s %-54s %-18s %-44s %s\n", row.name, row.work,
		     row.target, figure, row.ok ? "yes" : "NO");
}

static void bench_official(const char *path)
{
	struct buf text = BUF_INIT;
	FILE *file = fopen(path, "r");
	struct str input;
	double us;
	size_t n;

	if (!file) {
		(void)printf("T8   left out: no %s\n", path);
		return;
	}
	while ((n = fread(buf_reserve(&text, 65536), 1, 65536, file)) > 0)
		text.len += n;
	(void)fclose(file);
	input = buf_str(&text);
	us = median_cost(read_hocon, &input) * 1e6;
	print_row((struct row){"T8", "parse the official agent clearml.conf",
			       "<= 100 us", us <= 100},
		  "%.0f us, %zu bytes", us, input.len);
	buf_deinit(&text);
}

static void bench_sections(void)
{
	struct buf text = BUF_INIT, json = BUF_INIT;
	struct str hocon = make_sections(&text, 1000000);
	struct str twin = make_json_twin(&json, hocon);
	double seconds = median_cost(read_hocon, &hocon);
	double times = ratio(read_jansson, read_hocon, &twin, &hocon);

	print_row((struct row){"T9", "parse 1 MB of plain sections",
			       ">= 4 x jansson", times >= 4},
		  "%.2f x on its JSON twin, %.0f MB/s", times,
		  (double)hocon.len / seconds / 1e6);
	buf_deinit(&text);
	buf_deinit(&json);
}

static void bench_substitutions(void)
{
	struct buf small = BUF_INIT, large = BUF_INIT;
	struct str few = make_substitutions(&small, (size_t)96 * 1024);
	struct str many = make_substitutions(&large, (size_t)1000 * 1024);

	double times = ratio(read_hocon, read_hocon, &many, &few);

	print_row((struct row){"T10", "many substitutions: 1 MB over 96 KB",
			       "<= 13", times <= 13},
		  "%.1f (linear is 10.4)", times);
	buf_deinit(&small);
	buf_deinit(&large);
}

static void bench_memory(void)
{
	struct buf text = BUF_INIT;
	struct str hocon = make_sections(&text, 10000000);
	double without = peak_rss(hocon, false);
	double with = peak_rss(hocon, true);
	double times = (with - without) / (double)hocon.len;

	print_row((struct row){"T11", "peak RSS parsing 10 MB",
			       "<= 6 x the input", times <= 6},
		  "%.2f x", times);
	buf_deinit(&text);
}

/* T12: a changed vault over local keys. */
struct stacked {
	struct doc *local, *old_vault;
	struct arena arena;
	struct value *old; /* merge of the two: what is served */
	struct str local_json, vault_text, vault_json;
	json_t *local_tree;
};

static struct str make_keys(struct buf *text, int count, int seed)
{
	for (int i = 0; i < count; i++)
		buf_printf(text, "group%d.key%d = \"value %d\"\n", i / 100, i,
			   (i * 7 + seed) % 1000);
	return buf_str(text);
}

static void change_vault(const void *input)
{
	const struct stacked *stacked = input;
	struct doc *vault = read_as(READ_HOCON, stacked->vault_text);
	struct arena arena = ARENA_INIT;
	struct changes changes = CHANGES_INIT;
	struct buf out = BUF_INIT;
	struct value *new = merge(&arena, stacked->local->root, vault->root);

	diff_add(&changes, STR(""), stacked->old, new);
	changes_sort(&changes);
	json_write(&out, new);
	buf_deinit(&out);
	changes_deinit(&changes);
	arena_free(&arena);
	doc_unref(vault);
}

static void merge_jansson(json_t *into, json_t *from)
{
	const char *key;
	json_t *value, *mine;

	json_object_foreach (from, key, value) {
		mine = json_object_get(into, key);
		if (json_is_object(mine) && json_is_object(value))
			merge_jansson(mine, value);
		else
			json_object_set(into, key, value);
	}
}

static void change_jansson(const void *input)
{
	const struct stacked *stacked = input;
	json_t *vault = json_loadb(stacked->vault_json.ptr,
				   stacked->vault_json.len, 0, NULL);
	json_t *merged = json_deep_copy(stacked->local_tree);
	char *text;

	merge_jansson(merged, vault);
	text = json_dumps(merged, JSON_COMPACT);
	free(text);
	json_decref(merged);
	json_decref(vault);
}

static void bench_change(void)
{
	struct buf local = BUF_INIT, old = BUF_INIT, new = BUF_INIT;
	struct buf local_json = BUF_INIT, vault_json = BUF_INIT;
	struct stacked stacked = {
		.local = read_as(READ_HOCON, make_keys(&local, 10000, 0)),
		.old_vault = read_as(READ_HOCON, make_keys(&old, 10000, 1)),
		.vault_text = make_keys(&new, 10000, 2),
	};
	double times;

	stacked.old = merge(&stacked.arena, stacked.local->root,
			    stacked.old_vault->root);
	stacked.local_json = make_json_twin(&local_json, buf_str(&local));
	stacked.vault_json = make_json_twin(&vault_json, stacked.vault_text);
	stacked.local_tree = json_loadb(stacked.local_json.ptr,
					stacked.local_json.len, 0, NULL);
	times = ratio(change_vault, change_jansson, &stacked, &stacked);
	print_row((struct row){"T12",
			       "a changed vault of 10,000 keys over 10,000",
			       "<= 0.4 x jansson", times <= 0.4},
		  "%.2f x, %.1f ms", times,
		  median_cost(change_vault, &stacked) * 1e3);
	json_decref(stacked.local_tree);
	arena_free(&stacked.arena);
	doc_unref(stacked.local);
	doc_unref(stacked.old_vault);
	buf_deinit(&local);
	buf_deinit(&old);
	buf_deinit(&new);
	buf_deinit(&local_json);
	buf_deinit(&vault_json);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: bench_read CLEARML_CONF\n");
		return 2;
	}
	mem_init();
	bench_memory(); /* first: its children inherit what is free by then */
	bench_official(argv[1]);
	bench_sections();
	bench_substitutions();
	bench_change();
	return 0;
}
