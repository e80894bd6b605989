#include "fuzz_text.h"

static void test(struct str input)
{
	fuzz_both_dialects(READ_JSON, input);
}

FUZZ_TARGET("json", test)
