#include "read/duration.h"

#include "base/mem.h"
#include "read/reading.h"

static const char *const units[] = {
	"ns",      "nano",   "nanos",   "nanosecond",  "nanoseconds",
	"us",      "micro",  "micros",  "microsecond", "microseconds",
	"ms",      "milli",  "millis",  "millisecond", "milliseconds",
	"s",       "second", "seconds", "m",           "minute",
	"minutes", "h",      "hour",    "hours",       "w",
	"week",    "weeks",  "d",       "day",         "days",
	"mo",      "month",  "months",  "y",           "year",
	"years",
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* How many of the last characters of @text fulfil @is. */
static size_t count_back(struct str text, bool (*is)(char c))
{
	size_t count = 0;

	while (count < text.len && is(text.ptr[text.len - count - 1]))
		count++;
	return count;
}

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_unit(struct str word)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (str_is(word, units[i]))
			return true;
	return false;
}

/* A duration begins a word. */
static bool is_boundary(char c)
{
	return is_blank(c) || c == '=' || c == ':' || c == ',';
}

/* Bytes of `digits blanks unit` at the end of @text; 0: it ends otherwise. */
static size_t last_duration(struct str text)
{
	size_t whole = text.len, letters = count_back(text, is_letter), digits;

	if (!is_unit(str_from_offset(text, text.len - letters)))
		return 0;
	text.len -= letters;
	text.len -= count_back(text, is_blank);
	digits = count_back(text, is_digit);
	text.len -= digits;
	if (!digits || !text.len || !is_boundary(text.ptr[text.len - 1]))
		return 0;
	return whole - text.len;
}

static bool is_in_comment(struct str text, size_t offset)
{
	for (size_t at = offset; at-- > 0 && text.ptr[at] != '\n';)
		if (text.ptr[at] == '#' ||
		    (text.ptr[at] == '/' && text.ptr[at + 1] == '/'))
			return true;
	return false;
}

void duration_warn(struct reading *reading)
{
	struct source *source = reading->doc->sources[0];
	struct str text = source->text;
	size_t len;

	if (str_ends(text, STR("\n")))
		text.len--;
	len = last_duration(text);
	if (len && !is_in_comment(text, text.len - len))
		reading_warn(reading, source, text.len - len,
			     "ClearML makes an object of a duration that ends "
			     "a text; here it is the text, as everywhere");
}
