#include "exec/exec_signal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/compat.h"
#include "base/mem.h"

static const int not_caught[] = {
	SIGABRT, SIGBUS, SIGCONT, SIGFPE,  SIGILL,  SIGKILL, SIGSEGV,
	SIGSTOP, SIGSYS, SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU,
};

/* Signals that are about our child, or about a pipe of ours. */
static const int not_forwarded[] = {SIGCHLD, SIGPIPE};

static const int ending[] = {SIGINT, SIGQUIT, SIGTERM};

static bool is_one_of(int number, const int *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

void exec_signal_set(sigset_t *set)
{
	(void)sigfillset(set);
	for (size_t i = 0; i < ARRAY_SIZE(not_caught); i++)
		(void)sigdelset(set, not_caught[i]);
}

bool exec_signal_is_forwarded(int number)
{
	return !is_one_of(number, not_caught, ARRAY_SIZE(not_caught)) &&
	       !is_one_of(number, not_forwarded, ARRAY_SIZE(not_forwarded));
}

bool exec_signal_ends(int number)
{
	return is_one_of(number, ending, ARRAY_SIZE(ending));
}

/* 0 when there is no such signal. */
static int number_of(const char *name)
{
	const char *abbreviation;

	if (!strncasecmp(name, "SIG", 3))
		name += 3;
	for (int i = 1; i < NSIG; i++) {
		abbreviation = sigabbrev_np(i);
		if (abbreviation && !strcasecmp(abbreviation, name))
			return i;
	}
	if (!*name || strspn(name, "0123456789") != strlen(name) ||
	    strlen(name) > 2)
		return 0;
	return (int)strtoul(name, NULL, 10) <= SIGRTMAX
		       ? (int)strtoul(name, NULL, 10)
		       : 0;
}

static const struct {
	const char *name;
	int action;
} actions[] = {
	{"restart", EXEC_RESTART},
	{"idle", EXEC_IDLE},
	{"none", EXEC_NOTHING},
};

bool exec_signal_parse(const char *on_change, int *action)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(on_change, actions[i].name) != 0)
			continue;
		*action = actions[i].action;
		return true;
	}
	if (strncmp(on_change, "signal:", 7) != 0)
		return false;
	*action = number_of(on_change + 7);
	return *action > 0;
}
