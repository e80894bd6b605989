#ifndef BYTES_H
#define BYTES_H

/*
 * A growing run of bytes that may fail to grow, and is wiped wherever it
 * shrinks, moves or ends: replies hold secrets.
 *
 * Whoever embeds one ends it with bytes_deinit. A zeroed struct is empty.
 */

#include <stddef.h>

struct bytes {
	char *data;
	size_t len, cap;
};

/* Room for @more bytes after the end. 0 or -ENOMEM. */
int bytes_reserve(struct bytes *bytes, size_t more);

/* 0 or -ENOMEM. */
int bytes_add(struct bytes *bytes, const char *data, size_t len);

/* Take away the first @len. */
void bytes_drop(struct bytes *bytes, size_t len);

void bytes_deinit(struct bytes *bytes);

#endif
