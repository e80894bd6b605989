#ifndef BASE_SHA256_H
#define BASE_SHA256_H

/*
 * SHA-256 (FIPS 180-4), and HMAC by it (RFC 2104): for what has to be the same
 * on every host and in every release, and for names that give nothing away.
 * Pure; what is added in pieces has the digest of the pieces joined.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define SHA256_BYTES 32
#define SHA256_BLOCK 64

struct sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes added */
	unsigned char block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, struct str bytes);
void sha256_end(struct sha256 *hash, unsigned char digest[SHA256_BYTES]);

struct hmac_sha256 {
	struct sha256 inner, outer;
};

void hmac_sha256_init(struct hmac_sha256 *mac, struct str key);
void hmac_sha256_add(struct hmac_sha256 *mac, struct str bytes);
void hmac_sha256_end(struct hmac_sha256 *mac,
		     unsigned char digest[SHA256_BYTES]);

/* Write @count of @digest's bytes as text: 2 * @count digits and a NUL. */
void sha256_write_hex(const unsigned char *digest, size_t count, char *text);

#endif
