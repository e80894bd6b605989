#ifndef FETCH_IDENTITY_H
#define FETCH_IDENTITY_H

/*
 * Identity: what a path leads to at a moment, without reading it.
 *
 * Equal identities mean the same content, as far as the file system tells: any
 * write, replacement, move, link pointed elsewhere or change of permissions
 * gives another one. A folder's covers its entries, but not what is below them.
 */

#include <stdbool.h>
#include <stdint.h>

struct identity {
	uint64_t error; /* errno when the path leads nowhere; the rest is 0 */
	uint64_t device, inode, type, size;
	uint64_t modified_ns, changed_ns;
	uint64_t entries; /* digest of a folder's, whatever their order */
};

/* Symbolic links are followed; a loop of them leads nowhere. */
void identity_of(struct identity *identity, const char *path);

bool identity_equal(const struct identity *a, const struct identity *b);

#endif
