#include "fetch/poll_phase.h"

#include <stdio.h>
#include <time.h>
#include <uv.h>

/* FNV-1a: known, short, and the same on every host and in every release. */
#define HASH_FIRST  UINT64_C(14695981039346656037)
#define HASH_FACTOR UINT64_C(1099511628211)

/* A separator follows each part: "ab", "c" is not "a", "bc". */
static uint64_t hash_add(uint64_t hash, struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.ptr[i]) * HASH_FACTOR;
	return (hash ^ 0xff) * HASH_FACTOR;
}

/* FNV's high bits hardly feel the last bytes, such as the number of a node:
 * these are the steps by which MurmurHash3 ends. */
static uint64_t hash_mix(uint64_t hash)
{
	hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ hash >> 33;
}

uint32_t poll_phase_of(const struct poll_phase_id *id)
{
	uint64_t hash = hash_add(HASH_FIRST, id->machine);

	hash = hash_add(hash, id->host);
	hash = hash_add(hash, id->workspace);
	return (uint32_t)(hash_mix(hash) >> 32);
}

/* "" where there is none: then the host's name has to do. */
static struct str machine_id(char *buffer, size_t size)
{
	FILE *file = fopen("/etc/machine-id", "re");
	size_t len = file ? fread(buffer, 1, size, file) : 0;

	if (file)
		(void)fclose(file);
	return str_trim((struct str){buffer, len});
}

uint32_t poll_phase_here(const char *workspace)
{
	char machine[64], host[UV_MAXHOSTNAMESIZE];
	size_t size = sizeof(host);
	struct poll_phase_id id = {
		.machine = machine_id(machine, sizeof(machine)),
		.workspace = str_from(workspace),
	};

	if (uv_os_gethostname(host, &size) == 0)
		id.host = (struct str){host, size};
	return poll_phase_of(&id);
}

uint64_t poll_phase_part(uint32_t phase, uint64_t range)
{
	return (uint64_t)((unsigned __int128)range * phase >> 32);
}

uint64_t poll_phase_until(uint32_t phase, uint64_t interval_ms, uint64_t now_ms)
{
	uint64_t at = poll_phase_part(phase, interval_ms);
	uint64_t is = now_ms % interval_ms;

	return is <= at ? at - is : interval_ms - is + at;
}

uint64_t poll_phase_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
