#include "exec/exec_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "call/clock.h"
#include "call/command.h"
#include "exec/exec_agent.h"
#include "exec/exec_env.h"
#include "exec/exec_files.h"
#include "exec/exec_overrides.h"
#include "read/doc.h"
#include "render/render.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "value/json.h"
#include "value/value.h"

/* --- the file ------------------------------------------------------------- */

static int write_file(struct exec_config *config)
{
	int r = exec_folder_write(&config->folder, buf_str(&config->text));

	if (r == 0)
		return EXIT_DONE;
	return complain(EXIT_FAILED, "cannot write %s: %s", config->folder.file,
			strerror(-r));
}

static void write_other_files(const struct exec_config *config)
{
	_cleanup_(exec_env_freep) char **env = NULL;

	if (!config->files)
		return;
	env = exec_config_environment(config);
	exec_files_write(exec_answers_whole(&config->now), env);
}

/* The file is for who runs with the variables of this process. */
static void leave_to_command(const struct exec_config *config,
			     const struct exec_answers *answers)
{
	if (config->daemon.agent && !config->live)
		exec_overrides_spare(
			value_get(answers->file.doc->root, STR("value")));
}

/* --- what there is to know ------------------------------------------------ */

static void note_state(struct exec_config *config)
{
	buf_deinit(&config->state);
	buf_add_str(&config->state, buf_str(&config->text));
	if (config->live)
		json_write(&config->state, exec_answers_whole(&config->now));
}

char **exec_config_environment(const struct exec_config *config)
{
	struct exec_env_wish wish = {
		.tree = config->now.file.value,
		.file = config->folder.file,
		.daemon = &config->daemon,
		.live = config->live,
		.login = config->login,
		.workspace = config->client->workspace,
	};

	return exec_env_make(&wish);
}

/* --- live or merged ------------------------------------------------------- */

static enum exec_login login_of(char *const *argv)
{
	if (!exec_agent_is(argv))
		return LOGIN_NOTHING;
	return exec_agent_is_for_owners(argv) ? LOGIN_HOST : LOGIN_ALL;
}

bool exec_config_choose(struct exec_config *config, const char *vaults,
			char *const *argv)
{
	if (!vaults)
		vaults = exec_agent_is(argv) ? GET_VIEW_LIVE : GET_VIEW_MERGED;
	config->live = !strcmp(vaults, GET_VIEW_LIVE);
	config->login = config->live ? login_of(argv) : LOGIN_NOTHING;
	return get_call_is_view(vaults);
}

/* Warn where ClearML's own reading of vaults is off as well: then they are
 * nowhere. */
static void warn_of_switches(void)
{
	static const char *const switches[] = {
		"CLEARML_DISABLE_VAULT_SUPPORT",
		"CLEARML_AGENT_DISABLE_VAULT_SUPPORT",
	};
	const char *text;
	bool off;

	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		text = getenv(switches[i]);
		if (text && str_to_bool(str_trim(str_from(text)), &off) && off)
			complain_warning("%s is set: with --vaults live "
					 "ClearML is to read the vaults, and "
					 "does not",
					 switches[i]);
	}
}

/* --- the first ------------------------------------------------------------ */

int exec_config_ask(struct exec_config *config)
{
	int status = exec_daemon_ask(&config->daemon, config->client);

	exec_feed_init(&config->feed, config->client, config->live,
		       config->require_vaults);
	if (config->live)
		warn_of_switches();
	if (status == EXIT_DONE)
		status = exec_feed_first(&config->feed, &config->now);
	if (status == EXIT_DONE)
		exec_answers_warn(&config->now);
	return status;
}

/* There is nothing that could stay. */
static bool is_accepted_at_first(struct exec_config *config)
{
	_cleanup_(rendering_deinit) struct rendering rendering = RENDERING_INIT;
	struct get_question question = exec_feed_question(&config->feed);
	const struct exec_check_subject subject = {
		config->client, &question, exec_answers_whole(&config->now)};

	if (!config->check.probe.command)
		return true;
	(void)render_hocon(&rendering, subject.real);
	return exec_check_run(&config->check, buf_str(&rendering.text),
			      &subject) == PROBE_YES;
}

/* With what the format has to say about it. */
static int write_first(struct exec_config *config)
{
	_cleanup_(rendering_deinit) struct rendering rendering = RENDERING_INIT;
	int status;

	leave_to_command(config, &config->now);
	if (!is_accepted_at_first(config))
		return EXIT_FAILED;
	status = output_render(&rendering, config->now.file.value, "hocon");
	if (status != EXIT_DONE)
		return status;
	buf_add_str(&config->text, buf_str(&rendering.text));
	note_state(config);
	write_other_files(config);
	return write_file(config);
}

int exec_config_begin(struct exec_config *config)
{
	int status = exec_folder_make(&config->folder);

	if (status == EXIT_DONE)
		status = write_first(config);
	if (status == EXIT_DONE)
		status = exec_feed_start(&config->feed);
	return status;
}

void exec_config_end(struct exec_config *config)
{
	exec_feed_deinit(&config->feed);
	exec_folder_remove(&config->folder);
	exec_daemon_deinit(&config->daemon);
	exec_check_deinit(&config->check);
	exec_answers_deinit(&config->candidate);
	exec_answers_deinit(&config->now);
	buf_deinit(&config->text);
	buf_deinit(&config->state);
}

/* --- changes -------------------------------------------------------------- */

/* Is the file, or what it comes to, another? Takes @answers over. */
static bool take_answers(struct exec_config *config,
			 struct exec_answers *answers)
{
	_cleanup_(rendering_deinit) struct rendering rendering = RENDERING_INIT;
	_cleanup_(buf_deinit) struct buf before = config->state;
	bool same;

	leave_to_command(config, answers);
	(void)render_hocon(&rendering, answers->file.value);
	same = str_equal(buf_str(&rendering.text), buf_str(&config->text));
	exec_answers_deinit(&config->now);
	config->now = *answers;
	buf_deinit(&config->text);
	config->text = rendering.text;
	rendering.text = BUF_INIT;
	config->state = BUF_INIT;
	note_state(config);
	if (!same)
		(void)write_file(config);
	if (str_equal(buf_str(&before), buf_str(&config->state)))
		return false;
	exec_answers_warn(&config->now);
	write_other_files(config);
	return true;
}

static bool take_candidate(struct exec_config *config,
			   enum exec_verdict verdict)
{
	struct exec_answers candidate = config->candidate;

	if (verdict == PROBE_RUNS)
		return false;
	config->candidate = (struct exec_answers){0};
	if (verdict == PROBE_YES)
		return take_answers(config, &candidate);
	exec_answers_deinit(&candidate);
	return false;
}

static enum exec_verdict look_at_candidate(struct exec_config *config)
{
	struct get_question question = exec_feed_question(&config->feed);
	const struct exec_check_subject subject = {
		config->client, &question,
		exec_answers_whole(&config->candidate)};

	return exec_check_look(&config->check, &subject);
}

static enum exec_verdict check_candidate(struct exec_config *config)
{
	_cleanup_(rendering_deinit) struct rendering rendering = RENDERING_INIT;

	if (!config->check.probe.command)
		return PROBE_YES;
	(void)render_hocon(&rendering, exec_answers_whole(&config->candidate));
	return exec_check_start(&config->check, buf_str(&rendering.text));
}

bool exec_config_step(struct exec_config *config)
{
	struct exec_answers answers;
	bool changed = false;

	if (exec_check_is_busy(&config->check))
		changed = take_candidate(config, look_at_candidate(config));
	if (!exec_feed_step(&config->feed, &answers))
		return changed;
	exec_answers_deinit(&config->candidate);
	config->candidate = answers;
	return take_candidate(config, check_candidate(config)) || changed;
}

long long exec_config_generation(const struct exec_config *config)
{
	return config->now.file.generation;
}

void exec_config_poll(const struct exec_config *config,
		      struct pollfd fds[EXEC_FEED_FDS])
{
	exec_feed_poll(&config->feed, fds);
}

long long exec_config_moment(const struct exec_config *config)
{
	return clock_first(exec_feed_moment(&config->feed),
			   config->check.probe.pid ? config->check.probe.until
						   : 0);
}
