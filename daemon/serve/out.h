#ifndef SERVE_OUT_H
#define SERVE_OUT_H

/*
 * Outbox: replies on their way to one socket, gathered so that one system call
 * takes many of them.
 *
 * Replies are written into `bytes`; large ready-made texts are only pointed to
 * and kept alive by a reference. All connections of a server share one outbox:
 * it is emptied before control returns to the loop. What a full socket left
 * over moves into a rest of its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct rendition;

/* Ready-made bytes that several connections send. */
struct shared {
	unsigned int refs;
	size_t len;
	char data[];
};

struct shared *shared_ref(struct shared *shared);
struct shared *shared_unref(struct shared *shared); /* NULL; takes NULL */

#define OUT_PIECES 64

struct out_piece {
	const char *ptr; /* NULL: at @offset of the outbox's bytes */
	size_t offset, len;
	/* References that keep ptr valid, if any. */
	struct rendition *rendition;
	struct shared *shared;
};

struct out {
	struct buf bytes;
	size_t claimed; /* of bytes, by pieces */
	size_t size;    /* of all pieces */
	size_t count;
	struct out_piece pieces[OUT_PIECES];
	uint64_t refusals; /* ever written: AccessDenied, QuotaExceeded */
};

struct out_rest {
	size_t count;
	size_t own;                /* bytes that nobody else holds */
	struct out_piece pieces[]; /* none without ptr */
};

void out_deinit(struct out *out);

/* Give up everything in it. */
void out_clear(struct out *out);

/* The whole tree, and that with the reply that was made around it. */
void out_add_tree(struct out *out, struct rendition *rendition);
void out_add_reply(struct out *out, struct rendition *rendition);
void out_add_shared(struct out *out, struct shared *shared);

/* A place to which the outbox can return, or from where on its bytes can be
 * cut out; valid as long as nothing before it is given up. */
struct out_mark {
	size_t bytes, claimed, size, count;
};

static inline struct out_mark out_mark(const struct out *out)
{
	return (struct out_mark){out->bytes.len, out->claimed, out->size,
				 out->count};
}

void out_rewind(struct out *out, struct out_mark mark);

/* What was written into bytes since @mark, as a text of its own; the outbox is
 * as it was at @mark. */
struct shared *out_cut(struct out *out, struct out_mark mark);

/* Bytes that only this outbox holds. */
size_t out_own(const struct out *out);

/* It is time to send. */
bool out_is_full(const struct out *out);

/* Make everything written a piece; true when there is something to send. */
bool out_close(struct out *out);

/* Where the bytes of piece @index are now. */
static inline struct str out_bytes(const struct out *out, size_t index)
{
	const struct out_piece *piece = &out->pieces[index];

	return (struct str){piece->ptr ? piece->ptr
				       : out->bytes.data + piece->offset,
			    piece->len};
}

/* What is left after @sent bytes; the outbox is empty after. */
struct out_rest *out_take_rest(struct out *out, size_t sent);
void out_rest_free(struct out_rest *rest);

#endif
