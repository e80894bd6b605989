#ifndef CONFIG_AGENT_H
#define CONFIG_AGENT_H

/*
 * What ClearML's agent does to its layers besides merging them (semantics.md,
 * "Protected keys" and on): keys it owns keep the values they had below the
 * vaults, the Azure container of the environment is appended, the whitelists of
 * agent.snug are united, and a vault's agent.slurm.user_map replaces those
 * below.
 *
 * Each is written as a document of its own, derived from those below it and
 * put among them at its place; then merging is all that is left to do.
 */

struct env;
struct stack_docs;

/* Add the derived documents to @docs, the documents of a stack. They share
 * values of the others, so they live no longer than the list. */
void agent_derive(struct stack_docs *docs, const struct env *env);

#endif
