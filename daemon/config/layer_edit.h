#ifndef CONFIG_LAYER_EDIT_H
#define CONFIG_LAYER_EDIT_H

/*
 * What a layer's source says of who wrote its text: a vault is for a user, a
 * group or an organization, and is of one of them.
 */

#include <stdint.h>

/* NULL, 0: it does not say. */
struct layer_edit {
	const char *scope, *owner, *last_update; /* as the server writes it */
	int64_t revision;                        /* of etcd's, of a document */
};

/* A copy of the caller's. */
struct layer_edit layer_edit_copy(const struct layer_edit *edit);
void layer_edit_deinit(struct layer_edit *edit);

#endif
