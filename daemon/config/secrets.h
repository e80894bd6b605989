#ifndef CONFIG_SECRETS_H
#define CONFIG_SECRETS_H

/*
 * Secrets: those that were seen, and how they are learned. What is a secret is
 * said by secret_rules.h; what is shown in its place, by mask.h.
 *
 * A set only grows: what was a secret once is hidden wherever it comes up
 * again, until all is forgotten. Patterns of the settings can only add to what
 * is hidden.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct buf;
struct secrets;
struct unpack;
struct value;

/* @patterns: more keys, patterns separated by blanks; NULL: none. */
struct secrets *secrets_new(const char *patterns);

/* Other patterns from now on; what was learned stays. */
void secrets_set_patterns(struct secrets *secrets, const char *patterns);
void secrets_free(struct secrets *secrets);

/* The same as they are now, whatever either learns later; another thread may
 * use it. */
struct secrets *secrets_pin(const struct secrets *secrets);

/* A number that changes whenever there is more to mask, or the patterns are
 * others. */
uint64_t secrets_version(const struct secrets *secrets);

/* How many texts are known. */
size_t secrets_count(const struct secrets *secrets);

/* Learn the secrets of a tree: the text of every scalar under a secret key is
 * masked from now on, in every string if it has eight characters or more, and
 * where it is the whole value if it has four. */
void secrets_learn(struct secrets *secrets, const struct value *root);

/* Where there is too much to learn at once: another thread finds what is new to
 * the set that it pinned, in @root, and appends it to @told; the set's own then
 * learns @count of these. True when there are more. */
void secrets_learn_told(struct secrets *pinned, const struct value *root,
			struct buf *told);
bool secrets_learn_some(struct secrets *secrets, struct unpack *told,
			size_t count);

/* Learn one secret, @text (NULL: none). */
void secrets_learn_text(struct secrets *secrets, const char *text);

/* Learn what the configuration @root itself wants hidden: keys that match
 * agent.sanitize_config_printout.hide_secrets and its like, and variables in
 * docker's arguments, agent.hide_docker_command_env_vars.extra_keys. */
void secrets_learn_patterns(struct secrets *secrets, const struct value *root);

/* Who is told of secrets that are no more. */
struct secrets_lost {
	void (*take)(void *data, struct str path);
	void *data;
};

/* Tell @lost the path of each secret of @was, by its key, that is not the same
 * in @is. */
void secrets_each_lost(const struct secrets *secrets, const struct value *was,
		       const struct value *is, const struct secrets_lost *lost);

/* Forget all that was learned. */
void secrets_forget(struct secrets *secrets);

#endif
