#include "read/concat.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "read/reading.h"
#include "read/tree.h"
#include "value/json.h"

/* Bytes of text that count as one more value. */
#define TEXT_PER_NODE 8
#define SCALAR_LENGTH 24 /* of a number or boolean in text */

enum family { FAMILY_SCALAR, FAMILY_LIST, FAMILY_OBJECT };

static enum family family_of(const struct concat_part *part)
{
	if (part->kind != PART_VALUE)
		return FAMILY_SCALAR;
	if (part->value->type == VALUE_LIST)
		return FAMILY_LIST;
	return part->value->type == VALUE_OBJECT ? FAMILY_OBJECT
						 : FAMILY_SCALAR;
}

static const char *family_name(enum family family)
{
	static const char *const names[] = {"text", "a list", "an object"};

	return names[family];
}

/* Scalars as Python prints them: True, 1.0, 1e+16; a null by
 * semantics.md, "Departures". */
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
			      const struct concat_part *part)
{
	struct str text = part->text, blanks = part->blanks;
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
static struct value *single(struct reading *reading,
			    const struct concat_part *part,
			    const struct value *place)
{
	if (part->kind == PART_VALUE)
		return part->value;
	if (part->kind == PART_QUOTED)
		return string_at(reading, part->text, place);
	return string_at(reading, with_blanks(reading, part), place);
}

bool concat_prints_anew(struct reading *reading, const struct value *number)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	struct source *source = reading_source(reading, number);
	const char *start = source->text.ptr + number->offset;
	struct str literal = {start, strspn(start, "+-.0123456789eE")};

	if (!literal.len || number->flags & TREE_ANEW)
		return number->flags & TREE_ANEW;
	add_scalar(&out, number);
	return !str_equal(buf_str(&out), literal);
}

void concat_warn_anew(struct reading *reading, const struct value *scalar,
		      const struct concat_part *part, const struct value *place)
{
	const char *what =
		scalar->type == VALUE_BOOL
			? "ClearML prints this anew within text, with a "
			  "capital letter"
		: scalar->flags & TREE_ANEW
			? "ClearML prints this number anew within text, where "
			  "the specification keeps its digits"
			: NULL;

	if (what)
		reading_warn(reading, reading_source(reading, place),
			     part->offset, what);
}

/* Tell where the specification would have kept what was written. */
static void warn_reprinted(struct reading *reading,
			   const struct concat_part *part, struct str printed,
			   const struct value *place)
{
	if (!part->text.ptr)
		concat_warn_anew(reading, part->value, part, place);
	else if (!str_equal(part->text, printed) || part->blanks.len)
		reading_warn(reading, reading_source(reading, place),
			     part->offset,
			     "ClearML prints this anew within text, and drops "
			     "the blanks after it");
}

void concat_warn_null(struct reading *reading, const struct concat_part *part,
		      const struct value *place)
{
	reading_warn(reading, reading_source(reading, place), part->offset,
		     "ClearML prints an internal object for a null within "
		     "text");
}

/* ClearML would print the address of an object: here the specification holds
 * (semantics.md, "Departures"). */
static void add_null(struct reading *reading, struct buf *out,
		     const struct concat_part *part, const struct value *place)
{
	buf_add_str(out, part->text.ptr ? part->text : STR("null"));
	buf_add_str(out, part->blanks);
	concat_warn_null(reading, part, place);
}

static void add_part(struct reading *reading, struct buf *out,
		     const struct concat_part *part, const struct value *place)
{
	size_t start = out->len;

	if (part->kind != PART_VALUE) {
		buf_add_str(out, part->text);
		buf_add_str(out, part->blanks);
		return;
	}
	if (part->value->type == VALUE_NULL) {
		add_null(reading, out, part, place);
		return;
	}
	add_scalar(out, part->value);
	warn_reprinted(reading, part, str_from_offset(buf_str(out), start),
		       place);
}

/* About how long the parts are together; long strings count exactly. */
static size_t total_length(const struct concat_part *parts, size_t count)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++) {
		if (parts[i].kind != PART_VALUE)
			total += parts[i].text.len + parts[i].blanks.len;
		else if (parts[i].value->type == VALUE_STRING)
			total += parts[i].value->text.len;
		else
			total += SCALAR_LENGTH;
	}
	return total;
}

static struct value *join_text(struct reading *reading,
			       struct concat_part *parts, size_t count,
			       const struct value *place)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	size_t total;

	if (parts[count - 1].kind == PART_QUOTED)
		parts[count - 1].blanks = (struct str){0};
	total = total_length(parts, count);
	if (total > UINT32_MAX / 2 ||
	    !reading_charge(reading, place, total / TEXT_PER_NODE))
		return NULL;
	buf_reserve(&out, total + 1);
	for (size_t i = 0; i < count; i++)
		add_part(reading, &out, &parts[i], place);
	return string_at(reading, arena_str(reading->arena, buf_str(&out)),
			 place);
}

/* Elements that wait stand in the joined list from now on. */
static struct value *join_lists(struct reading *reading,
				const struct concat_part *parts, size_t count,
				const struct value *place)
{
	struct value *list = reading_value(reading, VALUE_LIST, place->source,
					   place->offset);
	const struct value *part;

	for (size_t i = 0; i < count; i++) {
		part = parts[i].value;
		list->flags |= part->flags;
		for (uint32_t k = 0; k < part->list.count; k++)
			tree_list_add(reading, list, part->list.items[k]);
	}
	return list;
}

/* ClearML makes a new object even of one; what waits stands in that one from
 * now on, but the elements of a list that is a member stay. */
static struct value *join_objects(struct reading *reading,
				  const struct concat_part *parts, size_t count)
{
	struct value *object = parts[0].value;

	if (tree_waits(object))
		object = tree_moved(reading, object);
	for (size_t i = 1; i < count; i++)
		tree_merge(reading, object, parts[i].value, true);
	return object;
}

/* The first part that is not of the first one's family; @count: none. */
static size_t first_misfit(const struct concat_part *parts, size_t count)
{
	size_t i = 1;

	while (i < count && family_of(&parts[i]) == family_of(&parts[0]))
		i++;
	return i;
}

bool concat_fits(const struct concat_part *parts, size_t count)
{
	return first_misfit(parts, count) >= count;
}

bool concat_objects(const struct concat_part *parts, size_t count)
{
	return family_of(&parts[0]) == FAMILY_OBJECT &&
	       concat_fits(parts, count);
}

/* Of parts that fit by now the diag tells already: the dialect takes them for
 * no list. */
static struct value *misfit(struct reading *reading,
			    const struct concat_part *parts, size_t count,
			    const struct value *place)
{
	size_t at = first_misfit(parts, count);

	if (at >= count)
		return NULL;
	diag_at(reading->diag, reading_source(reading, place), parts[at].offset,
		"%s cannot be joined to %s", family_name(family_of(&parts[at])),
		family_name(family_of(&parts[0])));
	return NULL;
}

/* --- objects as lists ---------------------------------------------------- */

struct numbered {
	unsigned long number;
	struct value *value;
};

static bool to_number(struct str key, unsigned long *number)
{
	*number = 0;
	for (size_t i = 0; i < key.len; i++) {
		if (key.ptr[i] < '0' || key.ptr[i] > '9')
			return false;
		*number = *number * 10 + (unsigned long)(key.ptr[i] - '0');
	}
	return key.len && key.len < sizeof("2147483647");
}

static int by_number(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* The members of @object whose keys are numbers, in that order, whatever lies
 * between; NULL: it has none. */
static struct value *numbered_list(struct reading *reading,
				   const struct value *object)
{
	struct value *list = reading_value(reading, VALUE_LIST, object->source,
					   object->offset);
	_cleanup_(mem_freep) struct numbered *items =
		mem_alloc(object->object.count * sizeof(*items));
	size_t count = 0;
	struct member *m;

	for (value_each (object, m)) {
		items[count].value = m->value;
		count += to_number(member_key(m), &items[count].number);
	}
	qsort(items, count, sizeof(*items), by_number);
	for (size_t i = 0; i < count; i++)
		tree_list_add(reading, list, items[i].value);
	return count ? list : NULL;
}

static const char numbered[] =
	"an object whose keys are numbers, joined to a list as one";

static bool departs(struct reading *reading, const struct value *place,
		    const char *what)
{
	if (tree_is_delayed(place))
		return tree_departs(reading, (struct value *)place, place,
				    what);
	return reading_departs(reading, reading_source(reading, place),
			       place->offset, what);
}

/* Objects joined to lists are lists to the specification, when their keys are
 * numbers. False when that does not make them all fit, or the diag is set. */
static bool join_numbered(struct reading *reading, struct concat_part *parts,
			  size_t count, const struct value *place)
{
	bool any_list = false;
	struct value *list;

	for (size_t i = 0; i < count; i++)
		any_list = any_list || family_of(&parts[i]) == FAMILY_LIST;
	for (size_t i = 0; any_list && i < count; i++) {
		if (family_of(&parts[i]) != FAMILY_OBJECT)
			continue;
		list = numbered_list(reading, parts[i].value);
		if (!list)
			return false;
		parts[i].value = list;
	}
	return any_list && concat_fits(parts, count) &&
	       departs(reading, place, numbered);
}

struct value *concat(struct reading *reading, struct concat_part *parts,
		     size_t count, const struct value *place)
{
	enum family family;

	if (!concat_fits(parts, count) &&
	    !join_numbered(reading, parts, count, place))
		return misfit(reading, parts, count, place);
	family = family_of(&parts[0]);
	if (family == FAMILY_OBJECT)
		return join_objects(reading, parts, count);
	if (family == FAMILY_LIST && (count > 1 || tree_waits(parts[0].value)))
		return join_lists(reading, parts, count, place);
	return count == 1 ? single(reading, &parts[0], place)
			  : join_text(reading, parts, count, place);
}

/* --- what does not fit, but has a meaning -------------------------------- */

/* The first object that came to the key later; @count: none. */
static size_t first_after(const struct concat_part *parts, size_t count)
{
	size_t i = 0;

	while (i < count && !parts[i].after)
		i++;
	return i;
}

/* Text added to a list: one more element, by the specification. */
static bool append_element(struct reading *reading, const struct value *place,
			   struct concat_part *parts, size_t *count)
{
	struct concat_part *last = &parts[*count - 1];
	struct value *list;

	if (!tree_delayed(place)->append || *count < 2 ||
	    family_of(&parts[0]) != FAMILY_LIST ||
	    family_of(last) != FAMILY_SCALAR)
		return false;
	list = reading_value(reading, VALUE_LIST, place->source, place->offset);
	value_list_add(list, reading->arena, last->value);
	last->value = list;
	parts[1] = *last;
	*count = 2;
	return true;
}

bool concat_mend(struct reading *reading, struct value *place,
		 struct concat_part **parts, size_t *count)
{
	size_t before = 0, own = first_after(*parts, *count);

	while (before < *count && (*parts)[before].before)
		before++;
	if (before && before < own &&
	    family_of(&(*parts)[before]) != FAMILY_OBJECT) {
		*parts += before;
		*count -= before;
		return tree_departs(reading, place, place,
				    "an object replaced by a substitution that "
				    "is none");
	}
	if (own && own < *count && family_of(*parts) != FAMILY_OBJECT) {
		*parts += own;
		*count -= own;
		return tree_departs(reading, place, (*parts)->value,
				    "an object for a key whose substitution is "
				    "none");
	}
	return !append_element(reading, place, *parts, count) ||
	       tree_departs(reading, place, place, "text added to a list");
}
