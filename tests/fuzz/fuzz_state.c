/* Files of the state folder: the counter of generations, the workspace that was
 * chosen, the journal of a rotation, the file of a key pair, and that of a
 * hold, of which the input is what is under the seal. The first byte says
 * which, the rest is what is in it. Generations only grow, whatever was there;
 * what else is accepted is written and read to the same again. */

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/seal.h"
#include "fuzz_cost.h"
#include "state/active_workspace.h"
#include "state/generation.h"
#include "state/hold_file.h"
#include "state/pair_file.h"
#include "state/rotation_journal.h"

/* So many that clients can hold, but for those of a few restarts. */
#define LAST_GENERATION ((UINT64_C(1) << 53) - 100000)

static char folder[64]; /* in memory: nobody waits for a disk */

static void write_file(const char *name, struct str text)
{
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert(dir >= 0);
	assert(file_replace(dir, name, text, 0600) == 0);
	(void)close(dir);
}

static void remove_folder(void)
{
	static const char *const names[] = {"generation", "active",
					    "w.rotation", "pair", "w.hold"};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
}

static void enter_folder(void)
{
	if (*folder)
		return;
	(void)snprintf(folder, sizeof(folder), "/dev/shm/fuzz-state.XXXXXX");
	assert(mkdtemp(folder));
	(void)atexit(remove_folder);
}

/* --- the counter ---------------------------------------------------------- */

/* The first number of a process that starts now. */
static uint64_t first_generation(void)
{
	struct generation generation;
	uint64_t first;

	generation_init(&generation, uv_default_loop(), folder);
	first = generation_next(&generation);
	assert(generation_next(&generation) > first);
	assert(uv_run(uv_default_loop(), UV_RUN_DEFAULT) == 0);
	generation_deinit(&generation);
	return first;
}

static void check_generation(struct str input)
{
	uint64_t first;

	write_file("generation", input);
	first = first_generation();
	assert(first_generation() > first || first > LAST_GENERATION);
}

/* --- the chosen workspace ------------------------------------------------- */

static char *read_active(void)
{
	struct active_workspace kept;
	char *name;

	active_workspace_init(&kept, uv_default_loop(), folder);
	name = active_workspace_read(&kept);
	active_workspace_deinit(&kept);
	return name;
}

static void check_active(struct str input)
{
	_cleanup_(mem_freep) char *name = NULL, *again = NULL;
	struct active_workspace kept;

	write_file("active", input);
	name = read_active();
	if (!name)
		return;
	active_workspace_init(&kept, uv_default_loop(), folder);
	active_workspace_write(&kept, name);
	active_workspace_deinit(&kept);
	again = read_active();
	assert(*name ? again && !strcmp(name, again) : !again);
}

/* --- the journal of a rotation -------------------------------------------- */

static void check_journal(struct str input)
{
	_cleanup_(mem_freep) char *path = rotation_journal_path(folder, "w");
	_cleanup_(buf_deinit) struct buf once = BUF_INIT, twice = BUF_INIT;
	struct rotation_journal journal;

	write_file("w.rotation", input);
	if (!rotation_journal_read(&journal, path))
		return;
	assert(journal.old && journal.mark);
	rotation_journal_write(&journal, &once);
	rotation_journal_deinit(&journal);
	write_file("w.rotation", buf_str(&once));
	assert(rotation_journal_read(&journal, path));
	rotation_journal_write(&journal, &twice);
	rotation_journal_deinit(&journal);
	assert(str_equal(buf_str(&once), buf_str(&twice)));
}

/* --- the key pair --------------------------------------------------------- */

static void check_pair_again(const struct pair *pair, const char *path)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	_cleanup_(pair_deinit) struct pair again = {0};

	pair_file_write(&text, pair);
	write_file("pair", buf_str(&text));
	assert(pair_file_read(&again, path, &diag));
	assert(!strcmp(pair->access_key, again.access_key));
	assert(!strcmp(pair->secret_key, again.secret_key));
}

static void check_pair(struct str input)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(mem_freep) char *path = mem_printf("%s/pair", folder);
	_cleanup_(mem_freep) char *obstacle = NULL;
	_cleanup_(pair_deinit) struct pair pair = {0};

	write_file("pair", input);
	obstacle = pair_file_obstacle(path);
	if (pair_file_read(&pair, path, &diag))
		check_pair_again(&pair, path);
	else
		assert(diag_failed(&diag));
}

/* --- a hold --------------------------------------------------------------- */

static struct hold_record *read_hold(struct str bytes)
{
	static const struct hold_owner nobody;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	const struct hold_query query = {
		.state_dir = folder,
		.workspace = "w",
		.owner = &nobody,
		.now = 2000000000,
		.read_only = true,
	};
	struct hold_record *record;

	write_file("w.hold", bytes);
	record = hold_file_read(&query, &diag);
	assert(!record == diag_failed(&diag));
	return record;
}

static void check_hold(struct str input)
{
	static const struct seal seal = {"clearconf-hold", 1};
	_cleanup_(buf_deinit) struct buf once = BUF_INIT, twice = BUF_INIT;
	struct hold_record *record;

	seal_write(&once, &seal, input);
	record = read_hold(buf_str(&once));
	if (!record)
		return;
	hold_file_compose(&twice, "w", record);
	hold_record_free(record);
	record = read_hold(buf_str(&twice));
	assert(record);
	hold_record_free(record);
}

static void test(struct str input)
{
	static void (*const checks[])(struct str input) = {
		check_generation, check_active, check_journal, check_pair,
		check_hold};

	if (!input.len)
		return;
	enter_folder();
	checks[(unsigned char)input.ptr[0] % ARRAY_SIZE(checks)](
		str_from_offset(input, 1));
}

FUZZ_TARGET("state", test)
