#include "base/share.h"

#include <stdint.h>
#include <string.h>

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

bool share_read(struct str percent, int64_t *share)
{
	const char *point = memchr(percent.ptr, '.', percent.len);
	struct str whole = percent, rest = STR("0");
	int64_t percents, hundredths;

	if (point) {
		whole.len = (size_t)(point - percent.ptr);
		rest = str_from_offset(percent, whole.len + 1);
	}
	if (!str_to_number(whole, &percents) || percents > 100 ||
	    rest.len > 2 || !str_to_number(rest, &hundredths))
		return false;
	*share = percents * SHARE_PERCENT +
		 hundredths * (rest.len == 1 ? 10 : 1);
	return *share > 0 && *share <= SHARE_WHOLE;
}
