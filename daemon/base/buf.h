#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * A growing run of bytes, wiped when it grows or ends.
 *
 * Whoever embeds a buf ends it with buf_deinit; buf_take hands the bytes over
 * instead. A zeroed struct is an empty buf.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct buf {
	char *data;
	size_t len, cap;
};

#define BUF_INIT ((struct buf){0})

void buf_deinit(struct buf *buf);

/* Make room for @more bytes and return where they go; the caller then adds
 * what it wrote to buf->len. */
char *buf_reserve(struct buf *buf, size_t more);

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_str(struct buf *buf, struct str text);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_put_int(struct buf *buf, long long number);
void buf_printf(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Take away the first @len bytes. */
void buf_drop(struct buf *buf, size_t len);

/* The bytes so far, ended by a NUL that is not counted; valid until the next
 * change. */
struct str buf_str(struct buf *buf);

/* The same as heap memory of the caller's (mem_free); the buf is empty after.
 */
char *buf_take(struct buf *buf);

#endif
