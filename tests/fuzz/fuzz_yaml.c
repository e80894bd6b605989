#include "fuzz_text.h"

static void test(struct str input)
{
	fuzz_both_dialects(READ_YAML, input);
}

FUZZ_TARGET("yaml", test)
