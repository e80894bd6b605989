#include "read/concat.h"

#include "base/buf.h"
#include "base/mem.h"
#include "read/reading.h"
#include "read/tree.h"
#include "value/json.h"

/* Bytes of text that count as one more value. */
#define TEXT_PER_NODE 8
#define SCALAR_LENGTH 24 /* of a number or boolean in text */

enum family { FAMILY_SCALAR, FAMILY_LIST, FAMILY_OBJECT };

static enum family family_of(const struct piece *piece)
{
	if (piece->kind != PIECE_VALUE)
		return FAMILY_SCALAR;
	if (piece->value->type == VALUE_LIST)
		return FAMILY_LIST;
	return piece->value->type == VALUE_OBJECT ? FAMILY_OBJECT
						  : FAMILY_SCALAR;
}

static const char *family_name(enum family family)
{
	static const char *const names[] = {"text", "a list", "an object"};

	return names[family];
}

/* Python's way: True, 1.0, 1e+16; null by A2. */
static void add_scalar(struct buf *out, const struct value *scalar)
{
	switch (scalar->type) {
	case VALUE_BOOL:
		buf_puts(out, scalar->boolean ? "True" : "False");
		break;
	case VALUE_REAL: json_write_real(out, scalar->real); break;
	case VALUE_NULL: buf_puts(out, "null"); break;
	default: buf_add_str(out, value_text(scalar)); break;
	}
}

struct str concat_text(struct reading *reading, const struct value *scalar)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (scalar->type == VALUE_STRING || scalar->type == VALUE_INT)
		return value_text(scalar);
	add_scalar(&out, scalar);
	return arena_str(reading->arena, buf_str(&out));
}

static struct value *string_at(struct reading *reading, struct str text,
			       const struct value *place)
{
	struct value *value = reading_value(reading, VALUE_STRING,
					    place->source, place->offset);

	value->text.ptr = text.ptr;
	value->text.len = (uint32_t)text.len;
	return value;
}

static struct str with_blanks(struct reading *reading,
			      const struct piece *piece)
{
	struct str text = piece->text, blanks = piece->blanks;
	char *joined;

	if (!blanks.len)
		return text;
	if (blanks.ptr == text.ptr + text.len)
		return (struct str){text.ptr, text.len + blanks.len};
	joined = arena_alloc(reading->arena, text.len + blanks.len);
	memcpy(joined, text.ptr, text.len);
	memcpy(joined + text.len, blanks.ptr, blanks.len);
	return (struct str){joined, text.len + blanks.len};
}

/* Unquoted text keeps its blanks when something, if only a missing
 * substitution, came after; quoted text does not. */
static struct value *single(struct reading *reading, const struct piece *piece,
			    const struct value *place)
{
	if (piece->kind == PIECE_VALUE)
		return piece->value;
	if (piece->kind == PIECE_QUOTED)
		return string_at(reading, piece->text, place);
	return string_at(reading, with_blanks(reading, piece), place);
}

/* Tell where the specification would have kept what was written. */
static void warn_reprinted(struct reading *reading, const struct piece *piece,
			   struct str printed, const struct value *place)
{
	if (piece->value->type == VALUE_BOOL && !piece->text.ptr)
		reading_warn(reading, reading_source(reading, place),
			     piece->offset,
			     "ClearML prints this anew within text, with a "
			     "capital letter");
	if (!piece->text.ptr ||
	    (str_equal(piece->text, printed) && !piece->blanks.len))
		return;
	reading_warn(reading, reading_source(reading, place), piece->offset,
		     "ClearML prints this anew within text, and drops the "
		     "blanks after it");
}

static void add_piece(struct reading *reading, struct buf *out,
		      const struct piece *piece, const struct value *place)
{
	size_t start = out->len;

	if (piece->kind != PIECE_VALUE) {
		buf_add_str(out, piece->text);
		buf_add_str(out, piece->blanks);
		return;
	}
	add_scalar(out, piece->value);
	warn_reprinted(reading, piece, str_from_offset(buf_str(out), start),
		       place);
}

/* About how long the pieces are together; exact for what is long. */
static size_t total_length(const struct piece *pieces, size_t count)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++) {
		if (pieces[i].kind != PIECE_VALUE)
			total += pieces[i].text.len + pieces[i].blanks.len;
		else if (pieces[i].value->type == VALUE_STRING)
			total += pieces[i].value->text.len;
		else
			total += SCALAR_LENGTH;
	}
	return total;
}

static struct value *join_text(struct reading *reading, struct piece *pieces,
			       size_t count, const struct value *place)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	size_t total;

	if (pieces[count - 1].kind == PIECE_QUOTED)
		pieces[count - 1].blanks = (struct str){0};
	total = total_length(pieces, count);
	if (total > UINT32_MAX / 2 ||
	    !reading_charge(reading, place, total / TEXT_PER_NODE))
		return NULL;
	buf_reserve(&out, total + 1);
	for (size_t i = 0; i < count; i++)
		add_piece(reading, &out, &pieces[i], place);
	return string_at(reading, arena_str(reading->arena, buf_str(&out)),
			 place);
}

static struct value *join_lists(struct reading *reading,
				const struct piece *pieces, size_t count,
				const struct value *place)
{
	struct value *list = reading_value(reading, VALUE_LIST, place->source,
					   place->offset);
	const struct value *part;

	for (size_t i = 0; i < count; i++) {
		part = pieces[i].value;
		list->flags |= part->flags;
		for (uint32_t k = 0; k < part->list.count; k++)
			value_list_add(list, reading->arena,
				       part->list.items[k]);
	}
	return list;
}

static struct value *join_objects(struct reading *reading,
				  const struct piece *pieces, size_t count)
{
	for (size_t i = 1; i < count; i++)
		tree_merge(reading, pieces[0].value, pieces[i].value);
	return pieces[0].value;
}

static bool fit(struct reading *reading, const struct piece *pieces,
		size_t count, const struct value *place)
{
	enum family first = family_of(&pieces[0]), other;

	for (size_t i = 1; i < count; i++) {
		other = family_of(&pieces[i]);
		if (other != first)
			return diag_at(
				reading->diag, reading_source(reading, place),
				pieces[i].offset, "%s cannot be joined to %s",
				family_name(other), family_name(first));
	}
	return true;
}

struct value *concat(struct reading *reading, struct piece *pieces,
		     size_t count, const struct value *place)
{
	if (count == 1)
		return single(reading, &pieces[0], place);
	if (!fit(reading, pieces, count, place))
		return NULL;
	if (family_of(&pieces[0]) == FAMILY_OBJECT)
		return join_objects(reading, pieces, count);
	if (family_of(&pieces[0]) == FAMILY_LIST)
		return join_lists(reading, pieces, count, place);
	return join_text(reading, pieces, count, place);
}
