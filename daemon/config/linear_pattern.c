#include "config/linear_pattern.h"

#include <ctype.h>
#include <string.h>

#define OTHER_CASE 0x20 /* the bit that tells small letters from capitals */

/* What is still to be read of a pattern, and the bit of the next atom. */
struct compiler {
	struct linear_pattern *pattern;
	struct str rest;
	unsigned int next;
	bool failed;
};

/* --- reading ---------------------------------------------------------------
 */

static int peek(const struct compiler *c)
{
	return c->rest.len ? (unsigned char)c->rest.ptr[0] : -1;
}

static int take(struct compiler *c)
{
	int letter = peek(c);

	c->rest = str_from_offset(c->rest, 1);
	c->failed = c->failed || letter < 0;
	return letter;
}

static bool take_if(struct compiler *c, int letter)
{
	if (peek(c) != letter)
		return false;
	(void)take(c);
	return true;
}

/* The bit of an atom; 0 when there is none left. */
static uint64_t new_bit(struct compiler *c)
{
	if (c->next > LINEAR_PATTERN_ATOMS)
		c->failed = true;
	return c->failed ? 0 : UINT64_C(1) << c->next++;
}

/* --- sets of bytes ----------------------------------------------------------
 */

struct bytes {
	bool has[256];
};

static void add_letter(struct bytes *bytes, int letter)
{
	bytes->has[letter & 0xff] = true;
	if (letter < 0x80 && isalpha(letter))
		bytes->has[(letter ^ OTHER_CASE) & 0xff] = true;
}

static void add_range(struct bytes *bytes, int from, int to)
{
	for (int letter = from; letter <= to; letter++)
		add_letter(bytes, letter);
}

static void add_word(struct bytes *bytes)
{
	add_range(bytes, '0', '9');
	add_range(bytes, 'a', 'z');
	add_letter(bytes, '_');
}

/* What comes behind a backslash: a class of its own, or a sign that would mean
 * something else without. */
static void add_escape(struct compiler *c, struct bytes *bytes)
{
	int letter = take(c);

	if (letter == 'd')
		add_range(bytes, '0', '9');
	else if (letter == 'w')
		add_word(bytes);
	else if (letter == 's')
		for (const char *blank = " \t\n\r\f\v"; *blank; blank++)
			add_letter(bytes, *blank);
	else if (letter > 0 && letter < 0x80 && ispunct(letter))
		add_letter(bytes, letter);
	else
		c->failed = true;
}

/* A byte outside ASCII is a part of a character: in a class it would stand for
 * others too. */
static int take_class_letter(struct compiler *c)
{
	int letter = take(c);

	if (letter >= 0x80 || letter == '[')
		c->failed = true;
	return letter;
}

static void add_class_item(struct compiler *c, struct bytes *bytes)
{
	int from, to;

	if (take_if(c, '\\')) {
		add_escape(c, bytes);
		return;
	}
	from = to = take_class_letter(c);
	if (peek(c) == '-' && c->rest.len > 1 && c->rest.ptr[1] != ']') {
		(void)take(c);
		to = take_class_letter(c);
	}
	if (from < 0 || to < from)
		c->failed = true;
	else
		add_range(bytes, from, to);
}

static void invert(struct bytes *bytes)
{
	for (size_t i = 0; i < 256; i++)
		bytes->has[i] = !bytes->has[i];
}

static void add_class(struct compiler *c, struct bytes *bytes)
{
	bool other = take_if(c, '^');

	do
		add_class_item(c, bytes);
	while (!c->failed && !take_if(c, ']'));
	if (other)
		invert(bytes);
}

/* --- atoms -------------------------------------------------------------------
 */

static void set_step(struct compiler *c, const struct bytes *bytes,
		     uint64_t bit)
{
	for (size_t i = 0; i < 256; i++)
		if (bytes->has[i])
			c->pattern->step[i] |= bit;
}

/* "+" is once, and then as often as it likes. */
static void take_repeat(struct compiler *c, const struct bytes *bytes,
			uint64_t bit)
{
	if (take_if(c, '?')) {
		c->pattern->optional |= bit;
	} else if (take_if(c, '*')) {
		c->pattern->optional |= bit;
		c->pattern->repeated |= bit;
	} else if (take_if(c, '+')) {
		bit = new_bit(c);
		set_step(c, bytes, bit);
		c->pattern->optional |= bit;
		c->pattern->repeated |= bit;
	}
}

static void take_atom(struct compiler *c)
{
	struct bytes bytes = {{false}};
	uint64_t bit = new_bit(c);
	int letter = take(c);

	if (letter == '.')
		invert(&bytes);
	else if (letter == '\\')
		add_escape(c, &bytes);
	else if (letter == '[')
		add_class(c, &bytes);
	else if (letter >= 0 && !strchr("(){}*+?^$]", letter))
		add_letter(&bytes, letter);
	else
		c->failed = true;
	set_step(c, &bytes, bit);
	take_repeat(c, &bytes, bit);
}

static bool ends_alternative(const struct compiler *c)
{
	int letter = peek(c);
	bool last = c->rest.len == 1 || (c->rest.len && c->rest.ptr[1] == '|');

	return letter < 0 || letter == '|' || (letter == '$' && last);
}

static void take_alternative(struct compiler *c)
{
	bool first = take_if(c, '^');
	uint64_t start = UINT64_C(1) << c->next, end;

	while (!c->failed && !ends_alternative(c))
		take_atom(c);
	end = new_bit(c); /* of no atom: all before it has matched */
	if (first)
		c->pattern->start_first |= start;
	else
		c->pattern->start |= start;
	if (take_if(c, '$'))
		c->pattern->end_last |= end;
	else
		c->pattern->end |= end;
}

bool linear_pattern_add(struct linear_pattern *pattern, struct str text)
{
	struct linear_pattern added = *pattern;
	struct compiler c = {
		.pattern = &added, .rest = text, .next = pattern->atoms};

	do
		take_alternative(&c);
	while (!c.failed && take_if(&c, '|'));
	if (c.failed || c.rest.len)
		return false;
	added.atoms = c.next;
	*pattern = added;
	return true;
}

/* --- matching ---------------------------------------------------------------
 */

/* Optional atoms may be passed over: a carry runs through each row of them,
 * and stops at the bit behind it. */
static uint64_t pass_optional(const struct linear_pattern *pattern,
			      uint64_t state)
{
	uint64_t rows = pattern->optional;

	return state | (((state & rows) + rows) ^ rows);
}

bool linear_pattern_match(const struct linear_pattern *pattern, struct str text)
{
	uint64_t state =
		pass_optional(pattern, pattern->start | pattern->start_first);

	for (size_t i = 0; i < text.len && !(state & pattern->end); i++) {
		uint64_t hit =
			state & pattern->step[(unsigned char)text.ptr[i]];

		state = (hit & ~pattern->repeated) << 1;
		state |= (hit & pattern->repeated) | pattern->start;
		state = pass_optional(pattern, state);
	}
	return state & (pattern->end | pattern->end_last);
}
