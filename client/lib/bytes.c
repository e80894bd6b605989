#include "bytes.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_FIRST 4096

static size_t grown(const struct bytes *bytes, size_t need)
{
	size_t cap = bytes->cap ? bytes->cap : BYTES_FIRST;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	return cap;
}

int bytes_reserve(struct bytes *bytes, size_t more)
{
	struct bytes larger = {.len = bytes->len};

	if (bytes->cap - bytes->len >= more)
		return 0;
	if (more > SIZE_MAX - bytes->len)
		return -ENOMEM;
	larger.cap = grown(bytes, bytes->len + more);
	larger.data = malloc(larger.cap);
	if (!larger.data)
		return -ENOMEM;
	if (bytes->len)
		memcpy(larger.data, bytes->data, bytes->len);
	bytes_deinit(bytes);
	*bytes = larger;
	return 0;
}

int bytes_add(struct bytes *bytes, const char *data, size_t len)
{
	int r = bytes_reserve(bytes, len);

	if (r < 0)
		return r;
	if (len)
		memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
	return 0;
}

void bytes_drop(struct bytes *bytes, size_t len)
{
	size_t rest = bytes->len - len;

	if (!len)
		return;
	if (rest)
		memmove(bytes->data, bytes->data + len, rest);
	explicit_bzero(bytes->data + rest, len);
	bytes->len = rest;
}

/* Beyond the length there is nothing to wipe: bytes_drop saw to it. */
void bytes_deinit(struct bytes *bytes)
{
	if (bytes->len)
		explicit_bzero(bytes->data, bytes->len);
	free(bytes->data);
	*bytes = (struct bytes){0};
}
