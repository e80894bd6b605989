#include "base/share.h"

#include <stdint.h>

#include "base/sha256.h"

unsigned int share_of(struct str machine, struct str subject)
{
	unsigned char digest[SHA256_BYTES];
	struct sha256 hash;
	uint64_t fraction = 0;

	sha256_init(&hash);
	sha256_add(&hash, machine);
	sha256_add(&hash, (struct str){"", 1});
	sha256_add(&hash, subject);
	sha256_end(&hash, digest);
	for (size_t i = 0; i < sizeof(fraction); i++)
		fraction = fraction << 8 | digest[i];
	return (unsigned int)((unsigned __int128)fraction * SHARE_WHOLE >> 64);
}
