#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * A growing run of bytes, wiped when it grows or ends.
 *
 * Whoever embeds a buf ends it with buf_deinit; buf_take hands the bytes over
 * instead. A zeroed struct is an empty buf. From BUF_MAPPED bytes on it grows
 * and ends without a copy or a look at every byte, so that a long answer costs
 * no turn of the loop more than another.
 */

#include <stddef.h>

#include <stdarg.h>

#include "base/str.h"

struct buf {
	char *data;
	size_t len, cap;
};

#define BUF_INIT ((struct buf){0})

/* A buf of this capacity or more lies in pages of its own, not on the heap. */
#define BUF_MAPPED ((size_t)4 * 1024 * 1024)

void buf_deinit(struct buf *buf);

/* The slow part of buf_reserve. */
char *buf_grow(struct buf *buf, size_t more);

/* Make room for @more bytes and return where they go; the caller then adds
 * what it wrote to buf->len. Never NULL. */
static inline char *buf_reserve(struct buf *buf, size_t more)
{
	if (buf->cap - buf->len < more || !buf->data)
		return buf_grow(buf, more);
	return buf->data + buf->len;
}

static inline void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (!len)
		return;
	memcpy(buf_reserve(buf, len), bytes, len);
	buf->len += len;
}

static inline void buf_add_str(struct buf *buf, struct str text)
{
	buf_add(buf, text.ptr, text.len);
}

static inline void buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

static inline void buf_putc(struct buf *buf, char c)
{
	*buf_reserve(buf, 1) = c;
	buf->len++;
}

void buf_put_int(struct buf *buf, long long number);
void buf_printf(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Take away the first @len bytes. */
void buf_drop(struct buf *buf, size_t len);

/* The bytes so far, ended by a NUL that is not counted; valid until the next
 * change. */
struct str buf_str(struct buf *buf);

/* The content with a NUL at its end, as heap memory of the caller's (mem_free);
 * the buf is empty after. */
char *buf_take(struct buf *buf);

#endif
