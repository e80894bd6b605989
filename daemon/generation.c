#include "generation.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/source.h"

#define FILE_NAME "generation"
#define AHEAD     1000

static uint64_t wall_clock_ms(void)
{
	struct timeval now;

	(void)gettimeofday(&now, NULL);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_usec / 1000;
}

static uint64_t read_ceiling(const char *state_dir)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(mem_freep) char *path =
		mem_printf("%s/" FILE_NAME, state_dir);
	struct source source;

	if (source_from_file(&source, &arena, path, 64, NULL) != 0)
		return 0;
	return strtoull(source.text.ptr, NULL, 10);
}

static bool write_ceiling(const char *state_dir, uint64_t ceiling)
{
	_cleanup_(file_closep) int dir =
		open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(mem_freep) char *text =
		mem_printf("%llu\n", (unsigned long long)ceiling);
	int r;

	if (dir < 0)
		return false;
	r = file_replace(dir, FILE_NAME, str_from(text), 0600);
	if (r < 0)
		log_warning("generation-not-kept",
			    LOG_TEXT("folder", state_dir),
			    LOG_TEXT("error", strerror(-r)));
	return r == 0;
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

	if (next >= generation->ceiling && generation->state_dir &&
	    write_ceiling(generation->state_dir, next + AHEAD))
		generation->ceiling = next + AHEAD;
	if (next >= generation->ceiling) {
		now = wall_clock_ms();
		next = next > now ? next : now;
	}
	generation->last = next;
	return next;
}
