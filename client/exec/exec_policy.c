#include "exec/exec_policy.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "exec/exec_agent.h"
#include "exec/exec_agent_process.h"
#include "exec/exec_child.h"
#include "exec/exec_signal.h"
#include "text/complain.h"
#include "text/exit_status.h"

#define GRACE_MS       10000
#define GRACE_AGENT_MS 120000
#define UMASK_AGENT    077 /* it writes copies of its file for its tasks */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Those who hear of a change together must not act together. */
static int draw(int most_ms)
{
	unsigned int number = 0;

	if (most_ms <= 0)
		return 0;
	(void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
	return (int)(number % ((unsigned int)most_ms + 1));
}

static int default_action(const struct exec_policy *policy,
			  const struct exec_options *options)
{
	if (policy->is_worker || options->idle)
		return EXEC_IDLE;
	return policy->is_agent ? EXEC_NOTHING : EXEC_RESTART;
}

static int choose_action(struct exec_policy *policy,
			 const struct exec_options *options)
{
	if (!options->on_change) {
		policy->on_change = default_action(policy, options);
		return EXIT_DONE;
	}
	if (exec_signal_parse(options->on_change, &policy->on_change))
		return EXIT_DONE;
	return complain(EXEC_FAILED,
			"--on-change takes restart, idle, none or signal:NAME "
			"such as signal:HUP: see 'clearconf exec --help'");
}

static int check(const struct exec_policy *policy,
		 const struct exec_options *options)
{
	if (options->idle && policy->on_change != EXEC_IDLE)
		return complain(EXEC_FAILED,
				"--idle goes with --on-change idle");
	if (policy->is_agent && policy->on_change > 0 &&
	    exec_agent_process_dies_of(policy->on_change))
		return complain(EXEC_FAILED,
				"--on-change %s: clearml-agent ends or stops "
				"by this signal, and its task is lost or left "
				"alone; it cannot read its file again: use "
				"--on-change idle, which restarts it between "
				"two tasks",
				options->on_change);
	return EXIT_DONE;
}

static void warn(const struct exec_policy *policy,
		 const struct exec_options *options, char *const *argv)
{
	bool never = policy->is_agent && !options->idle &&
		     exec_agent_process_kind(argv) == WORKER_NEVER_IDLE;

	if (policy->on_change == EXEC_IDLE && never)
		complain_warning(
			"%s is never idle: its file is kept current, and it is "
			"%s",
			exec_agent_is_services(argv)
				? "an agent with several tasks beside each "
				  "other (services mode, dynamic GPUs)"
				: "this command of the agent's",
			options->max_wait ? "restarted after --max-wait"
					  : "not restarted");
	if (policy->is_worker && policy->on_change == EXEC_RESTART)
		complain_warning("--on-change restart ends the task that the "
				 "agent has at work: --on-change idle does "
				 "not");
}

int exec_policy_make(struct exec_policy *policy,
		     const struct exec_options *options, char *const *argv)
{
	int status;

	*policy = (struct exec_policy){
		.is_agent = exec_agent_is(argv),
		.is_worker = exec_agent_is_worker(argv),
		.splay_ms = draw(arguments_milliseconds(options->splay, 0)),
		.max_wait_ms = arguments_milliseconds(options->max_wait, 0),
		.name = base_name(argv[0]),
	};
	policy->grace_ms = arguments_milliseconds(
		options->grace, policy->is_agent ? GRACE_AGENT_MS : GRACE_MS);
	policy->umask = policy->is_agent ? UMASK_AGENT : EXEC_UMASK_OURS;
	if (options->umask)
		policy->umask = (mode_t)strtoul(options->umask, NULL, 8);
	if (policy->is_agent)
		policy->name = "clearml-agent";
	status = choose_action(policy, options);
	if (status == EXIT_DONE)
		status = check(policy, options);
	if (status == EXIT_DONE)
		warn(policy, options, argv);
	return status;
}

/* An agent ends in order by SIGTERM and SIGINT alone. */
int exec_policy_pass_on(const struct exec_policy *policy, int number)
{
	if (!policy->is_agent || number == SIGTERM || number == SIGINT ||
	    !exec_agent_process_dies_of(number))
		return number;
	if (number == SIGQUIT)
		return SIGTERM;
	complain_warning("signal %d is not passed on: clearml-agent would end "
			 "by it, and leave its task alone",
			 number);
	return 0;
}
