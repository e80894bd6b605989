/* Values of CLEARML_AGENT__ variables: whatever they hold is a value. */

#include "fuzz_text.h"

static void test(struct str input)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	_cleanup_(env_unrefp) struct env *env = fuzz_env();
	struct read_options options = fuzz_options(READ_VALUE, env);

	options.under = STR("agent.a.b");
	if (read_text(&doc, "CLEARML_AGENT__A", input, &options, &diag) == 0)
		fuzz_check_tree(doc);
	else
		assert(str_utf8_invalid(input) < input.len ||
		       input.len > 1 << 20);
}

FUZZ_TARGET("variable", test)
