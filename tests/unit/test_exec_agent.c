/* Which commands are ClearML's agent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "exec/exec_agent.h"

#define WORDS_MAX 16

struct command_line {
	char *text;
	char *argv[WORDS_MAX];
};

static struct command_line split(const char *text)
{
	struct command_line line = {.text = mem_strdup(text)};
	char *rest, *word = strtok_r(line.text, " ", &rest);

	for (size_t i = 0; word; i++) {
		assert_true(i + 1 < WORDS_MAX);
		line.argv[i] = word;
		word = strtok_r(NULL, " ", &rest);
	}
	return line;
}

static void assert_claim(const char *text, bool (*claim)(char *const *argv),
			 bool expected)
{
	struct command_line line = split(text);

	if (claim(line.argv) != expected)
		fail_msg("'%s' is %staken for one", text,
			 expected ? "not " : "");
	mem_free(line.text);
}

static void assert_subcommand(const char *text, const char *expected)
{
	struct command_line line = split(text);
	const char *found = exec_agent_subcommand(line.argv);

	assert_string_equal(found ? found : "(none)", expected);
	mem_free(line.text);
}

static void an_agent_is_known_by_its_words(void **state)
{
	static const char *const agents[] = {
		"clearml-agent",
		"clearml-agent daemon --queue gpu",
		"/opt/venv/bin/clearml-agent daemon",
		"python3 -m clearml_agent daemon",
		"/usr/bin/python3.12 -u -I -m clearml_agent daemon",
		"python -Xfaulthandler -W ignore -um clearml_agent",
		"python3 -X dev -mclearml_agent list",
		"python3 -m clearml_agent.__main__ daemon",
		"pypy3 /opt/venv/bin/clearml-agent daemon",
		"python3 -u ./clearml-agent daemon",
		"env -i A=1 B=2 clearml-agent daemon",
		"env -u HOME -C /tmp A= /bin/nice -n 5 clearml-agent daemon",
		"nice -5 python3 -m clearml_agent daemon",
		"ionice -c2 -n 7 clearml-agent daemon",
		"tini -- clearml-agent daemon",
		"taskset -c 0-3 clearml-agent daemon",
		"stdbuf -oL nohup setsid clearml-agent daemon",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(agents); i++)
		assert_claim(agents[i], exec_agent_is, true);
}

static void anything_else_is_none(void **state)
{
	static const char *const others[] = {
		"",
		"python3",
		"python3 -m",
		"python3 -W",
		"python3 train.py clearml-agent",
		"python3 -c pass -m clearml_agent",
		"python3 -m clearml",
		"python3 -W m clearml.py",
		"pythonista -m clearml_agent",
		"clearml-agent-slurm daemon",
		"sh -c clearml-agent",
		"echo clearml-agent daemon",
		"env A=1",
		"env -u clearml-agent",
		"nice -n clearml-agent",
		"clearml-agent=1 daemon",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_claim(others[i], exec_agent_is, false);
		assert_claim(others[i], exec_agent_is_worker, false);
		assert_subcommand(others[i], "(none)");
	}
}

static void its_subcommand_stands_after_its_own_options(void **state)
{
	(void)state;
	assert_subcommand("clearml-agent", "(none)");
	assert_subcommand("clearml-agent --version", "(none)");
	assert_subcommand("clearml-agent -d execute --id 1", "execute");
	assert_subcommand("clearml-agent --config-file f daemon", "daemon");
	assert_subcommand("clearml-agent --config=f daemon", "daemon");
	assert_subcommand("clearml-agent --debug list", "list");
	assert_claim("clearml-agent daemon", exec_agent_is_worker, true);
	assert_claim("clearml-agent daemon --stop", exec_agent_is_worker,
		     false);
	assert_claim("clearml-agent daemon --status", exec_agent_is_worker,
		     false);
	assert_claim("clearml-agent execute --id 1", exec_agent_is_worker,
		     false);
	assert_claim("clearml-agent daemon --standalone-mode",
		     exec_agent_is_worker, true);
}

static void services_mode_may_have_a_number(void **state)
{
	(void)state;
	assert_claim("clearml-agent daemon --services-mode",
		     exec_agent_is_services, true);
	assert_claim("clearml-agent daemon --services-mode=3 --queue s",
		     exec_agent_is_services, true);
	assert_claim("clearml-agent daemon --serv 3", exec_agent_is_services,
		     true);
	assert_claim("clearml-agent daemon --services-modes",
		     exec_agent_is_services, false);
	assert_claim("clearml-agent daemon --queue services",
		     exec_agent_is_services, false);
}

static void one_for_owners_says_so(void **state)
{
	(void)state;
	assert_claim("clearml-agent daemon --use-owner-token --queue q",
		     exec_agent_is_for_owners, true);
	assert_claim("clearml-agent daemon --uptime 1",
		     exec_agent_is_for_owners, false);
	assert_claim("clearml-agent execute --use-owner-token",
		     exec_agent_is_for_owners, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_agent_is_known_by_its_words),
		cmocka_unit_test(anything_else_is_none),
		cmocka_unit_test(its_subcommand_stands_after_its_own_options),
		cmocka_unit_test(services_mode_may_have_a_number),
		cmocka_unit_test(one_for_owners_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
