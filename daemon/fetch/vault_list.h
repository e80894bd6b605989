#ifndef FETCH_VAULT_LIST_H
#define FETCH_VAULT_LIST_H

/*
 * Vault list: the vaults of one answer, in the order of the server.
 *
 * Its texts lie in its arena, but for those of data that the answer holds as
 * text: these are borrowed from the answer's document, except in a copy.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

struct value;

/* The types that are asked for, each a feed of its own. */
enum vault_feed { VAULT_CONFIG, VAULT_MONITORING, VAULT_FEEDS };

struct vault {
	const char *id, *description;      /* "" when the server gave none */
	const char *format, *type, *scope; /* NULL: not said */
	const char *last_update;           /* as the server writes it; NULL */
	struct str data;                   /* ptr NULL: null or absent */
	const char *owner; /* a group's name, else a user's id; NULL */
};

struct vault_list {
	struct arena arena;
	struct vault *vaults;
	size_t count;
};

/* Into an empty @list; @vaults is a list. What is no object in it is left out.
 */
void vault_list_read(struct vault_list *list, const struct value *vaults);
void vault_list_copy(struct vault_list *list, const struct vault_list *from);
void vault_list_deinit(struct vault_list *list);

/* All that @vault is, its texts in @arena. */
struct vault vault_copy(struct arena *arena, const struct vault *vault);

/* The feed of its type; VAULT_FEEDS: of another type, or it does not say. */
enum vault_feed vault_feed_of(const struct vault *vault);

/* The next vault of @feed, from *@at on, which is then behind it; NULL: there
 * is no more. */
const struct vault *vault_list_next(const struct vault_list *list,
				    enum vault_feed feed, size_t *at);

/* Is every vault of a type that is asked for, and says so? */
bool vault_list_is_of_feeds(const struct vault_list *list);

/* The same vaults of @feed, in the same order? */
bool vault_list_equal(const struct vault_list *a, const struct vault_list *b,
		      enum vault_feed feed);

#endif
