#include "base/iso_time.h"

#include <time.h>

#include "base/mem.h"

bool iso_time_read(struct str text, int64_t *seconds)
{
	_cleanup_(mem_freep) char *copy = mem_strndup(text.ptr, text.len);
	struct tm utc = {0}, zone = {0};
	const char *rest = strptime(copy, "%Y-%m-%dT%H:%M:%S", &utc);

	if (!rest)
		return false;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (*rest)
		rest = strptime(rest, "%z", &zone);
	if (!rest || *rest)
		return false;
	*seconds = timegm(&utc) - zone.tm_gmtoff;
	return true;
}
