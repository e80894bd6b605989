#include "exec/exec_daemon.h"

#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "call/simple_call.h"
#include "read/doc.h"
#include "text/answer.h"
#include "text/exit_status.h"
#include "value/value.h"

int exec_daemon_ask(struct exec_daemon *daemon, const struct client *client)
{
	struct simple_call call = {.method = "GetStatus", .of_all = true};
	int status;

	*daemon = (struct exec_daemon){0};
	status = simple_call_run(client, &call, &daemon->doc);
	if (status == EXIT_DONE)
		daemon->agent = str_is(
			answer_text(value_get(daemon->doc->root, STR("status")),
				    "mode"),
			"agent");
	return status;
}

void exec_daemon_deinit(struct exec_daemon *daemon)
{
	if (daemon->doc)
		daemon->doc = doc_unref(daemon->doc);
}

/* --- defaults ------------------------------------------------------------- */

static bool is_same_file(struct str path, const struct stat *file)
{
	_cleanup_(mem_freep) char *name = mem_strndup(path.ptr, path.len);
	struct stat st;

	return stat(name, &st) == 0 && st.st_dev == file->st_dev &&
	       st.st_ino == file->st_ino;
}

static bool is_default_of(const struct value *workspace,
			  const struct stat *file)
{
	const struct value *layers = value_get(workspace, STR("layers"));

	for (uint32_t i = 0;
	     value_is(layers, VALUE_LIST) && i < layers->list.count; i++) {
		const struct value *layer = layers->list.items[i];

		if (str_is(answer_text(layer, "layer"), "defaults") &&
		    is_same_file(answer_text(layer, "source"), file))
			return true;
	}
	return false;
}

static bool is_default(const struct exec_daemon *daemon,
		       const struct stat *file)
{
	const struct value *status =
		value_get(daemon->doc->root, STR("status"));
	const struct value *list = value_get(status, STR("workspaces"));

	return value_is(list, VALUE_LIST) && list->list.count &&
	       is_default_of(list->list.items[0], file);
}

static bool is_conf(const FTSENT *entry)
{
	return entry->fts_info == FTS_F && entry->fts_namelen > 5 &&
	       !strcmp(entry->fts_name + entry->fts_namelen - 5, ".conf");
}

static char *expand_home(const char *path)
{
	const char *home = getenv("HOME");

	if (path[0] != '~' || (path[1] && path[1] != '/') || !home)
		return mem_strdup(path);
	return mem_printf("%s%s", home, path + 1);
}

static void fts_closep(FTS **walk)
{
	if (*walk)
		(void)fts_close(*walk);
}

bool exec_daemon_adds_defaults(const struct exec_daemon *daemon,
			       const char *path)
{
	_cleanup_(mem_freep) char *root = expand_home(path);
	char *const roots[] = {root, NULL};
	_cleanup_(fts_closep) FTS *walk =
		fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	while (walk && (entry = fts_read(walk)))
		if (entry->fts_level > 0 && is_conf(entry) &&
		    !is_default(daemon, entry->fts_statp))
			return true;
	return false;
}
