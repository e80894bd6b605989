#include "base/sha256.h"

#include <string.h>

/* The first 32 bits of the fractional parts of the square roots of the first
 * eight primes, and of the cube roots of the first 64. */
static const uint32_t first_state[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turn(uint32_t word, unsigned int bits)
{
	return word >> bits | word << (32 - bits);
}

static uint32_t read_word(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

static void write_number(unsigned char *bytes, uint64_t number, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes[i] = (unsigned char)(number >> 8 * (count - 1 - i));
}

static void make_schedule(uint32_t schedule[64],
			  const unsigned char block[SHA256_BLOCK])
{
	for (size_t i = 0; i < 16; i++)
		schedule[i] = read_word(block + 4 * i);
	for (size_t i = 16; i < 64; i++) {
		uint32_t a = schedule[i - 15], b = schedule[i - 2];

		schedule[i] = schedule[i - 16] + schedule[i - 7] +
			      (turn(a, 7) ^ turn(a, 18) ^ a >> 3) +
			      (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
	}
}

/* FIPS 180-4, 6.2.2. Its letters a to h are LETTER(0) to LETTER(7): instead of
 * each going into the next, where they lie is turned, which eight rounds bring
 * back to the beginning and the compiler into registers. */
#define LETTER(n) s[((n)-i) & 7]

static void take_block(struct sha256 *hash, const unsigned char *block)
{
	uint32_t w[64], s[8], first;

	make_schedule(w, block);
	memcpy(s, hash->state, sizeof(s));
#pragma GCC unroll 8
	for (size_t i = 0; i < 64; i++) {
		uint32_t a = LETTER(0), e = LETTER(4);

		first = LETTER(7) + constants[i] + w[i] +
			(turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
			((e & LETTER(5)) ^ (~e & LETTER(6)));
		LETTER(3) += first;
		LETTER(7) = first + (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) +
			    ((a & LETTER(1)) ^ (a & LETTER(2)) ^
			     (LETTER(1) & LETTER(2)));
	}
	for (size_t i = 0; i < 8; i++)
		hash->state[i] += s[i];
}

void sha256_init(struct sha256 *hash)
{
	*hash = (struct sha256){0};
	memcpy(hash->state, first_state, sizeof(first_state));
}

void sha256_add(struct sha256 *hash, struct str bytes)
{
	size_t have = hash->length % SHA256_BLOCK, part;

	hash->length += bytes.len;
	while (bytes.len) {
		part = SHA256_BLOCK - have;
		if (part > bytes.len)
			part = bytes.len;
		memcpy(hash->block + have, bytes.ptr, part);
		bytes = str_from_offset(bytes, part);
		have = (have + part) % SHA256_BLOCK;
		if (!have)
			take_block(hash, hash->block);
	}
}

void sha256_end(struct sha256 *hash, unsigned char digest[SHA256_BYTES])
{
	static const char padding[SHA256_BLOCK] = {(char)0x80};
	unsigned char bits[8];
	size_t have = hash->length % SHA256_BLOCK;

	write_number(bits, hash->length * 8, sizeof(bits));
	sha256_add(hash, (struct str){padding, (have < 56 ? 56 : 120) - have});
	sha256_add(hash, (struct str){(const char *)bits, sizeof(bits)});
	for (size_t i = 0; i < 8; i++)
		write_number(digest + 4 * i, hash->state[i], 4);
	explicit_bzero(hash, sizeof(*hash));
}

static void begin_with_key(struct sha256 *hash, const unsigned char *key,
			   unsigned char pad)
{
	char block[SHA256_BLOCK];

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(key[i] ^ pad);
	sha256_init(hash);
	sha256_add(hash, (struct str){block, sizeof(block)});
	explicit_bzero(block, sizeof(block));
}

void hmac_sha256_init(struct hmac_sha256 *mac, struct str key)
{
	unsigned char block[SHA256_BLOCK] = {0};

	if (key.len > sizeof(block)) {
		sha256_init(&mac->inner);
		sha256_add(&mac->inner, key);
		sha256_end(&mac->inner, block);
	} else if (key.len) {
		memcpy(block, key.ptr, key.len);
	}
	begin_with_key(&mac->inner, block, 0x36);
	begin_with_key(&mac->outer, block, 0x5c);
	explicit_bzero(block, sizeof(block));
}

void hmac_sha256_add(struct hmac_sha256 *mac, struct str bytes)
{
	sha256_add(&mac->inner, bytes);
}

void hmac_sha256_end(struct hmac_sha256 *mac,
		     unsigned char digest[SHA256_BYTES])
{
	sha256_end(&mac->inner, digest);
	sha256_add(&mac->outer,
		   (struct str){(const char *)digest, SHA256_BYTES});
	sha256_end(&mac->outer, digest);
}

void sha256_write_hex(const unsigned char *digest, size_t count, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 15];
	}
	text[2 * count] = '\0';
}
