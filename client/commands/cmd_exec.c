#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "call/arguments.h"
#include "call/clock.h"
#include "call/command.h"
#include "exec/exec_child.h"
#include "exec/exec_config.h"
#include "exec/exec_env.h"
#include "exec/exec_filter.h"
#include "exec/exec_policy.h"
#include "exec/exec_reporter.h"
#include "exec/exec_restart.h"
#include "exec/exec_signal.h"
#include "text/complain.h"
#include "text/exit_status.h"

#define IDLE_TEST_MS 10000
#define CHECK_MS     60000

#define OPTION(name, letter, kind, field, argument, help)                      \
	{                                                                      \
		name, letter, OPTION_##kind,                                   \
			offsetof(struct exec_options, field), argument, help   \
	}

static const struct option_spec options[] = {
	OPTION("on-change", 'c', TEXT, on_change, "WHAT",
	       "restart, idle, none, signal:NAME; without it what suits"),
	OPTION("only", '\0', TEXTS, only, "PATH",
	       "act when this has changed; may be given again"),
	OPTION("idle", '\0', TEXT, idle, "CMD",
	       "the command is idle when the shell's CMD ends with 0"),
	OPTION("check", '\0', TEXT, check, "CMD",
	       "take what the shell's CMD accepts; $1 is a file that has it"),
	OPTION("check-timeout", '\0', SECONDS, check_timeout, "S",
	       "end that CMD after S seconds, which is a no (60)"),
	OPTION("splay", '\0', SECONDS, splay, "S",
	       "act up to S seconds later, a random share of them (0)"),
	OPTION("max-wait", '\0', SECONDS, max_wait, "S",
	       "restart after S seconds even if not idle (never)"),
	OPTION("grace", 'g', SECONDS, grace, "S",
	       "kill what has not ended S seconds after SIGTERM"),
	OPTION("umask", '\0', MODE, umask, "MODE",
	       "the command's umask (an agent's: 077)"),
	OPTION("vaults", '\0', TEXT, vaults, "WHICH",
	       "merged into the file, or live: ClearML reads its own"),
	OPTION("require-vaults", '\0', FLAG, require_vaults, NULL,
	       "wait for the vaults, at most --timeout; not without them"),
	OPTION("files", '\0', FLAG, files, NULL,
	       "write the files of the section 'files'"),
};

struct exec {
	const struct exec_options *options;
	struct exec_policy policy;
	struct exec_command command;
	sigset_t mask; /* as it was */
	int signals;   /* a signalfd */
	struct exec_config config;
	struct exec_reporter reporter;
	struct exec_child child;
	struct exec_restart restarter;
};

/* --- the command ---------------------------------------------------------- */

static void see_change(struct exec *exec)
{
	_cleanup_(buf_deinit) struct buf facts = BUF_INIT;

	exec->restarter.generation = exec_config_generation(&exec->config);
	exec_filter_write(&exec->options->only, &exec->config, &facts);
	exec_restart_see(&exec->restarter, buf_str(&facts));
}

static int start_command(struct exec *exec)
{
	_cleanup_(exec_env_freep) char **env =
		exec_config_environment(&exec->config);

	exec_restart_started(&exec->restarter);
	return exec_child_start(&exec->child, &exec->command, env);
}

/* --- signals -------------------------------------------------------------- */

/* A terminal has sent its signals to the command already. */
static void take_signal(struct exec *exec, int number, bool terminal)
{
	if (exec_signal_ends(number) || (number == SIGHUP && terminal)) {
		exec->child.ends = true;
		exec_restart_cancel(&exec->restarter);
	}
	if (terminal || !exec_signal_is_forwarded(number))
		return;
	number = exec_policy_pass_on(&exec->policy, number);
	if (number)
		exec_child_signal(&exec->child, number);
}

static void take_signals(struct exec *exec)
{
	struct signalfd_siginfo info;

	while (read(exec->signals, &info, sizeof(info)) == sizeof(info))
		take_signal(exec, (int)info.ssi_signo,
			    info.ssi_code == SI_KERNEL);
}

/* From here on signals are read, not delivered. */
static int catch_signals(struct exec *exec)
{
	sigset_t caught;

	exec_signal_set(&caught);
	(void)signal(SIGCHLD, SIG_DFL); /* ignored, there would be no status */
	(void)sigprocmask(SIG_BLOCK, &caught, &exec->mask);
	exec->signals = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
	if (exec->signals >= 0)
		return EXIT_DONE;
	return complain(EXIT_FAILED, "cannot listen for signals: %s",
			strerror(errno));
}

/* --- the loop ------------------------------------------------------------- */

enum { SIGNALS = EXEC_FEED_FDS, LINE, FDS };

static void wait_for_something(struct exec *exec)
{
	struct pollfd fds[FDS];
	long long moment = clock_first(exec_restart_moment(&exec->restarter),
				       exec_config_moment(&exec->config));

	moment = clock_first(moment, exec_reporter_moment(&exec->reporter));
	moment = clock_first(moment, exec->child.kill_at);
	exec_config_poll(&exec->config, fds);
	fds[SIGNALS] = (struct pollfd){.fd = exec->signals, .events = POLLIN};
	fds[LINE] = exec_reporter_poll(&exec->reporter);
	(void)poll(fds, FDS, clock_until(moment));
}

/* True when the command is over; then *status is how it ended. */
static bool take_end(struct exec *exec, int *status)
{
	if (!exec_child_reap(&exec->child, status))
		return false;
	if (!exec->child.ends && !exec->child.restarts)
		exec_restart_left(&exec->restarter, *status);
	if (exec->child.ends || !exec->child.restarts)
		return true;
	*status = start_command(exec);
	return *status != EXIT_DONE;
}

static void keep_current(struct exec *exec)
{
	if (!exec->child.pid) /* our helpers are not to outlive it */
		exec_check_stop(&exec->config.check);
	if (exec_config_step(&exec->config))
		see_change(exec);
	exec->restarter.generation = exec_config_generation(&exec->config);
	exec_reporter_step(&exec->reporter);
	exec_restart_step(&exec->restarter);
	exec_reporter_step(&exec->reporter);
	if (clock_is_past(exec->child.kill_at))
		exec_child_kill(&exec->child);
}

/* Run the command until it is over; its exit status. */
static int run_command(struct exec *exec)
{
	int status = start_command(exec);

	if (status != EXIT_DONE)
		return status;
	for (;;) {
		wait_for_something(exec);
		take_signals(exec);
		if (take_end(exec, &status))
			return status;
		keep_current(exec);
	}
}

static int prepare(struct exec *exec)
{
	int status = exec_config_ask(&exec->config);

	if (status == EXIT_DONE)
		status = catch_signals(exec);
	if (status == EXIT_DONE)
		status = exec_config_begin(&exec->config);
	if (status == EXIT_DONE)
		see_change(exec);
	exec->command.lock = exec->config.folder.dir;
	return status;
}

static void clean_up(struct exec *exec)
{
	exec_restart_deinit(&exec->restarter);
	exec_reporter_deinit(&exec->reporter);
	exec_config_end(&exec->config);
	file_closep(&exec->signals);
}

static void set_up(struct exec *exec, char **argv)
{
	const struct exec_policy *policy = &exec->policy;

	exec->command = (struct exec_command){
		.argv = argv,
		.mask = &exec->mask,
		.outlives_us =
			policy->is_agent || policy->on_change == EXEC_IDLE,
		.umask = policy->umask,
	};
	exec->child.grace_ms = policy->grace_ms;
	exec_check_init(
		&exec->config.check, exec->options->check,
		arguments_milliseconds(exec->options->check_timeout, CHECK_MS));
	exec->config.check.probe.mask = &exec->mask;
	exec->config.check.helper = &exec->child.helpers[PLACE_CHECK];
	exec_reporter_init(&exec->reporter, exec->config.client);
	exec->restarter = (struct exec_restart){
		.policy = policy,
		.child = &exec->child,
		.reporter = &exec->reporter,
		.check = &exec->config.check,
		.debounce = {.splay_ms = policy->splay_ms,
			     .max_ms = policy->max_wait_ms},
		.drain = {.child = &exec->child,
			  .reporter = &exec->reporter,
			  .is_worker = policy->is_worker,
			  .freeze = EXEC_FREEZE_INIT,
			  .probe = {.command = exec->options->idle,
				    .mask = &exec->mask,
				    .option = "--idle",
				    .limit_ms = IDLE_TEST_MS,
				    .output = -1}},
	};
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct exec_options *o = fields;
	struct exec exec = {
		.options = o,
		.signals = -1,
		.config = {.client = client,
			   .files = o->files,
			   .require_vaults = o->require_vaults,
			   .folder = EXEC_FOLDER_INIT},
	};
	int status;

	if (argc == 0)
		return complain(EXEC_FAILED, "a command is missing: see "
					     "'clearconf exec --help'");
	status = exec_policy_make(&exec.policy, o, argv);
	if (status == EXIT_DONE)
		status = exec_filter_check(&o->only);
	if (status != EXIT_DONE)
		return status;
	if (!exec_config_choose(&exec.config, o->vaults, argv))
		return complain(EXEC_FAILED, "--vaults takes merged or live: "
					     "see 'clearconf exec --help'");
	set_up(&exec, argv);
	status = prepare(&exec);
	if (status == EXIT_DONE)
		status = run_command(&exec);
	else if (status != EXIT_SERVER || !o->require_vaults)
		status = EXEC_FAILED;
	clean_up(&exec);
	return status;
}

const struct command cmd_exec = {
	.name = "exec",
	.synopsis =
		"[--on-change restart|idle|signal:NAME|none] [--only "
		"PATH]...\n"
		"                      [--idle CMD] [--check CMD] "
		"[--check-timeout S]\n"
		"                      [--splay S] [--max-wait "
		"S] [--grace S]\n"
		"                      [--umask MODE] [--vaults merged|live] "
		"[--require-vaults]\n"
		"                      [--files] [--] COMMAND [ARG...]",
	.summary = "run a command with the configuration, and keep it current",
	.details =
		"Resolves the configuration with your environment, writes it "
		"to a private file in\n"
		"memory and runs COMMAND with CLEARML_CONFIG_FILE naming the "
		"file.\n"
		"\n"
		"With --vaults live, as for clearml-agent, the file holds what "
		"is below variables and\n"
		"vaults, and ClearML lays those over it itself: each task gets "
		"the vaults of its moment,\n"
		"and its owner's. With merged, as for any other command, the "
		"file holds them all, and\n"
		"ClearML reads none. Then COMMAND gets your variables but for "
		"those of ClearML's that\n"
		"would change what the file has from a vault, and the section "
		"'environment' when\n"
		"apply_environment asks for it.\n"
		"\n"
		"The file is kept current while COMMAND runs, also over "
		"restarts of the daemon. When\n"
		"it has changed and half a second was quiet, COMMAND is "
		"restarted (SIGTERM, and SIGKILL\n"
		"after --grace: 10 s, an agent 120 s), is restarted when it "
		"has nothing at work, gets a\n"
		"signal, or is left alone, as --on-change says. Signals are "
		"passed on; after TERM, INT\n"
		"or QUIT there is no restart.\n"
		"\n"
		"--on-change is idle for 'clearml-agent daemon', none for "
		"other commands of the agent's,\n"
		"else restart. Idle is a command without a child; an agent "
		"also has to have no task in\n"
		"the ClearML server's view. A change taken back before the "
		"restart causes none.\n"
		"\n"
		"--check CMD looks at each new configuration before it is "
		"taken: $1 is a private file\n"
		"that has it, vaults and all. While CMD says no (a status "
		"other than 0, or no end in\n"
		"time), the old one stays, and COMMAND is left alone; there is "
		"a warning, and it shows\n"
		"in 'clearconf status'.\n"
		"\n"
		"--files writes what the section 'files' describes, unless "
		"apply_files says no: 0600\n"
		"where 'mode' says nothing else, and never through a symbolic "
		"link.\n"
		"\n"
		"A warning says when there are no vaults though a login should "
		"bring them;\n"
		"--require-vaults waits for them, at most --timeout, and does "
		"not run COMMAND without.\n"
		"\n"
		"Exit status: that of COMMAND; 125 a failure of clearconf's "
		"own, 126 COMMAND cannot be\n"
		"run, 127 it is not found, 128+N signal N ended it, 6 with "
		"--require-vaults without\n"
		"vaults. Needs the right 'secrets'.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct exec_options),
	.arguments_max = INT_MAX,
	.secret = true,
	.runs_words = true,
	.failure = EXEC_FAILED,
	.run = run,
};
