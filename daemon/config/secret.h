#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

/*
 * What must not be shown to a peer without the right `secrets`.
 *
 * The masked view of a tree is a tree: whatever is secret in it is the string
 * "****" in place of the original, everything else is shared. Replies, watches
 * and diffs need no second way. INTERFACE.md "Masking" is the rule: by key, by
 * a known secret inside another string, passwords in URLs. Patterns of the
 * settings can only add.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;
struct path;
struct secrets;
struct value;

#define SECRET_MASK "****"

/* @patterns: more keys, patterns separated by blanks; NULL: none. */
struct secrets *secrets_new(const char *patterns);

/* Other patterns from now on; what was learned stays. */
void secrets_set_patterns(struct secrets *secrets, const char *patterns);
void secrets_free(struct secrets *secrets);

/* The same as they are now, whatever either learns later; another thread may
 * use it. */
struct secrets *secrets_pin(const struct secrets *secrets);

/* Another number whenever there is more to mask, or other patterns. */
uint64_t secrets_version(const struct secrets *secrets);

/* How many texts are known. */
size_t secrets_count(const struct secrets *secrets);

/* Learn the secrets of a tree: the text of every scalar under a secret key is
 * masked from now on, in every string if it has eight characters or more, and
 * where it is the whole value if it has four. */
void secrets_learn(struct secrets *secrets, const struct value *root);

/* The same of one secret, @text (NULL: none). */
void secrets_learn_text(struct secrets *secrets, const char *text);

/* Learn what the configuration @root itself wants hidden: keys that match
 * agent.sanitize_config_printout.hide_secrets and its like, and variables in
 * docker's arguments, agent.hide_docker_command_env_vars.extra_keys. */
void secrets_learn_patterns(struct secrets *secrets, const struct value *root);

/* Forget all that was learned. */
void secrets_forget(struct secrets *secrets);

/* Append @text to @out as it may be shown; true when something is hidden. */
bool secrets_mask_into(const struct secrets *secrets, struct str text,
		       struct buf *out);

/* @text, of somebody else, as it may be shown; the caller's. */
char *secrets_mask_text(const struct secrets *secrets, const char *text);

/* In a document that somebody had read with variables of his own, mark what
 * they brought as known to him: it is hidden by its key only, wherever it
 * lands, or he could try what is a secret. @twin is the same document read with
 * other values of them. Where what else a text holds is to be hidden, all of it
 * is. */
void secrets_mark_foreign(const struct secrets *secrets, struct value *root,
			  const struct value *twin);

/* @root as it may be shown; @root itself when there is nothing to hide. The
 * shape stays: members and elements are at the same places. */
struct value *secrets_mask(const struct secrets *secrets, struct arena *arena,
			   struct value *root);

/* What stands at @path of @root, as it may be shown; NULL when nothing does. */
struct value *secrets_mask_at(const struct secrets *secrets,
			      struct arena *arena, const struct value *root,
			      const struct path *path);

#endif
