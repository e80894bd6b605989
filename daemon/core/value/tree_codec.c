#include "value/tree_codec.h"

#include <math.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/source.h"
#include "value/numbering.h"
#include "value/value.h"

/* More than any reader accepts, keys of dotted paths included. */
#define LEVELS_MAX 3500

/* The first byte of a value: its type, and what else there is to know. */
enum {
	TAG_TYPE = 7,
	TAG_AGAIN = 7,   /* in place of a type */
	TAG_TRUE = 8,    /* of a bool */
	TAG_SLICE = 8,   /* of a text: it lies in the source */
	TAG_SOURCE = 16, /* another than the last one's */
	TAG_SHARED = 32, /* in that arena */
	TAG_ALL = 63
};

/* Where the last place or slice ended. */
struct cursor {
	uint16_t source;
	int64_t offset;
};

/* --- tree -> bytes --- */

struct packing {
	struct buf *out;
	const struct numbering *numbering;
	const struct tree_home *home;
	size_t next; /* the number of the next value that is new */
	struct cursor at;
};

static void pack_offset(struct packing *packing, int64_t offset)
{
	pack_signed(packing->out, offset - packing->at.offset);
	packing->at.offset = offset;
}

static bool is_slice(const struct packing *packing, struct str text)
{
	struct str whole;
	uintptr_t start, from = (uintptr_t)text.ptr;

	if (packing->at.source >= packing->home->source_count || !text.len)
		return false;
	whole = packing->home->sources[packing->at.source]->text;
	start = (uintptr_t)whole.ptr;
	return from >= start && from + text.len <= start + whole.len;
}

/* Its length has been written. */
static void pack_content(struct packing *packing, struct str text, bool slice)
{
	const char *start;

	if (!slice) {
		buf_add_str(packing->out, text);
		return;
	}
	start = packing->home->sources[packing->at.source]->text.ptr;
	pack_offset(packing, text.ptr - start);
	packing->at.offset += (int64_t)text.len;
}

static void pack_key(struct packing *packing, struct str key)
{
	bool slice = is_slice(packing, key);

	pack_number(packing->out, 2 * (uint64_t)key.len + slice);
	pack_content(packing, key, slice);
}

static void pack_value(struct packing *packing, struct value *value);

static void pack_list(struct packing *packing, const struct value *list)
{
	pack_number(packing->out, list->list.count);
	for (uint32_t i = 0; i < list->list.count; i++)
		pack_value(packing, list->list.items[i]);
}

static void pack_object(struct packing *packing, const struct value *object)
{
	struct member *m;

	pack_number(packing->out, object->object.count);
	for (value_each (object, m))
		pack_key(packing, member_key(m));
	for (value_each (object, m))
		pack_value(packing, m->value);
}

static void pack_real(struct packing *packing, double real)
{
	uint64_t bits;

	memcpy(&bits, &real, sizeof(bits));
	for (unsigned int i = 0; i < sizeof(bits); i++)
		buf_putc(packing->out,
			 (char)(unsigned char)(bits >> (8 * i) & 0xFF));
}

static void pack_body(struct packing *packing, const struct value *value,
		      bool slice)
{
	switch (value->type) {
	case VALUE_INT:
	case VALUE_STRING:
		pack_number(packing->out, value->text.len);
		pack_content(packing, value_text(value), slice);
		break;
	case VALUE_REAL: pack_real(packing, value->real); break;
	case VALUE_LIST: pack_list(packing, value); break;
	case VALUE_OBJECT: pack_object(packing, value); break;
	default: break;
	}
}

static bool has_text(const struct value *value)
{
	return value->type == VALUE_INT || value->type == VALUE_STRING;
}

static void pack_new(struct packing *packing, const struct value *value)
{
	const struct arena *shared = packing->home->shared;
	unsigned int tag = value->type;
	bool moves = value->source != packing->at.source, slice;

	if (moves)
		packing->at = (struct cursor){value->source, 0};
	slice = has_text(value) && is_slice(packing, value_text(value));
	if (moves)
		tag |= TAG_SOURCE;
	if (shared && arena_owns(shared, value))
		tag |= TAG_SHARED;
	if (slice || (value->type == VALUE_BOOL && value->boolean))
		tag |= TAG_SLICE;
	buf_putc(packing->out, (char)tag);
	if (moves)
		pack_number(packing->out, value->source);
	pack_offset(packing, value->offset);
	pack_body(packing, value, slice);
}

/* Recursion is bounded by the depth that readers accept. */
static void pack_value(struct packing *packing, struct value *value)
{
	size_t number;

	(void)numbering_find(packing->numbering, value, &number);
	if (number == packing->next) {
		packing->next++;
		pack_new(packing, value);
		return;
	}
	buf_putc(packing->out, TAG_AGAIN);
	pack_number(packing->out, number);
}

void tree_pack(struct buf *out, struct numbering *numbering,
	       const struct tree_home *home, struct value *root)
{
	struct packing packing = {out, numbering, home, numbering->count, {0}};

	(void)numbering_add(numbering, root);
	pack_value(&packing, root);
}

/* --- bytes -> tree --- */

struct unpacking {
	struct unpack *in;
	const struct numbering *before;
	const struct tree_home *home;
	struct value **made; /* by number, after those; NULL: not whole yet */
	size_t count, level;
	struct cursor at;
};

static const struct source *source_of(const struct unpacking *unpacking)
{
	const struct tree_home *home = unpacking->home;

	return unpacking->at.source < home->source_count
		       ? home->sources[unpacking->at.source]
		       : NULL;
}

static int64_t unpack_offset(struct unpacking *unpacking)
{
	int64_t step = unpack_signed(unpacking->in), offset;

	if (__builtin_add_overflow(unpacking->at.offset, step, &offset) ||
	    offset < 0 || offset > UINT32_MAX) {
		(void)unpack_fail(unpacking->in);
		return 0;
	}
	unpacking->at.offset = offset;
	return offset;
}

static bool is_character_start(struct str text, size_t at)
{
	return at == text.len || ((unsigned char)text.ptr[at] & 0xC0) != 0x80;
}

static struct str unpack_slice(struct unpacking *unpacking, size_t len)
{
	const struct source *source = source_of(unpacking);
	size_t start = (size_t)unpack_offset(unpacking);

	if (!source || start > source->text.len ||
	    len > source->text.len - start ||
	    !is_character_start(source->text, start) ||
	    !is_character_start(source->text, start + len)) {
		(void)unpack_fail(unpacking->in);
		return STR("");
	}
	unpacking->at.offset += (int64_t)len;
	return (struct str){source->text.ptr + start, len};
}

/* What is no slice lies among the nodes, so that objects grow in place. */
static struct str unpack_content(struct unpacking *unpacking, size_t len,
				 bool slice)
{
	struct str text;

	if (slice)
		return unpack_slice(unpacking, len);
	text = unpack_bytes(unpacking->in, len);
	if (str_utf8_invalid(text) != text.len)
		(void)unpack_fail(unpacking->in);
	return arena_str(unpacking->home->nodes, text);
}

static bool is_canonical(struct str digits)
{
	bool negative = str_starts(digits, STR("-"));
	struct str bare = str_from_offset(digits, negative);

	for (size_t i = 0; i < bare.len; i++)
		if (bare.ptr[i] < '0' || bare.ptr[i] > '9')
			return false;
	return bare.len && (bare.ptr[0] != '0' || digits.len == 1);
}

static bool unpack_scalar_text(struct unpacking *unpacking, struct value *value,
			       bool slice)
{
	size_t len = (size_t)unpack_number_to(unpacking->in, UINT32_MAX);
	struct str text = unpack_content(unpacking, len, slice);

	value->text.ptr = text.ptr;
	value->text.len = (uint32_t)text.len;
	return value->type == VALUE_STRING || is_canonical(text) ||
	       unpack_fail(unpacking->in);
}

static bool unpack_real(struct unpacking *unpacking, struct value *value)
{
	struct str bytes = unpack_bytes(unpacking->in, sizeof(uint64_t));
	uint64_t bits = 0;

	for (unsigned int i = 0; i < bytes.len; i++)
		bits |= (uint64_t)(unsigned char)bytes.ptr[i] << (8 * i);
	memcpy(&value->real, &bits, sizeof(bits));
	return isfinite(value->real) || unpack_fail(unpacking->in);
}

static struct value *unpack_value(struct unpacking *unpacking);

static bool unpack_list(struct unpacking *unpacking, struct value *list)
{
	size_t count = unpack_count(unpacking->in);
	struct value *item;

	for (size_t i = 0; i < count; i++) {
		item = unpack_value(unpacking);
		if (!item)
			return false;
		value_list_add(list, unpacking->home->arena, item);
	}
	return true;
}

static bool unpack_key(struct unpacking *unpacking, struct value *object)
{
	uint64_t what = unpack_number_to(unpacking->in, UINT32_MAX);
	size_t count = object->object.count;
	struct str key =
		unpack_content(unpacking, (size_t)(what / 2), what & 1);

	(void)value_object_slot(object, unpacking->home->arena, key);
	return object->object.count > count || unpack_fail(unpacking->in);
}

static bool unpack_object(struct unpacking *unpacking, struct value *object)
{
	size_t count = unpack_count(unpacking->in);
	struct value *value;

	for (size_t i = 0; i < count; i++)
		if (!unpack_key(unpacking, object))
			return false;
	for (size_t i = 0; i < count; i++) {
		value = unpack_value(unpacking);
		if (!value)
			return false;
		object->object.members[i].value = value;
	}
	return true;
}

static bool unpack_body(struct unpacking *unpacking, struct value *value,
			unsigned int tag)
{
	switch (value->type) {
	case VALUE_BOOL: value->boolean = tag & TAG_TRUE; return true;
	case VALUE_INT:
	case VALUE_STRING:
		return unpack_scalar_text(unpacking, value, tag & TAG_SLICE);
	case VALUE_REAL: return unpack_real(unpacking, value);
	case VALUE_LIST: return unpack_list(unpacking, value);
	case VALUE_OBJECT: return unpack_object(unpacking, value);
	default: return true;
	}
}

static void unpack_place(struct unpacking *unpacking, struct value *value,
			 unsigned int tag)
{
	const struct source *source;

	if (tag & TAG_SOURCE) {
		unpacking->at = (struct cursor){0};
		unpacking->at.source =
			(uint16_t)unpack_number_to(unpacking->in, UINT16_MAX);
	}
	value->source = unpacking->at.source;
	value->offset = (uint32_t)unpack_offset(unpacking);
	source = source_of(unpacking);
	if (unpacking->home->source_count &&
	    (!source || value->offset > source->text.len))
		(void)unpack_fail(unpacking->in);
}

static struct value *unpack_again(struct unpacking *unpacking)
{
	size_t before = unpacking->before->count;
	uint64_t number = unpack_number(unpacking->in);
	struct value *value = NULL;

	if (number < before)
		value = unpacking->before->items[number].value;
	else if (number - before < unpacking->count)
		value = unpacking->made[number - before];
	if (!value)
		(void)unpack_fail(unpacking->in);
	return value;
}

static size_t take_number(struct unpacking *unpacking)
{
	unpacking->made = mem_room(unpacking->made, unpacking->count,
				   sizeof(struct value *));
	unpacking->made[unpacking->count] = NULL;
	return unpacking->count++;
}

static struct value *unpack_new(struct unpacking *unpacking, unsigned int tag)
{
	const struct tree_home *home = unpacking->home;
	bool shared = home->shared && tag & TAG_SHARED;
	struct value *value = value_new(shared ? home->shared : home->nodes,
					(enum value_type)(tag & TAG_TYPE));
	size_t number = take_number(unpacking);
	bool ok;

	unpack_place(unpacking, value, tag);
	unpacking->level++;
	ok = unpacking->level <= LEVELS_MAX &&
	     unpack_body(unpacking, value, tag) && !unpacking->in->failed;
	unpacking->level--;
	if (!ok) {
		(void)unpack_fail(unpacking->in);
		return NULL;
	}
	unpacking->made[number] = value;
	return value;
}

/* NULL: it is damaged. */
static struct value *unpack_value(struct unpacking *unpacking)
{
	struct str byte = unpack_bytes(unpacking->in, 1);
	unsigned int tag = byte.len ? (unsigned char)byte.ptr[0] : ~0U;

	if (tag == TAG_AGAIN)
		return unpack_again(unpacking);
	if (tag <= TAG_ALL && (tag & TAG_TYPE) != TAG_AGAIN)
		return unpack_new(unpacking, tag);
	(void)unpack_fail(unpacking->in);
	return NULL;
}

struct value *tree_unpack(struct unpack *in, struct numbering *numbering,
			  const struct tree_home *home)
{
	struct unpacking unpacking = {in, numbering, home};
	struct value *root = unpack_value(&unpacking);
	uint64_t most = in->weight_max ? in->weight_max : TREE_WEIGHT_MAX;

	mem_free(unpacking.made);
	if (root && numbering_add(numbering, root) <= most)
		return root;
	(void)unpack_fail(in);
	return NULL;
}
