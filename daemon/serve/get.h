#ifndef SERVE_GET_H
#define SERVE_GET_H

/*
 * Get: the value at a path, now. And the workspaces there are.
 *
 * The whole configuration goes out as the snapshot's finished bytes; a part is
 * written. With an environment of the caller's the answer is made for this call
 * alone (environment.h).
 */

struct arena;
struct buf;
struct path;
struct request;
struct secrets;
struct snapshot;
struct stack_docs;
struct value;
struct view;

/* Methods of io.clearconf. */
void get_answer(struct request *request);
void get_list_workspaces(struct request *request);

/* generation, state and stale, as every answer about a view begins. */
void get_add_state(struct buf *fields, const struct view *view);

/* The documents that the caller's environment has left out, and why: what
 * ClearML would tell of at its start. */
void get_add_left_out(struct buf *fields, const struct stack_docs *docs,
		      const struct secrets *secrets);

/* What may be seen of the value at @path in @snapshot, where it exists, by who
 * gets it through @mask (NULL: as it is): NULL when masking has put something
 * else in its place. */
const struct value *get_visible(struct snapshot *snapshot,
				const struct path *path,
				const struct secrets *mask,
				struct arena *arena);

/* The same written as JSON. */
void get_write_visible(struct buf *out, const struct value *visible);

#endif
