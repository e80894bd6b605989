#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "call/arguments.h"
#include "call/channel.h"
#include "call/clock.h"
#include "call/command.h"
#include "call/get_call.h"
#include "call/guess.h"
#include "call/status_follow.h"
#include "commands/hook.h"
#include "exec/exec_check.h"
#include "exec/exec_reporter.h"
#include "read/doc.h"
#include "render/render.h"
#include "text/answer.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "text/owner.h"
#include "text/target.h"
#include "value/json.h"
#include "value/value.h"

#define EXEC_TIMEOUT_MS 60000
#define CHECK_MS        60000
#define RETRY_MS        100
#define REWRITE_MS      5000
#define VAULTS_MS       250
#define REPORT_MS       1000

struct dump_options {
	const char *format, *output, *mode, *owner, *exec, *exec_timeout;
	const char *check, *check_timeout;
	const char *vaults;
	bool env, mask, watch, in_place, require_vaults;
};

#define FIELD(name) offsetof(struct dump_options, name)

static const struct option_spec options[] = {
	{"format", 'f', OPTION_FORMAT, FIELD(format), "FORMAT",
	 RENDER_FORMAT_NAMES},
	{"output", 'o', OPTION_PATH, FIELD(output), "FILE",
	 "write FILE, whole or not at all"},
	{"mode", '\0', OPTION_MODE, FIELD(mode), "MODE",
	 "permissions of FILE (0600)"},
	{"owner", '\0', OPTION_TEXT, FIELD(owner), "USER:GROUP",
	 "owner of FILE"},
	{"env", 'e', OPTION_FLAG, FIELD(env), NULL,
	 "resolve with my environment, not the daemon's"},
	{"mask", 'm', OPTION_FLAG, FIELD(mask), NULL, "write secrets as ****"},
	{"vaults", '\0', OPTION_TEXT, FIELD(vaults), "WHICH",
	 "merged (as if not given), or live: left to ClearML to read"},
	{"require-vaults", '\0', OPTION_FLAG, FIELD(require_vaults), NULL,
	 "wait for daemon and vaults, at most --timeout; never without"},
	{"watch", '\0', OPTION_FLAG, FIELD(watch), NULL,
	 "keep FILE current until stopped"},
	{"exec", 'x', OPTION_TEXT, FIELD(exec), "COMMAND",
	 "run COMMAND by the shell after each change of FILE"},
	{"exec-timeout", '\0', OPTION_SECONDS, FIELD(exec_timeout), "S",
	 "end COMMAND after S seconds (60)"},
	{"check", '\0', OPTION_TEXT, FIELD(check), "COMMAND",
	 "write what the shell's COMMAND accepts; $1 is a file that has it"},
	{"check-timeout", '\0', OPTION_SECONDS, FIELD(check_timeout), "S",
	 "end that COMMAND after S seconds, which is a no (60)"},
	{"in-place", '\0', OPTION_FLAG, FIELD(in_place), NULL,
	 "write into FILE instead of replacing it"},
};

struct dump {
	const struct client *client;
	const struct dump_options *options;
	const char *path;     /* of the configuration; NULL: all of it */
	const char *view;     /* see get_call.h */
	struct target target; /* opened with --output only */
	struct exec_check check;
	struct exec_helper checker;    /* its process */
	sigset_t signals;              /* that it is to have blocked */
	struct exec_reporter reporter; /* tells the daemon what it has */
	long long generation;          /* that the file has; 0: none yet */
	struct channel asking;         /* for Get, and GetStatus without more */
	int wait_ms;                   /* how long to wait while starting */
	long long deadline;            /* of --require-vaults; see clock.h */
	bool following;                /* the file has been written once */
	bool unwritten; /* what it should hold could not be written */
	bool unasked;   /* what it should hold could not be asked for */
};

/* --- the file ------------------------------------------------------------- */

static int open_target(struct dump *dump)
{
	const struct dump_options *o = dump->options;
	struct target_wish wish = {
		.path = o->output,
		.mode = o->mode ? (mode_t)strtoul(o->mode, NULL, 8) : 0600,
		.uid = TARGET_NOBODY,
		.gid = (gid_t)-1,
		.in_place = o->in_place,
		.keep_mode = !o->mode,
	};
	int r;

	if (!o->output)
		return EXIT_DONE;
	if (o->owner && !owner_parse(o->owner, &wish.uid, &wish.gid))
		return complain(EXIT_USAGE,
				"there is no such user or group: --owner %s",
				o->owner);
	r = target_open(&dump->target, &wish);
	if (r == 0)
		return EXIT_DONE;
	return complain(EXIT_FAILED, "cannot write %s: %s", o->output,
			dump->target.problem ? dump->target.problem
					     : strerror(-r));
}

/* Is the target the source of @layer, or would it be another one by being in
 * the same folder? */
static bool is_source(const struct dump *dump, const struct value *layer)
{
	struct str kind = answer_text(layer, "layer");
	struct str source = answer_text(layer, "source");
	_cleanup_(mem_freep) char *path = mem_strndup(source.ptr, source.len);

	if (path[0] != '/')
		return false;
	if (str_is(kind, "site") || str_is(kind, "defaults"))
		return target_is_beside(&dump->target, path);
	return target_is(&dump->target, path);
}

static bool is_source_of(const struct dump *dump, const struct value *workspace)
{
	const struct value *layers = value_get(workspace, STR("layers"));
	bool found = false;

	if (!value_is(layers, VALUE_LIST))
		return false;
	for (uint32_t i = 0; i < layers->list.count && !found; i++)
		found = is_source(dump, layers->list.items[i]);
	return found;
}

/* A file that the daemon reads must not become what the daemon says. */
static int check_sources(struct dump *dump)
{
	_cleanup_(buf_deinit) struct buf parameters = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	const struct value *workspaces;
	int status;

	buf_puts(&parameters, "{}");
	status = channel_call(&dump->asking, "GetStatus", &parameters, &answer);
	if (status != EXIT_DONE)
		return status;
	workspaces = value_get(value_get(answer->root, STR("status")),
			       STR("workspaces"));
	if (!value_is(workspaces, VALUE_LIST))
		return EXIT_DONE;
	for (uint32_t i = 0; i < workspaces->list.count; i++)
		if (is_source_of(dump, workspaces->list.items[i]))
			return complain(EXIT_FAILED,
					"%s is a source of the configuration: "
					"choose another --output",
					dump->options->output);
	return EXIT_DONE;
}

static int run_hook(const struct dump *dump)
{
	const struct dump_options *o = dump->options;

	if (!o->exec)
		return EXIT_DONE;
	return hook_run(o->exec, arguments_milliseconds(o->exec_timeout,
							EXEC_TIMEOUT_MS));
}

/* A full disk does not end a dump that is kept current; what is refused does,
 * since it will be refused again. */
static int fail_to_write(struct dump *dump, int r)
{
	const char *problem = dump->target.problem;

	if (problem || !dump->following)
		return complain(EXIT_FAILED, "cannot write %s: %s",
				dump->options->output,
				problem ? problem : strerror(-r));
	if (!dump->unwritten)
		complain_warning("cannot write %s: %s; it stays as it was, and "
				 "is tried again",
				 dump->options->output, strerror(-r));
	dump->unwritten = true;
	return EXIT_DONE;
}

/* A command that fails does not end a dump that is kept current. */
static int write_target(struct dump *dump, struct str text)
{
	int r, status = check_sources(dump);

	if (status != EXIT_DONE)
		return status;
	r = target_write(&dump->target, text);
	if (r < 0)
		return fail_to_write(dump, r);
	dump->unwritten = false;
	status = r == TARGET_WRITTEN ? run_hook(dump) : EXIT_DONE;
	return dump->options->watch ? EXIT_DONE : status;
}

/* --- the check ------------------------------------------------------------ */

/* What is kept current, and why it is not. */
static void tell_daemon(struct dump *dump)
{
	const struct exec_report report = {
		.how = "dump",
		.generation = dump->generation,
		.pending_since = dump->check.refused_since,
		.waiting_for = dump->check.reason,
		.bad = dump->check.reason ? "check" : NULL,
		.bad_reason = dump->check.reason,
	};

	if (!dump->options->watch)
		return;
	exec_reporter_tell(&dump->reporter, &report);
	exec_reporter_step(&dump->reporter);
}

/* With @question, which brought @answer. */
static bool is_accepted(struct dump *dump, const struct get_question *question,
			const struct get_answer *answer, struct str text)
{
	const struct exec_check_subject subject = {dump->client, question,
						   answer->value};
	enum exec_verdict verdict;

	if (!dump->options->check)
		return true;
	verdict = exec_check_run(&dump->check, text, &subject);
	if (verdict != PROBE_YES)
		tell_daemon(dump);
	return verdict == PROBE_YES;
}

/* --- the question --------------------------------------------------------- */

static bool is_past_starting(struct str state)
{
	return !str_is(state, "starting");
}

/* Vaults that are not in yet must not be missing from the file. */
static int wait_while_starting(struct dump *dump)
{
	struct status_wish wish = {.is_enough = is_past_starting,
				   .timeout_ms = dump->wait_ms};
	_cleanup_(channel_deinit) struct channel channel = {0};
	int status = status_follow(&channel, dump->client, &wish, NULL);

	if (channel.result == -ETIMEDOUT)
		return complain(EXIT_SERVER,
				"the vaults are not in yet (state starting), "
				"nothing is written: see 'clearconf status'");
	if (status != EXIT_DONE)
		return channel_complain(&channel, status);
	clock_sleep(RETRY_MS);
	return EXIT_DONE;
}

/* With --require-vaults: is what failed worth another try after a moment? What
 * is kept current is asked for at the next change. */
static bool may_come(const struct dump *dump)
{
	if (!dump->options->require_vaults || dump->following ||
	    clock_is_past(dump->deadline))
		return false;
	clock_sleep(VAULTS_MS);
	return true;
}

static struct get_question question_of(const struct dump *dump)
{
	return (struct get_question){
		.path = dump->path,
		.workspace = dump->client->workspace,
		.environment = dump->options->env,
		.secrets = dump->options->mask ? GET_MASKED : GET_REAL,
		.view = dump->view,
		.require_vaults = dump->options->require_vaults,
	};
}

/* Nothing is said about a failure of the connection. */
static int ask_when_started(struct dump *dump,
			    const struct get_question *question,
			    struct get_answer *answer)
{
	int status;

	for (;;) {
		status = get_call(&dump->asking, question, answer);
		if (channel_failed_with(&dump->asking, CHANNEL_NOT_READY) &&
		    may_come(dump))
			continue;
		if (status != EXIT_DONE || !get_answer_is_starting(answer))
			return status;
		get_answer_deinit(answer);
		status = wait_while_starting(dump);
		if (status != EXIT_DONE)
			return status;
	}
}

static int dump_once(struct dump *dump)
{
	_cleanup_(rendering_deinit) struct rendering rendering = {
		.at = dump->path};
	_cleanup_(get_answer_deinit) struct get_answer answer = {0};
	struct get_question question = question_of(dump);
	int status = ask_when_started(dump, &question, &answer);

	if (status != EXIT_DONE)
		return status;
	get_answer_warn(&answer);
	status = output_render(&rendering, answer.value, dump->options->format);
	if (status != EXIT_DONE)
		return status;
	if (!dump->options->output)
		return output_write(buf_str(&rendering.text));
	if (!is_accepted(dump, &question, &answer, buf_str(&rendering.text)))
		return dump->options->watch ? EXIT_DONE : EXIT_FAILED;
	status = write_target(dump, buf_str(&rendering.text));
	if (status == EXIT_DONE && !dump->unwritten)
		dump->generation = answer.generation;
	tell_daemon(dump);
	return status;
}

/* --- keeping it current --------------------------------------------------- */

static void write_watch(struct buf *out, const struct dump *dump)
{
	/* What watchers see of PATH is not what the file has of it: any change
	 * is a reason to ask again. */
	buf_putc(out, '{');
	json_add_optional_string(out, "workspace", dump->client->workspace);
	json_add_bool(out, "documents", true);
	buf_putc(out, '}');
}

/* What is gone or broken for now may come back: the file stays as it is. */
static int dump_again(struct dump *dump)
{
	int status = dump_once(dump);

	if (channel_failed_with(&dump->asking, CHANNEL_BROKEN) ||
	    channel_failed_with(&dump->asking, CHANNEL_NOT_READY)) {
		(void)channel_complain(&dump->asking, status);
		return EXIT_DONE;
	}
	if (status != EXIT_NO_PATH)
		return status;
	complain_warning("there is nothing at the path any more: %s is left "
			 "as it is",
			 dump->options->output);
	return EXIT_DONE;
}

/* Ask on a connection of its own, which may be the first after a restart. */
static int ask_and_write(struct dump *dump)
{
	int status = channel_open(&dump->asking, dump->client);

	if (status == EXIT_DONE)
		status = dump_again(dump);
	dump->unasked = status == EXIT_NO_DAEMON;
	return dump->unasked ? EXIT_DONE
			     : channel_complain(&dump->asking, status);
}

/* Wait for a change, or until what failed may be tried again; the daemon may
 * have to be told once more meanwhile. */
static int await_change(struct dump *dump, struct channel *watching)
{
	_cleanup_(doc_unrefp) struct doc *answer = NULL;
	bool again = dump->unwritten || dump->unasked;
	int timeout_ms, status;

	do {
		timeout_ms = again ? REWRITE_MS : -1;
		if (!again && exec_reporter_is_behind(&dump->reporter))
			timeout_ms = REPORT_MS;
		status = channel_next(watching, timeout_ms, &answer, NULL);
		exec_reporter_step(&dump->reporter);
	} while (!again && watching->result == -ETIMEDOUT);
	return watching->result == -ETIMEDOUT ? EXIT_DONE : status;
}

static int follow_step(struct dump *dump, struct channel *watching)
{
	int status = await_change(dump, watching);

	if (status == EXIT_DONE)
		return ask_and_write(dump);
	if (status != EXIT_NO_DAEMON)
		return channel_complain(watching, status);
	complain_warning("the daemon is gone: the file stays as it is until it "
			 "comes back");
	return EXIT_DONE;
}

/* The first answer to Watch is the state of now, so nothing falls between two
 * connections. */
static int follow(struct dump *dump)
{
	_cleanup_(channel_deinit) struct channel watching = {0};
	_cleanup_(buf_deinit) struct buf question = BUF_INIT;
	int status;

	dump->following = true;
	write_watch(&question, dump);
	status = channel_follow(&watching, dump->client, &question);
	if (status != EXIT_DONE)
		return channel_complain(&watching, status);
	while (status == EXIT_DONE)
		status = follow_step(dump, &watching);
	return status;
}

static int start(struct dump *dump)
{
	int status = open_target(dump);

	if (status != EXIT_DONE)
		return status;
	do
		status = channel_open(&dump->asking, dump->client);
	while (status == EXIT_NO_DAEMON && may_come(dump));
	if (status == EXIT_DONE)
		status = dump_once(dump);
	if (status != EXIT_DONE)
		return guess_complain(dump->client, &dump->asking, status,
				      dump->path);
	return dump->options->watch ? follow(dump) : EXIT_DONE;
}

static int check_usage(const struct dump_options *o)
{
	if (!o->output &&
	    (o->watch || o->exec || o->in_place || o->owner || o->mode))
		return complain(EXIT_USAGE,
				"--watch, --exec, --in-place, --mode and "
				"--owner need a file: add --output FILE");
	if (o->check && !o->output)
		return complain(EXIT_USAGE, "--check decides about a file: add "
					    "--output FILE");
	if (o->check_timeout && !o->check)
		return complain(EXIT_USAGE,
				"--check-timeout needs a command: add --check "
				"COMMAND");
	if (o->exec_timeout && !o->exec)
		return complain(EXIT_USAGE,
				"--exec-timeout needs a command: add --exec "
				"COMMAND");
	if (!get_call_is_view(o->vaults))
		return complain(EXIT_USAGE, "--vaults takes merged or live: "
					    "see 'clearconf dump --help'");
	return EXIT_DONE;
}

static void set_up_check(struct dump *dump)
{
	const struct dump_options *o = dump->options;

	exec_check_init(&dump->check, o->check,
			arguments_milliseconds(o->check_timeout, CHECK_MS));
	dump->check.helper = &dump->checker;
	(void)sigprocmask(SIG_SETMASK, NULL, &dump->signals);
	dump->check.probe.mask = &dump->signals;
	exec_reporter_init(&dump->reporter, dump->client);
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	struct dump dump = {
		.client = client,
		.options = fields,
		.path = argc ? argv[0] : NULL,
		.view = GET_VIEW_MERGED,
		.target = {.dirfd = -1},
		.wait_ms = client->timeout_ms,
	};
	int status = check_usage(dump.options);

	if (status != EXIT_DONE)
		return status;
	if (dump.options->vaults)
		dump.view = dump.options->vaults;
	if (dump.options->watch)
		dump.wait_ms = -1;
	else
		dump.deadline = clock_now() + dump.wait_ms;
	set_up_check(&dump);
	status = start(&dump);
	exec_check_deinit(&dump.check);
	exec_reporter_deinit(&dump.reporter);
	channel_deinit(&dump.asking);
	target_deinit(&dump.target);
	return status;
}

const struct command cmd_dump = {
	.name = "dump",
	.synopsis = "[PATH] [--format FORMAT] [--output FILE] [--mode 0600]\n"
		    "                      [--owner USER:GROUP] [--env] "
		    "[--mask]\n"
		    "                      [--vaults merged|live] "
		    "[--require-vaults] [--watch]\n"
		    "                      [--exec COMMAND] [--exec-timeout S] "
		    "[--in-place]\n"
		    "                      [--check COMMAND] [--check-timeout "
		    "S]",
	.summary = "write the configuration, real values included, to a file",
	.details =
		"Writes what is at PATH (everything without one) to FILE or "
		"standard output, JSON\n"
		"unless --format says otherwise. Real values need the right "
		"'secrets' (exit status 5\n"
		"without it), unless --mask accepts **** in their place. It is "
		"what ClearML is to read\n"
		"as its file: keys that are locked have no value of a vault's, "
		"and with --vaults live\n"
		"all of variables and vaults is left to ClearML.\n"
		"\n"
		"FILE is replaced whole or not at all, and not touched when "
		"nothing has changed. It\n"
		"may not be a symbolic link, have a second name, or be a "
		"source of the configuration;\n"
		"as root, every folder on the way must belong to root or "
		"--owner and be writable by\n"
		"nobody else. While the vaults are not in yet, dump waits "
		"(at most --timeout, for ever\n"
		"with --watch) and leaves FILE as it is. Where there are none "
		"though a login should\n"
		"bring them, a warning says so; --require-vaults waits for "
		"them, and for the daemon, as\n"
		"long, and writes nothing without them (exit status 6).\n"
		"\n"
		"--check COMMAND looks at each new configuration before it is "
		"written: $1 is a private\n"
		"file that has it. While COMMAND says no (a status other than "
		"0, or no end in time),\n"
		"FILE stays as it is, the reason is a warning, and 'clearconf "
		"status' shows it with\n"
		"--watch; without it the exit status is 1.\n"
		"\n"
		"--watch writes again at each change and waits for a daemon "
		"that restarts. --in-place\n"
		"is for a FILE that is a mount point and cannot be replaced: "
		"it must exist and belong\n"
		"to --owner, else to you; its mode stays unless --mode says "
		"otherwise, and a reader may\n"
		"see it half written.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct dump_options),
	.arguments_max = 1,
	.secret = true,
	.run = run,
};
