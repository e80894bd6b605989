#ifndef HOOK_H
#define HOOK_H

/* Run @command by the shell and wait for it, at most @timeout_ms: then it and
 * all it started get SIGTERM, two seconds later SIGKILL. What went wrong is
 * complained about. An exit status. */
int hook_run(const char *command, int timeout_ms);

#endif
