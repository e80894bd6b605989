#ifndef BASE_PACK_H
#define BASE_PACK_H

/*
 * Packed bytes: numbers and texts one after the other, for files of our own.
 *
 * A number takes seven bits a byte, the lowest first; a signed one takes turns
 * about zero; a text comes after its length. The reader stops at the first
 * thing that is not so: from there on it gives zeros and empty texts, so that
 * its owner need not check each step.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct arena;

void pack_number(struct buf *out, uint64_t number);
void pack_signed(struct buf *out, int64_t number);
void pack_text(struct buf *out, struct str text);

/* @text NULL is another than "". */
void pack_optional(struct buf *out, const char *text);

struct unpack {
	struct str rest;
	bool failed;
	uint64_t weight_max; /* of a tree (value/tree_codec.h); 0: as ever */
};

/* False, for `return unpack_fail(...)`. */
bool unpack_fail(struct unpack *unpack);

uint64_t unpack_number(struct unpack *unpack);
int64_t unpack_signed(struct unpack *unpack);

/* Fails when it is more than @max. */
uint64_t unpack_number_to(struct unpack *unpack, uint64_t max);

/* How many of what takes a byte or more each: no more than there are bytes. */
size_t unpack_count(struct unpack *unpack);

/* Borrowed. */
struct str unpack_bytes(struct unpack *unpack, size_t len);

/* Borrowed, of UTF-8. */
struct str unpack_text(struct unpack *unpack);

/* The same without a NUL, so that a C string holds it. */
struct str unpack_name(struct unpack *unpack);

/* What pack_optional wrote: a copy in @arena, or NULL. */
const char *unpack_optional(struct unpack *unpack, struct arena *arena);

#endif
