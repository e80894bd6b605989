#include "call/progress.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define FIRST_S 1
#define STEP_US 300000

/* All of one length, as each is written over the one before. */
static const char *const frames[] = {
	"\rwaiting for an answer .  \r",
	"\rwaiting for an answer .. \r",
	"\rwaiting for an answer ...\r",
};
#define NO_FRAME "\r                         \r"

static volatile sig_atomic_t shown; /* frames so far */

static void show(const char *text)
{
	ssize_t n = write(STDERR_FILENO, text, strlen(text));

	(void)n; /* it is an ornament */
}

static void on_alarm(int number)
{
	int kept = errno;

	(void)number;
	show(frames[shown % 3]);
	shown = shown + 1;
	errno = kept;
}

static void set_timer(time_t first, suseconds_t step)
{
	struct itimerval timer = {{0, step}, {first, 0}};

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

void progress_begin(struct progress *progress)
{
	struct sigaction action = {.sa_handler = on_alarm,
				   .sa_flags = SA_RESTART};

	progress->there = isatty(STDERR_FILENO);
	if (!progress->there)
		return;
	shown = 0;
	(void)sigaction(SIGALRM, &action, NULL);
	set_timer(FIRST_S, STEP_US);
}

void progress_end(struct progress *progress)
{
	if (!progress->there)
		return;
	set_timer(0, 0);
	(void)signal(SIGALRM, SIG_DFL);
	if (shown)
		show(NO_FRAME);
}
