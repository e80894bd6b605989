#include "fuzz_text.h"

static void test(struct str input)
{
	fuzz_both_dialects(READ_HOCON, input);
}

FUZZ_TARGET("hocon", test)
