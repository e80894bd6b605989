#include "text/expiry.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NUMBER_MAX 1000000

/* Read the whole of @text by @format. */
static const char *scan(const char *text, const char *format, struct tm *date)
{
	const char *end = strptime(text, format, date);

	return end && !*end ? end : NULL;
}

static int64_t until_date(const char *text, int64_t now)
{
	struct tm date = {.tm_isdst = -1};
	struct tm checked;
	time_t at;

	if (!scan(text, "%Y-%m-%dT%H:%M", &date)) {
		date = (struct tm){.tm_isdst = -1};
		if (!scan(text, "%Y-%m-%d", &date))
			return 0;
	}
	checked = date;
	at = mktime(&checked);
	/* No 31st of February. */
	return checked.tm_mday == date.tm_mday && at > now ? at - now : 0;
}

static int64_t factor_of(const char *unit)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {
		{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(units[i].name, unit))
			return units[i].seconds;
	return 0;
}

int64_t expiry_parse(const char *text, int64_t now)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*text >= '0' && *text <= '9' && number <= NUMBER_MAX &&
	    factor_of(end))
		return number * factor_of(end);
	return until_date(text, now);
}
