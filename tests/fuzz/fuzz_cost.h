#ifndef TESTS_FUZZ_COST_H
#define TESTS_FUZZ_COST_H

/*
 * What a fuzz target may take for each byte of its input: a crash is not all
 * that a text can do to a daemon.
 *
 * A target says FUZZ_TARGET(name, test), and has a row in the table below. Time
 * is instructions where the kernel counts them, else processor time; an input
 * that takes more than its budget is run again, and the least of several runs
 * counts, as noise is no finding. Memory is the most that was alive at once
 * during the test, by the sanitizer's hooks and by mem_map's wrapper.
 *
 * Work that grows faster than its input shows in long inputs only, so the
 * mutator repeats pieces of an input now and then. FUZZ_COST=1 in the
 * environment tells the dearest input of the run.
 */

#include <linux/perf_event.h>
#include <sanitizer/allocator_interface.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

/* Under sanitizers and coverage, on a slow machine: what is linear stays below
 * a third of it, what is not is over it by orders at a few 10,000 bytes. */
struct fuzz_budget {
	const char *target;
	unsigned int ns, bytes; /* for each byte of the input */
	const char *why;
};

static const struct fuzz_budget fuzz_budgets[] = {
	{"api", 1000, 200, "a JSON document, its vaults, claims decoded"},
	{"cache", 1000, 200, "read, written, read and written again, twice"},
	{"call", 20000, 400, "a call of 40 bytes may ask for all there is"},
	{"cgroup", 1500, 100, "the lines once, the path four times"},
	{"client", 500, 40, "a reply is received once and scanned thrice"},
	{"etcd", 1000, 200, "a JSON document, twice"},
	{"fleet", 4000, 800, "five JSON documents, a report shown five times"},
	{"history", 8000, 600, "each text in snapshots, diffs, two replies"},
	{"hocon", 3000, 400, "two dialects; a value, its place and a mask"},
	{"http", 3000, 100, "curl's turns, gzip, a body copied for its reader"},
	{"json", 3000, 400, "the same"},
	{"path", 1500, 100, "a key of two bytes has a slice of 16, twice"},
	{"pattern", 3000, 100, "a key meets 16 machines of patterns"},
	{"render", 8000, 400, "five formats, three of them read again"},
	{"secret", 10000, 200,
	 "secret_trie_budget steps a byte, 64 searches here"},
	{"settings", 10000, 100, "a line of a list copies its 64 KiB"},
	{"snapshot", 8000, 1000, "read, then written and read back, twice"},
	{"stack", 3000, 400, "eight layers twice, merged, agent's keys"},
	{"state", 3000, 400, "JSON of a pair, written and read again"},
	{"variable", 2000, 400, "a HOCON value, written and masked"},
	{"yaml", 6000, 400, "two dialects, libyaml's events"},
};

/* What an input may take that has hardly a byte: the test's own stage, and the
 * values that its substitutions make before a limit stops them. */
#define FUZZ_NS    UINT64_C(50000000)
#define FUZZ_BYTES (UINT64_C(2) << 20)

#define FUZZ_INSTRUCTIONS_A_NS 4 /* so that one budget serves both clocks */
#define FUZZ_TRIES             4

typedef void (*fuzz_test_fn)(struct str input);

#define FUZZ_TARGET(name, test)                                                \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)           \
	{                                                                      \
		fuzz_run(name, test, (struct str){(const char *)data, size});  \
		return 0;                                                      \
	}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed);

struct fuzz_cost {
	uint64_t ns, bytes;
};

/* --- memory --------------------------------------------------------------- */

static _Atomic int64_t fuzz_live, fuzz_peak;

static inline void fuzz_count(int64_t bytes)
{
	int64_t live = atomic_fetch_add(&fuzz_live, bytes) + bytes;

	if (live > atomic_load(&fuzz_peak))
		atomic_store(&fuzz_peak, live);
}

static inline void fuzz_on_malloc(const volatile void *block, size_t size)
{
	(void)block;
	fuzz_count((int64_t)size);
}

static inline void fuzz_on_free(const volatile void *block)
{
	if (block)
		fuzz_count(-(int64_t)__sanitizer_get_allocated_size(
			(const void *)(uintptr_t)block));
}

void *__real_mem_map(void *block, size_t old, size_t size);
void *__wrap_mem_map(void *block, size_t old, size_t size);
void __real_mem_unmap(void *block, size_t size);
void __wrap_mem_unmap(void *block, size_t size);

/* By the linker (--wrap): sanitizers know no mmap of their program's. */
void *__wrap_mem_map(void *block, size_t old, size_t size)
{
	fuzz_count((int64_t)size - (int64_t)old);
	return __real_mem_map(block, old, size);
}

void __wrap_mem_unmap(void *block, size_t size)
{
	fuzz_count(-(int64_t)size);
	__real_mem_unmap(block, size);
}

/* --- time ----------------------------------------------------------------- */

static int fuzz_perf = -1; /* -1: the kernel counts no instructions */

static inline void fuzz_open_perf(void)
{
	struct perf_event_attr event = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(event),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.inherit = 1,
		.exclude_kernel = 1,
	};

	fuzz_perf = (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, 0UL);
}

/* Of all threads: answers may be written by another. */
static inline uint64_t fuzz_clock(void)
{
	struct timespec now;
	uint64_t count = 0;

	if (fuzz_perf >= 0 &&
	    read(fuzz_perf, &count, sizeof(count)) == sizeof(count))
		return count / FUZZ_INSTRUCTIONS_A_NS;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --- the test ------------------------------------------------------------- */

static struct fuzz_cost fuzz_dearest; /* for each byte */

static inline struct fuzz_cost fuzz_measure(fuzz_test_fn test, struct str input)
{
	uint64_t start = fuzz_clock();
	int64_t live = atomic_load(&fuzz_live);

	atomic_store(&fuzz_peak, live);
	test(input);
	return (struct fuzz_cost){fuzz_clock() - start,
				  (uint64_t)(atomic_load(&fuzz_peak) - live)};
}

static inline const struct fuzz_budget *fuzz_budget_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fuzz_budgets); i++)
		if (!strcmp(fuzz_budgets[i].target, name))
			return &fuzz_budgets[i];
	abort();
}

static inline void fuzz_fail(const char *what, uint64_t took, uint64_t budget)
{
	(void)fprintf(stderr, "over the budget: %llu %s of %llu\n",
		      (unsigned long long)took, what,
		      (unsigned long long)budget);
	abort();
}

static inline void fuzz_note(uint64_t *most, uint64_t took, uint64_t base,
			     size_t size)
{
	uint64_t rate =
		took > base / 10 && size ? (took - base / 10) / size : 0;

	if (rate > *most)
		*most = rate;
}

static inline void fuzz_run(const char *name, fuzz_test_fn test,
			    struct str input)
{
	const struct fuzz_budget *budget = fuzz_budget_of(name);
	uint64_t ns = FUZZ_NS + (uint64_t)budget->ns * input.len;
	uint64_t bytes = FUZZ_BYTES + (uint64_t)budget->bytes * input.len;
	struct fuzz_cost cost = fuzz_measure(test, input), again;

	for (int i = 0; i < FUZZ_TRIES && cost.ns > ns; i++) {
		again = fuzz_measure(test, input);
		cost.ns = again.ns < cost.ns ? again.ns : cost.ns;
	}
	if (cost.ns > ns)
		fuzz_fail("ns", cost.ns, ns);
	if (cost.bytes > bytes)
		fuzz_fail("bytes", cost.bytes, bytes);
	fuzz_note(&fuzz_dearest.ns, cost.ns, FUZZ_NS, input.len);
	fuzz_note(&fuzz_dearest.bytes, cost.bytes, FUZZ_BYTES, input.len);
}

static inline void fuzz_tell(void)
{
	(void)fprintf(stderr, "dearest: %llu ns, %llu bytes a byte\n",
		      (unsigned long long)fuzz_dearest.ns,
		      (unsigned long long)fuzz_dearest.bytes);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_level(LOG_LEVEL_ERROR);
	fuzz_open_perf();
	if (!__sanitizer_install_malloc_and_free_hooks(fuzz_on_malloc,
						       fuzz_on_free))
		abort();
	if (getenv("FUZZ_COST"))
		(void)atexit(fuzz_tell);
	return 0;
}

/* --- long inputs ---------------------------------------------------------- */

#define FUZZ_REPEAT 16 /* one mutation of so many */

/* A piece of the input, again and again in its place, up to @max bytes of all:
 * twice as long is as likely as ten times. */
static inline size_t fuzz_repeat(uint8_t *data, size_t size, size_t max,
				 unsigned int seed)
{
	size_t at = (size_t)rand_r(&seed) % size;
	size_t piece = 1 + (size_t)rand_r(&seed) % (size - at);
	size_t longest = size << (1 + (unsigned int)rand_r(&seed) % 14);
	size_t times, rest = size - at - piece;

	if (longest > max)
		longest = max;
	times = longest > size ? (longest - size) / piece : 0;
	memmove(data + at + piece * (times + 1), data + at + piece, rest);
	for (size_t i = 1; i <= times; i++)
		memcpy(data + at + piece * i, data + at, piece);
	return size + piece * times;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed)
{
	if (!size || size >= max || seed % FUZZ_REPEAT)
		return LLVMFuzzerMutate(data, size, max);
	if (seed / FUZZ_REPEAT % 2)
		size = fuzz_repeat(data, size, max, seed + 1);
	return size < max ? fuzz_repeat(data, size, max, seed) : size;
}

#endif
