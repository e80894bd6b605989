#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/mem.h"

#define BUF_FIRST 256

static bool is_mapped(size_t cap)
{
	return cap >= BUF_MAPPED;
}

void buf_deinit(struct buf *buf)
{
	if (is_mapped(buf->cap))
		mem_unmap(buf->data, buf->cap);
	else
		mem_free(buf->data);
	*buf = BUF_INIT;
}

static void resize(struct buf *buf, size_t cap)
{
	struct buf grown = {.len = buf->len, .cap = cap};

	if (!is_mapped(cap)) {
		grown.data = mem_grow(buf->data, cap);
	} else if (is_mapped(buf->cap)) {
		grown.data = mem_map(buf->data, buf->cap, cap);
	} else {
		grown.data = mem_map(NULL, 0, cap);
		if (buf->len)
			memcpy(grown.data, buf->data, buf->len);
		buf_deinit(buf);
	}
	*buf = grown;
}

char *buf_grow(struct buf *buf, size_t more)
{
	size_t cap = buf->cap ? buf->cap : BUF_FIRST;

	while (cap - buf->len < more)
		cap *= 2;
	if (cap != buf->cap)
		resize(buf, cap);
	return buf->data + buf->len;
}

void buf_put_int(struct buf *buf, long long number)
{
	char digits[24], *at = digits + sizeof(digits);
	unsigned long long left = number < 0 ? 0 - (unsigned long long)number
					     : (unsigned long long)number;

	do
		*--at = (char)('0' + left % 10);
	while (left /= 10);
	if (number < 0)
		*--at = '-';
	buf_add(buf, at, (size_t)(digits + sizeof(digits) - at));
}

void buf_vprintf(struct buf *buf, const char *format, va_list ap)
{
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, format, ap);
	if (len > 0) {
		char *end = buf_reserve(buf, (size_t)len + 1);

		(void)vsnprintf(end, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(buf, format, ap);
	va_end(ap);
}

void buf_drop(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	buf->len -= len;
	if (buf->len)
		memmove(buf->data, buf->data + len, buf->len);
}

struct str buf_str(struct buf *buf)
{
	*buf_reserve(buf, 1) = '\0';
	return (struct str){buf->data, buf->len};
}

char *buf_take(struct buf *buf)
{
	char *data;

	(void)buf_str(buf);
	if (is_mapped(buf->cap)) {
		data = mem_strndup(buf->data, buf->len);
		buf_deinit(buf);
		return data;
	}
	data = TAKE(buf->data);
	*buf = BUF_INIT;
	return data;
}
