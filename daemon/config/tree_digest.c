#include "config/tree_digest.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

/* Small pieces are digested together. */
#define PIECE ((size_t)4096)

struct digest {
	struct hmac_sha256 mac;
	struct buf piece;
};

static void flush(struct digest *digest)
{
	hmac_sha256_add(&digest->mac, buf_str(&digest->piece));
	digest->piece.len = 0;
}

/* No two trees have the same bytes: each piece begins with its kind, and with
 * its length where that is not always the same. */
static void add_head(struct digest *digest, char kind, uint64_t length)
{
	char head[9] = {kind};

	for (size_t i = 0; i < 8; i++)
		head[1 + i] = (char)(length >> 8 * i);
	buf_add(&digest->piece, head, sizeof(head));
}

static void add_text(struct digest *digest, char kind, struct str text)
{
	add_head(digest, kind, text.len);
	buf_add_str(&digest->piece, text);
	if (digest->piece.len > PIECE)
		flush(digest);
}

static int by_key(const void *a, const void *b)
{
	const struct member *const *x = a, *const *y = b;

	return str_compare(member_key(*x), member_key(*y));
}

/* The members of @object by their keys; the caller's. */
static const struct member **sorted(const struct value *object)
{
	size_t count = object->object.count;
	const struct member **members =
		mem_alloc((count + 1) * sizeof(*members));

	for (size_t i = 0; i < count; i++)
		members[i] = &object->object.members[i];
	qsort(members, count, sizeof(*members), by_key);
	return members;
}

static void add_value(struct digest *digest, const struct value *value);

static void add_object(struct digest *digest, const struct value *object)
{
	const struct member **members = sorted(object);

	add_head(digest, 'o', object->object.count);
	for (size_t i = 0; i < object->object.count; i++) {
		add_text(digest, 'k', member_key(members[i]));
		add_value(digest, members[i]->value);
	}
	mem_free(members);
}

static void add_list(struct digest *digest, const struct value *list)
{
	add_head(digest, 'l', list->list.count);
	for (size_t i = 0; i < list->list.count; i++)
		add_value(digest, list->list.items[i]);
}

static void add_real(struct digest *digest, double real)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	json_write_real(&text, real);
	add_text(digest, 'r', buf_str(&text));
}

static void add_value(struct digest *digest, const struct value *value)
{
	switch ((enum value_type)value->type) {
	case VALUE_OBJECT: add_object(digest, value); break;
	case VALUE_LIST: add_list(digest, value); break;
	case VALUE_STRING: add_text(digest, 's', value_text(value)); break;
	case VALUE_INT: add_text(digest, 'i', value_text(value)); break;
	case VALUE_REAL: add_real(digest, value->real); break;
	case VALUE_BOOL: add_head(digest, 'b', value->boolean); break;
	case VALUE_NULL:
	case VALUE_READER_FIRST: add_head(digest, 'n', 0); break;
	}
}

static void write_digest(const struct value *value, struct str key,
			 size_t bytes, char *text)
{
	struct digest digest = {.piece = BUF_INIT};
	unsigned char all[SHA256_BYTES];

	hmac_sha256_init(&digest.mac, key);
	add_value(&digest, value);
	flush(&digest);
	hmac_sha256_end(&digest.mac, all);
	sha256_write_hex(all, bytes, text);
	buf_deinit(&digest.piece);
}

void tree_digest(const struct value *root, struct str key,
		 char text[TREE_DIGEST_HEX])
{
	write_digest(root, key, (TREE_DIGEST_HEX - 1) / 2, text);
}

/* --- parts --- */

/* Is each of its own members a part, of which there may be @left more? */
static bool is_opened(const struct member *member, size_t left)
{
	return value_is(member->value, VALUE_OBJECT) &&
	       member->value->object.count &&
	       member->value->object.count - 1 <= left;
}

struct parts {
	struct str key;
	struct buf *json;
	const char *comma;
};

static void write_part(struct parts *parts, struct str path,
		       const struct value *value)
{
	char text[TREE_DIGEST_PART];

	write_digest(value, parts->key, (TREE_DIGEST_PART - 1) / 2, text);
	buf_puts(parts->json, parts->comma);
	json_write_string(parts->json, path);
	buf_printf(parts->json, ":\"%s\"", text);
	parts->comma = ",";
}

static void write_inner(struct parts *parts, struct str outer,
			const struct value *object)
{
	const struct member *member;

	for (value_each (object, member)) {
		_cleanup_(buf_deinit) struct buf path = BUF_INIT;

		path_add_key(&path, outer);
		path_add_key(&path, member_key(member));
		write_part(parts, buf_str(&path), member->value);
	}
}

static void write_outer(struct parts *parts, const struct member *member)
{
	_cleanup_(buf_deinit) struct buf path = BUF_INIT;

	path_add_key(&path, member_key(member));
	write_part(parts, buf_str(&path), member->value);
}

bool tree_digest_parts(const struct value *root, struct str key,
		       struct buf *json)
{
	struct parts parts = {.key = key, .json = json, .comma = ""};
	size_t left = TREE_DIGEST_PARTS;
	const struct member *member;

	if (!value_is(root, VALUE_OBJECT) || !root->object.count ||
	    root->object.count > left)
		return false;
	left -= root->object.count;
	buf_putc(json, '{');
	for (value_each (root, member)) {
		if (!is_opened(member, left)) {
			write_outer(&parts, member);
			continue;
		}
		left -= member->value->object.count - 1;
		write_inner(&parts, member_key(member), member->value);
	}
	buf_putc(json, '}');
	return true;
}
