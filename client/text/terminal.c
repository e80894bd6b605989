#include "text/terminal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND 127 /* exit status of a shell */

bool terminal_is_there(void)
{
	return isatty(STDOUT_FILENO);
}

struct terminal_size terminal_size(void)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return (struct terminal_size){0};
	return (struct terminal_size){size.ws_row, size.ws_col};
}

bool terminal_has_colour(int fd)
{
	const char *no = getenv("NO_COLOR");

	return !(no && *no) && isatty(fd);
}

/* --- the pager ------------------------------------------------------------ */

/* Lines of the screen, none of them taken for a wrapped one: less finds out
 * itself, when it is too many, that all of it fits. */
static bool is_higher(struct str text, size_t rows)
{
	size_t lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.ptr[i] == '\n';
	return rows && lines >= rows;
}

/* The pager to start; NULL: none. */
static const char *pager(void)
{
	const char *named = getenv("CLEARCONF_PAGER");
	const char *terminal = getenv("TERM");

	if (!named)
		named = getenv("PAGER");
	if (!named)
		named = "less";
	if (!*named || !strcmp(named, "cat") || !terminal ||
	    !strcmp(terminal, "dumb"))
		return NULL;
	return named;
}

/* The pager is left before the end of the text: that is no failure. */
static int feed(const char *command, struct str text)
{
	FILE *pipe = popen(command, "w");

	if (!pipe)
		return NOT_FOUND << 8;
	(void)fwrite(text.ptr, 1, text.len, pipe);
	return pclose(pipe);
}

bool terminal_page(struct str text)
{
	static const int signals[] = {SIGINT, SIGQUIT, SIGPIPE};
	const char *command = pager();
	void (*before[sizeof(signals) / sizeof(signals[0])])(int);
	int status;

	if (!terminal_is_there() || !command ||
	    !is_higher(text, terminal_size().rows))
		return false;
	(void)setenv("LESS", "FRX", 0);
	(void)setenv("LV", "-c", 0);
	(void)fflush(stdout);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		before[i] = signal(signals[i], SIG_IGN);
	status = feed(command, text);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], before[i]);
	return !(WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND);
}
