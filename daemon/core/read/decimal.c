#include "read/decimal.h"

#include <assert.h>
#include <stdio.h>

#include "base/arena.h"

#define LIMB        1000000000u
#define LIMB_DIGITS 9

void decimal_init(struct decimal *number)
{
	number->count = 0;
	number->factor = 1;
	number->addend = 0;
}

static void apply(struct decimal *number)
{
	uint64_t carry = number->addend;

	for (size_t i = 0; i < number->count; i++) {
		carry += (uint64_t)number->limbs[i] * number->factor;
		number->limbs[i] = (uint32_t)(carry % LIMB);
		carry /= LIMB;
	}
	for (; carry; carry /= LIMB) {
		assert(number->count < DECIMAL_LIMBS);
		number->limbs[number->count++] = (uint32_t)(carry % LIMB);
	}
	number->factor = 1;
	number->addend = 0;
}

/* Digits gather in factor and addend until these are full: going through all
 * the limbs is what costs. */
void decimal_add_digit(struct decimal *number, uint32_t base, uint32_t digit)
{
	assert(base <= 60 && digit < base);
	if (number->factor > UINT32_MAX / base)
		apply(number);
	number->factor *= base;
	number->addend = number->addend * base + digit;
}

struct str decimal_text(struct decimal *number, struct arena *arena,
			bool negative)
{
	size_t size, len;
	char *text;

	apply(number);
	if (!number->count)
		return STR("0");
	size = number->count * LIMB_DIGITS + 2;
	text = arena_alloc(arena, size);
	len = (size_t)snprintf(text, size, "%s%u", negative ? "-" : "",
			       number->limbs[number->count - 1]);
	for (size_t i = number->count - 1; i-- > 0;)
		len += (size_t)snprintf(text + len, size - len, "%0*u",
					LIMB_DIGITS, number->limbs[i]);
	return (struct str){text, len};
}
