#ifndef READ_DECIMAL_H
#define READ_DECIMAL_H

/*
 * Natural numbers written in another base -> decimal digits, of any size that
 * DECIMAL_DIGITS_MAX digits of a base up to 60 can reach.
 *
 * The cost grows with the square of the digits; hence the limit. A decimal is
 * a few kilobytes on the caller's stack and owns nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;

#define DECIMAL_DIGITS_MAX 4096
#define DECIMAL_LIMBS      832 /* of nine decimal digits each */

struct decimal {
	uint32_t limbs[DECIMAL_LIMBS]; /* the least first */
	size_t count;
	uint32_t factor, addend; /* still to be applied to the limbs */
};

void decimal_init(struct decimal *number);

/* number = number * base + digit; base is 2 to 60. */
void decimal_add_digit(struct decimal *number, uint32_t base, uint32_t digit);

/* Canonical digits in @arena, with '-' in front of a negative one. */
struct str decimal_text(struct decimal *number, struct arena *arena,
			bool negative);

#endif
