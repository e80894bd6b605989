/* The part of `doctor` about files and the variables that name them. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "call/channel.h"
#include "call/command.h"
#include "call/get_call.h"
#include "commands/doctor.h"
#include "exec/exec_folder.h"
#include "read/reader.h"
#include "text/answer.h"
#include "text/exit_status.h"
#include "value/value.h"
#include "wire.h"

/* --- variables ------------------------------------------------------------ */

static void look_at_config_file(struct doctor *doctor, const char *name)
{
	const char *path = getenv(name);
	struct stat st;

	if (!path || !*path)
		return;
	if (path[0] != '/' && path[0] != '~') {
		doctor_say(doctor, DOCTOR_PROBLEM,
			   "variable: %s=%s is relative: what it names depends "
			   "on the folder a program is started in",
			   name, path);
		return;
	}
	if (path[0] == '~')
		return; /* ClearML expands it */
	if (stat(path, &st) < 0)
		doctor_say(doctor, DOCTOR_PROBLEM,
			   "variable: %s=%s: %s; ClearML then reads no file at "
			   "all, and says nothing",
			   name, path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		doctor_say(doctor, DOCTOR_PROBLEM,
			   "variable: %s=%s is no regular file; ClearML then "
			   "reads no file at all, and says nothing",
			   name, path);
	else if (access(path, R_OK) < 0)
		doctor_say(doctor, DOCTOR_PROBLEM,
			   "variable: %s=%s cannot be read by this user", name,
			   path);
	else
		doctor_say(doctor, DOCTOR_OK, "variable: %s=%s", name, path);
}

/* Programs of this shell trust another list of certificates than they say. */
static void look_at_trust(struct doctor *doctor, const char *name)
{
	const char *path = getenv(name);

	if (path && *path && access(path, R_OK) < 0)
		doctor_say(doctor, DOCTOR_PROBLEM,
			   "variable: %s=%s: %s, so programs of this shell "
			   "trust no TLS certificate",
			   name, path, strerror(errno));
}

static void note_workspace(struct doctor *doctor, const struct value *workspace)
{
	doctor_say(doctor, DOCTOR_OK,
		   "variable: " WIRE_WORKSPACE_VARIABLE "=%.*s, for whatever "
		   "asks in this shell without --workspace",
		   STR_PRINT(answer_text(workspace, "name")));
}

static void look_at_workspace(struct doctor *doctor)
{
	const char *name = getenv(WIRE_WORKSPACE_VARIABLE);
	size_t before = doctor->count;

	if (!name || name != doctor->client->workspace || !doctor->status)
		return;
	doctor_each_workspace(doctor, note_workspace);
	if (doctor->count == before)
		doctor_say(doctor, DOCTOR_PROBLEM,
			   "variable: " WIRE_WORKSPACE_VARIABLE "=%s: there is "
			   "no such workspace, so that whatever asks in this "
			   "shell without --workspace is refused: 'clearconf "
			   "workspace' lists those there are",
			   name);
}

void doctor_look_at_variables(struct doctor *doctor)
{
	static const char *const files[] = {"CLEARML_CONFIG_FILE",
					    "TRAINS_CONFIG_FILE"};
	static const char *const trust[] = {"REQUESTS_CA_BUNDLE",
					    "CURL_CA_BUNDLE", "SSL_CERT_FILE"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		look_at_config_file(doctor, files[i]);
	for (size_t i = 0; i < ARRAY_SIZE(trust); i++)
		look_at_trust(doctor, trust[i]);
	look_at_workspace(doctor);
}

/* --- who can read them ---------------------------------------------------- */

static void look_at_mode(struct doctor *doctor, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & S_IROTH))
		doctor_say(doctor, DOCTOR_WARNING,
			   "file: everybody on this host can read %s: chmod "
			   "600 %s, unless it holds no secret",
			   path, path);
}

static void look_at_sources(struct doctor *doctor,
			    const struct value *workspace)
{
	const struct value *layers = value_get(workspace, STR("layers"));

	if (!value_is(layers, VALUE_LIST))
		return;
	for (uint32_t i = 0; i < layers->list.count; i++) {
		struct str source =
			answer_text(layers->list.items[i], "source");
		_cleanup_(mem_freep) char *path =
			mem_strndup(source.ptr, source.len);

		if (path[0] == '/')
			look_at_mode(doctor, path);
	}
}

/* The user's own file, of which a daemon of the system knows nothing. */
static char *own_configuration(void)
{
	const char *home = getenv("HOME");

	return mem_printf("%s/clearml.conf", home ? home : "");
}

void doctor_look_at_rights(struct doctor *doctor)
{
	_cleanup_(mem_freep) char *own = own_configuration();

	doctor_each_workspace(doctor, look_at_sources);
	look_at_mode(doctor, own);
}

/* --- dumps that nobody updates -------------------------------------------- */

static bool is_dump(const char *path)
{
	_cleanup_(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char head[sizeof(WIRE_DUMP_COMMENT) - 1];

	return fd >= 0 && read(fd, head, sizeof(head)) == sizeof(head) &&
	       !memcmp(head, WIRE_DUMP_COMMENT, sizeof(head));
}

static bool holds(const char *path, const struct value *tree)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	struct read_options options = {.format = READ_HOCON,
				       .limits = READ_LIMITS_DEFAULT};

	return read_file(&doc, path, &options, &diag) == 0 &&
	       value_equal(doc->root, tree);
}

enum dump_age { DUMP_CURRENT, DUMP_OTHER, DUMP_UNKNOWN };

/* Is it what dump would write now, with --vaults @view? */
static enum dump_age age_of_dump(const struct doctor *doctor, const char *path,
				 const char *view)
{
	struct get_question question = {.workspace = doctor->client->workspace,
					.secrets = GET_REAL,
					.view = view};
	_cleanup_(channel_deinit) struct channel channel = {0};
	_cleanup_(get_answer_deinit) struct get_answer answer = {0};

	if (channel_open(&channel, doctor->client) != EXIT_DONE ||
	    get_call(&channel, &question, &answer) != EXIT_DONE)
		return DUMP_UNKNOWN;
	return holds(path, answer.value) ? DUMP_CURRENT : DUMP_OTHER;
}

static void look_at_dump(struct doctor *doctor, const char *path)
{
	enum dump_age age;

	if (!is_dump(path))
		return;
	age = age_of_dump(doctor, path, GET_VIEW_MERGED);
	if (age == DUMP_OTHER)
		age = age_of_dump(doctor, path, GET_VIEW_LIVE);
	if (age == DUMP_UNKNOWN)
		doctor_say(doctor, DOCTOR_UNSURE,
			   "dump: %s was written by clearconf, and whether it "
			   "is current cannot be told",
			   path);
	else if (age == DUMP_CURRENT)
		doctor_say(doctor, DOCTOR_OK, "dump: %s is current", path);
	else
		doctor_say(doctor, DOCTOR_PROBLEM,
			   "dump: %s was written by clearconf and differs from "
			   "what the daemon serves: keep it current with "
			   "'clearconf dump --watch'",
			   path);
}

void doctor_look_at_dumps(struct doctor *doctor)
{
	_cleanup_(mem_freep) char *own = own_configuration();
	const char *named = getenv("CLEARML_CONFIG_FILE");

	look_at_dump(doctor, own);
	if (named && named[0] == '/' && strcmp(named, own) != 0)
		look_at_dump(doctor, named);
}

/* --- files of exec that nobody updates ------------------------------------ */

static void say_left(void *data, const char *path, bool held)
{
	struct doctor *doctor = data;

	if (held)
		doctor_say(doctor, DOCTOR_WARNING,
			   "exec: the exec or program that made "
			   "%s/clearml.conf, which nobody keeps current, has "
			   "ended; what it started goes on with it: end that, "
			   "and start it anew",
			   path);
	else
		doctor_say(doctor, DOCTOR_WARNING,
			   "exec: %s was left behind by an exec or program "
			   "that was killed, with its clearml.conf: remove it "
			   "(the next exec would)",
			   path);
}

void doctor_look_at_execs(struct doctor *doctor)
{
	exec_folder_each_left(say_left, doctor);
}
