#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "arguments.h"
#include "base/file.h"
#include "base/mem.h"
#include "clock.h"
#include "command.h"
#include "complain.h"
#include "exec_child.h"
#include "exec_config.h"
#include "exec_env.h"
#include "exec_signal.h"
#include "exit_status.h"

#define GRACE_MS 10000
#define QUIET_MS 500  /* a burst of changes has ended */
#define BURST_MS 5000 /* a burst that does not end is acted on */

struct exec_options {
	const char *on_change, *grace, *vaults;
	bool files;
};

static const struct option_spec options[] = {
	{"on-change", 'c', OPTION_TEXT,
	 offsetof(struct exec_options, on_change), "WHAT",
	 "restart (as if not given), signal:NAME, none"},
	{"grace", 'g', OPTION_SECONDS, offsetof(struct exec_options, grace),
	 "S", "kill what has not ended S seconds after SIGTERM (10)"},
	{"vaults", '\0', OPTION_TEXT, offsetof(struct exec_options, vaults),
	 "WHICH", "merged into the file, or live: ClearML reads its own"},
	{"files", '\0', OPTION_FLAG, offsetof(struct exec_options, files), NULL,
	 "write the files of the section 'files'"},
};

struct exec {
	struct exec_command command;
	int on_change; /* EXEC_RESTART, EXEC_NOTHING or a signal */
	int grace_ms;
	sigset_t mask; /* as it was */
	int signals;   /* a signalfd */
	struct exec_config config;
	struct exec_child child;
	long long act_at, act_latest;
	bool leaving; /* a signal asked for the end: no restart any more */
};

/* --- the command ---------------------------------------------------------- */

static void forget_changes(struct exec *exec)
{
	exec_config_tell(&exec->config);
	exec->act_at = exec->act_latest = 0;
}

static int start_command(struct exec *exec)
{
	_cleanup_(exec_env_freep) char **env =
		exec_config_environment(&exec->config);

	forget_changes(exec);
	return exec_child_start(&exec->child, &exec->command, env);
}

/* The command must hear of what it does not know, once it is quiet. */
static void plan_action(struct exec *exec)
{
	long long now = clock_now();

	if (exec_config_is_known(&exec->config)) {
		exec->act_at = exec->act_latest = 0;
		return;
	}
	if (!exec->act_latest)
		exec->act_latest = now + BURST_MS;
	exec->act_at = clock_first(now + QUIET_MS, exec->act_latest);
}

static void act(struct exec *exec)
{
	forget_changes(exec);
	if (exec->on_change == EXEC_RESTART) {
		if (!exec->leaving)
			exec_child_stop(&exec->child, exec->grace_ms);
	} else if (exec->on_change != EXEC_NOTHING) {
		exec_child_signal(&exec->child, exec->on_change);
	}
}

/* --- signals -------------------------------------------------------------- */

/* A terminal has sent its own to the command already. */
static void take_signals(struct exec *exec)
{
	struct signalfd_siginfo info;

	while (read(exec->signals, &info, sizeof(info)) == sizeof(info)) {
		int number = (int)info.ssi_signo;

		bool terminal = info.ssi_code == SI_KERNEL;

		if (exec_signal_ends(number) || (number == SIGHUP && terminal))
			exec->leaving = true;
		if (exec_signal_is_forwarded(number) && !terminal)
			exec_child_signal(&exec->child, number);
	}
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

static void wait_for_something(struct exec *exec)
{
	struct pollfd fds[EXEC_FEED_FDS + 1];
	long long moment =
		clock_first(exec->act_at, exec_config_moment(&exec->config));

	if (exec->child.state == CHILD_STOPPING)
		moment = clock_first(moment, exec->child.kill_at);
	exec_config_poll(&exec->config, fds);
	fds[EXEC_FEED_FDS] =
		(struct pollfd){.fd = exec->signals, .events = POLLIN};
	(void)poll(fds, EXEC_FEED_FDS + 1, clock_until(moment));
}

/* Whether that was all; then *status is how it ended. */
static bool take_end(struct exec *exec, int *status)
{
	bool restart = exec->child.state == CHILD_STOPPING;

	if (!exec_child_reap(&exec->child, status))
		return false;
	if (!restart || exec->leaving)
		return true;
	*status = start_command(exec);
	return *status != EXIT_DONE;
}

static void keep_current(struct exec *exec)
{
	if (exec_config_step(&exec->config))
		plan_action(exec);
	if (clock_is_past(exec->act_at))
		act(exec);
	if (exec->child.state == CHILD_STOPPING &&
	    clock_is_past(exec->child.kill_at))
		exec_child_kill(&exec->child);
}

/* The exit status of it all. */
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
	return status;
}

static void clean_up(struct exec *exec)
{
	exec_config_end(&exec->config);
	file_closep(&exec->signals);
}

static int run(const struct client *client, const void *fields, int argc,
	       char **argv)
{
	const struct exec_options *o = fields;
	struct exec exec = {
		.grace_ms = arguments_milliseconds(o->grace, GRACE_MS),
		.signals = -1,
		.config = {.client = client,
			   .files = o->files,
			   .folder = EXEC_FOLDER_INIT},
	};
	int status;

	if (argc == 0)
		return complain(EXEC_FAILED, "a command is missing: see "
					     "'clearconf exec --help'");
	if (!exec_signal_parse(o->on_change, &exec.on_change))
		return complain(EXEC_FAILED,
				"--on-change takes restart, none or "
				"signal:NAME such as signal:HUP: see "
				"'clearconf exec --help'");
	if (!exec_config_choose(&exec.config, o->vaults, argv))
		return complain(EXEC_FAILED, "--vaults takes merged or live: "
					     "see 'clearconf exec --help'");
	exec.command = (struct exec_command){argv, &exec.mask};
	status = prepare(&exec) == EXIT_DONE ? run_command(&exec) : EXEC_FAILED;
	clean_up(&exec);
	return status;
}

const struct command cmd_exec = {
	.name = "exec",
	.synopsis =
		"[--on-change restart|signal:NAME|none] [--grace S]\n"
		"                      [--vaults merged|live] [--files] [--] "
		"COMMAND [ARG...]",
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
		"after --grace), gets a signal, or is left alone, as "
		"--on-change says. Signals are passed\n"
		"on; after TERM, INT or QUIT there is no restart.\n"
		"\n"
		"--files writes what the section 'files' describes, unless "
		"apply_files says no: 0600\n"
		"where 'mode' says nothing else, and never through a symbolic "
		"link.\n"
		"\n"
		"Exit status: that of COMMAND; 125 a failure of clearconf's "
		"own, 126 COMMAND cannot be\n"
		"run, 127 it is not found, 128+N signal N ended it. Needs the "
		"right 'secrets'.",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.fields_size = sizeof(struct exec_options),
	.arguments_max = INT_MAX,
	.secret = true,
	.runs_words = true,
	.failure = EXEC_FAILED,
	.run = run,
};
