#ifndef EXEC_FILTER_H
#define EXEC_FILTER_H

/*
 * --only PATH: of the configuration, what a command is to hear of.
 */

struct buf;
struct exec_config;
struct option_list;

/* Are all paths good? EXIT_DONE or EXEC_FAILED, complained about. */
int exec_filter_check(const struct option_list *only);

/* Append to @facts what stands at the paths, and all there is to know where
 * there are none: whatever a command is to hear of makes a difference. */
void exec_filter_write(const struct option_list *only,
		       const struct exec_config *config, struct buf *facts);

#endif
