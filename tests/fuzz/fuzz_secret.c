/* Secrets learned and masked: the input is cut at each 0xFF byte. The first
 * part is a document; of the others every second is a secret, and the rest are
 * texts in which they may stand. No text shows one that is known, however the
 * texts and the secrets were chosen. */

#include <string.h>

#include "config/mask.h"
#include "config/secrets.h"
#include "fuzz_text.h"

#define KNOWN_MIN   8 /* characters that are looked for inside texts */
#define SECRETS_MAX 64
#define MASK_BYTES  4 /* that stand for one byte at least */

struct known_texts {
	struct str items[SECRETS_MAX];
	size_t count;
};

static struct str next_part(struct str *input)
{
	const char *end = memchr(input->ptr, 0xFF, input->len);
	struct str part = *input;

	if (end)
		part.len = (size_t)(end - input->ptr);
	*input = str_from_offset(*input, end ? part.len + 1 : part.len);
	return part;
}

/* One that the mask itself may be part of cannot be told from what is shown;
 * and characters are counted, of UTF-8, without blanks around them. */
static void learn(struct secrets *secrets, struct known_texts *known,
		  struct str part)
{
	_cleanup_(mem_freep) char *text = mem_strndup(part.ptr, part.len);

	part.len = strlen(text);
	secrets_learn_text(secrets, text);
	part = str_trim(part);
	if (str_utf8_invalid(part) == part.len &&
	    str_utf8_length(part) >= KNOWN_MIN && !strchr(text, '*') &&
	    known->count < SECRETS_MAX)
		known->items[known->count++] = part;
}

static void check_hidden(const struct known_texts *known, struct str shown)
{
	for (size_t i = 0; i < known->count; i++)
		assert(!memmem(shown.ptr, shown.len, known->items[i].ptr,
			       known->items[i].len));
}

static void check_masked(const struct secrets *secrets,
			 const struct known_texts *known, struct str text)
{
	_cleanup_(buf_deinit) struct buf shown = BUF_INIT;
	bool hidden = mask_into(secrets, text, &shown);

	assert(hidden || str_equal(buf_str(&shown), text));
	assert(shown.len <= MASK_BYTES * text.len);
	check_hidden(known, buf_str(&shown));
}

/* Keys are not masked by what they hold, nor is JSON's spelling a text's. */
static void mask_document(struct secrets *secrets, struct str part)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	struct read_options options = fuzz_options(READ_HOCON, NULL);

	if (read_text(&doc, "input", part, &options, &diag) != 0)
		return;
	secrets_learn(secrets, doc->root);
	secrets_learn_patterns(secrets, doc->root);
	json_write(&json, mask_tree(secrets, &arena, doc->root));
}

static void test(struct str input)
{
	struct secrets *secrets = secrets_new("x[0-9]{2} (a|b)c"), *pinned;
	struct str document = next_part(&input), rest = input, part;
	struct known_texts known = {0};

	for (bool secret = true; rest.len; secret = !secret) {
		part = next_part(&rest);
		if (secret)
			learn(secrets, &known, part);
	}
	mask_document(secrets, document);
	pinned = secrets_pin(secrets);
	while (input.len)
		check_masked(pinned, &known, next_part(&input));
	secrets_free(pinned);
	secrets_free(secrets);
}

FUZZ_TARGET("secret", test)
