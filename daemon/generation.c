#include "generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/source.h"

#define FILE_NAME "generation"
#define AHEAD     1000

/* A JSON integer of 53 bits, which every client can hold. */
#define CEILING_MAX (UINT64_C(1) << 53)

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

static int write_ceiling(const char *state_dir, uint64_t ceiling)
{
	_cleanup_(file_closep) int dir =
		open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(mem_freep) char *text =
		mem_printf("%llu\n", (unsigned long long)ceiling);

	if (dir < 0)
		return -errno;
	return file_replace(dir, FILE_NAME, str_from(text), 0600);
}

/* Logged when it begins, not at each number. */
static void note_result(struct generation *generation, int r)
{
	if (r < 0 && !generation->failing)
		log_warning("generation-not-kept",
			    LOG_TEXT("folder", generation->state_dir),
			    LOG_TEXT("error", strerror(-r)));
	generation->failing = r < 0;
}

/* Room for the numbers from @next on; moves @next past what another daemon on
 * the same folder may have used. */
static void reserve(struct generation *generation, uint64_t *next)
{
	uint64_t used =
		generation->failing ? 0 : read_ceiling(generation->state_dir);
	int r;

	if (used > *next)
		*next = used;
	r = write_ceiling(generation->state_dir, *next + AHEAD);
	note_result(generation, r);
	if (r == 0)
		generation->ceiling = *next + AHEAD;
}

void generation_init(struct generation *generation, const char *state_dir)
{
	*generation = (struct generation){
		.state_dir = state_dir ? mem_strdup(state_dir) : NULL,
	};
	if (state_dir)
		generation->last = read_ceiling(state_dir);
	generation->ceiling = generation->last;
}

void generation_deinit(struct generation *generation)
{
	mem_free(generation->state_dir);
}

uint64_t generation_next(struct generation *generation)
{
	uint64_t next = generation->last + 1, now;

	if (next >= generation->ceiling && generation->state_dir)
		reserve(generation, &next);
	if (next >= generation->ceiling) {
		now = wall_clock_ms();
		next = next > now ? next : now;
	}
	generation->last = next;
	return next;
}
