#ifndef EXEC_FILES_H
#define EXEC_FILES_H

struct value;

/*
 * Write the files of the configuration's `files` section, as ClearML's agent
 * does: { NAME { path, contents, format, target_format, overwrite, mode } }.
 * `~` and $VARIABLE in a path are those of @env.
 *
 * Unlike the agent's they are 0600 unless `mode` (octal) says otherwise, are
 * replaced whole or not at all, and are never written through a symbolic link.
 * What goes wrong with one of them is a warning.
 */
void exec_files_write(const struct value *tree, char *const *env);

#endif
