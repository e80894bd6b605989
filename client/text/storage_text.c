#include "text/storage_text.h"

#include "base/buf.h"
#include "base/printable.h"
#include "text/answer.h"
#include "text/output.h"
#include "text/place_text.h"
#include "value/json.h"
#include "value/value.h"

/* "/home/u/clearml.conf:12:5 (file)" */
static void add_origin(struct buf *out, const struct value *origin)
{
	place_text_add(out, origin);
	buf_printf(out, " (%.*s)", STR_PRINT(answer_text(origin, "layer")));
}

static bool is_printable(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (printable_control_at(str_from_offset(text, i)))
			return false;
	return true;
}

/* Write a value, bare where that says as much as JSON. */
static void add_value(struct buf *out, const struct value *value)
{
	if (value_is(value, VALUE_STRING) && is_printable(value_text(value)))
		buf_add_str(out, value_text(value));
	else
		json_write(out, value);
}

static bool is_empty(const struct value *value)
{
	return value_is(value, VALUE_NULL) ||
	       (value_is(value, VALUE_STRING) && !value->text.len);
}

/* What an entry does not say is left out. */
static void add_settings(struct buf *out, const struct value *settings)
{
	struct member *member;

	if (!value_is(settings, VALUE_OBJECT))
		return;
	for (value_each (settings, member)) {
		if (is_empty(member->value))
			continue;
		buf_printf(out, "  %-22.*s ", STR_PRINT(member_key(member)));
		add_value(out, member->value);
		buf_putc(out, '\n');
	}
}

static void add_heading(struct buf *out, const struct value *storage)
{
	const struct value *origin = value_get(storage, STR("origin"));

	buf_printf(out, "%s%.*s%s, from ", output_colour(OUTPUT_BOLD),
		   STR_PRINT(answer_text(storage, "provider")),
		   output_colour(OUTPUT_PLAIN));
	if (value_is(origin, VALUE_OBJECT))
		add_origin(out, origin);
	else
		buf_puts(out, "the defaults, as no entry matches");
	buf_putc(out, '\n');
}

/* Is the setting an empty string? A masked one is not. */
static bool lacks(const struct value *settings, const char *key)
{
	const struct value *value = value_get(settings, str_from(key));

	return value_is(value, VALUE_STRING) && !value->text.len;
}

static void add_advice(struct buf *out, const struct value *storage)
{
	const struct value *settings = value_get(storage, STR("settings"));

	if (!str_is(answer_text(storage, "provider"), "s3") ||
	    answer_bool(settings, "use_credentials_chain"))
		return;
	if (lacks(settings, "key") || lacks(settings, "secret"))
		buf_printf(out,
			   "  %sClearML fails with these: there is no key and "
			   "secret, and use_credentials_chain is\n"
			   "  off.%s Set one or the other in sdk.aws.s3.\n",
			   output_colour(OUTPUT_YELLOW),
			   output_colour(OUTPUT_PLAIN));
}

static void add_rejected(struct buf *out, const struct value *rejected)
{
	int64_t index = answer_int(rejected, "index", -1);

	buf_puts(out, "  ");
	if (index >= 0)
		buf_printf(out, "entry %lld, ", (long long)index);
	add_origin(out, value_get(rejected, STR("origin")));
	buf_printf(out, "\n    %s%.*s%s\n", output_colour(OUTPUT_DIM),
		   STR_PRINT(answer_text(rejected, "reason")),
		   output_colour(OUTPUT_PLAIN));
}

void storage_text_write(struct buf *out, const struct value *storage)
{
	const struct value *rejected = value_get(storage, STR("rejected"));

	add_heading(out, storage);
	add_settings(out, value_get(storage, STR("settings")));
	add_advice(out, storage);
	if (!value_is(rejected, VALUE_LIST) || !rejected->list.count)
		return;
	buf_puts(out, "\nNot used:\n");
	for (uint32_t i = 0; i < rejected->list.count; i++)
		add_rejected(out, rejected->list.items[i]);
}
