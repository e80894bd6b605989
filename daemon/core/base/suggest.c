#include "base/suggest.h"

#include "base/mem.h"

#define WORD_MAX     64 /* longer ones are like nothing */
#define DISTANCE_MAX 2

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same(char a, char b)
{
	return str_equal_nocase((struct str){&a, 1}, (struct str){&b, 1});
}

/* The cost of the first at[0] letters of @a and at[1] of @b. */
static size_t step(size_t table[][WORD_MAX + 1], struct str a, struct str b,
		   const size_t at[2])
{
	size_t i = at[0], j = at[1];
	bool differ = !same(a.ptr[i - 1], b.ptr[j - 1]);
	size_t least = smaller(table[i - 1][j], table[i][j - 1]) + 1;

	least = smaller(least, table[i - 1][j - 1] + differ);
	if (i > 1 && j > 1 && same(a.ptr[i - 1], b.ptr[j - 2]) &&
	    same(a.ptr[i - 2], b.ptr[j - 1]))
		least = smaller(least, table[i - 2][j - 2] + 1);
	return least;
}

/* Letters added, left out, replaced, and neighbours swapped, from @a to @b
 * (Damerau and Levenshtein). */
static size_t distance(struct str a, struct str b)
{
	size_t table[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= a.len; i++)
		table[i][0] = i;
	for (size_t j = 0; j <= b.len; j++)
		table[0][j] = j;
	for (size_t i = 1; i <= a.len; i++)
		for (size_t j = 1; j <= b.len; j++)
			table[i][j] = step(table, a, b, (size_t[2]){i, j});
	return table[a.len][b.len];
}

static bool may_be_near(struct str a, struct str b)
{
	return b.len && a.len <= WORD_MAX && b.len <= WORD_MAX &&
	       a.len <= b.len + DISTANCE_MAX && b.len <= a.len + DISTANCE_MAX;
}

void suggest_offer(struct suggest *near, const char *word)
{
	struct str text = str_from(word);
	size_t apart;

	if (!may_be_near(near->typed, text))
		return;
	apart = distance(near->typed, text);
	if (apart > DISTANCE_MAX || apart * 3 > text.len ||
	    (near->word && apart >= near->apart))
		return;
	near->word = word;
	near->apart = apart;
}

char *suggest_text(const struct suggest *near, const char *dashes)
{
	return near->word
		       ? mem_printf(" (is '%s%s' meant?)", dashes, near->word)
		       : mem_strdup("");
}
