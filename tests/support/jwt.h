#ifndef SUPPORT_JWT_H
#define SUPPORT_JWT_H

/*
 * Tokens for tests: what a ClearML server would sign, without a signature that
 * anybody could check.
 */

#include "base/buf.h"
#include "base/mem.h"
#include "fetch/base64.h"

/* header.payload.signature around the JSON @claims; the caller's. */
static inline char *jwt_make(const char *claims)
{
	struct buf token = BUF_INIT;

	buf_puts(&token, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.");
	base64_write(&token, str_from(claims));
	while (token.data[token.len - 1] == '=')
		token.len--;
	for (size_t i = 0; i < token.len; i++) {
		if (token.data[i] == '+')
			token.data[i] = '-';
		else if (token.data[i] == '/')
			token.data[i] = '_';
	}
	buf_puts(&token, ".c2lnbmF0dXJl");
	return buf_take(&token);
}

#endif
