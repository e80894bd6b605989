/* Files of settings: they are all right, or there is a diagnostic with a line
 * of theirs, which quotes no more than that line. */

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/lock.h"
#include "config/secrets.h"
#include "fuzz_cost.h"
#include "settings/settings.h"

/* A regular file without a name. */
static int file_of(struct str text)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);
	ssize_t n = write(fd, text.ptr, text.len);

	assert(fd >= 0 && n == (ssize_t)text.len);
	return fd;
}

/* What takes expressions and paths apart that are in them. */
static void use(const struct settings *settings)
{
	struct secrets *secrets = secrets_new(settings->mask_add);
	struct locks *locks =
		locks_new(settings->mode == MODE_AGENT, settings->lock_keys);

	assert(settings->interval > 0 && settings->limits.depth > 0);
	for (size_t i = 0; i < settings->workspace_count; i++)
		assert(settings->workspaces[i].name &&
		       settings->workspaces[i].api_server);
	locks_unref(locks);
	secrets_free(secrets);
}

static void test(struct str input)
{
	_cleanup_(settings_freep) struct settings *settings = NULL;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	char path[64];
	int fd = file_of(input);

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	settings = settings_load(path, &diag);
	(void)close(fd);
	assert(!settings == diag_failed(&diag));
	if (settings)
		use(settings);
}

FUZZ_TARGET("settings", test)
