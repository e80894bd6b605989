#include "config/linear_pattern.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

#define OTHER_CASE 0x20 /* the bit that tells small letters from capitals */

/* The state of reading a pattern: its rest, and the groups around that. */
struct compiler {
	struct linear_pattern *pattern;
	struct str rest;
	unsigned int depth;
	bool failed;
};

/* A part of a pattern: the atoms with which it may begin and end, and whether
 * it may be nothing at all. */
struct part {
	uint64_t first, last;
	bool empty;
};

static struct part take_alternatives(struct compiler *c);

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

/* "[:alpha:]" and its like. */
static bool take_named_class(struct compiler *c, struct bytes *bytes)
{
	static const struct {
		const char *name;
		int (*has)(int letter);
	} classes[] = {
		{"[:alnum:]", isalnum}, {"[:alpha:]", isalpha},
		{"[:digit:]", isdigit}, {"[:lower:]", islower},
		{"[:punct:]", ispunct}, {"[:space:]", isspace},
		{"[:upper:]", isupper}, {"[:xdigit:]", isxdigit},
	};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		struct str name = str_from(classes[i].name);

		if (!str_starts(c->rest, name))
			continue;
		c->rest = str_from_offset(c->rest, name.len);
		for (int letter = 0; letter < 0x80; letter++)
			if (classes[i].has(letter))
				add_letter(bytes, letter);
		return true;
	}
	return false;
}

static void add_class_item(struct compiler *c, struct bytes *bytes)
{
	int from, to;

	if (take_named_class(c, bytes))
		return;
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

/* --- parts of a pattern ------------------------------------------------------
 */

static void add_follow(struct compiler *c, uint64_t before, uint64_t next)
{
	for (unsigned int bit = 0; bit < 64; bit++)
		for (unsigned int set = 0; before >> bit & 1 && set < 256;
		     set++)
			if (set >> bit % 8 & 1)
				c->pattern->follow[bit / 8][set] |= next;
}

static struct part join(struct compiler *c, struct part a, struct part b)
{
	add_follow(c, a.last, b.first);
	return (struct part){
		.first = a.first | (a.empty ? b.first : 0),
		.last = b.last | (b.empty ? a.last : 0),
		.empty = a.empty && b.empty,
	};
}

/* A new atom; of nothing, when there is no room left. */
static struct part new_atom(struct compiler *c)
{
	uint64_t bit = 0;

	if (c->pattern->atoms == LINEAR_PATTERN_ATOMS)
		c->failed = true;
	else
		bit = UINT64_C(1) << ++c->pattern->atoms;
	return (struct part){.first = bit, .last = bit};
}

static struct part new_bytes(struct compiler *c, const struct bytes *bytes)
{
	struct part part = new_atom(c);

	for (size_t i = 0; i < 256; i++)
		if (bytes->has[i])
			c->pattern->step[i] |= part.first;
	return part;
}

static struct part take_anchor(struct compiler *c, uint64_t *anchors)
{
	struct part part = new_atom(c);

	(void)take(c);
	*anchors |= part.first;
	return part;
}

/* Take a character; all its bytes, so that it is repeated as a whole. */
static struct part take_letter(struct compiler *c)
{
	struct bytes bytes = {{false}};
	int letter = take(c);
	struct part part;

	if (letter < 0 || str_set_has("(){}*+?^$]|", (char)letter))
		c->failed = true;
	add_letter(&bytes, letter);
	part = new_bytes(c, &bytes);
	if (letter >= 0x80 && (peek(c) & 0xc0) == 0x80)
		part = join(c, part, take_letter(c));
	return part;
}

/* An empty one takes no room, so nothing would bound its repetitions. */
static struct part take_group(struct compiler *c)
{
	unsigned int atoms = c->pattern->atoms;
	struct part part = {.empty = true};

	if (++c->depth > LINEAR_PATTERN_DEPTH)
		c->failed = true;
	else
		part = take_alternatives(c);
	c->depth--;
	if (!take_if(c, ')') || c->pattern->atoms == atoms)
		c->failed = true;
	return part;
}

static struct part take_atom(struct compiler *c)
{
	struct bytes bytes = {{false}};

	if (take_if(c, '('))
		return take_group(c);
	if (take_if(c, '.'))
		invert(&bytes);
	else if (take_if(c, '\\'))
		add_escape(c, &bytes);
	else if (take_if(c, '['))
		add_class(c, &bytes);
	else
		return take_letter(c);
	return new_bytes(c, &bytes);
}

/* --- repetitions -------------------------------------------------------------
 */

#define ENDLESS (LINEAR_PATTERN_ATOMS + 1)

struct repeat {
	unsigned int least, most;
};

static unsigned int take_number(struct compiler *c)
{
	unsigned int number = 0;

	if (!isdigit(peek(c)))
		c->failed = true;
	while (isdigit(peek(c)) && number <= LINEAR_PATTERN_ATOMS)
		number = number * 10 + (unsigned int)(take(c) - '0');
	if (number > LINEAR_PATTERN_ATOMS)
		c->failed = true;
	return number;
}

static struct repeat take_counts(struct compiler *c)
{
	struct repeat repeat;

	repeat.least = repeat.most = take_number(c);
	if (take_if(c, ','))
		repeat.most = peek(c) == '}' ? ENDLESS : take_number(c);
	if (!take_if(c, '}') || !repeat.most || repeat.least > repeat.most)
		c->failed = true;
	return repeat;
}

static struct repeat take_repeat(struct compiler *c)
{
	if (take_if(c, '?'))
		return (struct repeat){0, 1};
	if (take_if(c, '*'))
		return (struct repeat){0, ENDLESS};
	if (take_if(c, '+'))
		return (struct repeat){1, ENDLESS};
	return take_if(c, '{') ? take_counts(c) : (struct repeat){1, 1};
}

/* Each copy is read anew; an endless last one follows itself. */
static struct part take_repeated(struct compiler *c)
{
	struct str atom = c->rest, behind;
	struct part part = take_atom(c), whole = {.empty = true};
	struct repeat repeat = take_repeat(c);
	unsigned int copies = repeat.most;

	if (repeat.most == ENDLESS)
		copies = repeat.least ? repeat.least : 1;
	behind = c->rest;
	for (unsigned int i = 0; i < copies && !c->failed; i++) {
		c->rest = atom;
		if (i)
			part = take_atom(c);
		if (i >= repeat.least)
			part.empty = true;
		whole = join(c, whole, part);
	}
	if (repeat.most == ENDLESS)
		add_follow(c, part.last, part.first);
	c->rest = behind;
	return whole;
}

/* --- patterns ----------------------------------------------------------------
 */

static struct part take_piece(struct compiler *c)
{
	if (peek(c) == '^')
		return take_anchor(c, &c->pattern->begin);
	if (peek(c) == '$')
		return take_anchor(c, &c->pattern->end);
	return take_repeated(c);
}

static bool ends_alternative(const struct compiler *c)
{
	int letter = peek(c);

	return c->failed || letter < 0 || letter == '|' ||
	       (letter == ')' && c->depth);
}

static struct part take_alternatives(struct compiler *c)
{
	struct part any = {0};

	do {
		struct part all = {.empty = true};

		while (!ends_alternative(c))
			all = join(c, all, take_piece(c));
		any.first |= all.first;
		any.last |= all.last;
		any.empty = any.empty || all.empty;
	} while (!c->failed && take_if(c, '|'));
	return any;
}

bool linear_pattern_add(struct linear_pattern *pattern, struct str text)
{
	struct linear_pattern added = *pattern;
	struct compiler c = {.pattern = &added, .rest = text};
	struct part whole;

	if (text.len > LINEAR_PATTERN_BYTES)
		return false;
	whole = take_alternatives(&c);
	if (c.failed || c.rest.len)
		return false;
	add_follow(&c, 1, 1 | whole.first); /* it may begin anywhere */
	added.last |= whole.last | whole.empty;
	*pattern = added;
	return true;
}

/* --- matching ---------------------------------------------------------------
 */

static uint64_t follow(const struct linear_pattern *pattern, uint64_t state)
{
	uint64_t next = 0;

	for (unsigned int i = 0; i < 8; i++, state >>= 8)
		next |= pattern->follow[i][state & 0xff];
	return next;
}

/* Several anchors may stand in a row, or none. */
static uint64_t pass_anchors(const struct linear_pattern *pattern,
			     uint64_t state, uint64_t anchors)
{
	uint64_t before;

	do {
		before = state;
		state |= follow(pattern, state) & anchors;
	} while (state != before);
	return state;
}

bool linear_pattern_match(const struct linear_pattern *pattern, struct str text)
{
	uint64_t state = pass_anchors(pattern, 1, pattern->begin);

	for (size_t i = 0; i < text.len && !(state & pattern->last); i++) {
		uint64_t hit = pattern->step[(unsigned char)text.ptr[i]];

		state = follow(pattern, state) & (hit | 1);
	}
	state = pass_anchors(pattern, state, pattern->end);
	return state & pattern->last;
}
