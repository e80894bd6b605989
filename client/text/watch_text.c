#include "text/watch_text.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"
#include "text/answer.h"
#include "text/output.h"
#include "text/place_text.h"
#include "text/time_text.h"
#include "value/json.h"
#include "value/value.h"

/* "43 2026-11-24 08:01:02" */
static void begin(struct buf *out, const struct watch_text *text)
{
	buf_printf(out, "%lld ", (long long)text->generation);
	time_text_add(out, text->now);
}

static void begin_line(struct buf *out, const struct watch_text *text,
		       const char *kind, enum output_colour colour)
{
	begin(out, text);
	buf_printf(out, " %s%s%s ", output_colour(colour), kind,
		   output_colour(OUTPUT_PLAIN));
}

/* "vault:team:3:5", "file:/home/u/clearml.conf:12:18"; nobody has written an
 * empty root. */
static void add_origin(struct buf *out, const struct value *origin)
{
	struct str layer = answer_text(origin, "layer");

	if (!layer.len)
		return;
	buf_printf(out, " %s(%.*s:", output_colour(OUTPUT_DIM),
		   STR_PRINT(layer));
	place_text_add(out, origin);
	buf_printf(out, ")%s", output_colour(OUTPUT_PLAIN));
}

static void add_values(struct buf *out, const struct value *change)
{
	const struct value *old = value_get(change, STR("old"));
	const struct value *new = value_get(change, STR("new"));

	if (old) {
		buf_putc(out, ' ');
		json_write(out, old);
	}
	if (old && new)
		buf_puts(out, " ->");
	if (new) {
		buf_putc(out, ' ');
		json_write(out, new);
	}
}

/* Is there such a @text? Then @before is put before it. */
static bool begin_item(struct buf *out, const char *before, struct str text)
{
	if (!text.len)
		return false;
	buf_puts(out, out->data[out->len - 1] == '[' ? "" : ", ");
	buf_puts(out, before);
	return true;
}

/* The user of a user's vault is the one who is logged in.
 * "[group gpu, edited 2026-11-24 07:48:56]", "[revision 12]" */
static void add_edit(struct buf *out, const struct value *change)
{
	_cleanup_(buf_deinit) struct buf edit = BUF_INIT, number = BUF_INIT;
	struct str scope = answer_text(change, "scope");
	struct str owner = answer_text(change, "owner");
	struct str edited = answer_text(change, "last_update");
	int64_t revision = answer_int(change, "revision", 0);

	buf_putc(&edit, '[');
	if (begin_item(&edit, "", scope))
		printable_add(&edit, scope);
	if (owner.len && !str_is(scope, "user")) {
		buf_puts(&edit, scope.len ? " " : "");
		printable_add(&edit, owner);
	}
	if (begin_item(&edit, "edited ", edited))
		time_text_add_written(&edit, edited);
	if (revision)
		buf_put_int(&number, revision);
	if (begin_item(&edit, "revision ", buf_str(&number)))
		buf_add_str(&edit, buf_str(&number));
	if (edit.len > 1)
		buf_printf(out, " %s%.*s]%s", output_colour(OUTPUT_DIM),
			   STR_PRINT(buf_str(&edit)),
			   output_colour(OUTPUT_PLAIN));
}

static enum output_colour colour_of(struct str kind)
{
	if (str_is(kind, "added"))
		return OUTPUT_GREEN;
	return str_is(kind, "removed") ? OUTPUT_RED : OUTPUT_YELLOW;
}

void watch_text_add_change(struct buf *out, const struct value *change,
			   bool values)
{
	struct str kind = answer_text(change, "kind");

	buf_printf(out, "%s%.*s%s ", output_colour(colour_of(kind)),
		   STR_PRINT(kind), output_colour(OUTPUT_PLAIN));
	buf_add_str(out, answer_text(change, "path"));
	if (values)
		add_values(out, change);
	add_origin(out, value_get(change, STR("origin")));
	add_edit(out, change);
	buf_putc(out, '\n');
}

static void add_state(struct buf *out, struct watch_text *text,
		      struct str state)
{
	if (str_is(state, text->state))
		return;
	(void)snprintf(text->state, sizeof(text->state), "%.*s",
		       STR_PRINT(state));
	begin_line(out, text, "state", OUTPUT_BOLD);
	buf_printf(out, "%s\n", text->state);
}

static void add_hold(struct buf *out, struct watch_text *text, int64_t held)
{
	if (held == text->held)
		return;
	text->held = held;
	begin_line(out, text, held ? "held" : "released", OUTPUT_YELLOW);
	if (held)
		buf_printf(out, "generation %lld", (long long)held);
	else
		buf_puts(out, "what comes is served again");
	buf_putc(out, '\n');
}

/* The whole tree, or with paths an object keyed by them. */
static void take_value(struct leaves *leaves, const struct watch_text *text,
		       const struct value *value)
{
	struct member *member;

	if (!text->by_path) {
		leaves_add(leaves, STR(""), value);
		return;
	}
	for (value_each (value, member))
		leaves_add(leaves, member_key(member), member->value);
}

static void add_known(struct buf *out, const struct watch_text *text)
{
	for (size_t i = 0; i < text->known.count; i++) {
		begin_line(out, text, "value", OUTPUT_PLAIN);
		buf_printf(out, "%s %s\n", text->known.items[i].path,
			   text->known.items[i].json);
	}
}

struct difference {
	struct buf *out;
	const struct watch_text *text;
};

static void add_difference(void *data, const char *path, const char *old,
			   const char *new)
{
	const struct difference *difference = data;
	struct buf *out = difference->out;
	const char *kind = "changed";

	if (!old || !new)
		kind = old ? "removed" : "added";
	begin_line(out, difference->text, kind, colour_of(str_from(kind)));
	buf_puts(out, path);
	if (difference->text->values)
		buf_printf(out, "%s%s%s%s%s", old ? " " : "", old ? old : "",
			   old && new ? " ->" : "", new ? " " : "",
			   new ? new : "");
	buf_putc(out, '\n');
}

static void add_current(struct buf *out, struct watch_text *text,
			const struct value *value)
{
	struct difference difference = {out, text};
	struct leaves fresh = {0};

	take_value(&fresh, text, value);
	if (text->begun)
		leaves_compare(&text->known, &fresh, add_difference,
			       &difference);
	leaves_deinit(&text->known);
	text->known = fresh;
	if (text->values && !text->begun)
		add_known(out, text);
	text->begun = true;
}

static void add_change(struct buf *out, struct watch_text *text,
		       const struct value *change)
{
	begin(out, text);
	buf_putc(out, ' ');
	watch_text_add_change(out, change, text->values);
	if (text->begun)
		leaves_set(&text->known, answer_text(change, "path"),
			   value_get(change, STR("new")));
}

void watch_text_write(struct buf *out, struct watch_text *text,
		      const struct value *answer)
{
	const struct value *changes = value_get(answer, STR("changes"));
	const struct value *value = value_get(answer, STR("value"));

	text->generation = answer_int(answer, "generation", 0);
	add_state(out, text, answer_text(answer, "state"));
	add_hold(out, text, answer_int(answer, "held", 0));
	if (answer_bool(answer, "resync") && !text->begun) {
		begin_line(out, text, "resync", OUTPUT_YELLOW);
		buf_puts(out, "what changed before is not known any more\n");
	}
	if (value_is(value, VALUE_OBJECT))
		add_current(out, text, value);
	for (uint32_t i = 0;
	     value_is(changes, VALUE_LIST) && i < changes->list.count; i++)
		add_change(out, text, changes->list.items[i]);
}

void watch_text_deinit(struct watch_text *text)
{
	leaves_deinit(&text->known);
}
