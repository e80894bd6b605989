#include "serve/out.h"

#include <assert.h>

#include "base/mem.h"
#include "config/snapshot.h"

/* Give back the memory that one large reply has needed. */
#define OUT_KEEP ((size_t)128 * 1024)
#define OUT_SEND ((size_t)256 * 1024)

/* The most pieces that one reply is made of. */
#define OUT_REPLY_PIECES 4

static struct shared *shared_new(struct str bytes)
{
	struct shared *shared = mem_alloc(sizeof(*shared) + bytes.len);

	shared->refs = 1;
	shared->len = bytes.len;
	memcpy(shared->data, bytes.ptr, bytes.len);
	return shared;
}

struct shared *shared_ref(struct shared *shared)
{
	shared->refs++;
	return shared;
}

struct shared *shared_unref(struct shared *shared)
{
	if (shared && --shared->refs == 0)
		mem_free(shared);
	return NULL;
}

static void piece_release(struct out_piece *piece)
{
	rendition_unref(piece->rendition);
	shared_unref(piece->shared);
}

static void drop_pieces(struct out *out, size_t count)
{
	while (out->count > count)
		piece_release(&out->pieces[--out->count]);
}

void out_clear(struct out *out)
{
	drop_pieces(out, 0);
	out->size = out->claimed = 0;
	out->bytes.len = 0;
	if (out->bytes.cap > OUT_KEEP)
		buf_deinit(&out->bytes);
}

void out_deinit(struct out *out)
{
	drop_pieces(out, 0);
	buf_deinit(&out->bytes);
}

static void add(struct out *out, struct out_piece piece)
{
	assert(out->count < OUT_PIECES);
	out->pieces[out->count++] = piece;
	out->size += piece.len;
}

bool out_close(struct out *out)
{
	size_t len = out->bytes.len - out->claimed;

	if (len)
		add(out,
		    (struct out_piece){.offset = out->claimed, .len = len});
	out->claimed = out->bytes.len;
	return out->count > 0;
}

static void add_of(struct out *out, struct str bytes,
		   struct rendition *rendition)
{
	out_close(out);
	add(out, (struct out_piece){.ptr = bytes.ptr,
				    .len = bytes.len,
				    .rendition = rendition_ref(rendition)});
}

void out_add_tree(struct out *out, struct rendition *rendition)
{
	add_of(out, rendition_json(rendition), rendition);
}

void out_add_reply(struct out *out, struct rendition *rendition)
{
	add_of(out, rendition->reply, rendition);
}

void out_add_shared(struct out *out, struct shared *shared)
{
	out_close(out);
	add(out, (struct out_piece){.ptr = shared->data,
				    .len = shared->len,
				    .shared = shared_ref(shared)});
}

void out_rewind(struct out *out, struct out_mark mark)
{
	drop_pieces(out, mark.count);
	out->size = mark.size;
	out->claimed = mark.claimed;
	out->bytes.len = mark.bytes;
}

struct shared *out_cut(struct out *out, struct out_mark mark)
{
	struct shared *shared =
		shared_new(str_from_offset(buf_str(&out->bytes), mark.bytes));

	out_rewind(out, mark);
	return shared;
}

/* Does nobody else hold the piece? A pending reply is such a one. */
static bool is_own(const struct out_piece *piece)
{
	return !piece->ptr || (piece->shared && piece->shared->refs == 1);
}

size_t out_own(const struct out *out)
{
	size_t own = out->bytes.len;

	for (size_t i = 0; i < out->count; i++)
		if (out->pieces[i].ptr && is_own(&out->pieces[i]))
			own += out->pieces[i].len;
	return own;
}

bool out_is_full(const struct out *out)
{
	return out->count + OUT_REPLY_PIECES > OUT_PIECES ||
	       out->size + out->bytes.len - out->claimed > OUT_SEND;
}

/* Move piece @index without its first @skip bytes to @piece. Bytes of the
 * outbox are copied to *copy, which moves on. */
static void move_piece(struct out *out, size_t index, size_t skip,
		       struct out_piece *piece, char **copy)
{
	struct str bytes = str_from_offset(out_bytes(out, index), skip);

	*piece = out->pieces[index];
	out->pieces[index].rendition = NULL;
	out->pieces[index].shared = NULL;
	piece->ptr = bytes.ptr;
	piece->len = bytes.len;
	if (!out->pieces[index].ptr) {
		memcpy(*copy, bytes.ptr, bytes.len);
		piece->ptr = *copy;
		*copy += bytes.len;
	}
}

struct out_rest *out_take_rest(struct out *out, size_t sent)
{
	size_t first = 0, count, own = 0;
	struct out_rest *rest;
	char *copy;

	while (first < out->count && sent >= out->pieces[first].len)
		sent -= out->pieces[first++].len;
	count = out->count - first;
	for (size_t i = first; i < out->count; i++)
		own += out->pieces[i].ptr ? 0 : out->pieces[i].len;
	rest = mem_alloc(sizeof(*rest) + count * sizeof(rest->pieces[0]) + own);
	copy = (char *)&rest->pieces[count];
	rest->count = count;
	for (size_t i = 0; i < count; i++) {
		rest->own += is_own(&out->pieces[first + i])
				     ? out->pieces[first + i].len
				     : 0;
		move_piece(out, first + i, i ? 0 : sent, &rest->pieces[i],
			   &copy);
	}
	out_clear(out);
	return rest;
}

void out_rest_free(struct out_rest *rest)
{
	if (!rest)
		return;
	for (size_t i = 0; i < rest->count; i++)
		piece_release(&rest->pieces[i]);
	mem_free(rest);
}
