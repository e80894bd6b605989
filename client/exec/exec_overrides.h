#ifndef EXEC_OVERRIDES_H
#define EXEC_OVERRIDES_H

/*
 * What of this process's environment a program of ClearML would apply once
 * more over a file that holds the whole configuration.
 *
 * Its agent lays CLEARML_AGENT__* and the variables that it knows by name over
 * every file (semantics.md, "Layers"). Mostly that changes nothing: the file
 * has the same values. It does where a vault has won over the variable.
 */

#include <stdbool.h>

#include "base/str.h"

struct value;

/* The names of those that would give @tree another value than it has: the
 * program must not get them. Only ClearML's own; host, access key and secret
 * key all or none. NULL-terminated; exec_overrides_freep frees it. */
char **exec_overrides_find(const struct value *tree);
void exec_overrides_freep(char ***names);

bool exec_overrides_has(char *const *names, struct str name);

/* Take out of @tree the storage container that the agent itself appends to its
 * list, from AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY, at each start. */
void exec_overrides_spare(struct value *tree);

#endif
