#include "state/generation.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/time.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/source.h"

#define FILE_NAME "generation"
#define AHEAD     1000

/* A JSON integer of 53 bits, which every client can hold. */
#define CEILING_MAX (UINT64_C(1) << 53)

/* A block of numbers that this process may use. */
struct block {
	uint64_t first, end;
};

/* A block that is reserved on the thread pool; both the loop and the counter
 * hold it. */
struct generation_ahead {
	uv_work_t work;
	uv_sem_t written;
	unsigned int refs;
	char *state_dir;
	struct block block;
	int result; /* negative errno */
};

static uint64_t wall_clock_ms(void)
{
	struct timeval now;

	(void)gettimeofday(&now, NULL);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_usec / 1000;
}

static bool parse_ceiling(const char *text, uint64_t *ceiling)
{
	char *end;

	errno = 0;
	*ceiling = strtoull(text, &end, 10);
	return !errno && *text >= '0' && *text <= '9' && !strcmp(end, "\n") &&
	       *ceiling <= CEILING_MAX;
}

/* Of a file that cannot be understood nothing is known but that numbers were
 * used: then the wall clock, in milliseconds, is ahead of them. */
static uint64_t read_ceiling(const char *state_dir)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(mem_freep) char *path =
		mem_printf("%s/" FILE_NAME, state_dir);
	struct source source;
	uint64_t ceiling;
	int r = source_from_file(&source, &arena, path, 64, NULL);

	if (r == SOURCE_E_MISSING)
		return 0;
	if (r == 0 && parse_ceiling(source.text.ptr, &ceiling))
		return ceiling;
	log_warning("generation-unreadable", LOG_TEXT("file", path));
	return wall_clock_ms();
}

static int write_ceiling(int dir, uint64_t ceiling)
{
	_cleanup_(mem_freep) char *text =
		mem_printf("%llu\n", (unsigned long long)ceiling);

	return file_replace(dir, FILE_NAME, str_from(text), 0600);
}

/* Numbers from @block->first on, or later: past what another daemon on the same
 * folder may use, which is locked meanwhile. */
static int reserve(const char *state_dir, bool known, struct block *block)
{
	_cleanup_(file_closep) int dir =
		open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t used;

	if (dir < 0)
		return -errno;
	(void)flock(dir, LOCK_EX);
	used = known ? read_ceiling(state_dir) : 0;
	if (used > block->first)
		block->first = used;
	block->end = block->first + AHEAD;
	return write_ceiling(dir, block->end);
}

/* The trouble is logged when it begins, not at each number. */
static void note_result(struct generation *generation, int r)
{
	if (r < 0 && !generation->failing)
		log_warning("generation-not-kept",
			    LOG_TEXT("folder", generation->state_dir),
			    LOG_TEXT("error", strerror(-r)));
	generation->failing = r < 0;
}

/* --- ahead --- */

static void ahead_unref(struct generation_ahead *ahead)
{
	if (!ahead || --ahead->refs)
		return;
	uv_sem_destroy(&ahead->written);
	mem_free(ahead->state_dir);
	mem_free(ahead);
}

static void on_work(uv_work_t *work)
{
	struct generation_ahead *ahead = work->data;

	ahead->result = reserve(ahead->state_dir, true, &ahead->block);
	uv_sem_post(&ahead->written);
}

static void on_done(uv_work_t *work, int status)
{
	(void)status;
	ahead_unref(work->data);
}

static void ask_ahead(struct generation *generation)
{
	struct generation_ahead *ahead = mem_alloc(sizeof(*ahead));

	ahead->work.data = ahead;
	assert(uv_sem_init(&ahead->written, 0) == 0);
	ahead->refs = 2;
	ahead->state_dir = mem_strdup(generation->state_dir);
	ahead->block.first = generation->ceiling;
	generation->ahead = ahead;
	(void)uv_queue_work(generation->loop, &ahead->work, on_work, on_done);
}

/* The block that was asked for; waits for the disk if need be. */
static int take_ahead(struct generation *generation, struct block *block)
{
	struct generation_ahead *ahead = TAKE(generation->ahead);
	int r;

	uv_sem_wait(&ahead->written);
	*block = ahead->block;
	r = ahead->result;
	ahead_unref(ahead);
	return r;
}

/* --- numbers --- */

/* Take the next block; returns its first number, which is @next or later. */
static uint64_t begin_block(struct generation *generation, uint64_t next)
{
	struct block block = {0};
	int r = 0;

	if (generation->ahead)
		r = take_ahead(generation, &block);
	if (r < 0 || block.end <= next) {
		block.first = next;
		r = reserve(generation->state_dir, !generation->failing,
			    &block);
	}
	note_result(generation, r);
	if (r == 0)
		generation->ceiling = block.end;
	return block.first > next ? block.first : next;
}

void generation_init(struct generation *generation, uv_loop_t *loop,
		     const char *state_dir)
{
	*generation = (struct generation){
		.loop = loop,
		.state_dir = state_dir ? mem_strdup(state_dir) : NULL,
	};
	if (state_dir)
		generation->last = read_ceiling(state_dir);
	generation->ceiling = generation->last;
}

void generation_deinit(struct generation *generation)
{
	ahead_unref(generation->ahead);
	mem_free(generation->state_dir);
}

static bool is_half_used(const struct generation *generation, uint64_t next)
{
	return generation->state_dir && next + AHEAD / 2 >= generation->ceiling;
}

uint64_t generation_next(struct generation *generation)
{
	uint64_t next = generation->last + 1, now;

	if (next >= generation->ceiling && generation->state_dir)
		next = begin_block(generation, next);
	else if (is_half_used(generation, next) && !generation->ahead)
		ask_ahead(generation);
	if (next >= generation->ceiling) {
		now = wall_clock_ms();
		next = next > now ? next : now;
	}
	generation->last = next;
	return next;
}
